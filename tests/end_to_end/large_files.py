#!/usr/bin/env python3
"""Looking at, checking and converting data take memory for rows, not for files: 80 MB in a process of at most 64 MB."""

import json
import os
import pathlib
import random
import resource
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))
from support.program import ATTUNE, environment, temporary_folder

ROWS, LIMIT = 10_000, 64 << 20


def limited(folder, *words):
    """Runs the program with a bound on what it may allocate, on one core: every thread's stack counts."""
    def bound():
        os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
        resource.setrlimit(resource.RLIMIT_DATA, (LIMIT, LIMIT))
    return subprocess.run([ATTUNE, *words], cwd=folder, env=environment(folder), preexec_fn=bound, capture_output=True,
                          text=True)


def main():
    with temporary_folder() as name:
        folder = pathlib.Path(name)
        with open(folder / "large.jsonl", "w") as file:
            draw = random.Random(1)
            for _ in range(ROWS):
                file.write(json.dumps({name: draw.randbytes(1400).hex() for name in ("prompt", "chosen", "rejected")}))
                file.write("\n")
        size = (folder / "large.jsonl").stat().st_size
        assert size > 75 << 20, size
        for words in (["inspect", "large.jsonl", "--json"], ["validate", "large.jsonl", "--json"],
                      ["convert", "large.jsonl", "--to", "attune", "--out", "out.jsonl.zst", "--json"],
                      ["columns", "out.jsonl.zst", "--json"]):
            done = limited(folder, "data", *words)
            assert done.returncode == 0, (words, done.stderr[-300:])
            rows = json.loads(done.stdout)["rows"]
            assert rows in (ROWS, ROWS + 1), (words, rows)  # the native form has a header
    return 0


if __name__ == "__main__":
    sys.exit(main())
