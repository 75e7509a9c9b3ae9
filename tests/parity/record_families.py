"""Records what transformers computes for tiny random models of each family beyond those of record_models.py.

Writes tests/parity/recorded/families/<name>/: config.json, model.safetensors and expected.json: sequences with the
log-probabilities of every token given those before it and the logits behind the last, the norm of the gradient of their
mean negative log-probability, the load-balancing loss of models with experts, and the modules PEFT adapts by default.
A second folder <name>-classifier holds the same family with a score head, and the scores of padded sequences.

    .venv-parity/bin/python tests/parity/record_families.py [NAME ...]
"""

import json
import pathlib
import sys

import peft
import torch
import transformers as tf
from peft.utils.constants import TRANSFORMERS_MODELS_TO_LORA_TARGET_MODULES_MAPPING as DEFAULT_TARGETS

RECORDED = pathlib.Path(__file__).parent / "recorded" / "families"
VOCABULARY = 61
PAD = 3
COMMON = dict(
    vocab_size=VOCABULARY, hidden_size=16, num_hidden_layers=2, num_attention_heads=4, num_key_value_heads=2,
    intermediate_size=24, max_position_embeddings=128, initializer_range=0.35, bos_token_id=0, eos_token_id=1,
    pad_token_id=None,
)
ONE_KEY_A_HEAD = {key: value for key, value in COMMON.items() if key != "num_key_value_heads"}
GEMMA = COMMON | dict(head_dim=8)
EXPERTS = COMMON | dict(num_experts_per_tok=2, output_router_logits=True, router_aux_loss_coef=0.02)
FALCON = dict(
    vocab_size=VOCABULARY, hidden_size=16, num_hidden_layers=2, num_attention_heads=4, ffn_hidden_size=24,
    max_position_embeddings=128, initializer_range=0.35, bos_token_id=0, eos_token_id=1, pad_token_id=None,
)


def rope(kind, **more):
    return dict(rope_parameters={"rope_type": kind, "rope_theta": 100.0, **more})


SHORT, LONG = [1.0, 1.1, 1.3, 1.7], [1.0, 2.0, 4.0, 6.0]
LLAMA = COMMON | dict(head_dim=8)

