"""A DPO step of a 29 M llama (4 layers, 256 wide, 50,257 tokens), batches of 8 HH-RLHF pairs, fp32: attune and TRL.

TRL best: no checkpointing, precomputed reference, compact head. TRL as shipped: its defaults with bf16=False.
"""

from data import pairs, preference_row
from models import model_folder
from training import Plan, compare_training

TARGET = {"best": 2.5, "shipped": 12}


def measure(bench):
    rows = [preference_row(pair) for pair in pairs(bench.out)]
    plan = Plan("dpo", model_folder(bench.out, "29m"), rows)
    yield compare_training(bench, "DPO step, 29 M, vs TRL best", plan, best=True, target=TARGET["best"])
    yield compare_training(bench, "DPO step, 29 M, vs TRL as shipped", plan, best=False, target=TARGET["shipped"])
