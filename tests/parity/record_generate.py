"""Records transformers' greedy continuations of ragged prompts for tiny models.

Writes tests/parity/recorded/generate.json: for each model eight prompts with 64 further tokens and their log-probabilities,
generated one prompt at a time and in one left-padded batch, which must agree. Prompts whose way comes near a tie of the two
most likely tokens are drawn again (there, rounding alone decides), and so are those that repeat a few tokens for ever. The
models are those that record_models.py made, and one of our own: its GPT-2, whose head is its embedding, only ever repeats.

    .venv-parity/bin/python tests/parity/record_generate.py
"""

import json
import pathlib

import torch
import transformers

RECORDED = pathlib.Path(__file__).parent / "recorded"
MODELS = ("llama", "llama-rope-llama3", "mistral", "qwen2", "qwen2-window", "gpt2-untied")
LENGTHS = (1, 3, 5, 8, 12, 17, 23, 31)
NEW_TOKENS = 64
SMALLEST_GAP = 1e-3
LEAST_DIFFERENT = 8  # tokens of a continuation
SETTINGS = dict(do_sample=False, max_new_tokens=NEW_TOKENS, eos_token_id=None, pad_token_id=0, return_dict_in_generate=True,
                output_logits=True)


def continue_one(model, ids):
    """New tokens, their log-probabilities, and the smallest distance between the two largest logits."""
    result = model.generate(torch.tensor([ids]), attention_mask=torch.ones(1, len(ids), dtype=torch.long), **SETTINGS)
    logits = torch.cat(result.logits).double()
    tokens = result.sequences[0, len(ids):]
    largest = logits.topk(2, -1).values
    logps = torch.log_softmax(logits, -1).gather(1, tokens.unsqueeze(1)).squeeze(1)
    return tokens.tolist(), logps.tolist(), float((largest[:, 0] - largest[:, 1]).min())


def continue_batch(model, prompts):
    width = max(map(len, prompts))
    ids = torch.tensor([[0] * (width - len(p)) + p for p in prompts])
    mask = torch.tensor([[0] * (width - len(p)) + [1] * len(p) for p in prompts])
    return model.generate(ids, attention_mask=mask, **SETTINGS).sequences[:, width:].tolist()


def record(name):
    generator = torch.Generator().manual_seed(sum(name.encode()) + 2)
    model = transformers.AutoModelForCausalLM.from_pretrained(RECORDED / name, attn_implementation="eager").eval()
    model.generation_config.eos_token_id = None
    rows = []
    for length in LENGTHS:
        while True:
            prompt = torch.randint(0, model.config.vocab_size, (length,), generator=generator).tolist()
            tokens, logps, gap = continue_one(model, prompt)
            if gap > SMALLEST_GAP and len(set(tokens)) >= LEAST_DIFFERENT:
                break
        rows.append({"prompt": prompt, "completion": tokens, "logps": [round(value, 9) for value in logps]})
    batched = continue_batch(model, [row["prompt"] for row in rows])
    assert batched == [row["completion"] for row in rows], f"{name}: alone and batched differ"
    assert all(len(row["completion"]) == NEW_TOKENS for row in rows)
    return rows


def make_untied_gpt2():
    config = transformers.GPT2Config(
        vocab_size=61, n_embd=24, n_layer=2, n_head=4, n_positions=96, initializer_range=0.3, tie_word_embeddings=False,
        bos_token_id=0, eos_token_id=1,
    )
    torch.manual_seed(8)
    transformers.GPT2LMHeadModel(config).eval().save_pretrained(RECORDED / "gpt2-untied")


def main():
    make_untied_gpt2()
    with torch.no_grad():
        recorded = {name: record(name) for name in MODELS}
    (RECORDED / "generate.json").write_text(json.dumps(recorded) + "\n")


if __name__ == "__main__":
    main()
