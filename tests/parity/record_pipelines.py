"""Records what the `tokenizers` package does with every kind of tokenizer: families of real models, rebuilt from small
vocabularies that are trained here on generated text.

Writes tests/parity/recorded/pipelines/NAME.json (the tokenizer.json, some strings with their ids, offsets and decoded
text) and tests/parity/recorded/pipelines.json: for each family CRC-32s over the ids of 10,000 random strings (one for
500 strings), for some also over every code point of two planes in several surroundings (one for 4096). The strings themselves come from a
generator that C++ has too (tests/support/random_strings.h); bytes that are no UTF-8 are read as Python reads them.

Run: python tests/parity/record_pipelines.py [NAME ...]
"""
import base64
import json
import pathlib
import random
import struct
import sys
import unicodedata
import zlib

from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers

OUT = pathlib.Path(__file__).parent / "recorded"
MASK = 0xFFFFFFFFFFFFFFFF
STRINGS, BLOCK = 10_000, 500
# Families that see all characters of the first two planes, in several surroundings: one of each way to treat them.
EVERY_CODE_POINT = {"o200k", "deepseek-v3", "deepseek-llm", "falcon", "llama2", "t5", "albert", "unigram-bytes", "bert-uncased", "clip", "splits-looks"}

GPT2 = r"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+"
CL100K = r"'(?i:[sdmt]|ll|ve|re)|[^\r\n\p{L}\p{N}]?+\p{L}++|\p{N}{1,3}+| ?[^\s\p{L}\p{N}]++[\r\n]*+|\s++$|\s*[\r\n]|\s+(?!\S)|\s"
O200K = "|".join([
    r"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+(?i:'s|'t|'re|'ve|'m|'ll|'d)?",
    r"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*(?i:'s|'t|'re|'ve|'m|'ll|'d)?",
    r"\p{N}{1,3}", r" ?[^\s\p{L}\p{N}]+[\r\n/]*", r"\s*[\r\n]+", r"\s+(?!\S)", r"\s+"])
KIMI = "|".join([
    r"[\p{Han}]+",
    r"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}&&[^\p{Han}]]*[\p{Ll}\p{Lm}\p{Lo}\p{M}&&[^\p{Han}]]+(?i:'s|'t|'re|'ve|'m|'ll|'d)?",
    r"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}&&[^\p{Han}]]+[\p{Ll}\p{Lm}\p{Lo}\p{M}&&[^\p{Han}]]*(?i:'s|'t|'re|'ve|'m|'ll|'d)?",
    r"\p{N}{1,3}", r" ?[^\s\p{L}\p{N}]+[\r\n]*", r"\s*[\r\n]+", r"\s+(?!\S)", r"\s+"])
DEEPSEEK_LLM_LETTERS = r"\s?[A-Za-zµÀ-ÖØ-öø-ƺƼ-ƿǄ-ʓʕ-ʯͰ-ͳͶͷͻ-ͽͿΆΈ-ΊΌΎ-ΡΣ-ϵϷ-ҁҊ-ԯԱ-ՖႠ-ჅᎠ-Ᏽᏸ-ᏽᲐ-ᲺᲽ-Ჿᴀ-ᴫᵫ-ᵷᵹ-ᶚḀ-ἕἘ-Ἕἠ-ὅὈ-Ὅὐ-ὗ" \
    r"\u1F59\u1F5B\u1F5D\u1F5F-\u1F7D\u1F80-\u1FB4\u1FB6-\u1FBC\u1FBE\u1FC2-\u1FC4\u1FC6-\u1FCC\u1FD0-\u1FD3\u1FD6-\u1FDB\u1FE0-\u1FEC\u1FF2-\u1FF4\u1FF6-\u1FFC" \
    r"\u2102\u2107\u210A-\u2113\u2115\u2119-\u211D\u2124\u2126\u2128\u212A-\u212D\u212F-\u2134\u2139\u213C-\u213F\u2145-\u2149\u214E\u2183\u2184\u2C00-\u2C7B" \
    r"\uA640-\uA66D\uA680-\uA69B\uA722-\uA76F\uA771-\uA787\uA78B-\uA78E\uAB70-\uABBF\uFB00-\uFB06\uFB13-\uFB17\uFF21-\uFF3A\uFF41-\uFF5A\x{10400}-\x{1044F}\x{1E900}-\x{1E943}]+"
