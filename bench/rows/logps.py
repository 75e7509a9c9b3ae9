"""Log-probabilities of both answers of 24 HH-RLHF pairs under a 135 M llama: `attune logps` and transformers.

The peer runs rows of prompt and answer, 16 at once, padded to the longest, its model already loaded; attune's time is that
of the whole program less that of the same program on one short pair.
"""

import json

from data import Pair, pairs, preference_row, write_rows
from models import model_folder
from ours import call
from worker import Worker, device

TARGET = 2.5
PAIRS, BATCH, TOLERANCE = 24, 16, 1e-4


def measure(bench):
    model, folder = model_folder(bench.out, "135m"), bench.work("attune")
    write_rows(folder / "pairs.jsonl", map(preference_row, pairs(bench.out)[:PAIRS]))
    write_rows(folder / "short.jsonl", [preference_row(Pair("a:", " b", " c", ()))])

    def program(name):
        data, out = folder / f"{name}.jsonl", folder / f"{name}-logps.jsonl"
        return call(["logps", "--model", model, "--data", data, "--out", out, "--device", device()],
                    folder / "attune.log")

    with Worker("hf_model.py", {"model": str(model)}, bench.log("transformers")) as peer:
        def transformers():
            return peer.ask({"do": "logps", "path": str(folder / "pairs.jsonl"), "batch": BATCH})

        with bench.quiet():
            program("pairs")
            wanted = transformers()
        ours = [json.loads(line) for line in (folder / "pairs-logps.jsonl").read_text().splitlines()]
        furthest = max(abs(a["logp"] - b) / abs(b) for a, b in zip(ours, wanted["sums"], strict=True))
        tokens = [row["tokens"] for row in ours] == wanted["tokens"]
        yield bench.compare(f"log-probabilities of {2 * PAIRS} answers, 135 M, vs padded forward",
                            lambda _: program("pairs") - program("short"), lambda _: transformers()["seconds"],
                            target=TARGET, equality={"holds": tokens and furthest <= TOLERANCE, "logp": furthest})
