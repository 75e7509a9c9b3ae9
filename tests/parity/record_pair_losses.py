#!/usr/bin/env python3
"""Losses on pairs by TRL's own code: DPO (every loss type with every divergence, LD-DPO, WPO), CPO, SimPO, AlphaPO,
ORPO and TPO, with the gradient at every token's log-probability.

The trainers' loss methods run as they are, on a stand-in for the trainer that holds its settings and on a stand-in for
the model that answers with given numbers, in float64 where their code allows it. Writes
tests/parity/recorded/pair_losses.json. Everything is drawn from a fixed seed.
"""

import json
import pathlib
import random
from collections import defaultdict
from types import SimpleNamespace

import torch
from trl import DPOTrainer
from trl.experimental.cpo import CPOTrainer
from trl.experimental.orpo import ORPOTrainer
from trl.experimental.tpo import TPOTrainer

PROMPT = 3  # tokens; the first has no predictor
LENGTHS = {"chosen": [6, 3, 5, 2], "rejected": [4, 5, 5, 1], "gold": [3, 4, 2, 5]}
PAIRS = len(LENGTHS["chosen"])
DIFFERENCES = ["sigmoid", "sigmoid_norm", "hinge", "ipo", "exo_pair", "robust", "discopop"]
SIDES = ["nca_pair", "bco_pair", "sppo_hard", "apo_zero", "apo_down"]
SORTED = ["aot", "aot_unpaired"]
NAMES = {"sigmoid": "dpo", "exo_pair": "exo", "nca_pair": "nca"}  # of attune, where it is not the same with '-' for '_'
DIVERGENCES = ["forward_kl", "js_divergence", "alpha_divergence"]


def draw_inputs():
    """Log-probabilities per token, rounded so that they survive the trip through the file."""
    draw = random.Random(17)

    def rows(lengths, low, high):
        return [[round(draw.uniform(low, high), 4) for _ in range(length)] for length in lengths]

    inputs = {"prompt": {"policy": rows([PROMPT - 1] * PAIRS, -3, -0.2)}}
    for side, lengths in LENGTHS.items():
        policy = rows(lengths, -4, -0.1)
        reference = [[round(logp + draw.uniform(-0.8, 0.8), 4) for logp in row] for row in policy]
        inputs[side] = {"policy": policy, "reference": reference, "log_sum_square": rows(lengths, -2, -0.3)}
    return inputs


class Tokens:
    """The policy's log-probabilities as leaves, and as padded rows [pairs * sides, PROMPT + longest - 1]."""

    def __init__(self, inputs, dtype):
        self.inputs, self.dtype = inputs, dtype
        self.leaves = {
            part: [torch.tensor(row, dtype=dtype, requires_grad=True) for row in inputs[part]["policy"]]
            for part in ("prompt", *LENGTHS)
        }
        self.longest = PROMPT + max(max(lengths) for lengths in LENGTHS.values())

    def padded(self, sides, rows, fill=0.0):
        """rows(side, i): the values of an answer's tokens."""
        out = []
        for side in sides:
            for i in range(PAIRS):
                row = rows(side, i)
                before = torch.full((PROMPT - 1,), fill, dtype=self.dtype)
                after = torch.full((self.longest - PROMPT - len(row),), fill, dtype=self.dtype)
                out.append(torch.cat([before, row, after]))
        return torch.stack(out)

    def answers(self, sides):
        return self.padded(sides, lambda side, i: self.leaves[side][i])

    def frozen(self, sides, column):
        return self.padded(sides, lambda side, i: torch.tensor(self.inputs[side][column][i], dtype=self.dtype))

    def logits(self, sides):
        """Logits [rows, longest, 2] whose token 0 has exactly the wanted log-probability at every position."""
        logps = torch.stack(
            [
                torch.cat([
                    self.leaves["prompt"][i], self.leaves[side][i],
                    torch.full((self.longest - PROMPT - len(self.leaves[side][i]) + 1,), -0.5, dtype=self.dtype),
                ])
                for side in sides for i in range(PAIRS)
            ]
        )
        return torch.stack([logps, torch.log1p(-torch.exp(logps))], dim=-1)

    def completion_mask(self, sides):
        mask = torch.zeros(len(sides) * PAIRS, self.longest, dtype=torch.long)
        for row, (side, i) in enumerate((side, i) for side in sides for i in range(PAIRS)):
            mask[row, PROMPT:PROMPT + LENGTHS[side][i]] = 1
        return mask

    def gradient(self, loss):
        loss.backward()
        result = {}
        for part, leaves in self.leaves.items():
            if any(leaf.grad is not None for leaf in leaves):
                result[part] = [(torch.zeros_like(x) if x.grad is None else x.grad).tolist() for x in leaves]
        return result


