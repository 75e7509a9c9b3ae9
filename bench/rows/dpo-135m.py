"""A DPO step of a 135 M llama (SmolLM's shape, 50,257 tokens), batches of 8 HH-RLHF pairs, fp32: attune and TRL.

TRL best: no checkpointing, precomputed reference, compact head. TRL as shipped: its defaults with bf16=False. A step of
TRL takes half a minute and more, so a block is one step.
"""

from data import pairs, preference_row
from models import model_folder
from training import Plan, compare_limit, compare_training

TARGET = {"best": 3.5, "shipped": 7, "limit": 0.70}


def measure(bench, name="DPO step, 135 M", keep=lambda pair: True, target=TARGET):
    found = pairs(bench.out, keep=keep)
    plan = Plan("dpo", model_folder(bench.out, "135m"), list(map(preference_row, found)),
                [pair.lengths for pair in found], steps=1, repeated=2, blocks=3, lr=1e-5)
    line = compare_training(bench, f"{name}, vs TRL best", plan, best=True, target=target["best"])
    yield line
    yield compare_limit(bench, f"{name}: share of limit_soft", plan, line, target["limit"])
    yield compare_training(bench, f"{name}, vs TRL as shipped", plan, best=False, target=target["shipped"])
