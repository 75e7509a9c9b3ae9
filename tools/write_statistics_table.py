#!/usr/bin/env python3
"""Writes the table in docs/statistics.md from what the build knows of its statistics (build/parts.json).

    tools/write_statistics_table.py           writes the table
    tools/write_statistics_table.py --check   exit 1 when the page says something else
"""

import json
import pathlib
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
PAGE = ROOT / "docs" / "statistics.md"
BEGIN, END = "<!-- table: tools/write_statistics_table.py -->\n", "<!-- end of table -->\n"
# Options that many share are explained in the text.
SHARED = {"item", "annotator", "value", "columns", "trait", "from", "attribute", "scale", "lowest", "highest", "repeats", "a", "b",
          "winner", "style", "by", "resamples", "level", "interval", "seed"}


def cell(text):
    return text.replace("|", "\\|").replace("\n", " ")


def options(schema):
    def shown(value):
        return json.dumps(value) if not isinstance(value, str) else value

    return ", ".join(f"`{key}` ({shown(option['default'])})" if option.get("default") not in (None, "") else f"`{key}`"
                     for key, option in schema.get("properties", {}).items() if key not in SHARED)


def table():
    parts = json.loads((ROOT / "build" / "parts.json").read_text())
    rows = sorted((part for part in parts if part["kind"] == "statistic"), key=lambda part: part["name"])
    lines = ["| name | what it says | formula | options of its own (default) | paper |", "|---|---|---|---|---|"]
    lines += [f"| `{part['name']}` | {cell(part['summary'])} | {cell(part['formula'])} | {options(part['options'])} | "
              f"{cell(part['paper'])} |" for part in rows]
    return "\n".join(lines) + "\n"


def main():
    text = PAGE.read_text()
    head, rest = text.split(BEGIN)
    tail = rest.split(END)[1]
    new = head + BEGIN + table() + END + tail
    if "--check" in sys.argv:
        if text == new:
            return 0
        print("docs/statistics.md is not what the program says: run tools/write_statistics_table.py")
        return 1
    PAGE.write_text(new)
    return 0


if __name__ == "__main__":
    sys.exit(main())
