"""Records what transformers computes for tiny random models of each family.

Writes tests/parity/recorded/<name>/: config.json, model.safetensors and expected.json with sequences, log-probabilities of
every token given those before it, and the logits of some rows. Weights are scaled so that logits have a standard deviation
of 1 or more: differences would drown otherwise.

    .venv-parity/bin/python tests/parity/record_models.py
"""

import json
import pathlib

import torch
import transformers

RECORDED = pathlib.Path(__file__).parent / "recorded"
VOCABULARY = 61
LLAMA = dict(
    vocab_size=VOCABULARY, hidden_size=24, num_hidden_layers=2, num_attention_heads=4, num_key_value_heads=2,
    intermediate_size=40, max_position_embeddings=128, initializer_range=0.3, bos_token_id=0, eos_token_id=1,
)
LLAMA3_SCALING = {
    "rope_type": "llama3", "rope_theta": 100.0, "factor": 8.0, "low_freq_factor": 1.0, "high_freq_factor": 4.0,
    "original_max_position_embeddings": 32,
}

MODELS = {
    "llama": (transformers.LlamaForCausalLM, transformers.LlamaConfig(**LLAMA, tie_word_embeddings=False)),
    "llama-tied": (transformers.LlamaForCausalLM, transformers.LlamaConfig(**LLAMA, tie_word_embeddings=True)),
    "llama-bias": (
        transformers.LlamaForCausalLM,
        transformers.LlamaConfig(**LLAMA, tie_word_embeddings=False, attention_bias=True, mlp_bias=True, head_dim=8),
    ),
    "llama-rope-linear": (
        transformers.LlamaForCausalLM,
        transformers.LlamaConfig(**LLAMA, rope_parameters={"rope_type": "linear", "factor": 4.0, "rope_theta": 10000.0}),
    ),
    "llama-rope-llama3": (
        transformers.LlamaForCausalLM,
        transformers.LlamaConfig(**LLAMA, rope_parameters=LLAMA3_SCALING),
    ),
    "mistral": (
        transformers.MistralForCausalLM,
        transformers.MistralConfig(**LLAMA, sliding_window=6, tie_word_embeddings=False),
    ),
    "qwen2": (transformers.Qwen2ForCausalLM, transformers.Qwen2Config(**LLAMA, tie_word_embeddings=True)),
    "qwen2-window": (
        transformers.Qwen2ForCausalLM,
        transformers.Qwen2Config(**LLAMA, use_sliding_window=True, sliding_window=5, max_window_layers=1),
    ),
    "gpt2": (
        transformers.GPT2LMHeadModel,
        transformers.GPT2Config(
            vocab_size=VOCABULARY, n_embd=24, n_layer=2, n_head=4, n_positions=96, initializer_range=0.3, bos_token_id=0,
            eos_token_id=1,
        ),
    ),
}


def randomize(model, generator):
    """Biases and norms start at 0 and 1 in every model: drawn, they show whether they are used."""
    with torch.no_grad():
        for name, values in model.named_parameters():
            if values.dim() == 1:
                start = 1.0 if "norm" in name or ".ln_" in name and name.endswith("weight") else 0.0
                values.copy_(start + 0.3 * torch.randn(values.shape, generator=generator))
            elif "embed_tokens" in name or "wte" in name or "lm_head" in name:
                values.mul_(2.0)


def expected(model, sequences):
    rows = []
    for ids in sequences:
        with torch.no_grad():
            logits = model(torch.tensor([ids])).logits[0].double()
        logps = torch.log_softmax(logits[:-1], -1).gather(1, torch.tensor(ids[1:]).unsqueeze(1)).squeeze(1)
        assert logits.std() >= 1, logits.std()
        rows.append({"ids": ids, "logps": logps.tolist(), "last_logits": logits[-1].tolist()})
    return rows


def greedy(model, prompts, count):
    """Greedy continuations, each prompt alone."""
    result = []
    for ids in prompts:
        tokens = list(ids)
        for _ in range(count):
            with torch.no_grad():
                tokens.append(int(model(torch.tensor([tokens])).logits[0, -1].argmax()))
        result.append({"prompt": ids, "completion": tokens[len(ids):]})
    return result


def main():
    for name, (kind, config) in MODELS.items():
        torch.manual_seed(sum(name.encode()))
        generator = torch.Generator().manual_seed(sum(name.encode()) + 1)
        config._attn_implementation = "eager"
        model = kind(config).eval()
        randomize(model, generator)
        model.tie_weights()
        lengths = (2, 9, 23, 60)
        sequences = [torch.randint(0, VOCABULARY, (n,), generator=generator).tolist() for n in lengths]
        folder = RECORDED / name
        model.save_pretrained(folder)
        record = {"sequences": expected(model, sequences), "greedy": greedy(model, [s[:8] for s in sequences], 24)}
        (folder / "expected.json").write_text(json.dumps(record) + "\n")


if __name__ == "__main__":
    main()
