"""The row dpo-29m over the lengths of UltraFeedback and of TL;DR, up to 1,024 tokens: common words, lengths from tables.

Where the prompt is long (TL;DR) sharing it pays; where answers are long (UltraFeedback) only padding and the head do.
"""

from data import pairs, preference_row
from models import model_folder
from training import Plan, compare_training


def measure(bench):
    for name, title in (("ultrafeedback", "UltraFeedback"), ("tldr", "TL;DR")):
        found = pairs(bench.out, name, max_tokens=1024)
        plan = Plan("dpo", model_folder(bench.out, "29m"), list(map(preference_row, found)), steps=1, repeated=2,
                    max_tokens=1024)
        yield compare_training(bench, f"DPO step, 29 M, {title} lengths, vs TRL best", plan, best=True, target=None)
