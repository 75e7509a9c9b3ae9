"""Claims that one method beats another on a toy task, over enough worlds that chance is below 1e-6.

Both sides are attune's: "attune" counts the worlds in which the claim held, "peer" those in which it did not; the target is
the least ratio of both that a fair coin reaches less than once in a million. The tests are those of `make test` whose
suites end in Claims (there p < 1e-3 over fewer worlds); several minutes on two cores.
"""

import json
import os
import pathlib
import subprocess
from math import comb

from frame import Unequal

ROOT = pathlib.Path(__file__).resolve().parents[2]
TARGET = "sign test, p < 1e-6"
CHANCE = 1e-6


def tail(wins, runs):
    """The probability of at least that many wins of a fair coin."""
    return sum(comb(runs, k) for k in range(wins, runs + 1)) / 2**runs


def least_wins(runs):
    return next(wins for wins in range(runs + 1) if tail(wins, runs) < CHANCE)


def tests_of(binary, out):
    """Every test of the Claims suites, as GoogleTest reports it."""
    environment = {**os.environ, "ATTUNE_CLAIMS": "full", "OMP_WAIT_POLICY": "passive"}
    subprocess.run([binary, "--gtest_filter=*Claims.*", "--gtest_brief=1", f"--gtest_output=json:{out}"],
                   env=environment, cwd=ROOT, check=False)
    report = json.loads(out.read_text())
    return [(suite["name"], test) for suite in report["testsuites"] for test in suite["testsuite"]]


def line(suite, test, claim, figures):
    wins, runs = figures["wins"], figures["runs"]
    ratio = wins / max(runs - wins, 1)
    least = least_wins(runs)
    return {"what": claim.replace("_", " "), "ours": wins, "peer": runs - wins, "unit": "worlds", "better": "more",
            "ratios": [ratio], "median": ratio, "low": ratio, "high": ratio, "target": round(least / max(runs - least, 1), 2),
            "reached": figures["p"] < CHANCE, "at_most": None, "disturbed": 0,
            "equality": {"holds": True, "test": f"{suite}.{test['name']}"}, "facts": figures}


def measure(bench):
    failed = []
    for binary in sorted((ROOT / "build" / "tests").glob("test_*")):
        for suite, test in tests_of(binary, bench.work(binary.name) / "report.json"):
            failed += [f"{suite}.{test['name']}"] if "failures" in test else []
            for claim, text in test.items():
                if isinstance(text, str) and text.startswith('{"wins"'):
                    yield line(suite, test, claim, json.loads(text))
    if failed:
        raise Unequal(f"claims that do not hold: {', '.join(failed)}")
