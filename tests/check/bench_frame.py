"""What `make bench` says rests on: its ratios, its equality, its limits, and that unequal sides end it with 1."""

import contextlib
import io
import pathlib
import sys
import tempfile
import types

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "bench"))

import frame  # noqa: E402
import run  # noqa: E402
from equality import equality_of_steps  # noqa: E402
from limits import Shape, Work, products, trained  # noqa: E402


def steps(*values):
    return [{"loss": loss, "grad_norm": norm} for loss, norm in values]


def pair(ours, peer, disturbed=False):
    return {"ours": ours, "peer": peer, "disturbed": disturbed, "foreign": 0.0}


def ratios_are_of_neighbours_and_calm():
    line = frame.summary([pair(1, 3), pair(2, 8), pair(1, 2), pair(1, 100, True)], "less")
    assert (line["median"], line["low"], line["high"], line["disturbed"]) == (3, 2, 4, 0), line
    line = frame.summary([pair(1, 3), pair(1, 5, True)], "more")
    assert line["median"] == (1 / 3 + 1 / 5) / 2 and line["disturbed"] == 1, line


def equality_sees_what_differs():
    same = steps((0.7, 2.0), (0.5, 1.0))
    assert equality_of_steps(same, same)["holds"]
    assert not equality_of_steps(same, steps((0.7, 2.0), (0.5, 1.001)))["holds"]
    assert not equality_of_steps(same, steps((0.7001, 2.0), (0.5, 1.0)))["holds"]
    assert not equality_of_steps(same, steps((0.7, 2.0), (float("nan"), 1.0)))["holds"]
    flat, still = steps((0.7, 1.0), (0.7, 1.0)), steps((0.7, 0.0), (0.5, 0.0))
    assert not equality_of_steps(flat, flat)["holds"] and not equality_of_steps(still, still)["holds"]


def limits_are_the_published_figures():
    """One pair under a 125 M model, prompt and answers in tokens: 10^12 operations, forward and backward."""
    shape = Shape(L=12, d=768, h=12, k=12, e=64, f=2048, V=32000, tied=True)
    for prompt, answer, published in ((64, 128, 0.20), (256, 256, 0.49), (1024, 256, 0.98)):
        work = Work.of([(prompt, answer, answer)])
        whole = Work(work.tokens, work.tokens, work.attention, work.scored)  # without the last block's saving
        total = sum(2 * m * n * k * count for (m, n, k), count in trained(products(shape, whole)))
        total += 3 * 4 * shape.L * shape.h * shape.e * whole.attention
        assert abs(total / 1e12 - published) < 0.01, (prompt, answer, total)


def unequal_sides_end_with_one():
    def row(name, equal):
        def measure(bench):
            yield bench.compare(name, lambda _: 1.0, lambda _: 2.0, equality={"holds": equal}, blocks=2)

        return types.SimpleNamespace(__doc__=name, measure=measure)

    class Still:  # instead of a process that multiplies matrices
        def __init__(self, *_): pass
        def __enter__(self): return self
        def __exit__(self, *_): pass
        def take(self, _): return {"registers": 1.0, "square": 1.0, "copy": 1.0, "gemm": {}}

    frame.Ceilings = Still
    with tempfile.TemporaryDirectory() as folder:
        options = types.SimpleNamespace(out=pathlib.Path(folder), blocks=None, lock=None)
        results = {}
        for name, equal in (("fine", True), ("wrong", False)):
            sys.modules[f"rows.{name}"] = row(name, equal)
            results[name] = run.run_row(name, options)
        assert results["fine"][0][0]["median"] == 2 and (options.out / "fine.json").exists()
        assert results["wrong"][1].startswith("UNEQUAL") and not (options.out / "wrong.json").exists()
        assert run.report(results) == 1 and run.report({"fine": results["fine"]}) == 0


def main():
    with contextlib.redirect_stdout(io.StringIO()):
        ratios_are_of_neighbours_and_calm()
        equality_sees_what_differs()
        limits_are_the_published_figures()
        unequal_sides_end_with_one()
    return 0


if __name__ == "__main__":
    sys.exit(main())
