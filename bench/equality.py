"""Whether two sides make the same steps: what must hold before anything is said about their speed."""

import math

TOLERANCE = 1e-4  # relative, of loss and gradient norm


def equality_of_steps(ours, peer):
    """What agreed, how well, and whether it holds: loss and norm within tolerance, non-zero norms, a loss that falls
    where there is more than one step. Both sides: [{"loss", "grad_norm"}, ...] over the same batch."""
    def furthest(key):
        apart = [abs(a[key] - b[key]) / max(abs(b[key]), 1e-12) for a, b in zip(ours, peer, strict=True)]
        return max(apart) if all(map(math.isfinite, apart)) else math.inf

    falls = all(side[-1]["loss"] < side[0]["loss"] for side in (ours, peer)) if len(ours) > 1 else True
    moves = all(step["grad_norm"] > 0 for step in [*ours, *peer])
    loss, norm = furthest("loss"), furthest("grad_norm")
    return {"holds": loss <= TOLERANCE and norm <= TOLERANCE and falls and moves, "loss": loss, "grad_norm": norm,
            "falls": falls, "losses": [step["loss"] for step in ours], "peer_losses": [step["loss"] for step in peer]}
