#!/usr/bin/env python3
"""Runs every test binary and script of the project, one after the other, and ends with 'N passed, N failed'.

One binary a library; tests that time things or compare bits never run beside others. A binary that dies counts as a
failure of its own. `tests/run.py text model` runs only those.
"""

import os
import pathlib
import re
import subprocess
import sys
import time

# As the program does: waiting threads spin for a moment, then sleep.
os.environ.setdefault("OMP_WAIT_POLICY", "passive")
os.environ.setdefault("GOMP_SPINCOUNT", "20000")
ROOT = pathlib.Path(__file__).resolve().parent.parent
BINARIES = ROOT / "build" / "tests"


# Tests of bits and recorded numbers are about the CPU, which `auto` does not choose where there is a GPU.
WITHOUT_GPUS = os.environ | {"CUDA_VISIBLE_DEVICES": ""}


def run_binary(path, tests="-Gpu.*", variables=WITHOUT_GPUS):
    """Passed, failed and skipped tests of one GoogleTest binary."""
    process = subprocess.run([path, "--gtest_brief=1", f"--gtest_filter={tests}"], cwd=ROOT, env=variables,
                             stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    text = process.stdout.decode(errors="replace")

    def count(pattern):
        found = re.findall(pattern, text)
        return int(found[-1]) if found else 0

    total = count(r"(\d+) tests? from \d+ test suites? ran")
    skipped = count(r"\[  SKIPPED \] (\d+) test")
    names = {name for name in re.findall(r"\[  FAILED  \] ([^\s,]+)", text) if not name.isdigit()}
    failed = len(names) if process.returncode else 0
    if process.returncode and not failed:
        failed = 1  # it died
    if failed:
        print(text)
    return max(0, total - failed - skipped), failed, skipped


def run_script(path):
    """A script is one test: exit 0 passes, 77 skips."""
    process = subprocess.run([sys.executable, path], cwd=ROOT, env=WITHOUT_GPUS, stdout=subprocess.PIPE,
                             stderr=subprocess.STDOUT)
    if process.returncode not in (0, 77):
        print(process.stdout.decode(errors="replace"))
        return 0, 1, 0
    return int(process.returncode == 0), 0, int(process.returncode == 77)


def run_on_gpu(path):
    """The tests that compare a GPU with the CPU; they skip where there is none."""
    return run_binary(path, "Gpu.*", os.environ)


def main():
    wanted = set(sys.argv[1:])
    jobs = [(path.name.removeprefix("test_"), run_binary, path) for path in sorted(BINARIES.glob("test_*"))]
    jobs += [("gpu", run_on_gpu, BINARIES / "test_train")]
    for folder in ("check", "end_to_end"):
        jobs += [(path.stem, run_script, path) for path in sorted((ROOT / "tests" / folder).glob("*.py"))]
    passed = failed = skipped = 0
    for name, run, path in jobs:
        if wanted and name not in wanted:
            continue
        start = time.monotonic()
        counts = run(path)
        note = f", {counts[2]} skipped" if counts[2] else ""
        print(f"{name}: {counts[0]} passed, {counts[1]} failed{note} ({time.monotonic() - start:.1f} s)", flush=True)
        passed, failed, skipped = passed + counts[0], failed + counts[1], skipped + counts[2]
    note = f", {skipped} skipped" if skipped else ""
    print(f"{passed} passed, {failed} failed{note}")
    return 1 if failed or not passed else 0


if __name__ == "__main__":
    sys.exit(main())
