"""The table of a catalogue in a page of docs/, from what the build knows of its parts (build/parts.json)."""

import json
import pathlib
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent


def cell(text):
    return text.replace("|", "\\|").replace("\n", " ")


def options(schema, shared):
    def shown(value):
        return json.dumps(value) if not isinstance(value, str) else value

    return ", ".join(f"`{key}` ({shown(option['default'])})" if option.get("default") not in (None, "") else f"`{key}`"
                     for key, option in schema.get("properties", {}).items() if key not in shared)


def table(kind, shared):
    parts = json.loads((ROOT / "build" / "parts.json").read_text())
    rows = sorted((part for part in parts if part["kind"] == kind), key=lambda part: part["name"])
    lines = ["| name | what it says | formula | options of its own (default) | paper |", "|---|---|---|---|---|"]
    lines += [f"| `{part['name']}` | {cell(part['summary'])} | {cell(part['formula'])} | {options(part['options'], shared)} | "
              f"{cell(part['paper'])} |" for part in rows]
    return "\n".join(lines) + "\n"


def write(kind, page, tool, shared=()):
    """Writes the table between its marks; with --check only says whether it is current. Returns the exit code."""
    begin, end = f"<!-- table: tools/{tool} -->\n", "<!-- end of table -->\n"
    path = ROOT / "docs" / page
    text = path.read_text()
    head, rest = text.split(begin)
    new = head + begin + table(kind, shared) + end + rest.split(end)[1]
    if "--check" not in sys.argv:
        path.write_text(new)
        return 0
    if text != new:
        print(f"docs/{page} is not what the program says: run tools/{tool}")
    return 0 if text == new else 1
