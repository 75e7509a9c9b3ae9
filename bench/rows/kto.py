"""A KTO step of a 29 M llama, batches of 8 HH-RLHF answers, good and bad in turn, fp32: attune and TRL.

TRL best: no checkpointing, precomputed reference, compact head. Both estimate the KL term from the same mismatched pairs.
"""

from data import opinion_rows, pairs
from models import model_folder
from training import Plan, compare_training

TARGET = {"best": 3}


def measure(bench):
    plan = Plan("kto", model_folder(bench.out, "29m"), opinion_rows(pairs(bench.out)), steps=5)
    yield compare_training(bench, "KTO step, 29 M, vs TRL best", plan, best=True, target=TARGET["best"])
