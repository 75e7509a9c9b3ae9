#!/usr/bin/env python3
"""Writes docs/families.md from what the build knows of its model families (build/parts.json), from the models that were
recorded (tests/parity/recorded) and from the last measurement of their distance to transformers
(docs/measurements/families.json, which tests/parity/run.sh writes).

    tools/write_family_table.py           writes the page
    tools/write_family_table.py --check   exit 1 when the page says something else
    tools/write_family_table.py --print   the table of differences, for a terminal
"""

import json
import math
import pathlib
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
PAGE = ROOT / "docs" / "families.md"
MEASURED = ROOT / "docs" / "measurements" / "families.json"
HEAD = """# Model families

Written by `tools/write_family_table.py`; [adding/family.md](adding/family.md) says how one is added. A folder as Hugging Face's
transformers writes it (`config.json`, `model.safetensors` or shards) is read and written; keys of the config that would change the
numbers and are not computed are refused by name. Weights in float32, float16 or bfloat16 are read into the type of the
computation, float32; what is saved is in the type that is asked for, float32 by default.

| `model_type` | what it is | class | with a score head | paper |
|---|---|---|---|---|
"""
MIDDLE = """
## How close to transformers

Tiny models with random weights, made and computed by transformers in float32 (`tests/parity/record_models.py` and
`record_families.py`); tests hold every difference below 1e-4. Each model also is, in tests: equal with prompts shared and
unshared, fused and in plain operations, forward and gradient; equal token by token over the cache; equal to finite differences;
saved again byte by byte; adapted where PEFT puts adapters by default. Largest differences, rounded up:

| recorded model | `model_type` | logits | log-probabilities | gradient norm, relative | scores |
|---|---|---|---|---|---|
"""
COLUMNS = ("logits", "logps", "gradient_norm", "scores")


def cell(text):
    return text.replace("|", "\\|").replace("\n", " ")


def rounded_up(value):
    """One digit, never smaller than the value."""
    if value == 0:
        return "0"
    power = math.floor(math.log10(value))
    digit = math.ceil(value / 10**power)
    return f"1e{power + 1}" if digit == 10 else f"{digit}e{power}"


def code(text):
    return f"`{text}`" if text else ""


def differences():
    measured = json.loads(MEASURED.read_text())
    for name, row in sorted(measured.items(), key=lambda item: (item[1]["model_type"], item[0])):
        yield name.removeprefix("families/"), row["model_type"], [
            rounded_up(row[column]) if column in row else "" for column in COLUMNS]


def page():
    parts = json.loads((ROOT / "build" / "parts.json").read_text())
    families = sorted((part for part in parts if part["kind"] == "family"), key=lambda part: part["name"])
    lines = [f"| `{part['name']}` | {cell(part['summary'])} | {code(part['architecture'])} | {code(part['classifier'])} | "
             f"{cell(part['paper'])} |" for part in families]
    rows = [f"| {name} | `{family}` | {' | '.join(cells)} |" for name, family, cells in differences()]
    return HEAD + "\n".join(lines) + "\n" + MIDDLE + "\n".join(rows) + "\n"


def main():
    if "--print" in sys.argv:
        print(f"{'recorded model':26} {'model_type':12} " + " ".join(f"{column:>13}" for column in COLUMNS))
        for name, family, cells in differences():
            print(f"{name:26} {family:12} " + " ".join(f"{value:>13}" for value in cells))
        return 0
    if "--check" in sys.argv:
        if PAGE.read_text() == page():
            return 0
        print("docs/families.md is not what the program says: run tools/write_family_table.py")
        return 1
    PAGE.write_text(page())
    return 0


if __name__ == "__main__":
    sys.exit(main())