DEEPSEEK_V3 = r"""[!"#$%&'()*+,\-./:;<=>?@\[\\\]^_`{|}~][A-Za-z]+|[^\r\n\p{L}\p{P}\p{S}]?[\p{L}\p{M}]+| ?[\p{P}\p{S}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"""
WORDS = ("the a of to and in is that it was for on are with as be this have from or one had by word but not what all "
         "were we when your can said there use an each which she do how their if will up other about out many then "
         "them these so some her would make like him into time has look two more write go see number no way could "
         "people my than first water been call who oil its now find long down day did get come made may part über "
         "naïve Ελλάδα привет мир 中文 日本語 한국어 שלום مرحبا हिन्दी ไทย it's we'll THEY'RE don't I'd I'VE 2024 3.14 100000").split()

# ---- random strings: the same in C++ (tests/support/random_strings.h) --------------------------------------------
PIECES = WORDS + [" ", "  ", "   ", "\t", "\n", "\n\n", "\r\n", " \n ", "\u00a0", "\u2003", "\u3000", "\u200b", "\u2028", "\x0b",
                  "\x0c", "\x1c", "\x85", "\u180e", "\ufeff", "\u2581", "\u2581\u2581", "e\u0301", "a\u0323\u0301", "\u1100\u1161\u11a8", "각",
                  "\u0958", "\u212b", "Å", "ﬁ", "ſ", "'ſ", "'S", "'Ll", "👩‍👩‍👧", "🦙", "🇩🇪", "½", "Ⅷ", "٣", "१२३४", "𝟘𝟙", "..", "!?", "--", "'",
                  "''", "``", "<s>", "</s>", "<pad>", "<unk>", "[CLS]", "[MASK]", " [MASK]  ", "<think>", "<0x41>", "\u0344", "\u0f73",
                  "\u09c7\u09be", "\u07fd", "\u0301", "\u20dd", "\x00", "\x7f", "\u0378", "\U000105c0", "\U0001e900", "\ue000", "\U0010fffd",
                  "ＡＢＣ", "ｱｲｳ", "ｶﾞ", "①", "㍿", "ﷺ", "İ", "ß", "ẞ", "Σ", "ς", "a.b", "don't.", "x=1;", "//", "/*", "```\n", "0", "12", "123456789"]


class Stream:
    """SplitMix64 (Steele et al. 2014)."""

    def __init__(self, seed):
        self.state = seed

    def next(self):
        self.state = (self.state + 0x9E3779B97F4A7C15) & MASK
        z = self.state
        z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & MASK
        z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & MASK
        return z ^ (z >> 31)

    def below(self, count):
        return self.next() % count


def random_bytes(stream):
    out = bytearray()
    for _ in range(stream.below(16)):
        kind = stream.below(100)
        if kind < 62:
            out += PIECES[stream.below(len(PIECES))].encode()
        elif kind < 82:
            for _ in range(1 + stream.below(5)):
                out += chr(0x20 + stream.below(0x2500)).encode()
        elif kind < 96:
            code_point = stream.below(0x110000)
            out += chr(0xFFFD if 0xD800 <= code_point < 0xE000 else code_point).encode()
        else:
            out.append(0x80 + stream.below(0x80))  # mostly no UTF-8
    return bytes(out)


def strings():
    stream = Stream(20261121)
    return [random_bytes(stream).decode(errors="replace") for _ in range(STRINGS)]


# ---- small vocabularies -------------------------------------------------------------------------------------------
def corpus(seed=1):
    rng = random.Random(seed)
    return [" ".join(rng.choice(WORDS) for _ in range(40)) + "\n\n" for _ in range(200)] + ["    " * 8, "aaaaaaaa bbbb " * 9]