MODELS = {
    "mixtral": tf.MixtralConfig(**EXPERTS, num_local_experts=4, tie_word_embeddings=False),
    "mixtral-window": tf.MixtralConfig(**EXPERTS, num_local_experts=3, sliding_window=6),
    "qwen2-moe": tf.Qwen2MoeConfig(
        **EXPERTS, num_experts=4, moe_intermediate_size=8, shared_expert_intermediate_size=12),
    "qwen2-moe-mixed": tf.Qwen2MoeConfig(
        **EXPERTS | dict(num_hidden_layers=3), num_experts=4, moe_intermediate_size=8, shared_expert_intermediate_size=12,
        mlp_only_layers=[1], norm_topk_prob=True),
    "qwen3": tf.Qwen3Config(**COMMON, head_dim=8),
    "qwen3-window": tf.Qwen3Config(
        **COMMON, head_dim=8, use_sliding_window=True, sliding_window=5, max_window_layers=1, attention_bias=True),
    "qwen3-moe": tf.Qwen3MoeConfig(
        **EXPERTS, num_experts=4, moe_intermediate_size=8, head_dim=8, norm_topk_prob=True),
    "gemma": tf.GemmaConfig(**GEMMA),
    "gemma2": tf.Gemma2Config(
        **GEMMA, sliding_window=6, query_pre_attn_scalar=6, attn_logit_softcapping=2.0, final_logit_softcapping=5.0),
    "gemma2-uncapped": tf.Gemma2Config(
        **GEMMA, sliding_window=6, attn_logit_softcapping=None, final_logit_softcapping=None),
    "gemma3": tf.Gemma3TextConfig(
        **GEMMA | dict(num_hidden_layers=3), sliding_window=5, query_pre_attn_scalar=8, sliding_window_pattern=2,
        rope_parameters={
            "full_attention": {"rope_type": "linear", "factor": 8.0, "rope_theta": 1000.0},
            "sliding_attention": {"rope_type": "default", "rope_theta": 50.0},
        }),
    "phi": tf.PhiConfig(**COMMON | dict(num_attention_heads=2), partial_rotary_factor=0.5),
    "phi-norms": tf.PhiConfig(**COMMON, partial_rotary_factor=0.5, qk_layernorm=True),
    "phi3": tf.Phi3Config(**COMMON, sliding_window=7),
    "phi3-longrope": tf.Phi3Config(
        **COMMON | dict(num_attention_heads=2), original_max_position_embeddings=32, partial_rotary_factor=0.5,
        rope_scaling={"type": "longrope", "short_factor": SHORT[:2], "long_factor": LONG[:2]}),
    "gpt-neox": tf.GPTNeoXConfig(**ONE_KEY_A_HEAD | dict(num_attention_heads=2)),
    "gpt-neox-serial": tf.GPTNeoXConfig(
        **ONE_KEY_A_HEAD, use_parallel_residual=False, attention_bias=False, rotary_pct=1.0, rotary_emb_base=100.0),
    "opt": tf.OPTConfig(
        vocab_size=VOCABULARY, hidden_size=16, num_hidden_layers=2, num_attention_heads=4, ffn_dim=24,
        max_position_embeddings=96, init_std=0.35, bos_token_id=0, eos_token_id=1, pad_token_id=None),
    "opt-plain": tf.OPTConfig(
        vocab_size=VOCABULARY, hidden_size=16, num_hidden_layers=2, num_attention_heads=4, ffn_dim=24,
        max_position_embeddings=96, init_std=0.35, bos_token_id=0, eos_token_id=1, pad_token_id=None,
        enable_bias=False, activation_function="gelu", tie_word_embeddings=False),
    "olmo2": tf.Olmo2Config(**COMMON),
    "smollm3": tf.SmolLM3Config(**COMMON, no_rope_layer_interval=2),
    "smollm3-window": tf.SmolLM3Config(
        **COMMON, no_rope_layers=[0, 1], use_sliding_window=True, sliding_window=5, mlp_bias=True),
    "granite": tf.GraniteConfig(
        **COMMON, embedding_multiplier=3.0, logits_scaling=1.5, residual_multiplier=0.4, attention_multiplier=0.3),
    "cohere": tf.CohereConfig(**COMMON, logit_scale=0.7),
    "cohere-norms": tf.CohereConfig(**COMMON, logit_scale=0.7, use_qk_norm=True),
    "starcoder2": tf.Starcoder2Config(**COMMON, sliding_window=9),
    "falcon": tf.FalconConfig(**FALCON, new_decoder_architecture=True, num_kv_heads=2),
    "falcon-one-key": tf.FalconConfig(**FALCON, multi_query=True),
    "falcon-serial": tf.FalconConfig(**FALCON, multi_query=False, parallel_attn=False, bias=True),
    "rope-dynamic": tf.LlamaConfig(**LLAMA | dict(max_position_embeddings=32), **rope("dynamic", factor=3.0)),
    "rope-yarn": tf.LlamaConfig(**LLAMA, **rope("yarn", factor=4.0, original_max_position_embeddings=32)),
    "rope-yarn-deepseek": tf.LlamaConfig(**LLAMA, **rope(
        "yarn", factor=4.0, original_max_position_embeddings=32, mscale=1.2, mscale_all_dim=0.7, beta_fast=4.0,
        beta_slow=0.5, truncate=False)),
    "rope-longrope": tf.LlamaConfig(**LLAMA, **rope(
        "longrope", factor=4.0, original_max_position_embeddings=32, short_factor=SHORT, long_factor=LONG)),
}


# Of these record_models.py has the language models.
CLASSIFIERS = {
    "llama": tf.LlamaConfig(**COMMON),
    "mistral": tf.MistralConfig(**COMMON, sliding_window=6),
    "qwen2": tf.Qwen2Config(**COMMON),
    "gpt2": tf.GPT2Config(
        vocab_size=VOCABULARY, n_embd=16, n_layer=2, n_head=4, n_positions=96, initializer_range=0.35, bos_token_id=0,
        eos_token_id=1, pad_token_id=None),
}


