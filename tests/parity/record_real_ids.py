"""Records hashes of the ids that the `tokenizers` package gives real texts: GPT-2's and Llama-3's tokenizers on the
beginning of every file of the shared data folder (nothing of which is copied).

Writes tests/parity/recorded/real_ids.json. Run: python tests/parity/record_real_ids.py [DATA]
"""
import gzip
import json
import pathlib
import sys

from tokenizers import Tokenizer

from llama3 import tokenizer_json

HERE = pathlib.Path(__file__).resolve().parent
BYTES = 50_000


def head(path):
    with (gzip.open if path.suffix == ".gz" else open)(path, "rb") as file:
        return file.read(BYTES)


def fnv(ids):
    value = 0xCBF29CE484222325
    for one in ids:
        for byte in one.to_bytes(4, "little"):
            value = (value ^ byte) * 0x100000001B3 % 2**64
    return f"{value:016x}"


def main():
    data = pathlib.Path(sys.argv[1]) if len(sys.argv) > 1 else HERE.parents[2] / "shared" / "data"
    gpt2 = gzip.open(data / "tokenizers" / "gpt2.tokenizer.json.gz").read().decode()
    tokenizers = {"gpt2": Tokenizer.from_str(gpt2),
                  "llama3": Tokenizer.from_str(json.dumps(tokenizer_json(data / "tokenizers" / "llama3.tokenizer.model")))}
    record = {"bytes": BYTES, "gpt2": {}, "llama3": {}}
    for path in sorted(path for path in data.rglob("*") if path.is_file()):
        name = str(path.relative_to(data))
        if name.startswith("tokenizers/") and name != "tokenizers/botchan.txt.gz":
            continue
        text = head(path).decode(errors="replace")
        for family, tokenizer in tokenizers.items():
            record[family][name] = fnv(tokenizer.encode(text, add_special_tokens=False).ids)
    (HERE / "recorded" / "real_ids.json").write_text(json.dumps(record, indent=0) + "\n")


if __name__ == "__main__":
    main()