def accelerator():
    same = lambda value: value  # noqa: E731
    return SimpleNamespace(device=torch.device("cpu"), gather=same, gather_for_metrics=same)


def idle_model():
    """What the trainers ask about their model besides its answer."""
    model = torch.nn.Identity().eval()
    model.is_gradient_checkpointing = False
    return model


def trainer(**settings):
    return SimpleNamespace(
        accelerator=accelerator(), model=idle_model(), aux_loss_enabled=False, is_encoder_decoder=False,
        _metrics={"eval": defaultdict(list)}, _total_train_tokens=0, **settings)


def dpo(inputs, loss_type, beta=0.1, label_smoothing=0.0, divergence="reverse_kl", ld_alpha=None, weighting=False):
    # TRL's alpha divergence clamps in float32 and knows no limit for float64.
    dtype = torch.float32 if divergence == "alpha_divergence" else torch.float64
    tokens, sides = Tokens(inputs, dtype), ["chosen", "rejected"]
    mask = tokens.completion_mask(sides)
    zeros = torch.zeros(mask.shape[0], mask.shape[1] - 1, dtype=dtype)

    def answer(log_probs):
        model = lambda **_: SimpleNamespace(  # noqa: E731
            log_probs=log_probs, log_sum_sq_probs=tokens.frozen(sides, "log_sum_square"), entropy=zeros,
            mean_logits=zeros, is_top1=zeros.bool())
        return model

    policy = answer(tokens.answers(sides))
    reference = answer(tokens.frozen(sides, "reference"))
    stand_in = trainer(
        beta=beta, label_smoothing=label_smoothing, loss_types=[loss_type], loss_weights=[1.0], ld_alpha=ld_alpha,
        f_divergence_type=divergence, f_alpha_divergence_coef=0.5, use_weighting=weighting, ref_model=reference,
        precompute_ref_logps=False, args=SimpleNamespace(discopop_tau=0.05, gradient_checkpointing_kwargs=None))
    batch = {"input_ids": torch.zeros_like(mask), "attention_mask": torch.ones_like(mask), "completion_mask": mask}
    loss = DPOTrainer._compute_loss(stand_in, policy, batch, False)
    options = {"beta": beta}
    if label_smoothing or loss_type == "robust":
        options["label_smoothing"] = label_smoothing
    if divergence != "reverse_kl":
        options |= {"divergence": divergence, "divergence_alpha": 0.5}
    if ld_alpha is not None:
        options["ld_alpha"] = ld_alpha
    if weighting:
        options["weighting"] = "wpo"
    name = NAMES.get(loss_type, loss_type.replace("_", "-"))
    title = " ".join(["dpo", loss_type, divergence, *(["ld"] if ld_alpha is not None else []),
                      *(["wpo"] if weighting else []), *([f"smoothing {label_smoothing}"] if label_smoothing else [])])
    return case(title, {name: options}, loss, tokens, single=loss_type == "exo_pair")  # its smoothing is float32


def case(title, objective, loss, tokens, single=False):
    exact = tokens.dtype is torch.float64 and not single
    return {"name": title, "objective": json.dumps(objective), "loss": loss.item(),
            "tolerance": 1e-12 if exact else 2e-6, "gradient": tokens.gradient(loss)}


def all_dpo(inputs):
    smoothing = {"exo_pair": 1e-3, "robust": 0.1}
    for loss_type in DIFFERENCES + SIDES + SORTED:
        settings = {"loss_type": loss_type, "label_smoothing": smoothing.get(loss_type, 0.0)}
        yield dpo(inputs, **settings)
        for divergence in DIVERGENCES if loss_type in DIFFERENCES else []:
            yield dpo(inputs, **settings, divergence=divergence)
        if loss_type not in SORTED:
            yield dpo(inputs, **settings, ld_alpha=0.4)
            if loss_type != "hinge":  # TRL multiplies in place what relu needs for its gradient, and fails
                yield dpo(inputs, **settings, weighting=True)
        else:
            yield dpo(inputs, loss_type, label_smoothing=0.2)
    yield dpo(inputs, "sigmoid", divergence="js_divergence", ld_alpha=0.25, weighting=True, beta=0.7)


def batch_of(tokens, sides):
    """What the collators of CPO and ORPO make: prompt and answer as ids, labels with the prompt masked."""
    batch = {}
    for side in sides:
        mask = tokens.completion_mask([side])
        attention = mask.clone()
        attention[:, :PROMPT] = 1
        batch[f"{side}_input_ids"] = torch.zeros_like(mask)
        batch[f"{side}_attention_mask"] = attention
        batch[f"{side}_labels"] = torch.zeros_like(mask).masked_fill(mask == 0, -100)
    return batch


