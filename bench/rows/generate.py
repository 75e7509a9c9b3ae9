"""Greedy generation with a 135 M llama, fp32: prompts of 128 tokens, 128 new ones; batch 1 and 32.

attune's time is that of the whole program less that of the same program writing one token after one short prompt; the
peers' models are already loaded. Both sides must write the same tokens: a text may leave the other's only where the two
choices are equally likely to 1e-3.
"""

import json
import os
import subprocess

from data import exact_pairs, load_tokenizer, write_rows
from models import model_folder
from ours import call
from worker import PYTHON, ROOT, Worker, device, environment

TARGET = {1: 3, 32: 4, "llama.cpp": 1}
PROMPT, NEW, TIE = 128, 128, 1e-3


class Generate:
    """`attune generate` over the first prompts."""

    def __init__(self, folder, model, texts):
        self.folder, self.model = folder, model
        write_rows(folder / "short.jsonl", [{"prompt": "a"}])
        for count in (1, 32):
            write_rows(folder / f"{count}.jsonl", [{"prompt": text} for text in texts[:count]])

    def program(self, name, new, batch):
        return call(["generate", "--model", self.model, "--prompts", self.folder / f"{name}.jsonl", "--temperature", 0,
                     "--max-tokens", new, "--batch", batch, "--device", device(),
                     "--out", self.folder / f"{name}-out.jsonl"],
                    self.folder / "attune.log")

    def rate(self, batch):
        return batch * NEW / (self.program(batch, NEW, batch) - self.program("short", 1, 1))

    def answers(self, batch):
        return [json.loads(line) for line in (self.folder / f"{batch}-out.jsonl").read_text().splitlines()]


def equality(ours, ids, logps):
    """Same length everywhere; same tokens, and where a text turns away, a tie."""
    same, furthest, ties, holds = 0, 0.0, 0, True
    for row, other, likely in zip(ours, ids, logps, strict=True):
        holds = holds and len(row["ids"]) == len(other) == NEW
        fork = next((t for t, (a, b) in enumerate(zip(row["ids"], other)) if a != b), len(other))
        same, ties = same + fork, ties + (fork < len(other))
        compared = zip(row["logps"][: fork + 1], likely[: fork + 1])
        furthest = max(furthest, *(abs(a - b) for a, b in compared))
    return {"holds": holds and furthest <= TIE and same > 0, "logp": furthest, "equal_tokens": same, "ties": ties}


def measure(bench):
    model = model_folder(bench.out, "135m")
    texts = [pair.prompt for pair in exact_pairs(bench.out, 32, PROMPT, 2)]
    prompts = [encoding.ids for encoding in load_tokenizer(bench.out).encode_batch(texts)]
    ours = Generate(bench.work("attune"), model, texts)
    yield from against_transformers(bench, ours, prompts)
    yield against_llama_cpp(bench, ours, prompts[0])


def against_transformers(bench, ours, prompts):
    with Worker("hf_model.py", {"model": str(ours.model)}, bench.log("transformers")) as peer:
        for batch in (1, 32):
            request = {"do": "generate", "prompts": prompts[:batch], "new": NEW}
            with bench.quiet():
                ours.program(batch, NEW, batch)
                wanted = peer.ask(request | {"logps": True})
            yield bench.compare(f"tokens/s, batch {batch}, 135 M, vs transformers", lambda _: ours.rate(batch),
                                lambda _: batch * NEW / peer.ask(request)["seconds"], unit="tok/s", better="more",
                                target=TARGET[batch], equality=equality(ours.answers(batch), wanted["ids"], wanted["logps"]))


def against_llama_cpp(bench, ours, prompt):
    path = bench.work("llama.cpp") / "model.gguf"
    if not path.exists():
        script = ROOT / "bench" / "peers" / "make_gguf.py"
        subprocess.run([PYTHON, script, ours.model, path], check=True, env=environment())
    options = {"gguf": str(path), "context": PROMPT + NEW, "threads": len(os.sched_getaffinity(0))}
    with Worker("llama_cpp_model.py", options, bench.log("llama.cpp")) as peer:
        with bench.quiet():
            written = peer.ask({"prompt": prompt, "new": NEW})["ids"]
        row = ours.answers(1)[0]["ids"]
        same = next((t for t, (a, b) in enumerate(zip(row, written)) if a != b), NEW)
        return bench.compare("tokens/s, batch 1, 135 M, vs llama.cpp f32", lambda _: ours.rate(1),
                             lambda _: NEW / peer.ask({"prompt": prompt, "new": NEW})["seconds"], unit="tok/s",
                             better="more", target=TARGET["llama.cpp"],
                             equality={"holds": same >= NEW // 4, "equal_tokens": same})
