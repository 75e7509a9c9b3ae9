"""Hugging Face tokenizers and gigatoken as a long-lived process: all texts of a file to ids, one thread, a fresh tokenizer
object for every request."""

import json
import time

import gigatoken
import numpy
import serve
import tokenizers
import xxhash


def by_tokenizers(path, texts):
    tokenizer = tokenizers.Tokenizer.from_file(path)
    start = time.perf_counter()
    encodings = tokenizer.encode_batch_fast(texts, add_special_tokens=False)
    return time.perf_counter() - start, [one.ids for one in encodings]


def by_gigatoken(path, texts):
    tokenizer = gigatoken.Tokenizer(path)
    start = time.perf_counter()
    ids = tokenizer.encode_batch(texts, parallel=False)
    return time.perf_counter() - start, ids


def main():
    options = serve.receive()
    with open(options["texts"], encoding="utf-8") as file:
        texts = [json.loads(line) for line in file]
    by_gigatoken(options["tokenizer"], texts[:10])  # what it sets up once a process
    serve.answer({"texts": len(texts)})
    sides = {"tokenizers": by_tokenizers, "gigatoken": by_gigatoken}
    while (request := serve.receive()) is not None:
        seconds, ids = sides[request["side"]](options["tokenizer"], texts)
        flat = numpy.concatenate([numpy.asarray(one, dtype="<i4") for one in ids])
        serve.answer({"seconds": seconds, "ids": len(flat), "hash": xxhash.xxh3_128_hexdigest(flat.tobytes())})


main()
