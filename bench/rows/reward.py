"""A step of a reward model of 29 M llama shape on 8 HH-RLHF pairs, Bradley-Terry, fp32: attune and TRL's RewardTrainer.

TRL best: no checkpointing. Both read the state before the end-of-text token, which is also the pad token here.
"""

from data import pairs, preference_row
from models import model_folder
from training import Plan, compare_training

TARGET = 2


def measure(bench):
    plan = Plan("reward", model_folder(bench.out, "29m-reward"), list(map(preference_row, pairs(bench.out))), steps=5,
                settings={"objective": {"reward/bradley-terry": {}}})
    yield compare_training(bench, "reward model step, 29 M, vs TRL best", plan, best=True, target=TARGET)
