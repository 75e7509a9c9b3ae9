"""A training row: attune and one setting of TRL over the same batches, equality first.

The first batch comes `repeated` times: there the loss must fall, and loss and gradient norm must agree. Then every block
makes `steps` steps on batches of its own, the same on both sides; attune, whose every block is a new process, makes one
step on the batch before, which is not counted.
"""

import dataclasses

from data import write_rows
from equality import equality_of_steps
from limits import Shape, Work, limits, probes
from models import config_of
from ours import Train
from worker import Worker


@dataclasses.dataclass
class Plan:
    objective: str
    model: object  # folder
    rows: list
    lengths: list = None  # of each row: (prompt, answer, ...) in tokens; without them no limit is printed
    batch: int = 8
    steps: int = 3  # a block
    blocks: int = 4
    repeated: int = 3
    lr: float = 1e-4
    max_tokens: int = 512
    settings: dict = dataclasses.field(default_factory=dict)  # of attune's run file, beyond these
    options: dict = dataclasses.field(default_factory=dict)  # of peers/trl_train.py, beyond these

    def sequence(self, blocks, values):
        """Of the rows or their lengths: those from the first step to the last, in order."""
        count = blocks * self.steps * self.batch
        first, rest = values[: self.batch], values[self.batch : self.batch + count]
        if len(rest) < count:
            raise ValueError(f"{len(values)} rows are too few for {blocks} blocks")
        return first * self.repeated + rest

    def works(self, blocks):
        """[[Work of each step] of each block]."""
        lengths = self.sequence(blocks, self.lengths)[self.repeated * self.batch :]
        works = [Work.of(lengths[i : i + self.batch]) for i in range(0, len(lengths), self.batch)]
        return [works[i : i + self.steps] for i in range(0, len(works), self.steps)]


class Peer(Worker):
    """TRL over the same rows, from the first to the last; remembers its highest peak."""

    def __init__(self, bench, plan, rows, best):
        name = "trl-best" if best else "trl-shipped"
        folder = bench.work(name)
        write_rows(folder / "rows.jsonl", rows)
        options = {"objective": plan.objective, "model": str(plan.model), "data": str(folder / "rows.jsonl"),
                   "out": str(folder), "batch": plan.batch, "lr": plan.lr, "best": best, "max_tokens": plan.max_tokens}
        super().__init__("trl_train.py", options | plan.options, bench.log(name))
        self.peak = 0

    def steps(self, count):
        steps = [self.ask({}) for _ in range(count)]
        self.peak = max(self.peak, steps[-1]["peak_bytes"])
        return steps


def mean_seconds(steps):
    return sum(step["seconds"] for step in steps) / len(steps)


def compare_training(bench, what, plan, *, best, target):
    """One line of the table: seconds a step, against TRL at its best or as shipped. Facts: both peaks."""
    blocks = bench.blocks or plan.blocks
    rows = plan.sequence(blocks, plan.rows)
    ours, peer = Train(bench.work("attune"), plan, rows), Peer(bench, plan, rows, best)
    shapes = ()
    if plan.lengths:
        typical = Work.mean(sum(plan.works(blocks), []))
        shapes = probes(Shape.of(config_of(plan.model)), typical)
    facts = {}
    with peer:
        with bench.quiet():
            equal = equality_of_steps(ours.steps(0, plan.repeated), peer.steps(plan.repeated))
        line = bench.compare(
            what,
            lambda block: mean_seconds(ours.steps(plan.repeated + block * plan.steps - 1, plan.steps + 1)[1:]),
            lambda block: mean_seconds(peer.steps(plan.steps)),
            target=target, blocks=blocks, equality=equal, shapes=shapes, facts=facts)
    facts |= {"peak_bytes": {"ours": ours.peak, "peer": peer.peak}, "peer_start_seconds": peer.hello["start_seconds"]}
    return line


def compare_limit(bench, what, plan, line, target):
    """The share of limit_soft that a line of compare_training reached, block by block, with both limits as facts."""
    shape = Shape.of(config_of(plan.model))
    works = plan.works(len(line["pairs"]))
    typical = Work.mean(sum(works, []))
    found = []
    for pair, block in zip(line["pairs"], works):
        each = [limits(shape, work, typical, pair["ceilings"]) for work in block]
        found.append({key: sum(one[key] for one in each) / len(each) / pair["ours"] for key in ("soft", "hard")})
    hard = [one["hard"] for one in found]
    facts = {"hard": hard, "seconds_soft": found[0]["soft"] * line["pairs"][0]["ours"]}
    return bench.fraction(what, [one["soft"] for one in found], target, facts)
