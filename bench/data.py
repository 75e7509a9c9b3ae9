"""The text that both sides read: pairs of HH-RLHF where they lie at hand, else pairs drawn with the lengths of a data set.

../shared/data (or ATTUNE_BENCH_DATA) holds the public files. lengths/NAME.json keeps a few hundred (prompt, chosen,
rejected) lengths in tokens, so that a machine without the files measures the same shapes.
"""

import dataclasses
import gzip
import json
import os
import pathlib
import random

from tokenizers import Tokenizer

ROOT = pathlib.Path(__file__).resolve().parent.parent
SHARED = pathlib.Path(os.environ.get("ATTUNE_BENCH_DATA", ROOT.parent / "shared" / "data"))
TURN = "\n\nAssistant:"
MAX_TOKENS = 512  # of a prompt and an answer together, the answer's end-of-text token included


@dataclasses.dataclass(frozen=True)
class Pair:
    prompt: str
    chosen: str
    rejected: str
    lengths: tuple  # tokens of each; answers with their end-of-text token

    def longest(self):
        return self.lengths[0] + max(self.lengths[1:])


def tokenizer_folder(out):
    """GPT-2's tokenizer where it is at hand, else the recipes' small one, as a Hugging Face folder under `out`."""
    folder = pathlib.Path(out) / "tokenizer"
    if (folder / "tokenizer_config.json").exists():
        return folder
    folder.mkdir(parents=True, exist_ok=True)
    packed = SHARED / "tokenizers" / "gpt2.tokenizer.json.gz"
    small = ROOT / "recipes" / "models" / "llama-7m"
    text = gzip.decompress(packed.read_bytes()) if packed.exists() else (small / "tokenizer.json").read_bytes()
    end = "<|endoftext|>" if packed.exists() else json.loads((small / "tokenizer_config.json").read_text())["eos_token"]
    (folder / "tokenizer.json").write_bytes(text)
    config = {"tokenizer_class": "PreTrainedTokenizerFast", "eos_token": end}
    (folder / "tokenizer_config.json").write_text(json.dumps(config))
    return folder


def load_tokenizer(out):
    return Tokenizer.from_file(str(tokenizer_folder(out) / "tokenizer.json"))


def _transcripts():
    for path in sorted((SHARED / "preference" / "hh-rlhf").glob("*.jsonl.gz")):
        with gzip.open(path, "rt", encoding="utf-8") as file:
            yield from map(json.loads, file)


def hh_pairs(tokenizer):
    """Pairs whose transcripts differ in the last answer only, both answers not empty. Empty where there are no files."""
    texts = []
    for row in _transcripts():
        prompt, _, chosen = row["chosen"].rpartition(TURN)
        other, _, rejected = row["rejected"].rpartition(TURN)
        if prompt == other and chosen.strip() and rejected.strip():
            texts.append((prompt + TURN, chosen, rejected))
    counts = [len(encoding.ids) for encoding in tokenizer.encode_batch([text for row in texts for text in row])]
    return [Pair(*row, (counts[3 * i], counts[3 * i + 1] + 1, counts[3 * i + 2] + 1)) for i, row in enumerate(texts)]


def worded(lengths, tokenizer, seed=11):
    """A pair of common words for each (prompt, chosen, rejected) length; a word is one token."""
    words = sorted(word[1:] for word in tokenizer.get_vocab() if word[0] == "Ġ" and word[1:].isascii()
                   and word[1:].isalpha() and word[1:].islower() and len(word) > 3)
    draw = random.Random(seed)

    def text(tokens):
        return "".join(" " + draw.choice(words) for _ in range(tokens))

    return [Pair(text(p), text(c - 1), text(r - 1), (p, c, r)) for p, c, r in lengths]


def drawn_pairs(name, tokenizer, count=2000, seed=11):
    """Pairs with lengths drawn from lengths/NAME.json."""
    table = json.loads((ROOT / "bench" / "lengths" / f"{name}.json").read_text())["lengths"]
    draw = random.Random(seed)
    return worded([draw.choice(table) for _ in range(count)], tokenizer)


def exact_pairs(out, count, prompt, answer):
    """Pairs that all have these lengths."""
    return worded([(prompt, answer, answer)] * count, load_tokenizer(out))


def pairs(out, name="hh-rlhf", keep=lambda pair: True, max_tokens=MAX_TOKENS):
    """Pairs of a data set that fit and that `keep` likes, in the order of the file. Drawn where the files are absent."""
    tokenizer = load_tokenizer(out)
    found = hh_pairs(tokenizer) if name == "hh-rlhf" else []
    found = found or drawn_pairs(name, tokenizer)
    return [pair for pair in found if pair.longest() <= max_tokens and keep(pair)]


def write_rows(path, rows):
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w") as file:
        for row in rows:
            file.write(json.dumps(row) + "\n")


def preference_row(pair):
    return {"prompt": pair.prompt, "chosen": pair.chosen, "rejected": pair.rejected}


def demonstration_row(pair):
    return {"prompt": pair.prompt, "completion": pair.chosen}


def opinion_rows(pairs_):
    """Single opinions, good and bad in turn, neighbours on different prompts."""
    rows = []
    for i, pair in enumerate(pairs_):
        good = i % 2 == 0
        rows.append({"prompt": pair.prompt, "completion": pair.chosen if good else pair.rejected, "label": good})
    return rows
