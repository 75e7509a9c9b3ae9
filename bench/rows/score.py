"""Rewards of 8 answers to each of 6 long prompts under a 135 M llama classifier: `attune score` and transformers.

Prompts are about 400 tokens, answers about 60, drawn from HH-RLHF's words. The peer runs rows of prompt and answer, 16 at
once, padded to the longest, its model already loaded; attune's time is that of the whole program less that of the same
program on one short answer.
"""

import json

from data import exact_pairs, write_rows
from models import model_folder
from ours import call
from worker import Worker, device

TARGET = 2.5
PROMPTS, ANSWERS, BATCH, TOLERANCE = 6, 8, 16, 1e-4


def record(prompt, answers):
    """A row of attune's own format: several answers to one prompt."""
    nodes = [{"role": "plain", "content": prompt}] + [{"parent": 0, "role": "plain", "content": text} for text in answers]
    return {"nodes": nodes, "completions": [{"after": 0, "last": k + 1} for k in range(len(answers))]}


def measure(bench):
    model, folder = model_folder(bench.out, "135m-reward"), bench.work("attune")
    drawn = exact_pairs(bench.out, PROMPTS * ANSWERS, 400, 60)
    groups = [(drawn[p * ANSWERS].prompt, [pair.chosen for pair in drawn[p * ANSWERS : (p + 1) * ANSWERS]])
              for p in range(PROMPTS)]
    write_rows(folder / "answers.jsonl", [{"attune": "dataset"}] + [record(*group) for group in groups])
    write_rows(folder / "short.jsonl", [{"attune": "dataset"}, record("a:", [" b"])])
    texts = [prompt + answer for prompt, answers in groups for answer in answers]

    def program(name):
        data, out = folder / f"{name}.jsonl", folder / f"{name}-scores.jsonl"
        return call(["score", "--model", model, "--data", data, "--out", out, "--device", device()],
                    folder / "attune.log")

    with Worker("hf_model.py", {"model": str(model), "reward": True}, bench.log("transformers")) as peer:
        def transformers():
            return peer.ask({"do": "scores", "texts": texts, "batch": BATCH})

        with bench.quiet():
            program("answers")
            wanted = transformers()["scores"]
        ours = [json.loads(line)["score"] for line in (folder / "answers-scores.jsonl").read_text().splitlines()]
        furthest = max(abs(a - b) / max(abs(b), 1) for a, b in zip(ours, wanted, strict=True))
        yield bench.compare(f"rewards of {ANSWERS} answers to each of {PROMPTS} prompts, 135 M, vs padded forward",
                            lambda _: program("answers") - program("short"), lambda _: transformers()["seconds"],
                            target=TARGET, equality={"holds": furthest <= TOLERANCE, "reward": furthest})
