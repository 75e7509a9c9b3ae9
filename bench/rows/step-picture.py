"""Where a DPO step's time goes, for attune, TRL at its best and as shipped: a picture, bench/out/step.svg.

The 135 M llama and one batch of 8 HH-RLHF pairs, made twice; the second time is drawn. attune's parts come from
`attune train --profile`, TRL's from timers around what its step calls.
"""

import json

from data import pairs, preference_row
from draw import step_picture
from models import model_folder
from ours import Train
from training import Peer, Plan

STEPS = 2


def with_rest(parts, seconds):
    """The parts, and what no part accounts for."""
    return parts | {"other": max(0.0, seconds - sum(parts.values()))}


def measure(bench):
    found = pairs(bench.out)
    plan = Plan("dpo", model_folder(bench.out, "135m"), list(map(preference_row, found)), lr=1e-5)
    rows = plan.rows[: plan.batch] * STEPS
    bars = []
    with bench.quiet():
        ours = Train(bench.work("attune"), plan, rows)
        ours.finish(STEPS, "--profile")
        profile = json.loads((ours.folder / "run" / "profile.json").read_text())
        bars.append(("attune", with_rest(profile["parts"], profile["step_seconds"])))
    for label, best in (("TRL best", True), ("TRL as shipped", False)):
        with bench.quiet(), Peer(bench, plan, rows, best) as peer:
            step = peer.steps(STEPS)[-1]
            bars.append((label, with_rest(step["parts"], step["seconds"])))
    title = "A DPO step of a 135 M llama, 8 HH-RLHF pairs, fp32"
    (bench.out / "step.svg").write_text(step_picture(title, bars))
    (bench.out / "step.json").write_text(json.dumps({"title": title, "bars": bars}, indent=1) + "\n")
    return []
