#!/usr/bin/env python3
"""Writes docs/formats/formats.md from what the build knows of its data formats (build/parts.json).

    tools/write_format_table.py           writes the page
    tools/write_format_table.py --check   exit 1 when the page says something else
"""

import json
import pathlib
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
PAGE = ROOT / "docs" / "formats" / "formats.md"
HEAD = """# All data formats

Written by `tools/write_format_table.py` from the program itself. A file's format is told by its rows: it is the one all of
whose columns they have, and of two such the one with more columns. `--format NAME` says it instead. Rows of every format
come back as they were (`attune data convert`): columns that no field takes travel unparsed, and what another format cannot
carry is named and refused unless `--lossy` is given. [records.md](records.md) says what a record holds.

Files are JSON Lines, JSON lists, CSV or TSV (read, not written), each also gzip or zstd, Parquet (written with zstd) and
Arrow IPC: `.arrow`, `.feather` and `.ipc` are the file form, `.arrows` the stream, and both are told by their first bytes. A
path is a file, a folder, a pattern such as `'data/*.jsonl.gz'`, or `-` for JSON Lines on standard input.

`inspect`, `validate` and `convert` hold a row at a time, so files may be larger than memory (`convert` reads them twice); training
holds its data in memory. Images (placeholders in messages, columns `images`) are kept, and refused where a model would read
them.

Columns become the rows that JSON Lines would hold: lists and structs are lists and objects, maps with text keys objects,
dictionaries their values, dates and times ISO 8601 texts, binary values base64, decimals numbers, NaN null; `arrow.json` texts
are JSON again. Durations, intervals, unions and other maps are refused by name. Written columns take their types from all
rows; what is sometimes one type and sometimes another is JSON text of the type `arrow.json`, and members that some rows lack are
marked, so that attune gives back the same rows. Only the order of members and the spelling of numbers is that of the
column: in a column of numbers 1 comes back as 1.0.

| name | what a row is | its columns |
|---|---|---|
"""


def page():
    parts = json.loads((ROOT / "build" / "parts.json").read_text())
    formats = sorted((part for part in parts if part["kind"] == "format"), key=lambda part: part["name"])
    return HEAD + "".join(f"| `{part['name']}` | {part['summary']} | {part['columns']} |\n" for part in formats)


def main():
    if "--check" not in sys.argv:
        PAGE.write_text(page())
        return 0
    if PAGE.exists() and PAGE.read_text() == page():
        return 0
    print("docs/formats/formats.md is not what the program says: run tools/write_format_table.py")
    return 1


if __name__ == "__main__":
    sys.exit(main())
