"""The peer's end of worker.py: one JSON line in, one out. What libraries print goes to stderr."""

import json
import os
import sys

_answers = os.fdopen(os.dup(1), "w")
os.dup2(2, 1)


def receive():
    """The next request, or None when the driver is done."""
    line = sys.stdin.readline()
    return json.loads(line) if line else None


def answer(value):
    _answers.write(json.dumps(value) + "\n")
    _answers.flush()


def peak_bytes():
    """Highest resident size since the last forget_peak()."""
    with open("/proc/self/status") as status:
        return next(int(line.split()[1]) * 1024 for line in status if line.startswith("VmHWM"))


def forget_peak():
    with open("/proc/self/clear_refs", "w") as control:
        control.write("5")
