#!/usr/bin/env python3
"""Writes docs/coming-from-trl.md from the tables of the program itself (build/attune init --trl-table).

    tools/write_trl_table.py           writes the page
    tools/write_trl_table.py --check   exit 1 when the page says something else
"""

import json
import pathlib
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
PAGE = ROOT / "docs" / "coming-from-trl.md"
HEAD = """# Coming from TRL

    attune init --from-trl train_dpo.sh > run.yaml        # a shell script, also behind accelerate launch or torchrun
    attune init --from-trl 'trl dpo --model_name_or_path M --dataset_name D' > run.yaml
    attune init --from-trl config.yaml --trainer dpo > run.yaml
    attune train dpo run.yaml                             # line 1 of run.yaml says the objective

The run file names the argument behind each of its values and writes out TRL's defaults (of TRL 1.16). Above the values stands
what is left to do, below them what was not carried over. An argument that attune cannot honour and that changes what is trained
is refused in one line; `--lossy` drops it and says so. Three things are always different:

- Names of the Hugging Face Hub are not downloaded: put folders and files in their place.
- Weights and arithmetic are float32, so `bf16` and `dtype` change nothing; logits and losses are finer than TRL's. On a GPU
  `model.dtype=bfloat16` is what `bf16=True` is to TRL ([gpu.md](gpu.md)).
- A batch is a number of records a step, `per_device_train_batch_size x gradient_accumulation_steps x devices`. How they are
  cut into micro-batches (`batch.tokens`) changes nothing beyond rounding. `--devices N` says how many processes trained side by
  side where the command does not. KTO's KL estimate and aot's sorting are over the whole step, TRL's over a device's micro-batch.

Reward models (`trl reward`) are not trained yet; GRPO, RLOO and other online trainers have no translation.

Written by `tools/write_trl_table.py`; a test holds the tables against every argument and default of TRL.
"""


def cell(text):
    return text.replace("|", "\\|")


def code(text):
    return f"`{text}`" if text else ""


def page():
    answer = subprocess.run([ROOT / "build" / "attune", "init", "--trl-table"], capture_output=True, text=True, check=True)
    rows = [json.loads(line) for line in answer.stdout.splitlines()]
    losses = [row for row in rows if "loss" in row]
    arguments = [row for row in rows if "argument" in row]
    text = HEAD + "\n## Losses\n\n| trainer | loss_type | objective | TRL's arguments that it reads | |\n|---|---|---|---|---|\n"
    for row in losses:
        reads = ", ".join(code(word) for word in row["reads"].split())
        text += f"| {row['trainer']} | {code(row['loss'])} | {code(row['objective'])} | {reads} | {cell(row['remark'])} |\n"
    text += ("\n## Arguments\n\nWithout trainers: all of them. Older names stand beside those of TRL 1.16.\n\n"
             "| argument | trainers | TRL's default | becomes | |\n|---|---|---|---|---|\n")
    for row in arguments:
        trainers = "" if len(row["trainers"]) == 6 else ", ".join(row["trainers"])
        becomes = code(row["key"]) or row["fate"]
        text += f"| {code(row['argument'])} | {trainers} | {code(row['default'])} | {becomes} | {cell(row['remark'])} |\n"
    return text


def main():
    if "--check" in sys.argv:
        if PAGE.exists() and PAGE.read_text() == page():
            return 0
        print("docs/coming-from-trl.md is not what the program says: run tools/write_trl_table.py")
        return 1
    PAGE.write_text(page())
    return 0


if __name__ == "__main__":
    sys.exit(main())
