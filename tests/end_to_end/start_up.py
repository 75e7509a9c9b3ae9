"""Commands that need no model answer at once: they never open libtorch, and take at most 30 ms (median)."""

import pathlib
import statistics
import subprocess
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
PROGRAM = ROOT / "build" / "attune"
MODEL = ROOT / "tests" / "parity" / "recorded" / "trl" / "model"
PAIRS = ROOT / "tests" / "parity" / "recorded" / "trl" / "pairs.jsonl"

COMMANDS = [
    ["--help"],
    ["parts"],
    ["explain", "objective", "dpo"],
    ["data", "inspect", str(PAIRS), "--json"],
    ["tokenize", "--tokenizer", str(MODEL), str(PAIRS), "--field", "prompt"],
]


def milliseconds(words):
    start = time.perf_counter()
    subprocess.run([PROGRAM, *words], check=True, stdout=subprocess.DEVNULL)
    return 1000 * (time.perf_counter() - start)


def main():
    libraries = subprocess.run(["ldd", PROGRAM], check=True, capture_output=True, text=True).stdout
    assert "torch" not in libraries, libraries
    slow = []
    for words in COMMANDS:
        median = statistics.median(milliseconds(words) for _ in range(15))
        print(f"attune {' '.join(words[:2])}: {median:.1f} ms")
        if median > 30:
            slow.append(words)
    return 1 if slow else 0


if __name__ == "__main__":
    sys.exit(main())
