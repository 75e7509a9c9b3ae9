"""How two sides are measured: alternately in one run, against the machine's ceilings, as ratios of neighbouring blocks.

A row file says what is compared:

    TARGET = {"DPO step vs TRL best": 2.5}

    def measure(bench):
        with Worker("peer.py", {...}, bench.log("peer")) as peer:
            yield bench.compare("DPO step vs TRL best", ours=lambda block: seconds, peer=lambda block: seconds,
                                unit="s", target=2.5, equality={"loss": 3e-7, "holds": True})

`ours(block)` and `peer(block)` make block number `block` of their side and return one number: seconds (less is better) or,
with better="more", a rate. Both must do the same work. Equality is checked before the first block.
"""

import contextlib
import fcntl
import json
import pathlib
import statistics
import time

from machine import Ceilings, ForeignWork, differ, higher

MOST_FOREIGN = 0.03  # share of the processors; a pair of blocks with more is called disturbed


class Unequal(Exception):
    """The two sides do not compute the same: nothing about their speed is said."""


class Bench:
    """What a row gets: where to write, how long to measure, and the comparison itself. Used as a context."""

    def __init__(self, row, out, blocks=None, lock=None):
        self.row, self.out, self.blocks, self._lock = row, pathlib.Path(out), blocks, lock
        self._ceilings = Ceilings(self.out, self.log("ceilings"))

    def __enter__(self):
        self._ceilings.__enter__()
        return self

    def __exit__(self, *error):
        self._ceilings.__exit__(*error)

    def log(self, name):
        return self.out / self.row / f"{name}.log"

    def work(self, name):
        """A folder of this row's own."""
        folder = self.out / self.row / name
        folder.mkdir(parents=True, exist_ok=True)
        return folder

    @contextlib.contextmanager
    def quiet(self):
        """Holds the lock that neighbours on a shared machine agreed on (--lock), then leaves it free as long."""
        if self._lock is None:
            yield
            return
        with open(self._lock, "w") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            start = time.monotonic()
            try:
                yield
            finally:
                held = time.monotonic() - start
                fcntl.flock(file, fcntl.LOCK_UN)
        time.sleep(held)

    def compare(self, what, ours, peer, *, unit="s", better="less", target=None, at_most=None, blocks=4,
                equality=None, shapes=(), facts=None):
        """One line of the table. `equality` must say "holds"; `target` is a ratio, `at_most` a bound on our own value;
        the speeds of matrix products of `shapes` are kept with every pair, `facts` with the result."""
        equality = equality or {}
        if not equality.get("holds", False):
            raise Unequal(f"{what}: {equality}")
        pairs = []
        for block in range(self.blocks or blocks):
            pairs.append(self._pair(block, ours, peer, shapes))
            note = ", disturbed" if pairs[-1]["disturbed"] else ""
            print(f"  {short(pairs[-1]['ours'])} | {short(pairs[-1]['peer'])} {unit}{note}", flush=True)
        line = summary(pairs, better) | {
            "what": what, "unit": unit, "better": better, "target": target, "at_most": at_most, "equality": equality,
            "facts": {} if facts is None else facts, "pairs": pairs}
        line["reached"] = (target is None or line["median"] >= target) and (at_most is None or line["ours"] <= at_most)
        print(line_of(line), flush=True)
        return line

    def fraction(self, what, shares, target, facts=None):
        """A line that holds our share of a limit, block by block, instead of a peer."""
        line = {"what": what, "ours": statistics.median(shares), "peer": 1.0, "unit": "share", "better": "more",
                "ratios": shares, "median": statistics.median(shares), "low": min(shares), "high": max(shares),
                "target": target, "at_most": None, "disturbed": 0, "equality": {"holds": True}, "facts": facts or {}}
        line["reached"] = target is None or line["median"] >= target
        print(line_of(line), flush=True)
        return line

    def _pair(self, block, ours, peer, shapes):
        """One block of each side; every second pair in the other order, so that A B B A comes out."""
        sides = [("ours", ours), ("peer", peer)]
        values = {}
        with self.quiet():
            before = self._ceilings.take(shapes)
            with ForeignWork() as foreign:
                for name, side in sides if block % 2 == 0 else reversed(sides):
                    values[name] = float(side(block))
            after = self._ceilings.take(shapes)
        return values | {"foreign": foreign.share, "ceilings": higher(before, after),
                         "disturbed": foreign.share > MOST_FOREIGN or differ(before, after)}


def summary(pairs, better):
    """Medians of both sides; the ratios of the pairs, > 1 where we are better. Disturbed pairs count only where fewer
    than three others are left."""
    calm = [pair for pair in pairs if not pair["disturbed"]]
    used = calm if len(calm) >= 3 else pairs
    ratios = [pair["peer"] / pair["ours"] if better == "less" else pair["ours"] / pair["peer"] for pair in used]
    return {
        "ours": statistics.median(pair["ours"] for pair in used),
        "peer": statistics.median(pair["peer"] for pair in used),
        "ratios": ratios, "median": statistics.median(ratios), "low": min(ratios), "high": max(ratios),
        "disturbed": sum(pair["disturbed"] for pair in used), "foreign": max(pair["foreign"] for pair in used),
    }


def short(value):
    return f"{value:.3g}" if abs(value) < 1000 else f"{value:,.0f}"


def line_of(row):
    """'DPO step vs TRL best   0.62 | 2.9 s   4.7x (4.5 to 4.8)   target 2.5x: reached'."""
    text = f"{row['what']:<58} {short(row['ours']):>8} | {short(row['peer']):<8} {row['unit']:<6}"
    text += f" {row['median']:5.2f}x ({row['low']:.2f} to {row['high']:.2f})"
    wanted = [f"{row['target']}x"] if row["target"] is not None else []
    wanted += [f"<= {row['at_most']} {row['unit']}"] if row["at_most"] is not None else []
    if wanted:
        text += f"   target {', '.join(wanted)}: {'reached' if row['reached'] else 'MISSED'}"
    if row["disturbed"]:
        text += f"   [{row['disturbed']} of {len(row['ratios'])} pairs disturbed]"
    return text


def write(path, value):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(value, indent=1, default=str) + "\n")
