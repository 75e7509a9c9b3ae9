"""A DPO step that trains a LoRA adapter (rank 16, all linear layers) on a 135 M llama: attune and TRL with PEFT.

Both start from the same adapter: PEFT reads what attune wrote. TRL best: no checkpointing, precomputed reference, compact
head.
"""

from data import pairs, preference_row
from models import model_folder
from ours import Train
from training import Plan, compare_training

TARGET = {"best": 2.5}
ADAPTER = {"rank": 16, "alpha": 32, "targets": ["all-linear"]}


def measure(bench):
    found = pairs(bench.out)
    plan = Plan("dpo", model_folder(bench.out, "135m"), list(map(preference_row, found)), steps=1, repeated=3, blocks=3,
                lr=1e-3, settings={"model": {"adapter": ADAPTER}})
    start = bench.work("adapter")
    with bench.quiet():  # a first step leaves A as drawn, because B is zero
        Train(start, plan, plan.rows[: plan.batch]).finish(1)
    plan.options = {"lora": ADAPTER["rank"], "lora_from": str(start / "run" / "model")}
    yield compare_training(bench, "DPO step, LoRA 16, 135 M, vs TRL + PEFT best", plan, best=True, target=TARGET["best"])
