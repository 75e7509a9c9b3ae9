"""From the start of the process to the start of its first optimiser step, beyond reading the weights: attune and TRL.

A 29 M llama and 64 HH-RLHF pairs, files in the page cache, reference log-probabilities known to attune from an earlier
run; TRL with its reference at hand and nothing precomputed. A step's own time is taken off on both sides.
"""

import time

from data import pairs, preference_row
from models import model_folder
from ours import Train
from training import Peer, Plan

RECORDS = 64
AT_MOST = 1.0  # seconds


def seconds_of(action):
    start = time.perf_counter()
    action()
    return time.perf_counter() - start


def measure(bench):
    found = pairs(bench.out)[:RECORDS]
    plan = Plan("dpo", model_folder(bench.out, "29m"), list(map(preference_row, found)), lr=1e-5)
    ours = Train(bench.work("attune"), plan, plan.rows)
    weights = plan.model / "model.safetensors"

    def attune(_):
        reading = seconds_of(weights.read_bytes)
        step = ours.steps(0, RECORDS // plan.batch)
        return ours.first - step[0]["seconds"] - reading

    def trl(_):
        with Peer(bench, plan, plan.rows, best=False) as peer:
            took = []
            whole = seconds_of(lambda: took.extend(peer.steps(1)))
            return whole - took[0]["seconds"]

    with bench.quiet():
        attune(0)  # fills the caches
    yield bench.compare("start to first step, beyond reading weights", attune, trl, at_most=AT_MOST, blocks=3,
                        equality={"holds": True, "note": "the row dpo-29m compares these steps"})
