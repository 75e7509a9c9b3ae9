"""TRL as a long-lived process: makes one optimiser step for every request, on the next batch of the file.

Options (the first line): objective "dpo", "sft", "kto" or "reward"; model, data, out; batch; lr; best: no checkpointing, reference
computed beforehand, and the head scoring only answer tokens, which TRL does on a GPU and can be told to do here; else
TRL as shipped, but for bf16=False, without which it does not finish on processors that lack bf16. lora: a rank, and
lora_from: the adapter folder whose first factors it starts from.
"""

import os
import sys
import time

import serve
import torch
import trl.trainer.utils
from datasets import load_dataset
from safetensors.torch import load_file
from torch.utils.data import SequentialSampler
from transformers import (
    AutoModelForCausalLM, AutoModelForSequenceClassification, AutoTokenizer, TrainerCallback, set_seed)
from trl import (
    DPOConfig, DPOTrainer, KTOConfig, KTOTrainer, RewardConfig, RewardTrainer, SFTConfig, SFTTrainer)

DEVICE = os.environ.get("ATTUNE_BENCH_DEVICE", "cpu")  # the trainer takes the first GPU where that is not cpu
CLASSES = {"dpo": (DPOTrainer, DPOConfig), "sft": (SFTTrainer, SFTConfig), "kto": (KTOTrainer, KTOConfig),
           "reward": (RewardTrainer, RewardConfig)}


class OnCommand(TrainerCallback):
    """Holds the loop between steps. A step is timed from the request to its log: data, forward, backward, update."""

    losses, parts = [], None

    def on_train_begin(self, args, state, control, **_):
        self._wait()

    def on_log(self, args, state, control, logs=None, **_):
        if "grad_norm" not in logs:
            return
        seconds = time.perf_counter() - self.start
        serve.answer({"seconds": seconds, "loss": self.losses[-1], "grad_norm": float(logs["grad_norm"]),
                      "peak_bytes": serve.peak_bytes(), "parts": self.parts.take()})
        self._wait()

    def _wait(self):
        request = serve.receive()
        if request is None:
            sys.exit(0)
        self.start = time.perf_counter()


def in_order(trainer_class):
    """The trainer, reading rows in the order of the file and keeping every step's exact loss."""

    class InOrder(trainer_class):
        def _get_train_sampler(self, dataset=None):
            return SequentialSampler(dataset if dataset is not None else self.train_dataset)

        def compute_loss(self, *args, **kwargs):
            result = super().compute_loss(*args, **kwargs)
            OnCommand.losses.append(float(result[0] if isinstance(result, tuple) else result))
            return result

    return InOrder


def config_for(options, config_class):
    chosen = dict(
        output_dir=options["out"], per_device_train_batch_size=options["batch"], max_length=options["max_tokens"],
        learning_rate=options["lr"], lr_scheduler_type="constant", num_train_epochs=1, max_grad_norm=1.0,
        weight_decay=0.0, logging_steps=1, save_strategy="no", report_to=[], use_cpu=DEVICE == "cpu", bf16=False,
        seed=0,
        dataloader_pin_memory=False, disable_tqdm=True, optim="adamw_torch",
    )
    if options["best"]:
        chosen["gradient_checkpointing"] = False
        if options["objective"] in ("dpo", "kto"):
            chosen["precompute_ref_log_probs"] = True
        trl.trainer.utils._use_triton = lambda device: True
    return config_class(**chosen)


def adapter_for(options):
    if not options.get("lora"):
        return {}
    from peft import LoraConfig

    return {"peft_config": LoraConfig(r=options["lora"], lora_alpha=32, target_modules="all-linear",
                                      task_type="CAUSAL_LM", init_lora_weights=True)}


def take_over(model, folder):
    """The factors A that PEFT drew become those of an adapter folder; every B stays zero."""
    found = load_file(f"{folder}/adapter_model.safetensors")
    for name, parameter in model.named_parameters():
        if ".lora_A." in name:
            parameter.data.copy_(found[name.replace(".default.", ".")])


class Parts:
    """Seconds that a step spends in each of its parts."""

    def __init__(self, trainer):
        self.seconds = {}
        trainer.model.forward = self._timed("forward", trainer.model.forward)
        if getattr(trainer, "ref_model", None) is not None:
            trainer.ref_model.forward = self._timed("reference", trainer.ref_model.forward)
        trainer.accelerator.backward = self._timed("backward", trainer.accelerator.backward)
        trainer.create_optimizer()
        trainer.optimizer.step = self._timed("optimizer", trainer.optimizer.step)

    def _timed(self, name, function):
        def run(*args, **kwargs):
            start = time.perf_counter()
            result = function(*args, **kwargs)
            self.seconds[name] = self.seconds.get(name, 0) + time.perf_counter() - start
            return result

        return run

    def take(self):
        taken, self.seconds = self.seconds, {}
        return taken


def main():
    options = serve.receive()
    set_seed(0)
    start = time.perf_counter()
    trainer_class, config_class = CLASSES[options["objective"]]
    auto = AutoModelForSequenceClassification if options["objective"] == "reward" else AutoModelForCausalLM
    model = auto.from_pretrained(options["model"], dtype=torch.float32)
    tokenizer = AutoTokenizer.from_pretrained(options["model"])
    tokenizer.pad_token = tokenizer.pad_token or tokenizer.eos_token
    rows = load_dataset("json", data_files=options["data"], split="train")
    trainer = in_order(trainer_class)(
        model=model, args=config_for(options, config_class), train_dataset=rows, processing_class=tokenizer,
        callbacks=[OnCommand()], **adapter_for(options))
    if options.get("lora_from"):
        take_over(trainer.model, options["lora_from"])
    OnCommand.parts = Parts(trainer)
    serve.forget_peak()
    serve.answer({"start_seconds": time.perf_counter() - start, "threads": torch.get_num_threads()})
    trainer.train()


if __name__ == "__main__":
    main()