def byte_vocabulary():
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    trainer = trainers.BpeTrainer(vocab_size=700, initial_alphabet=sorted(pre_tokenizers.ByteLevel.alphabet()), show_progress=False)
    tokenizer.train_from_iterator(corpus(), trainer)
    model = json.loads(tokenizer.to_str())["model"]
    return model["vocab"], [tuple(m) for m in model["merges"]]


def sentencepiece_bpe(split):
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace()
    special = ["<unk>", "<s>", "</s>"] + [f"<0x{b:02X}>" for b in range(256)]
    trainer = trainers.BpeTrainer(vocab_size=900, special_tokens=special, show_progress=False, initial_alphabet=["\u2581", "0", "1"])
    tokenizer.train_from_iterator(corpus() if split else corpus() + ["a b c d " * 30], trainer)
    model = json.loads(tokenizer.to_str())["model"]
    return models.BPE(vocab=model["vocab"], merges=[tuple(m) for m in model["merges"]], unk_token="<unk>", fuse_unk=True, byte_fallback=True)


def unigram(byte_fallback, lowercase=False):
    tokenizer = Tokenizer(models.Unigram())
    tokenizer.normalizer = normalizers.Lowercase() if lowercase else normalizers.NFKC()
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace()
    special = ["<pad>", "</s>", "<unk>"] + ([f"<0x{b:02X}>" for b in range(256)] if byte_fallback else [])
    tokenizer.train_from_iterator(corpus(), trainers.UnigramTrainer(vocab_size=500 + len(special), special_tokens=special, unk_token="<unk>", show_progress=False))
    vocabulary = json.loads(tokenizer.to_str())["model"]["vocab"]
    return models.Unigram([(t, round(s, 6)) for t, s in vocabulary], unk_id=2, byte_fallback=byte_fallback)


def words_of(tokenizer, trainer):
    tokenizer.train_from_iterator(corpus(), trainer)
    return tokenizer


# ---- SentencePiece's compiled rules: a double-array trie in darts-clone's layout -----------------------------------
def charsmap(rules):
    """`rules`: text -> text. Placed greedily: a unit holds label, offset, and whether a value hangs on it."""
    texts, offsets = b"", {}
    for target in sorted(set(rules.values())):
        offsets[target] = len(texts)
        texts += target.encode() + b"\0"
    tree = {}
    for source, target in rules.items():
        node = tree
        for byte in source.encode():
            node = node.setdefault(byte, {})
        node[None] = offsets[target]
    units, used = [0] * 1024, {0}

    def place(index, node):
        labels = sorted(0 if key is None else key for key in node)
        base = 1
        while any((base ^ label) in used for label in labels) or (index ^ base) >= 1 << 21 or base in bases:
            base += 1
        bases.add(base)
        while len(units) < (base | 255) + 1:
            units.extend([0] * 256)
        used.update(base ^ label for label in labels)
        units[index] |= (index ^ base) << 10 | (1 << 8 if None in node else 0)
        if None in node:
            units[base] = node[None] | 1 << 31
        for key, child in sorted((k, c) for k, c in node.items() if k is not None):
            units[base ^ key] |= key
            place(base ^ key, child)

    bases = set()
    place(0, tree)
    trie = struct.pack(f"<{len(units)}I", *units)
    return struct.pack("<I", len(trie)) + trie + texts


def nmt_nfkc():
    """Some rules of SentencePiece's nmt_nfkc: enough to take every way through the normalizer."""
    rules = {"\t": " ", "\n": " ", "\r": " ", "\u200b": " ", "\u00a0": " ", "\u3000": " ", "\u2003": " ", "\ufeff": "", "\x0b": " ", "\x7f": ""}
    for c in list(range(0xA8, 0x100)) + list(range(0x2460, 0x2474)) + list(range(0xFF01, 0xFF5F)) + [0xFB01, 0xFDFA, 0x337F, 0x212B, 0x1E9E, 0xFF76]:
        target = unicodedata.normalize("NFKC", chr(c))
        if target != chr(c):
            rules[chr(c)] = target
    rules.update({"e\u0301": "é", "a\u0301": "á", "\u1100\u1161": "가", "ｶﾞ": "ガ", "A\u030a": "Å"})
    return rules


