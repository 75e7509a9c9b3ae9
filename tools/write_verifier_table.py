#!/usr/bin/env python3
"""Writes the table in docs/verifiers.md from what the build knows of its verifiers (build/parts.json).

    tools/write_verifier_table.py           writes the table
    tools/write_verifier_table.py --check   exit 1 when the page says something else
"""

import sys

import part_table

if __name__ == "__main__":
    sys.exit(part_table.write("verifier", "verifiers.md", "write_verifier_table.py", ()))
