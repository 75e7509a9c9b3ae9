#!/usr/bin/env python3
"""Writes docs/objectives.md from what the build knows of its objectives (build/parts.json).

    tools/write_objective_table.py           writes the page
    tools/write_objective_table.py --check   exit 1 when the page says something else
"""

import json
import pathlib
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
PAGE = ROOT / "docs" / "objectives.md"
HEAD = """# All objectives

Written by `tools/write_objective_table.py` from the program itself; `attune explain objective NAME` says more of one, and
[which-objective.md](which-objective.md) how to choose. `log-ratio` is log pi - log reference, `c` the chosen and `r` the
rejected answer, `sg` holds its argument fixed. Every objective also takes `weight`, its factor in a list.

| name | what it does | formula | options (default) | paper |
|---|---|---|---|---|
"""


def cell(text):
    return text.replace("|", "\\|").replace("\n", " ")


def options(schema):
    def shown(value):
        return json.dumps(value) if not isinstance(value, str) else value

    return ", ".join(f"`{key}` ({shown(option['default'])})" if "default" in option else f"`{key}`"
                     for key, option in schema.get("properties", {}).items() if key != "weight")


def page():
    parts = json.loads((ROOT / "build" / "parts.json").read_text())
    rows = [part for part in parts if part["kind"] == "objective"]
    lines = [f"| `{part['name']}` | {cell(part['summary'])} | {cell(part['formula'])} | {options(part['options'])} | "
             f"{cell(part['paper'])} |" for part in sorted(rows, key=lambda part: part["name"])]
    return HEAD + "\n".join(lines) + "\n"


def main():
    if "--check" in sys.argv:
        if PAGE.read_text() == page():
            return 0
        print("docs/objectives.md is not what the program says: run tools/write_objective_table.py")
        return 1
    PAGE.write_text(page())
    return 0


if __name__ == "__main__":
    sys.exit(main())
