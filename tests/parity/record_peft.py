"""Records a LoRA adapter that PEFT wrote, and the log-probabilities of the adapted model.

Writes tests/parity/recorded/<name>/: adapter_config.json, adapter_model.safetensors and expected.json, for the base models
of record_models.py (run that first). B is drawn, not zero: an adapter that changes nothing proves nothing.

    .venv-parity/bin/python tests/parity/record_peft.py
"""

import json
import pathlib

import peft
import torch
import transformers

RECORDED = pathlib.Path(__file__).parent / "recorded"
ADAPTERS = {
    "llama-lora": ("llama", dict(r=4, lora_alpha=8, target_modules=["q_proj", "v_proj", "up_proj"])),
    "llama-lora-all": ("llama", dict(r=3, lora_alpha=5, target_modules="all-linear", use_rslora=True)),
    "llama-dora": ("llama", dict(r=4, lora_alpha=8, target_modules=["q_proj", "o_proj", "up_proj"], use_dora=True)),
    "gpt2-dora": ("gpt2", dict(r=3, lora_alpha=6, target_modules=["c_attn", "c_fc"], use_dora=True, fan_in_fan_out=True)),
    "llama-saved": ("llama", dict(r=2, lora_alpha=4, target_modules=["v_proj"], modules_to_save=["lm_head", "embed_tokens"])),
    "llama-pissa": ("llama", dict(r=4, lora_alpha=8, target_modules=["q_proj", "down_proj"], init_lora_weights="pissa")),
    "gpt2-lora": ("gpt2", dict(r=4, lora_alpha=16, target_modules=["c_attn", "c_proj"], fan_in_fan_out=True)),
}


def sort_names(path):
    """PEFT keeps them as sets: without this, every recording has them in another order."""
    config = json.loads(path.read_text())
    for key in ("target_modules", "modules_to_save"):
        if config[key] is not None:
            config[key].sort()
    path.write_text(json.dumps(config, indent=2, sort_keys=True))


def main():
    for name, (base, options) in ADAPTERS.items():
        generator = torch.Generator().manual_seed(sum(name.encode()))
        model = transformers.AutoModelForCausalLM.from_pretrained(RECORDED / base, attn_implementation="eager").eval()
        model.name_or_path = base
        adapted = peft.get_peft_model(model, peft.LoraConfig(task_type="CAUSAL_LM", lora_dropout=0.0, **options))
        with torch.no_grad():
            for key, values in adapted.named_parameters():
                if "magnitude" in key or "modules_to_save" in key or name == "llama-pissa" and "lora_" in key:
                    values.mul_(1 + 0.3 * torch.randn(values.shape, generator=generator))
                elif "lora_" in key:
                    values.copy_(0.3 * torch.randn(values.shape, generator=generator))
        folder = RECORDED / name
        adapted.peft_config["default"].base_model_name_or_path = base
        adapted.save_pretrained(folder)
        (folder / "README.md").unlink(missing_ok=True)
        sort_names(folder / "adapter_config.json")
        sequences = [row["ids"] for row in json.loads((RECORDED / base / "expected.json").read_text())["sequences"]]
        rows = []
        for ids in sequences:
            with torch.no_grad():
                logits = adapted(torch.tensor([ids])).logits[0].double()
            logps = torch.log_softmax(logits[:-1], -1).gather(1, torch.tensor(ids[1:]).unsqueeze(1)).squeeze(1)
            rows.append({"ids": ids, "logps": logps.tolist()})
        (folder / "expected.json").write_text(json.dumps({"base": base, "sequences": rows}) + "\n")


def record_reward_model():
    """Two scores of each sequence, of a base model that has no score head."""
    model = transformers.AutoModelForSequenceClassification.from_pretrained(
        RECORDED / "llama", num_labels=2, attn_implementation="eager"
    ).eval()
    model.name_or_path = "llama"
    adapted = peft.get_peft_model(model, peft.LoraConfig(task_type="SEQ_CLS", r=3, lora_alpha=6, target_modules=["q_proj", "v_proj"]))
    generator = torch.Generator().manual_seed(5)
    with torch.no_grad():
        for key, values in adapted.named_parameters():
            if "lora_" in key or "modules_to_save" in key:
                values.copy_(0.3 * torch.randn(values.shape, generator=generator))
    folder = RECORDED / "llama-reward"
    adapted.peft_config["default"].base_model_name_or_path = "llama"
    adapted.save_pretrained(folder)
    (folder / "README.md").unlink(missing_ok=True)
    sort_names(folder / "adapter_config.json")
    rows = []
    for row in json.loads((RECORDED / "llama" / "expected.json").read_text())["sequences"]:
        with torch.no_grad():
            scores = adapted(torch.tensor([row["ids"]])).logits[0].double()
        rows.append({"ids": row["ids"], "scores": scores.tolist()})
    (folder / "expected.json").write_text(json.dumps({"base": "llama", "sequences": rows}) + "\n")


if __name__ == "__main__":
    main()
    record_reward_model()
