"""Records token ids of the `tokenizers` package: three byte-level families on one small vocabulary trained here.

Writes tests/parity/recorded/tokenizers.json: the three tokenizer.json files, random Unicode strings with their ids and
decoded text, and for every code point in several surroundings a hash of the ids (FNV-1a, one for 4096 code points).

Run: python tests/parity/record_tokenizers.py
"""
import json
import pathlib
import random

from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers

OUT = pathlib.Path(__file__).parent / "recorded" / "tokenizers.json"
CONTRACTIONS = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)"
LLAMA3 = CONTRACTIONS + r"|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
QWEN2 = CONTRACTIONS + r"|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
WORDS = ("the a of to and in is that it was for on are with as be this have from or one had by word but not what all "
         "were we when your can said there use an each which she do how their if will up other about out many then "
         "them these so some her would make like him into time has look two more write go see number no way could "
         "people my than first water been call who oil its now find long down day did get come made may part über "
         "naïve Ελλάδα привет мир 中文 日本語 한국어 שלום مرحبا हिन्दी ไทย it's we'll THEY'RE don't I'd I'VE 2024 3.14 100000").split()
BLANKS = [" ", "  ", "   ", "\t", "\n", "\n\n", "\r\n", " \n ", "\u00a0", "\u2003", "\u3000", "\u200b", "\u2028", "\x0b",
          "\x0c", "\x1c", "\x85", "\u180e", "\ufeff"]
ODD = ["e\u0301", "a\u0323\u0301", "\u1100\u1161\u11a8", "각", "\u0958", "\u212b", "Å", "ﬁ", "ſ", "'ſ", "'S", "'Ll", "👩‍👩‍👧", "🦙",
       "🇩🇪", "½", "Ⅷ", "٣", "१२३४", "𝟘𝟙", "..", "!?", "--", "'", "''", "<think>", "<|im_start|>", "<|end|>", " <|lstrip|>",
       "<|rstrip|>  ", "word", "sword", " word ", "\u0344", "\u0f73", "\u09c7\u09be", "\u07fd", "\u0301", "\u20dd", "\x00", "\x7f",
       "\u0378", "\U000105c0", "\U0001e900", "\ue000", "\U0010fffd"]


def piece(rng):
    kind = rng.random()
    if kind < 0.35:
        return rng.choice(WORDS)
    if kind < 0.6:
        return rng.choice(BLANKS)
    if kind < 0.8:
        return rng.choice(ODD)
    if kind < 0.9:
        return "".join(chr(rng.choice([rng.randrange(0x20, 0x7f), rng.randrange(0xa0, 0x2500)])) for _ in range(rng.randrange(1, 6)))
    while True:
        code_point = rng.randrange(0x110000)
        if not 0xD800 <= code_point < 0xE000:
            return chr(code_point)


def strings(count, longest, seed):
    rng = random.Random(seed)
    return ["".join(piece(rng) for _ in range(rng.randrange(longest))) for _ in range(count)]


def trained():
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    rng = random.Random(1)
    corpus = [" ".join(rng.choice(WORDS) for _ in range(40)) + "\n\n" for _ in range(200)] + ["    " * 8, "aaaaaaaa bbbb " * 9]
    trainer = trainers.BpeTrainer(vocab_size=700, initial_alphabet=sorted(pre_tokenizers.ByteLevel.alphabet()), show_progress=False)
    tokenizer.train_from_iterator(corpus, trainer)
    return json.loads(tokenizer.to_str())["model"]


def family(model, name):
    vocabulary, merges = model["vocab"], [tuple(m) for m in model["merges"]]
    tokenizer = Tokenizer(models.BPE(vocab=vocabulary, merges=merges, ignore_merges=name == "llama3"))
    byte_level = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=name == "gpt2")
    if name == "gpt2":
        tokenizer.pre_tokenizer = byte_level
        tokenizer.post_processor = processors.ByteLevel(trim_offsets=False)
    else:
        split = pre_tokenizers.Split(Regex(LLAMA3 if name == "llama3" else QWEN2), behavior="isolated", invert=False)
        tokenizer.pre_tokenizer = pre_tokenizers.Sequence([split, byte_level])
    if name == "qwen2":
        tokenizer.normalizer = normalizers.NFC()
        tokenizer.post_processor = processors.ByteLevel(trim_offsets=False)
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.add_special_tokens([AddedToken("<|begin|>", normalized=False), AddedToken("<|im_start|>", normalized=False),
                                  AddedToken("<|end|>", normalized=True)])
    tokenizer.add_tokens([AddedToken("<think>", normalized=False), AddedToken("<|lstrip|>", lstrip=True),
                          AddedToken("<|rstrip|>", rstrip=True, normalized=False), AddedToken("word", single_word=True),
                          AddedToken("<|im_start|>x", normalized=False), AddedToken("Å", normalized=True)])
    if name == "llama3":
        begin = tokenizer.token_to_id("<|begin|>")
        tokenizer.post_processor = processors.Sequence([
            processors.ByteLevel(trim_offsets=False),
            processors.TemplateProcessing(single="<|begin|> $A", pair="<|begin|> $A <|begin|> $B", special_tokens=[("<|begin|>", begin)])])
    return tokenizer


def fnv1a(ids):
    value = 0xCBF29CE484222325
    for token in ids:
        for byte in token.to_bytes(4, "little"):
            value = ((value ^ byte) * 0x100000001B3) & 0xFFFFFFFFFFFFFFFF
    return f"{value:016x}"


def surroundings(code_point):
    c = chr(code_point)
    return f"a{c}b {c}{c} 1{c}2\n{c}\n '{c} e{c}\u0301  {c}"


def main():
    model = trained()
    result = {"tokenizers": {}, "strings": strings(600, 24, seed=2), "families": {}}
    for name in ("gpt2", "llama3", "qwen2"):
        tokenizer = family(model, name)
        result["tokenizers"][name] = json.loads(tokenizer.to_str())
        ids = [tokenizer.encode(text).ids for text in result["strings"]]
        plain = [tokenizer.encode(text, add_special_tokens=False) for text in result["strings"]]
        tokenizer.encode_special_tokens = True
        not_special = [tokenizer.encode(text, add_special_tokens=False).ids for text in result["strings"][:200]]
        tokenizer.encode_special_tokens = False
        pages = []
        for page in range(0, 0x110000, 4096):
            texts = [surroundings(c) for c in range(page, page + 4096) if not 0xD800 <= c < 0xE000]
            encoded = tokenizer.encode_batch(texts, add_special_tokens=False)
            pages.append(fnv1a(i for e in encoded for i in e.ids))
        result["families"][name] = {
            "ids": ids,
            "plain_hash": [fnv1a(e.ids) for e in plain],
            "characters": [[list(o) for o in e.offsets] for e in plain[:60]] if name != "qwen2" else [],
            "not_special": not_special,
            "decoded_hash": [fnv1a(tokenizer.decode(i, skip_special_tokens=True).encode()) for i in ids],
            "halves": [tokenizer.decode(i[: len(i) // 2 + 1], skip_special_tokens=False) for i in ids[:100]],
            "pages": pages,
        }
    # One vocabulary for all three: stored once.
    for name in ("llama3", "qwen2"):
        for key in ("vocab", "merges"):
            assert result["tokenizers"][name]["model"][key] == result["tokenizers"]["gpt2"]["model"][key]
            result["tokenizers"][name]["model"][key] = None
    OUT.parent.mkdir(exist_ok=True)
    OUT.write_text(json.dumps(result, ensure_ascii=False, separators=(",", ":")) + "\n")


if __name__ == "__main__":
    main()
