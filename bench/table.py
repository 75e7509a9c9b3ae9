#!/usr/bin/env python3
"""Prints the last results under bench/out/ as the Markdown table of README.md and docs/performance.md."""

import json
import pathlib
import sys

from frame import short

ORDER = ["dpo-135m", "dpo-135m-long-prompts", "dpo-29m", "dpo-29m-lengths", "dpo-lora-135m", "sft", "kto", "peak-memory",
         "first-step", "logps", "generate"]


def cells(line):
    ratio = f"**{line['median']:.2g}x** ({line['low']:.2g} to {line['high']:.2g})" if line["peer"] != 1.0 else \
        f"**{line['median']:.2f}** ({line['low']:.2f} to {line['high']:.2f})"
    peer = "" if line["unit"] == "share" else f"{short(line['peer'])} {line['unit']}"
    ours = "" if line["unit"] == "share" else f"{short(line['ours'])} {line['unit']}"
    wanted = f"{line['target']}x" if line["target"] is not None and line["unit"] != "share" else line["target"] or ""
    wanted = f"at most {line['at_most']} {line['unit']}" if line.get("at_most") is not None else wanted
    return [line["what"], ours, peer, ratio, str(wanted)]


def main(folder):
    found = {path.stem: json.loads(path.read_text()) for path in folder.glob("*.json")}
    names = [name for name in ORDER if name in found] + sorted(
        name for name, value in found.items() if name not in ORDER and "lines" in value)
    print("| what | attune | peer | better by (least to most) | goal |\n|---|---|---|---|---|")
    for name in names:
        for line in found[name]["lines"]:
            print("| " + " | ".join(cells(line)) + " |")
    return 0


if __name__ == "__main__":
    sys.exit(main(pathlib.Path(__file__).resolve().parent / "out"))
