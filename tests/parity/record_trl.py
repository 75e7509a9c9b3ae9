#!/usr/bin/env python3
"""Ten steps each of TRL's SFT, DFT, DPO and reward trainer on a tiny random llama: data order as in the file, AdamW, no dropout, fp32.

Writes tests/parity/recorded/trl/: the model folder to start from, the data, and for each trainer the loss and the norm
of the gradient at every step and the weights after the last one. Everything is drawn from fixed seeds.
"""

import json
import pathlib
import random
import shutil
import sys

import torch
from datasets import Dataset
from safetensors.torch import load_file, save_file
from tokenizers import Tokenizer, decoders, models, pre_tokenizers
from torch.utils.data import SequentialSampler
from transformers import (
    LlamaConfig, LlamaForCausalLM, LlamaForSequenceClassification, PreTrainedTokenizerFast, TrainerCallback, set_seed)
from trl import DPOConfig, DPOTrainer, RewardConfig, RewardTrainer, SFTConfig, SFTTrainer

STEPS, BATCH = 10, 4


def byte_tokenizer():
    """256 bytes in GPT-2's alphabet, and an end-of-text token."""
    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    tokenizer = Tokenizer(models.BPE(vocab={letter: i for i, letter in enumerate(alphabet)}, merges=[]))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    return PreTrainedTokenizerFast(tokenizer_object=tokenizer, eos_token="<|end|>", pad_token="<|pad|>")


def tiny_model(tokenizer):
    set_seed(3)
    config = LlamaConfig(
        vocab_size=len(tokenizer), hidden_size=48, intermediate_size=96, num_hidden_layers=2, num_attention_heads=4,
        num_key_value_heads=2, max_position_embeddings=256, tie_word_embeddings=True,
        eos_token_id=tokenizer.eos_token_id, pad_token_id=tokenizer.pad_token_id, bos_token_id=None,
    )
    model = LlamaForCausalLM(config)
    with torch.no_grad():  # logits of a fresh model are almost equal: wider weights make every error visible
        for parameter in model.parameters():
            if parameter.dim() == 2:
                parameter.mul_(4)
    return model


def pairs():
    draw = random.Random(5)
    words = "a small red fox saw the old grey owl near our quiet river and then it ran home".split()

    def text(low, high):
        return " ".join(draw.choice(words) for _ in range(draw.randint(low, high)))

    return [
        {"prompt": text(2, 9) + ":", "chosen": " " + text(1, 8) + ".", "rejected": " " + text(1, 8) + "!"}
        for _ in range(STEPS * BATCH)
    ]


def in_order(trainer_class):
    """The trainer, reading rows in the order of the file and keeping every step's exact loss."""

    class InOrder(trainer_class):
        losses = []

        def _get_train_sampler(self, dataset=None):
            return SequentialSampler(dataset if dataset is not None else self.train_dataset)

        def compute_loss(self, *args, **kwargs):
            result = super().compute_loss(*args, **kwargs)
            self.losses.append(float(result[0] if isinstance(result, tuple) else result))
            return result

    InOrder.losses = []
    return InOrder


class Norms(TrainerCallback):
    def __init__(self):
        self.values = []

    def on_log(self, args, state, control, logs=None, **kwargs):
        if logs and "grad_norm" in logs:
            self.values.append(float(logs["grad_norm"]))


def record(folder, name, trainer_class, config_class, rows, model_folder, model_class=LlamaForCausalLM, **options):
    model = model_class.from_pretrained(model_folder)
    tokenizer = PreTrainedTokenizerFast.from_pretrained(model_folder)
    config = config_class(
        output_dir=str(folder / "scratch"), per_device_train_batch_size=BATCH, gradient_accumulation_steps=1,
        max_steps=STEPS, lr_scheduler_type="linear", warmup_steps=2, weight_decay=0.1, max_grad_norm=1.0,
        logging_steps=1, save_strategy="no", report_to=[], use_cpu=True, bf16=False, gradient_checkpointing=False,
        optim="adamw_torch", max_length=256, seed=0, dataloader_pin_memory=False, disable_tqdm=True, **options,
    )
    norms = Norms()
    trainer = in_order(trainer_class)(
        model=model, args=config, train_dataset=Dataset.from_list(rows), processing_class=tokenizer, callbacks=[norms])
    trainer.train()
    weights = {key: value.detach().contiguous() for key, value in trainer.model.state_dict().items() if key != "lm_head.weight"}
    start = load_file(model_folder / "model.safetensors")
    moved = max(float((weights[key] - start[key]).abs().max()) for key in start if key in weights)
    save_file(weights, folder / f"{name}.safetensors")
    result = {"loss": trainer.losses, "grad_norm": norms.values, "moved": moved}
    assert len(result["loss"]) == len(result["grad_norm"]) == STEPS, result
    (folder / f"{name}.json").write_text(json.dumps(result, indent=1) + "\n")
    print(name, "loss", result["loss"][0], "->", result["loss"][-1], "largest change of a weight", moved)


def main():
    torch.set_num_threads(2)
    folder = pathlib.Path(__file__).resolve().parent / "recorded" / "trl"
    if folder.exists():
        shutil.rmtree(folder)
    folder.mkdir(parents=True)
    tokenizer = byte_tokenizer()
    model = tiny_model(tokenizer)
    model_folder = folder / "model"
    model.save_pretrained(model_folder)
    tokenizer.save_pretrained(model_folder)
    rows = pairs()
    with (folder / "pairs.jsonl").open("w") as file:
        for row in rows:
            file.write(json.dumps(row) + "\n")
    demonstrations = [{"prompt": row["prompt"], "completion": row["chosen"]} for row in rows]
    with (folder / "demonstrations.jsonl").open("w") as file:
        for row in demonstrations:
            file.write(json.dumps(row) + "\n")
    record(folder, "sft", SFTTrainer, SFTConfig, demonstrations, model_folder, learning_rate=2e-3, packing=False)
    record(folder, "dft", SFTTrainer, SFTConfig, demonstrations, model_folder, learning_rate=2e-3, packing=False, loss_type="dft")
    record(folder, "dpo", DPOTrainer, DPOConfig, rows, model_folder, learning_rate=1e-3, beta=0.1)
    reward_folder = folder / "reward-model"
    set_seed(4)
    reward_model = LlamaForSequenceClassification.from_pretrained(model_folder, num_labels=1)
    reward_model.save_pretrained(reward_folder)
    tokenizer.save_pretrained(reward_folder)
    for name, more in (("reward", {}), ("reward-centered", {"center_rewards_coefficient": 0.01})):
        record(folder, name, RewardTrainer, RewardConfig, rows, reward_folder, LlamaForSequenceClassification,
               learning_rate=3e-3, **more)
    shutil.rmtree(folder / "scratch", ignore_errors=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
