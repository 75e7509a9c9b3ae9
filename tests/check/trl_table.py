"""docs/coming-from-trl.md says what the program does with TRL's arguments."""

import pathlib
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]

if __name__ == "__main__":
    sys.exit(subprocess.run([sys.executable, ROOT / "tools" / "write_trl_table.py", "--check"], check=False).returncode)
