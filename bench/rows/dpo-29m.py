"""A DPO step of a 29 M llama (4 layers, 256 wide, 50,257 tokens), batches of 8 HH-RLHF pairs, fp32: attune and TRL.

TRL best: no checkpointing, precomputed reference, compact head. TRL as shipped: its defaults with bf16=False.
"""

import dataclasses

from data import pairs, preference_row
from models import model_folder
from training import Plan, compare_limit, compare_training

TARGET = {"best": 2.5, "shipped": 12, "limit": 0.70}


def measure(bench):
    found = pairs(bench.out)
    plan = Plan("dpo", model_folder(bench.out, "29m"), list(map(preference_row, found)), [pair.lengths for pair in found])
    line = compare_training(bench, "DPO step, 29 M, vs TRL best", plan, best=True, target=TARGET["best"])
    yield line
    yield compare_limit(bench, "DPO step, 29 M: share of limit_soft", plan, line, TARGET["limit"])
    slow = dataclasses.replace(plan, steps=1, repeated=2, blocks=3)  # some 12 s a step
    yield compare_training(bench, "DPO step, 29 M, vs TRL as shipped", slow, best=False, target=TARGET["shipped"])
