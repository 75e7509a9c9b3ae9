"""Peak memory of a DPO step of a 29 M llama, 8 pairs of answers of 256 tokens, prompts of 256 and of 1,024 tokens.

Both processes with all they hold, TRL's highest resident size since its training began; fp32 AdamW with both its states
on both sides. TRL best: no checkpointing, precomputed reference, compact head; as shipped: its defaults with bf16=False.
"""

from data import exact_pairs, preference_row
from equality import equality_of_steps
from models import model_folder
from ours import Train
from training import Peer, Plan

TARGET = {(256, "shipped"): 0.45, (1024, "shipped"): 0.25, (256, "best"): 0.6, (1024, "best"): 0.6}
ANSWER, STEPS = 256, 2  # in the second step the states of AdamW are there from the start


def measure(bench):
    for prompt in (256, 1024):
        found = exact_pairs(bench.out, 8, prompt, ANSWER)
        plan = Plan("dpo", model_folder(bench.out, "29m"), list(map(preference_row, found)), max_tokens=prompt + ANSWER,
                    repeated=STEPS, lr=1e-5)
        rows = plan.rows * STEPS
        for setting in ("best", "shipped"):
            ours = Train(bench.work("attune"), plan, rows)
            with Peer(bench, plan, rows, setting == "best") as peer:
                with bench.quiet():
                    equal = equality_of_steps(ours.steps(0, STEPS), peer.steps(STEPS))
                name = f"peak memory, P = {prompt}, R = {ANSWER}, vs TRL {'best' if setting == 'best' else 'as shipped'}"
                yield bench.compare(name, lambda _: ours.peak / 2**20, lambda _: peer.peak / 2**20, unit="MiB", blocks=1,
                                    target=round(1 / TARGET[prompt, setting], 2), equality=equal)
