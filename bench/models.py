"""Model folders of real shapes with random weights, the same for both sides. `python models.py SHAPE FOLDER` makes one;
SHAPE-reward a sequence classifier of that shape, with one label.

Weights are drawn so that the logits of a fresh model have a standard deviation near 1.1: wider logits make every
difference between the sides visible.
"""

import json
import pathlib
import shutil
import subprocess
import sys

from data import tokenizer_folder
from worker import PYTHON, environment

VOCABULARY = 50257
SHAPES = {
    "29m": dict(hidden_size=256, intermediate_size=688, num_hidden_layers=4, num_attention_heads=4,
                num_key_value_heads=2, tie_word_embeddings=False),
    "135m": dict(hidden_size=576, intermediate_size=1536, num_hidden_layers=30, num_attention_heads=9,
                 num_key_value_heads=3, tie_word_embeddings=True),  # SmolLM's
}


def model_folder(out, shape):
    """The folder of a shape, made on first use."""
    folder = pathlib.Path(out) / "models" / shape
    if not (folder / "model.safetensors").exists():
        tokenizer_folder(out)
        subprocess.run([PYTHON, __file__, shape, str(folder)], check=True, env=environment())
    return folder


def config_of(folder):
    return json.loads((pathlib.Path(folder) / "config.json").read_text())


def make(shape, folder):
    from transformers import LlamaConfig, LlamaForCausalLM, LlamaForSequenceClassification, set_seed

    set_seed(3)
    shape, _, head = shape.partition("-")
    width = SHAPES[shape]["hidden_size"]
    end = VOCABULARY - 1
    config = LlamaConfig(vocab_size=VOCABULARY, max_position_embeddings=2048,
                         initializer_range=1.1 / width**0.5, bos_token_id=end, eos_token_id=end, **SHAPES[shape])
    folder.mkdir(parents=True, exist_ok=True)
    for file in (folder.parent.parent / "tokenizer").iterdir():
        shutil.copy(file, folder)
    if head == "reward":  # with the pad token that TRL falls back to, which says what the last token is
        config.update({"num_labels": 1, "pad_token_id": end})
        LlamaForSequenceClassification(config).save_pretrained(folder)
    else:
        LlamaForCausalLM(config).save_pretrained(folder)


if __name__ == "__main__":
    make(sys.argv[1], pathlib.Path(sys.argv[2]))
