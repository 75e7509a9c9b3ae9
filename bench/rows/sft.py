"""An SFT step of a 29 M llama, batches of 8 HH-RLHF answers (loss on the answer), fp32: attune and TRL.

TRL's best settings that are correct on a CPU: no checkpointing, compact head, no packing (its packing isolates examples
only with FlashAttention).
"""

from data import demonstration_row, pairs
from models import model_folder
from training import Plan, compare_training

TARGET = {"best": 2}


def measure(bench):
    found = pairs(bench.out)
    plan = Plan("sft", model_folder(bench.out, "29m"), list(map(demonstration_row, found)), steps=10)
    yield compare_training(bench, "SFT step, 29 M, vs TRL best", plan, best=True, target=TARGET["best"])
