#!/usr/bin/env python3
"""Writes the table in docs/evals.md from what the build knows of its benchmarks (build/parts.json).

    tools/write_eval_table.py           writes the table
    tools/write_eval_table.py --check   exit 1 when the page says something else
"""

import sys

import part_table

if __name__ == "__main__":
    sys.exit(part_table.write("eval", "evals.md", "write_eval_table.py", {"resamples", "level", "interval", "seed"}))