def reference_free(trainer_class, inputs, title, objective, single=False, **settings):
    """CPO and ORPO: the whole way from logits to the loss."""
    tokens, sides = Tokens(inputs, torch.float64), ["chosen", "rejected"]
    stand_in = trainer(pad_token_id=0, padding_value=0, **settings)
    for name in ("concatenated_inputs", "get_batch_logps"):
        setattr(stand_in, name, getattr(trainer_class, name))
    for name in ("concatenated_forward", "cpo_loss", "odds_ratio_loss"):
        if hasattr(trainer_class, name):
            setattr(stand_in, name, getattr(trainer_class, name).__get__(stand_in))
    model = lambda *_, **__: SimpleNamespace(logits=tokens.logits(sides))  # noqa: E731
    loss, _ = trainer_class.get_batch_loss_metrics(stand_in, model, batch_of(tokens, sides))
    return case(title, objective, loss, tokens, single)


def all_reference_free(inputs):
    def cpo(title, objective, **settings):
        defaults = {"beta": 0.1, "label_smoothing": 0.0, "cpo_alpha": 1.0, "simpo_gamma": 0.5, "alpha": 0.0}
        return reference_free(CPOTrainer, inputs, title, objective, **(defaults | settings))

    for link in ("sigmoid", "hinge", "ipo"):
        yield cpo(f"cpo {link}", {"cpo": {"beta": 0.1, "link": link, "sft_weight": 1.0}}, loss_type=link)
    yield cpo("cpo sigmoid smoothing 0.1, alpha 0.5",
              {"cpo": {"beta": 0.3, "label_smoothing": 0.1, "sft_weight": 0.5}},
              loss_type="sigmoid", beta=0.3, label_smoothing=0.1, cpo_alpha=0.5)
    yield cpo("simpo", {"simpo": {"beta": 2.0, "gamma": 0.5}}, loss_type="simpo", beta=2.0, cpo_alpha=0.0)
    yield cpo("simpo with NLL and smoothing",
              {"simpo": {"beta": 2.0, "gamma_beta_ratio": 0.4, "label_smoothing": 0.1, "sft_weight": 0.7}},
              loss_type="simpo", beta=2.0, simpo_gamma=0.8, cpo_alpha=0.7, label_smoothing=0.1)
    for alpha in (0.25, -0.5):
        yield cpo(f"alphapo {alpha}", {"alphapo": {"beta": 2.5, "alpha": alpha, "gamma": 0.1}},
                  loss_type="simpo", beta=2.5, alpha=alpha, simpo_gamma=0.1, cpo_alpha=0.0)
    # ORPO's odds are in float32 there.
    yield reference_free(ORPOTrainer, inputs, "orpo", {"orpo": {"beta": 0.1, "nll_scope": "full"}}, single=True,
                         beta=0.1)


def tpo(inputs, link, **settings):
    tokens, sides = Tokens(inputs, torch.float64), ["chosen", "rejected", "gold"]
    mask = tokens.completion_mask(sides)
    stand_in = trainer(loss_type=link, **({"beta": 0.01, "label_smoothing": 0.0, "tpo_alpha": 1.0, "tpo_l_gamma": 0.5} | settings))
    batch = {"input_ids": torch.zeros_like(mask), "attention_mask": torch.ones_like(mask), "completion_mask": mask}
    model = lambda **_: SimpleNamespace(logits=tokens.logits(sides))  # noqa: E731
    loss = TPOTrainer._compute_loss(stand_in, model, batch, False)
    options = {"beta": stand_in.beta, "link": link, "sft_weight": stand_in.tpo_alpha,
               "label_smoothing": stand_in.label_smoothing}
    if link == "tpo-l":
        options["gamma"] = stand_in.tpo_l_gamma
    return case(f"tpo {link}", {"tpo": options}, loss, tokens)


def main():
    inputs = draw_inputs()
    cases = list(all_dpo(inputs)) + list(all_reference_free(inputs))
    cases += [tpo(inputs, link) for link in ("sigmoid", "hinge", "ipo", "tpo-l")]
    cases.append(tpo(inputs, "tpo-l", beta=2.0, label_smoothing=0.1, tpo_alpha=0.5))
    target = pathlib.Path(__file__).parent / "recorded" / "pair_losses.json"
    lines = ",\n".join(json.dumps(one) for one in cases)
    target.write_text(f'{{"inputs": {json.dumps(inputs)},\n"cases": [\n{lines}\n]}}\n')
    print(f"{len(cases)} cases")


if __name__ == "__main__":
    main()
