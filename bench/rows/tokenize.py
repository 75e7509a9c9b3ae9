"""Real text to token ids, one thread: attune beside Hugging Face tokenizers and gigatoken, with GPT-2's and Llama-3's tokens.

Both sides have the texts in memory and a fresh tokenizer for every block, so no cache has ever seen a word. Loading the
tokenizer is not counted on either side. Another line holds a word of a million equal letters against as much text.
"""

import gzip
import json
import subprocess
import sys

from data import ROOT, SHARED, pairs
from worker import Worker, environment

sys.path.append(str(ROOT / "tests" / "parity"))
from llama3 import tokenizer_json  # noqa: E402

TARGET = {"vs tokenizers": 20, "a word of 1 MB vs text": 1 / 3}
PROGRAM = ROOT / "build" / "bench" / "bench_tokenize"
MOST_BYTES = 16_000_000


def strings_of(value):
    if isinstance(value, str):
        yield value
    elif isinstance(value, (dict, list)):
        for one in value.values() if isinstance(value, dict) else value:
            yield from strings_of(one)


def values_of(path):
    text = (gzip.open if path.suffix == ".gz" else open)(path, "rt", encoding="utf-8").read()
    return map(json.loads, filter(str.strip, text.split("\n"))) if ".jsonl" in path.name else [json.loads(text)]


def real_texts(out):
    """Distinct texts of the shared data: preference pairs, answers of models, prompts; pairs with drawn lengths without it."""
    paths = [path for folder in ("preference", "bon", "alpaca_eval", "judge", "safety", "verifiable")
             for path in sorted((SHARED / folder).rglob("*.json*.gz")) if "annotations" not in path.name]
    found = (text for path in paths for value in values_of(path) for text in strings_of(value))
    if not paths:
        found = (text for pair in pairs(out) for text in (pair.prompt, pair.chosen, pair.rejected))
    texts, left = {}, MOST_BYTES
    for text in found:
        size = len(text.encode("utf-8", "surrogatepass"))
        if size < 20 or text in texts or not text.isprintable() and "\ud800" <= max(text) <= "\udfff":
            continue
        texts[text] = None
        left -= size
        if left < 0:
            break
    return list(texts)


def write_texts(path, texts):
    path.write_text("".join(json.dumps(text, ensure_ascii=False) + "\n" for text in texts), encoding="utf-8")
    return path


def tokenizers(folder):
    """Name -> tokenizer.json of the families at hand."""
    found = {}
    if (gpt2 := SHARED / "tokenizers" / "gpt2.tokenizer.json.gz").exists():
        found["gpt2"] = folder / "gpt2.json"
        found["gpt2"].write_bytes(gzip.decompress(gpt2.read_bytes()))
    if (llama3 := SHARED / "tokenizers" / "llama3.tokenizer.model").exists():
        found["llama3"] = folder / "llama3.json"
        found["llama3"].write_text(json.dumps(tokenizer_json(llama3), ensure_ascii=False), encoding="utf-8")
    return found or {"recipe": ROOT / "recipes" / "models" / "llama-7m" / "tokenizer.json"}


def attune(tokenizer, texts, threads=1):
    command = [PROGRAM, tokenizer, texts, "--threads", str(threads)]
    return json.loads(subprocess.run(command, check=True, capture_output=True, env=environment()).stdout)


def measure(bench):
    folder = bench.work("data")
    texts = write_texts(folder / "texts.jsonl", real_texts(bench.out))
    letters = write_texts(folder / "letters.jsonl", ["a" * 1_000_000])
    for family, tokenizer in tokenizers(folder).items():
        with Worker("tokenizer.py", {"tokenizer": str(tokenizer), "texts": str(texts)}, bench.log(family)) as peer:
            with bench.quiet():
                ours, many = attune(tokenizer, texts), attune(tokenizer, texts, 2)
                wanted = {side: peer.ask({"side": side}) for side in ("tokenizers", "gigatoken")}
            megabytes = ours["bytes"] / 1e6
            facts = {"MB": megabytes, "ids": ours["ids"], "load_seconds": ours["load_seconds"],
                     "MB/s with two threads": megabytes / many["seconds"]}
            for side, target in (("tokenizers", TARGET["vs tokenizers"]), ("gigatoken", None)):
                equality = {"holds": ours["hash"] == many["hash"] == wanted[side]["hash"], "ids": wanted[side]["ids"]}
                yield bench.compare(
                    f"tokens of unseen text, {family}, one thread, vs {side}",
                    lambda _: megabytes / attune(tokenizer, texts)["seconds"],
                    lambda _: megabytes / peer.ask({"side": side})["seconds"],
                    unit="MB/s", better="more", target=target, equality=equality, facts=facts)
        yield bench.compare(
            f"a word of 1 MB, {family}, vs text",
            lambda _: 1 / attune(tokenizer, letters)["seconds"],
            lambda _: megabytes / attune(tokenizer, texts)["seconds"],
            unit="MB/s", better="more", target=TARGET["a word of 1 MB vs text"], equality={"holds": True})
