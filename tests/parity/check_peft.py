"""Loads with PEFT the adapters that attune writes, and compares log-probabilities: live, nothing recorded.

    .venv-parity/bin/python tests/parity/check_peft.py [build]
"""

import json
import os
import pathlib
import subprocess
import sys
import tempfile

import peft
import torch
import transformers

ROOT = pathlib.Path(__file__).parents[2]
TOLERANCE = 1e-4


def largest_difference(folder):
    base = json.loads((folder / "adapter_config.json").read_text())["base_model_name_or_path"]
    model = transformers.AutoModelForCausalLM.from_pretrained(base, attn_implementation="eager")
    adapted = peft.PeftModel.from_pretrained(model, folder).eval()
    worst = 0.0
    for row in json.loads((folder / "logps.json").read_text()):
        with torch.no_grad():
            logits = adapted(torch.tensor([row["ids"]])).logits[0].double()
        logps = torch.log_softmax(logits[:-1], -1).gather(1, torch.tensor(row["ids"][1:]).unsqueeze(1)).squeeze(1)
        worst = max(worst, float((logps - torch.tensor(row["logps"], dtype=torch.double)).abs().max()))
    return worst


def main():
    build = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else ROOT / "build")
    failed = False
    with tempfile.TemporaryDirectory() as out:
        subprocess.run(
            [build / "tests" / "test_model", "--gtest_filter=Parity.AdaptersWrittenHereGoToPeft"],
            env={**os.environ, "ATTUNE_PARITY_OUT": out}, check=True, stdout=subprocess.DEVNULL,
        )
        for folder in sorted(pathlib.Path(out).iterdir()):
            worst = largest_difference(folder)
            print(f"adapter of attune in PEFT, {folder.name}: largest difference of a log-probability {worst:.2e}")
            failed |= not worst <= TOLERANCE
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
