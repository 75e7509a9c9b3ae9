"""The machine under the measurement: its ceilings, and who else is working on it."""

import os

from worker import Worker

SQUARE = [2048, 2048, 2048]  # how fast multiplication gets here; rows may ask for the shapes of their model


class Ceilings:
    """Asks a process of its own, so that the driver stays small. Used as a context."""

    def __init__(self, out, log):
        self.worker = Worker("ceilings.py", {"out": str(out)}, log)

    def __enter__(self):
        self.worker.__enter__()
        return self

    def __exit__(self, *error):
        self.worker.__exit__(*error)

    def take(self, shapes=()):
        """{"registers", "square": FLOP/s, "copy": bytes/s, "gemm": {"MxNxK": FLOP/s}}."""
        answer = self.worker.ask({"shapes": [SQUARE, *shapes]})
        rates = {"x".join(map(str, shape)): rate for shape, rate in zip(shapes, answer["gemm"][1:])}
        return {"registers": answer["registers"], "square": answer["gemm"][0], "copy": answer["copy"], "gemm": rates}


def higher(before, after):
    """The higher of each ceiling: a neighbour's moment lowers one, nothing raises it."""
    gemm = {shape: max(rate, after["gemm"][shape]) for shape, rate in before["gemm"].items()}
    return {key: max(before[key], after[key]) for key in ("registers", "square", "copy")} | {"gemm": gemm}


def differ(before, after, share=0.10):
    """Whether the machine changed meanwhile by more than `share`."""
    return any(abs(before[key] - after[key]) > share * max(before[key], after[key]) for key in ("square", "copy"))


def _ticks_of_tree(root):
    """Processor ticks of a process, its living descendants, and those of their dead children that were waited for."""
    parents, own = {}, {}
    for entry in os.listdir("/proc"):
        if not entry.isdigit():
            continue
        try:
            with open(f"/proc/{entry}/stat") as file:
                fields = file.read().rsplit(")", 1)[1].split()
        except OSError:
            continue  # it ended meanwhile
        parents[int(entry)] = int(fields[1])
        own[int(entry)] = sum(map(int, fields[11:15]))
    total = 0
    for process in own:
        ancestor = process
        while ancestor not in (0, root):
            ancestor = parents.get(ancestor, 0)
        total += own[process] if ancestor == root else 0
    return total


def _busy_ticks():
    with open("/proc/stat") as file:
        user, nice, system, _, _, interrupt, soft, *_ = map(int, file.readline().split()[1:])
    return user + nice + system + interrupt + soft


class ForeignWork:
    """Share of all processors' time that others took while the context was open: `.share` afterwards."""

    def __enter__(self):
        self.busy, self.own, self.clock = _busy_ticks(), _ticks_of_tree(os.getpid()), os.times().elapsed
        return self

    def __exit__(self, *_):
        foreign = (_busy_ticks() - self.busy) - (_ticks_of_tree(os.getpid()) - self.own)
        room = (os.times().elapsed - self.clock) * os.sysconf("SC_CLK_TCK") * os.cpu_count()
        self.share = max(0.0, foreign / room) if room > 0 else 0.0
