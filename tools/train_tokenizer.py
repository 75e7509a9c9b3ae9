#!/usr/bin/env python3
"""Makes recipes/models/llama-7m/tokenizer.json: a byte-level BPE of 8,192 tokens for English text.

Learned from the documentation strings of the Python standard library, which every machine has; no data set of anybody
is needed. Run with the parity environment: .venv-parity/bin/python tools/train_tokenizer.py
"""

import ast
import pathlib
import sys
import sysconfig

from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers, processors, trainers

FOLDER = pathlib.Path(__file__).resolve().parent.parent / "recipes" / "models" / "llama-7m"


def documentation():
    for path in sorted(pathlib.Path(sysconfig.get_paths()["stdlib"]).rglob("*.py")):
        if "site-packages" in path.parts or "test" in path.parts:
            continue
        try:
            tree = ast.parse(path.read_text(encoding="utf-8"))
        except (SyntaxError, UnicodeDecodeError):
            continue
        for node in ast.walk(tree):
            if isinstance(node, (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)):
                text = ast.get_docstring(node)
                if text:
                    yield text


def main():
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.post_processor = processors.ByteLevel(trim_offsets=False)
    trainer = trainers.BpeTrainer(
        vocab_size=8191, initial_alphabet=sorted(pre_tokenizers.ByteLevel.alphabet()), show_progress=False)
    tokenizer.train_from_iterator(documentation(), trainer)
    tokenizer.add_special_tokens([AddedToken("<|endoftext|>", special=True)])
    tokenizer.save(str(FOLDER / "tokenizer.json"), pretty=False)
    print(tokenizer.get_vocab_size(), "tokens")
    return 0


if __name__ == "__main__":
    sys.exit(main())
