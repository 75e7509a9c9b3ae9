"""docs/evals.md says what the program says of its benchmarks."""

import pathlib
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]

if __name__ == "__main__":
    sys.exit(subprocess.run([sys.executable, ROOT / "tools" / "write_eval_table.py", "--check"], check=False).returncode)