def randomize(model, generator):
    """Biases and norms start at 0 and 1 in every model: drawn, they show whether they are used."""
    with torch.no_grad():
        for name, values in model.named_parameters():
            if values.dim() == 1 or "q_norm" in name or "k_norm" in name:
                start = 0.0 if name.endswith("bias") else 1.0
                values.copy_(start + 0.3 * torch.randn(values.shape, generator=generator))
            elif "embed" in name or "lm_head" in name:
                values.mul_(2.0)


def expected(model, sequences):
    rows, total = [], 0
    for ids in sequences:
        logits = model(torch.tensor([ids])).logits[0].double()
        logps = torch.log_softmax(logits[:-1], -1).gather(1, torch.tensor(ids[1:]).unsqueeze(1)).squeeze(1)
        assert logits.std() >= 1, logits.std()
        total = total - logps.mean()
        rows.append({"ids": ids, "logps": logps.tolist(), "last_logits": logits[-1].tolist()})
    total.backward()
    norm = sum(values.grad.double().square().sum() for values in model.parameters() if values.grad is not None).sqrt()
    return {"sequences": rows, "gradient_norm": float(norm)}


def adapted_modules(model):
    """The modules of PEFT's default targets, where it has some."""
    targets = DEFAULT_TARGETS.get(model.config.model_type)
    if targets is None:
        return None
    wrapped = peft.get_peft_model(model, peft.LoraConfig(task_type="CAUSAL_LM", r=1, target_modules=targets))
    modules = sorted(key.removeprefix("base_model.model.").removesuffix(".lora_A.default.weight")
                     for key, _ in wrapped.named_parameters() if "lora_A" in key)
    wrapped.unload()
    return modules


def record_classifier(name, config):
    kind = tf.AutoModelForSequenceClassification
    if type(config) not in kind._model_mapping:
        return
    labels = 1 if len(name) % 2 else 3
    values = config.to_dict() | dict(num_labels=labels, pad_token_id=PAD)
    for key in ("id2label", "label2id", "architectures"):
        values.pop(key, None)
    config = type(config)(**values)
    config._attn_implementation = "eager"
    torch.manual_seed(sum(name.encode()) + 2)
    generator = torch.Generator().manual_seed(sum(name.encode()) + 3)
    model = kind.from_config(config).eval()
    randomize(model, generator)
    lengths = (5, 17, 30)
    rows = [torch.randint(4, VOCABULARY, (n,), generator=generator).tolist() for n in lengths]
    rows[1][-1] = PAD  # a sequence that ends with what others are filled with: its score is one token earlier
    batch = torch.tensor([row + [PAD] * (max(lengths) - len(row)) for row in rows])
    with torch.no_grad():
        scores = model(batch, attention_mask=(batch != PAD).long()).logits.double()
        alone = torch.cat([model(torch.tensor([row])).logits for row in rows]).double()
    assert torch.allclose(scores, alone, atol=1e-4), (name, scores, alone)
    folder = RECORDED / f"{name}-classifier"
    model.save_pretrained(folder)
    (folder / "expected.json").write_text(json.dumps({"sequences": rows, "scores": alone.tolist()}) + "\n")


def record(name, config):
    torch.manual_seed(sum(name.encode()))
    generator = torch.Generator().manual_seed(sum(name.encode()) + 1)
    config._attn_implementation = "eager"
    model = tf.AutoModelForCausalLM.from_config(config).eval()
    randomize(model, generator)
    model.tie_weights()
    lengths = (2, 9, 20, 41)
    sequences = [torch.randint(0, VOCABULARY, (n,), generator=generator).tolist() for n in lengths]
    folder = RECORDED / name
    model.save_pretrained(folder)
    answer = expected(model, sequences)
    if getattr(config, "output_router_logits", False):
        answer["balance"] = model(torch.tensor([sequences[2]])).aux_loss.item()
    answer["adapted"] = adapted_modules(model)
    (folder / "expected.json").write_text(json.dumps(answer) + "\n")
    if "-" not in name or name in ("qwen2-moe", "qwen3-moe", "gpt-neox"):
        record_classifier(name, config)


def main():
    wanted = sys.argv[1:] or [*MODELS, *CLASSIFIERS]
    for name in wanted:
        if name in MODELS:
            record(name, MODELS[name])
        else:
            record_classifier(name, CLASSIFIERS[name])


if __name__ == "__main__":
    main()