def precompiled():
    return normalizers.Precompiled(charsmap(nmt_nfkc()))


# ---- families ------------------------------------------------------------------------------------------------------
def byte_level(splits, use_regex=False, **more):
    vocabulary, merges = byte_vocabulary()
    tokenizer = Tokenizer(models.BPE(vocab=vocabulary, merges=merges, **more))
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(splits + [pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=use_regex)])
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.add_special_tokens([AddedToken("<s>", normalized=False), AddedToken("</s>", normalized=False)])
    tokenizer.add_tokens([AddedToken("<think>", normalized=False)])
    return tokenizer


def isolated(expression):
    return pre_tokenizers.Split(Regex(expression), behavior="isolated")


def deepseek(first):
    return byte_level([isolated(first), isolated("[一-龥\u0800-一가-퟿]+" if first != r"\p{N}{1,3}" else "[一-龥぀-ゟ゠-ヿ]+"), isolated(DEEPSEEK_V3)])


def falcon():
    tokenizer = byte_level([])
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence([
        pre_tokenizers.Punctuation("contiguous"), pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=True),
        pre_tokenizers.Digits(individual_digits=False), isolated("[0-9][0-9][0-9]")])
    return tokenizer


def command_r():
    tokenizer = byte_level([pre_tokenizers.Digits(individual_digits=True)], use_regex=True)
    tokenizer.normalizer = normalizers.NFC()
    return tokenizer


def roberta():
    tokenizer = byte_level([])
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=True)
    tokenizer.post_processor = processors.RobertaProcessing(("</s>", tokenizer.token_to_id("</s>")), ("<s>", tokenizer.token_to_id("<s>")), trim_offsets=False)
    return tokenizer


def prefixed_splits():
    tokenizer = byte_level([])
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence([pre_tokenizers.Split("a", "isolated"), pre_tokenizers.ByteLevel(add_prefix_space=True, use_regex=True)])
    return tokenizer


def llama(normalizer, pre_tokenizer, decoder, special=("<s>",)):
    tokenizer = Tokenizer(sentencepiece_bpe(True))
    if normalizer:
        tokenizer.normalizer = normalizer
    if pre_tokenizer:
        tokenizer.pre_tokenizer = pre_tokenizer
    tokenizer.decoder = decoder
    tokenizer.add_special_tokens([AddedToken(t, normalized=False) for t in ("<unk>", "<s>", "</s>")])
    tokenizer.add_tokens([AddedToken("<think>", normalized=False)])
    tokenizer.post_processor = processors.TemplateProcessing(single="<s> $A", pair="<s> $A <s> $B", special_tokens=[("<s>", 1)])
    return tokenizer


FALLBACK = [decoders.Replace("\u2581", " "), decoders.ByteFallback(), decoders.Fuse()]


def unigram_family(model, normalizer, pre_tokenizer, decoder):
    tokenizer = Tokenizer(model)
    tokenizer.normalizer, tokenizer.pre_tokenizer, tokenizer.decoder = normalizer, pre_tokenizer, decoder
    tokenizer.add_special_tokens([AddedToken("<pad>", normalized=False), AddedToken("</s>", normalized=False), AddedToken("<unk>", normalized=False)])
    tokenizer.add_special_tokens([AddedToken("[MASK]", lstrip=True, normalized=False)])
    tokenizer.post_processor = processors.TemplateProcessing(single="$A </s>", pair="$A </s> $B </s>", special_tokens=[("</s>", 1)])
    return tokenizer


