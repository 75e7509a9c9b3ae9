"""docs/tokenizers.md says what the recorded comparisons and the readers' source say."""
import pathlib
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]

if __name__ == "__main__":
    sys.exit(subprocess.run([sys.executable, ROOT / "tools" / "write_tokenizer_table.py", "--check"], check=False).returncode)
