"""docs/families.md says what the program and the last measurement say of model families."""

import pathlib
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]

if __name__ == "__main__":
    sys.exit(subprocess.run([sys.executable, ROOT / "tools" / "write_family_table.py", "--check"], check=False).returncode)
