"""A training row: attune and one setting of TRL over the same batches, equality first.

The first batch comes `repeated` times: there the loss must fall and loss and gradient norm must agree. Then every block
makes `steps` steps on batches of its own, the same on both sides; attune, whose every block is a new process, makes one
step on the batch before, which is not counted.
"""

import dataclasses

from data import write_rows
from ours import Train
from worker import Worker

TOLERANCE = 1e-4  # relative, of loss and gradient norm


@dataclasses.dataclass
class Plan:
    objective: str
    model: object  # folder
    rows: list
    batch: int = 8
    steps: int = 3  # a block
    blocks: int = 4
    repeated: int = 3
    lr: float = 1e-4
    lora: int = 0
    max_tokens: int = 512
    settings: dict = dataclasses.field(default_factory=dict)  # of the run file, beyond these

    def sequence(self, blocks):
        """Rows from the first step to the last."""
        count = blocks * self.steps * self.batch
        first, rest = self.rows[: self.batch], self.rows[self.batch : self.batch + count]
        if len(rest) < count:
            raise ValueError(f"{len(self.rows)} rows are too few for {blocks} blocks")
        return first * self.repeated + rest


def equality(ours, peer):
    """What agreed, how well, and whether it holds: loss and norm within tolerance, non-zero norms, a falling loss."""
    def furthest(key):
        return max(abs(a[key] - b[key]) / max(abs(b[key]), 1e-12) for a, b in zip(ours, peer, strict=True))

    falls = all(side[-1]["loss"] < side[0]["loss"] for side in (ours, peer)) if len(ours) > 1 else True
    moves = all(step["grad_norm"] > 0 for step in [*ours, *peer])
    loss, norm = furthest("loss"), furthest("grad_norm")
    return {"holds": loss <= TOLERANCE and norm <= TOLERANCE and falls and moves, "loss": loss, "grad_norm": norm,
            "falls": falls, "losses": [step["loss"] for step in ours], "peer_losses": [step["loss"] for step in peer]}


def mean_seconds(steps):
    return sum(step["seconds"] for step in steps) / len(steps)


def compare_training(bench, what, plan, best, target, shapes=(), facts=None):
    """One line of the table: seconds a step against TRL as shipped, or at its best. The line's facts hold both peaks."""
    blocks = bench.blocks or plan.blocks
    folder = bench.work("best" if best else "shipped")
    rows = plan.sequence(blocks)
    write_rows(folder / "all.jsonl", rows)
    train = Train(bench.work("attune"), plan.objective, plan.model, rows, plan.batch,
                  {"lr": plan.lr, "max_tokens": plan.max_tokens} | plan.settings)
    options = {"objective": plan.objective, "model": str(plan.model), "data": str(folder / "all.jsonl"),
               "out": str(folder / "trl"), "batch": plan.batch, "lr": plan.lr, "best": best, "lora": plan.lora,
               "max_tokens": plan.max_tokens}
    peaks = {"ours": 0, "peer": 0}
    with bench.quiet():
        peer = Worker("trl_train.py", options, bench.log("trl-best" if best else "trl-shipped")).__enter__()
    with peer:
        def our_steps(first, count):
            steps = train.steps(first, count)
            peaks["ours"] = max(peaks["ours"], steps[-1]["peak_bytes"])
            return steps

        def peer_steps(count):
            steps = [peer.ask({}) for _ in range(count)]
            peaks["peer"] = max(peaks["peer"], steps[-1]["peak_bytes"])
            return steps

        with bench.quiet():
            equal = equality(our_steps(0, plan.repeated), peer_steps(plan.repeated))
        line = bench.compare(
            what, lambda block: mean_seconds(our_steps(plan.repeated + block * plan.steps - 1, plan.steps + 1)[1:]),
            lambda block: mean_seconds(peer_steps(plan.steps)), target=target, blocks=blocks, equality=equal, shapes=shapes,
            facts=facts)
    line["facts"] |= {"peak_bytes": peaks, "peer_start_seconds": peer.hello["start_seconds"]}
    return line
