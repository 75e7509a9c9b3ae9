#!/usr/bin/env python3
"""Writes docs/tokenizers.md: which components are read (from the source), and in which families each was held against
the `tokenizers` package (from tests/parity/recorded).

    tools/write_tokenizer_table.py           writes the page
    tools/write_tokenizer_table.py --check   exit 1 when the page says something else, or a component is compared nowhere
"""

import json
import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
PAGE = ROOT / "docs" / "tokenizers.md"
RECORDED = ROOT / "tests" / "parity" / "recorded"
SOURCE = ROOT / "src" / "attune" / "text"
HEAD = """# Tokenizers

Written by `tools/write_tokenizer_table.py` from the source and the recorded comparisons.

`--tokenizer` takes a model folder or a file. A folder's `tokenizer.json` comes first, then `tokenizer.model`, `spiece.model`
or `sentencepiece.bpe.model`, then its only `*.tiktoken` or `*.gguf`. What a file is, its content says.

| file | what is read | held against |
|---|---|---|
| `tokenizer.json` | all components below; others are refused by name | the `tokenizers` package, below |
| `tokenizer.model` (SentencePiece) | BPE and unigram models with their compiled normalization rules, user-defined pieces, byte fallback; U+2581 goes before the text (`"legacy": true` in tokenizer_config.json: before every stretch of text) | the golden ids of mistral-common (v2, v3) and the ids that SentencePiece's documentation shows; Llama 2's model and its GGUF vocabulary, which has golden ids, give equal ids for all real texts of the tests |
| tiktoken ranks | gpt2, r50k, p50k, cl100k, o200k, Llama 3, Qwen: told apart by their number of ranks | golden ids of GPT-2 and Llama 3; `tokenizers` on real texts |
| GGUF | `tokenizer.ggml.*` of the models gpt2 (split as `pre` names it), llama, t5, bert | llama.cpp's golden ids of GPT-2, Llama 2, Falcon, DeepSeek Coder and BGE |

Refused: pieces of type "unused" in SentencePiece BPE models, classes that shift SentencePiece ids (XLM-RoBERTa, CamemBERT, mBART,
NLLB, Pegasus and their like: their tokenizer.json is read), BPE dropout.

Regular expressions have a matcher of their own (`text/regex`), with the character tables of Oniguruma as it is inside
`tokenizers` and its Ruby syntax: `$` is the end of a line, `\\w` counts six Latin-1 signs that `[\\w]` does not, `{1,3}+` repeats.
Searching is linear in the text. PCRE2 and RE2 know other Unicode versions, and RE2 has no look-ahead. Named groups, POSIX brackets,
scripts beyond the usual ones and case-insensitive letters that are part of a ligature are refused.

Spans are bytes and never trimmed; bytes of one character that are several tokens are told apart. A prefix that the tokenizer put
before a text shares the first character's span. Text that was given out while it streamed stays: of a run of byte tokens
that make no text, `decode` turns every byte into U+FFFD, a stream only those that were still open.

Ids and assistant masks of every chat template with `{% generation %}` among the real ones equal transformers' with the tokenizers
cl100k, llama2 and mistral-v3 of the table. Where a normalizer joins blanks across the border of a turn (unigram tokenizers),
transformers may find no token at the border and leave the turn out; attune masks every token that holds a byte of it.

"""


def components():
    """Names in the readers: (sort, name) in the source's order."""
    text = (SOURCE / "pipeline" / "components.cpp").read_text()
    found = []
    for sort, function in (("normalizer", "normalizer_of"), ("pre-tokenizer", "splitter_of"), ("decoder", "decoder_of")):
        body = re.search(rf"\n\w+::Step {function}\(.*?\n}}\n", text, re.S).group(0)
        found += [(sort, name) for name in re.findall(r'type == "(\w+)"', body)]
    models = (SOURCE / "model_reader.cpp").read_text()
    found += [("model", name) for name in re.findall(r'type == "(\w+)"', models)]
    processors = (SOURCE / "tokenizer_file.cpp").read_text()
    found += [("post-processor", name) for name in re.findall(r'type == "(\w+)"', processors)]
    return found


MEMBERS = {"normalizer": ("normalizer", "normalizers"), "pre-tokenizer": ("pre_tokenizer", "pretokenizers"),
           "decoder": ("decoder", "decoders"), "post-processor": ("post_processor", "processors")}


def parts(node, key):
    if node is None:
        return []
    if node["type"] == "Sequence":
        return [part for inner in node[key] for part in parts(inner, key)]
    return [node]


def types(tokenizer, sort):
    if sort == "model":
        return [tokenizer["model"].get("type", "BPE")]
    name, key = MEMBERS[sort]
    return [part["type"] for part in parts(tokenizer.get(name), key)]


def families():
    older = json.loads((RECORDED / "tokenizers.json").read_text())
    result = {name: (tokenizer, len(older["strings"]), 0x110000 - 0x800) for name, tokenizer in older["tokenizers"].items()}
    record = json.loads((RECORDED / "pipelines.json").read_text())
    for name, family in record["families"].items():
        tokenizer = json.loads((RECORDED / "pipelines" / f"{name}.json").read_text())["tokenizer"]
        points = len(family["pages"]) * 4096
        result[name] = (tokenizer, record["strings"], points - 0x800 if points else 0)
    return result


def page():
    known = families()
    lines = ["| sort | component | compared in |", "|---|---|---|"]
    missing = []
    for sort, name in components():
        where = [family for family, (tokenizer, _, _) in known.items() if name in types(tokenizer, sort)]
        missing += [] if where else [f"{sort} {name}"]
        lines.append(f"| {sort} | `{name}` | {', '.join(where) or 'not compared'} |")
    lines += ["", "Each family is a real one's components around a small vocabulary. Ids are equal for all strings (random words, blanks, odd",
              "characters, all of Unicode, bytes that are no UTF-8), with decoded text, streamed text and offsets for some of them.", "",
              "| family | normalizer | pre-tokenizer | model | decoder | strings, all equal | code points in context, all equal |", "|---|---|---|---|---|---|---|"]
    for name, (tokenizer, strings, points) in known.items():
        shown = [" ".join(types(tokenizer, sort)) or "none" for sort in ("normalizer", "pre-tokenizer", "model", "decoder")]
        lines.append(f"| {name} | {' | '.join(shown)} | {strings:,} | {f'{points:,}' if points else ''} |")
    return HEAD + "\n".join(lines) + "\n", missing


def main():
    text, missing = page()
    if "--check" not in sys.argv:
        PAGE.write_text(text)
        return 0
    for name in missing:
        print(f"{name} is read, and compared in no family of tests/parity/record_pipelines.py")
    if PAGE.exists() and PAGE.read_text() == text:
        return 1 if missing else 0
    print("docs/tokenizers.md is not current: run tools/write_tokenizer_table.py")
    return 1


if __name__ == "__main__":
    sys.exit(main())
