"""transformers as a long-lived process: log-probabilities of answers, rewards, and greedy continuations. fp32, sdpa."""

import json
import os
import time

import serve
import torch
from transformers import AutoModelForCausalLM, AutoModelForSequenceClassification, AutoTokenizer
from trl.trainer.utils import selective_log_softmax

DEVICE = os.environ.get("ATTUNE_BENCH_DEVICE", "cpu")


class Model:
    def __init__(self, folder, reward=False):
        auto = AutoModelForSequenceClassification if reward else AutoModelForCausalLM
        self.model = auto.from_pretrained(folder, dtype=torch.float32).eval().to(DEVICE)
        self.tokenizer = AutoTokenizer.from_pretrained(folder)
        self.end = self.tokenizer.eos_token_id

    def rows(self, path):
        """[(ids, tokens of the prompt)] of both answers of every pair of a file."""
        found = []
        with open(path) as file:
            for row in map(json.loads, file):
                prompt = len(self.tokenizer(row["prompt"])["input_ids"])
                for answer in ("chosen", "rejected"):
                    ids = self.tokenizer(row["prompt"] + row[answer])["input_ids"] + [self.end]
                    found.append((ids, prompt))
        return found

    def logps(self, path, batch):
        """Sums over the answers, in file order: rows padded to the longest of their batch, as every trainer does it."""
        rows, sums = self.rows(path), []
        start = time.perf_counter()
        for i in range(0, len(rows), batch):
            part = rows[i : i + batch]
            width = max(len(ids) for ids, _ in part)
            ids = torch.full((len(part), width), self.end, device=DEVICE)
            seen, scored = torch.zeros_like(ids), torch.zeros(len(part), width - 1, device=DEVICE)
            for r, (tokens, prompt) in enumerate(part):
                ids[r, : len(tokens)], seen[r, : len(tokens)] = torch.tensor(tokens), 1
                scored[r, prompt - 1 : len(tokens) - 1] = 1
            logits = self.model(input_ids=ids, attention_mask=seen, use_cache=False).logits[:, :-1]
            sums += (selective_log_softmax(logits, ids[:, 1:]) * scored).sum(1).tolist()
        return {"seconds": time.perf_counter() - start, "sums": sums, "tokens": [len(ids) - p for ids, p in rows]}

    def scores(self, texts, batch):
        """Rewards of whole texts, rows padded to the longest of their batch, in the order given."""
        rows, scores = [self.tokenizer(text)["input_ids"] + [self.end] for text in texts], []
        start = time.perf_counter()
        for i in range(0, len(rows), batch):
            part = rows[i : i + batch]
            ids = torch.full((len(part), max(map(len, part))), self.end, device=DEVICE)
            seen = torch.zeros_like(ids)
            for r, tokens in enumerate(part):
                ids[r, : len(tokens)], seen[r, : len(tokens)] = torch.tensor(tokens), 1
            scores += self.model(input_ids=ids, attention_mask=seen, use_cache=False).logits[:, 0].tolist()
        return {"seconds": time.perf_counter() - start, "scores": scores}

    def generate(self, prompts, new, logps=False):
        """Greedy ids after prompts of one length, all at once; on demand each id's log-probability as well."""
        ids = torch.tensor(prompts, device=DEVICE)
        start = time.perf_counter()
        out = self.model.generate(
            input_ids=ids, attention_mask=torch.ones_like(ids), max_new_tokens=new, min_new_tokens=new, do_sample=False,
            pad_token_id=self.end, output_logits=logps, return_dict_in_generate=True)
        seconds = time.perf_counter() - start
        written = out.sequences[:, ids.size(1) :]
        answer = {"seconds": seconds, "ids": written.tolist()}
        if logps:
            each = [logits.log_softmax(-1).gather(1, written[:, t : t + 1]) for t, logits in enumerate(out.logits)]
            answer["logps"] = torch.cat(each, 1).tolist()
        return answer


def main():
    options = serve.receive()
    model = Model(options["model"], options.get("reward", False))
    serve.answer({"threads": torch.get_num_threads()})
    while (request := serve.receive()) is not None:
        with torch.inference_mode():
            serve.answer(getattr(model, request.pop("do"))(**request))


if __name__ == "__main__":
    main()
