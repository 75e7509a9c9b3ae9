#!/usr/bin/env python3
"""Writes the tables beside it: 200 (prompt, chosen, rejected) lengths in GPT-2 tokens of each data set, answers with
their end-of-text token.

hh-rlhf and ultrafeedback are every n-th pair of the public files (../shared/data). tldr is synthetic: no file of it is at
hand, so lengths are log-normal around the published medians (a pair has 416 tokens, the prompt is 11.1 times as long as
an answer; Wang & Hegde 2024, "Accelerating Direct Preference Optimization with Prefix Sharing").

    .venv-bench/bin/python bench/lengths/make.py
"""

import gzip
import json
import math
import pathlib
import random
import sys

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))

from data import SHARED, hh_pairs, load_tokenizer  # noqa: E402

COUNT = 200


def spread(lengths):
    """COUNT of them, evenly through the file."""
    return [list(lengths[i * len(lengths) // COUNT]) for i in range(COUNT)]


def ultrafeedback(tokenizer):
    lengths = []
    for path in sorted((SHARED / "preference" / "ultrafeedback-binarized").glob("*.jsonl.gz")):
        with gzip.open(path, "rt", encoding="utf-8") as file:
            for row in map(json.loads, file):
                texts = [row[name] for name in ("prompt", "chosen", "rejected")]
                prompt, chosen, rejected = (len(encoding.ids) for encoding in tokenizer.encode_batch(texts))
                lengths.append((prompt, chosen + 1, rejected + 1))
    return lengths


def tldr():
    """Median answer a: 11.1 a + a + a = 416. Widths as HH-RLHF's prompts and answers have about: 0.4 and 0.35."""
    draw = random.Random(17)
    answer = 416 / 13.1

    def around(median, width):
        return max(4, round(median * math.exp(draw.gauss(0, width))))

    return [(around(11.1 * answer, 0.4), around(answer, 0.35), around(answer, 0.35)) for _ in range(COUNT)]


def write(name, source, lengths):
    rows = ",\n".join("  " + ", ".join(json.dumps(row) for row in lengths[i : i + 8]) for i in range(0, len(lengths), 8))
    text = f'{{"source": {json.dumps(source)},\n "columns": ["prompt", "chosen", "rejected"],\n "lengths": [\n{rows}\n]}}\n'
    (HERE / f"{name}.json").write_text(text)


def main():
    tokenizer = load_tokenizer(HERE.parent / "out")
    write("hh-rlhf", "every n-th pair of Anthropic's harmless-base test file, GPT-2 tokens",
          spread([pair.lengths for pair in hh_pairs(tokenizer)]))
    write("ultrafeedback", "every n-th pair of a slice of UltraFeedback binarized, GPT-2 tokens", spread(ultrafeedback(tokenizer)))
    write("tldr", "synthetic: log-normal around the published medians of TL;DR", tldr())


if __name__ == "__main__":
    main()