def bert(lowercase, strip_accents=None):
    tokenizer = Tokenizer(models.WordPiece(unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.BertNormalizer(lowercase=lowercase, strip_accents=strip_accents)
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    words_of(tokenizer, trainers.WordPieceTrainer(vocab_size=600, special_tokens=["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"], show_progress=False))
    model = json.loads(tokenizer.to_str())["model"]
    tokenizer.model = models.WordPiece(vocab=model["vocab"], unk_token="[UNK]", max_input_chars_per_word=20)
    tokenizer.decoder = decoders.WordPiece()
    tokenizer.post_processor = processors.BertProcessing(("[SEP]", 3), ("[CLS]", 2))
    return tokenizer


def odd_splits(splits):
    tokenizer = Tokenizer(models.WordLevel(vocab={"[UNK]": 0, "a": 1}, unk_token="[UNK]"))
    tokenizer.pre_tokenizer = splits
    words_of(tokenizer, trainers.WordLevelTrainer(vocab_size=400, special_tokens=["[UNK]"], show_progress=False))
    return tokenizer


def clip():
    tokenizer = Tokenizer(models.BPE(unk_token="<unk>", continuing_subword_prefix="", end_of_word_suffix="</w>"))
    tokenizer.normalizer = normalizers.Sequence([normalizers.NFD(), normalizers.Lowercase(), normalizers.StripAccents()])
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    words_of(tokenizer, trainers.BpeTrainer(vocab_size=500, special_tokens=["<unk>"], end_of_word_suffix="</w>", show_progress=False))
    tokenizer.decoder = decoders.BPEDecoder(suffix="</w>")
    return tokenizer


def families():
    metaspace = lambda scheme, split=True: pre_tokenizers.Metaspace(prepend_scheme=scheme, split=split)
    space = normalizers.Replace(" ", "\u2581")
    albert = normalizers.Sequence([normalizers.Replace("``", '"'), normalizers.Replace("''", '"'), normalizers.NFKD(),
                                   normalizers.StripAccents(), normalizers.Lowercase(), precompiled()])
    return {
        "cl100k": lambda: byte_level([isolated(CL100K)]),
        "o200k": lambda: byte_level([isolated(O200K)], ignore_merges=True),
        "kimi": lambda: byte_level([isolated(KIMI)]),
        "deepseek-v3": lambda: deepseek(r"\p{N}{1,3}"),
        "deepseek-llm": lambda: byte_level([isolated("[\r\n]"), isolated(DEEPSEEK_LLM_LETTERS), isolated(r"\s?[!-/:-~！-／：-～‘-‟　-。]+"), isolated(r"\s+$"),
                                            isolated("[一-龥\u0800-一가-퟿]+"), pre_tokenizers.Digits(individual_digits=True)]),
        "deepseek-coder": lambda: byte_level([isolated("[\r\n]"), isolated(r"\s?\p{L}+"), isolated(r"\s?\p{P}+"), isolated("[一-龥\u0800-一가-퟿]+"),
                                              pre_tokenizers.Digits(individual_digits=True)]),
        "falcon": falcon,
        "starcoder": lambda: byte_level([pre_tokenizers.Digits(individual_digits=True)], use_regex=True),
        "command-r": command_r,
        "roberta": roberta,
        "splits-prefixed": prefixed_splits,
        "gpt2-split": lambda: byte_level([isolated(GPT2)]),
        "llama2": lambda: llama(normalizers.Sequence([normalizers.Prepend("\u2581"), space]), None, decoders.Sequence(FALLBACK + [decoders.Strip(" ", 1, 0)])),
        "mistral-v3": lambda: llama(None, metaspace("first", False), decoders.Sequence(FALLBACK + [decoders.Strip(" ", 1, 0)])),
        "gemma": lambda: llama(space, pre_tokenizers.Split(" ", "merged_with_previous"), decoders.Sequence(FALLBACK)),
        "t5": lambda: unigram_family(unigram(False), precompiled(), pre_tokenizers.Sequence([pre_tokenizers.WhitespaceSplit(), metaspace("always")]), decoders.Metaspace()),
        "xlm-r": lambda: unigram_family(unigram(False), normalizers.Sequence([precompiled(), normalizers.Replace(Regex(" {2,}"), " ")]), metaspace("always"), decoders.Metaspace()),
        "albert": lambda: unigram_family(unigram(False, True), albert, metaspace("always"), decoders.Metaspace()),
        "unigram-bytes": lambda: unigram_family(unigram(True), normalizers.Sequence([normalizers.Nmt(), normalizers.NFKC(), normalizers.Strip(), normalizers.Replace(Regex(" {2,}"), "\u2581")]),
                                                metaspace("first"), decoders.Sequence([decoders.ByteFallback(), decoders.Metaspace(prepend_scheme="first")])),
        "bert-uncased": lambda: bert(True),
        "bert-cased": lambda: bert(False),
        "bert-accents": lambda: bert(False, True),
        "clip": clip,
        "splits-merged": lambda: odd_splits(pre_tokenizers.Sequence([
            pre_tokenizers.CharDelimiterSplit("t"), pre_tokenizers.Split(Regex(r"\s+"), "merged_with_next"), pre_tokenizers.Split("e", "merged_with_previous"),
            pre_tokenizers.Split(Regex(r"[0-9]"), "contiguous"), pre_tokenizers.Punctuation("removed")])),
        "splits-looks": lambda: odd_splits(pre_tokenizers.Sequence([
            pre_tokenizers.Split(Regex(r"(?<=[a-z])(?=[A-Z])|(?<!\d)\d{2,3}(?!\d)|\bthe\b|(?:ab?)+|(?>a+)b|x*?y|^\w|[\p{Greek}\p{Cyrillic}&&[^α-ωа-я]]"), "isolated"),
            pre_tokenizers.Split(Regex(r"\w+|[^\w\s]+"), "removed", invert=True)])),
    }


def hash_of(encoded):
    value = 0
    for e in encoded:
        value = zlib.crc32(struct.pack(f"<{len(e.ids)}I", *e.ids), value)
    return value


def surroundings(code_point):
    c = chr(code_point)
    return f"a{c}b {c}1\n{c} {c}\u0301"


def record(name, tokenizer, texts):
    shown = texts[:120]
    encoded = [tokenizer.encode(text) for text in shown]
    halves = [tokenizer.decode(e.ids[: len(e.ids) // 2 + 1], skip_special_tokens=False) for e in encoded[:60]]
    (OUT / "pipelines").mkdir(exist_ok=True)
    (OUT / "pipelines" / f"{name}.json").write_text(json.dumps({
        "tokenizer": json.loads(tokenizer.to_str()),
        "ids": [e.ids for e in encoded],
        "offsets": [[list(o) for o in e.offsets] for e in encoded[:60]],
        "decoded": [tokenizer.decode(e.ids, skip_special_tokens=True) for e in encoded],
        "halves": halves,
    }, ensure_ascii=False, separators=(",", ":")) + "\n")
    blocks, pages = [], []
    for begin in range(0, len(texts), BLOCK):
        blocks.append(hash_of(tokenizer.encode_batch(texts[begin:begin + BLOCK], add_special_tokens=False)))
    for page in range(0, 0x20000 if name in EVERY_CODE_POINT else 0, 4096):
        points = [c for c in range(page, page + 4096) if not 0xD800 <= c < 0xE000]
        pages.append(hash_of(tokenizer.encode_batch([surroundings(c) for c in points], add_special_tokens=False)))
    return {"blocks": blocks, "pages": pages}


def main():
    texts = strings()
    path = OUT / "pipelines.json"
    result = json.loads(path.read_text()) if path.exists() and sys.argv[1:] else {"strings": STRINGS, "block": BLOCK, "families": {}}
    result["pieces"] = PIECES
    for name, make in families().items():
        if not sys.argv[1:] or name in sys.argv[1:]:
            result["families"][name] = record(name, make(), texts)
            print(name, flush=True)
    path.write_text(json.dumps(result, ensure_ascii=False, separators=(",", ":")) + "\n")


if __name__ == "__main__":
    main()
