#!/usr/bin/env python3
"""Measures attune beside its peers: `make bench`, or `make bench ROW=name` for one row of rows/.

Every row checks first that both sides compute the same; where they do not, the run goes on and ends with 1. Results lie
under bench/out/ROW.json with the machine's ceilings beside them.
"""

import argparse
import ast
import importlib
import os
import pathlib
import sys
import time
import traceback

from frame import Bench, Unequal, line_of, write
from worker import DEVICE_VARIABLE

HERE = pathlib.Path(__file__).resolve().parent


def row_names():
    return sorted(path.stem for path in (HERE / "rows").glob("[a-z]*.py"))


def run_row(name, options):
    """The lines of one row, and why there are no more: None, or a sentence."""
    module = importlib.import_module(f"rows.{name}")
    print(f"\n{name}: {module.__doc__.strip().splitlines()[0]}", flush=True)
    start, lines = time.monotonic(), []
    (options.out / f"{name}.json").unlink(missing_ok=True)
    try:
        with Bench(name, options.out, options.blocks, options.lock) as bench:
            for line in module.measure(bench):
                lines.append(line)
                write(options.out / f"{name}.json", {"row": name, "seconds": time.monotonic() - start, "lines": lines})
    except Unequal as error:
        return lines, f"UNEQUAL: {error}"
    except Exception as error:  # one row's trouble must not hide the others
        traceback.print_exc()
        return lines, f"failed: {error}".splitlines()[0]
    return lines, None


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("rows", nargs="*", help="names of rows; all unless given")
    parser.add_argument("--list", action="store_true", help="name the rows and what each compares")
    parser.add_argument("--blocks", type=int, help="pairs of blocks, instead of each row's own number")
    parser.add_argument("--device", default="cpu", help="cpu, cuda or cuda:N, of both sides, in the rows that run models")
    parser.add_argument("--lock", help="file that neighbours on this machine lock while they work")
    parser.add_argument("--out", type=pathlib.Path, default=HERE / "out", help="folder of the results")
    options = parser.parse_args()
    if unknown := set(options.rows) - set(row_names()):
        parser.error(f"no row {', '.join(sorted(unknown))}; there are {', '.join(row_names())}")
    if options.list:
        for name in row_names():
            text = (HERE / "rows" / f"{name}.py").read_text()
            print(f"{name:<24} {ast.get_docstring(ast.parse(text)).splitlines()[0]}")
        return 0
    os.environ[DEVICE_VARIABLE] = options.device
    options.out = options.out.resolve()
    options.out.mkdir(parents=True, exist_ok=True)
    results = {name: run_row(name, options) for name in options.rows or row_names()}
    return report(results)


def report(results):
    """Prints the whole table; 1 when a row could not be measured or compared unequal things."""
    print(f"\n{'what':<58} {'attune':>8} | peer")
    for name, (lines, trouble) in results.items():
        print("\n".join([*map(line_of, lines), *([f"{name}: {trouble}"] if trouble else [])]))
    return 1 if any(trouble for _, trouble in results.values()) else 0


if __name__ == "__main__":
    sys.exit(main())
