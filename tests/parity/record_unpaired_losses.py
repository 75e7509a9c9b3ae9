"""Records what TRL's own KTO code computes on given log-probabilities: loss, gradient and metrics.

KTOTrainer._compute_loss runs unchanged; only the model that it calls is a stub which hands out the numbers. The result
has the form of tests/tables/objectives. BCO is not here: TRL 1.16.0 has no BCO trainer any more whose code could be called.

    .venv-parity/bin/python tests/parity/record_unpaired_losses.py
"""

import json
import pathlib
import types

import torch
from trl.trainer.kto_trainer import KTOTrainer

OUT = pathlib.Path(__file__).parent / "recorded" / "tables" / "unpaired.json"
TOKENS = 4  # of every completion; one prompt token before it
PROBE = 7  # the prompt token that marks a mismatched pair


class Stub:
    """What _compute_loss asks of its trainer and of its model."""

    def __init__(self, logps, probe_logps, loss_type, beta, desirable_weight, undesirable_weight):
        self.logps, self.probe_logps = logps, probe_logps
        self.loss_type, self.beta = loss_type, beta
        self.desirable_weight, self.undesirable_weight = desirable_weight, undesirable_weight
        self.calculate_KL = loss_type == "kto"
        self.precompute_ref_logps, self.aux_loss_enabled = True, False
        self.accelerator = types.SimpleNamespace(device="cpu", gather_for_metrics=lambda value: value)
        self.model, self._metrics = types.SimpleNamespace(training=True), {"train": Lists()}
        self._tp_size, self._total_train_tokens = 1, 0

    def _compute_kl_logps(self, model, batch):
        return KTOTrainer._compute_kl_logps(self, model, batch)

    def __call__(self, input_ids, **_):
        logps = self.probe_logps if input_ids[0, 0] == PROBE else self.logps
        zeros = torch.zeros_like(logps)
        return types.SimpleNamespace(log_probs=logps, entropy=zeros, mean_logits=zeros)


class Lists(dict):
    def __missing__(self, key):
        self[key] = []
        return self[key]


def batch_of(labels, reference, probe_reference):
    rows = len(labels)
    prompt = torch.ones(rows, 1, dtype=torch.long)
    ids = torch.cat([prompt, torch.full((rows, TOKENS), 5)], 1)
    mask = torch.cat([torch.zeros_like(prompt), torch.ones(rows, TOKENS, dtype=torch.long)], 1)
    probe_ids = torch.cat([prompt * PROBE, ids[:, 1:]], 1)
    return {
        "input_ids": ids, "attention_mask": torch.ones_like(ids), "completion_mask": mask,
        "KL_input_ids": probe_ids, "KL_attention_mask": torch.ones_like(ids), "KL_completion_mask": mask,
        "label": torch.tensor(labels), "ref_logps": reference, "ref_KL_logps": probe_reference,
    }


def record(name, labels, loss_type, probe_shift, beta=0.1, desirable_weight=1.0, undesirable_weight=1.0):
    generator = torch.Generator().manual_seed(len(name) + 31 * len(labels))
    draw = lambda *shape: -3 * torch.rand(*shape, generator=generator, dtype=torch.float64)
    logps = draw(len(labels), TOKENS).requires_grad_(True)
    probe_logps = draw(len(labels), TOKENS)
    reference = logps.detach().sum(1) + 4 * torch.randn(len(labels), generator=generator, dtype=torch.float64)
    probe_reference = probe_logps.sum(1) + torch.randn(len(labels), generator=generator, dtype=torch.float64) - probe_shift
    stub = Stub(logps, probe_logps, loss_type, beta, desirable_weight, undesirable_weight)
    loss = KTOTrainer._compute_loss(stub, stub, batch_of(labels, reference, probe_reference), False)
    loss.backward()
    answers = [
        {"thumb": 1 if label else -1, "logp": logps[i].tolist(), "reference": reference[i].item(),
         "probe": [probe_logps[i].sum().item(), probe_reference[i].item()], "gradient": logps.grad[i].tolist()}
        for i, label in enumerate(labels)
    ]
    wanted = ["kl"] * stub.calculate_KL + [f"{kind}/{side}" for kind in ("rewards", "logps") for side in ("chosen", "rejected")]
    metrics = [{"name": key, "value": stub._metrics["train"][key][-1]} for key in wanted if key in stub._metrics["train"]]
    options = {"beta": beta, "desirable_weight": desirable_weight, "undesirable_weight": undesirable_weight}
    return {"name": name, "objective": {loss_type.replace("_", "-"): options}, "records": [{"answers": [a]} for a in answers],
            "loss": loss.item(), "metrics": metrics}


def main():
    mixed = [True, False, True, True, False]
    cases = [
        record("good and bad answers", mixed, "kto", 2.0),
        record("an estimate below zero is zero", mixed, "kto", -6.0),
        record("weights of both kinds", mixed, "kto", 1.0, beta=0.3, desirable_weight=0.5, undesirable_weight=1.75),
        record("good answers only", [True] * 4, "kto", 1.0),
        record("bad answers only", [False] * 3, "kto", 1.0),
        record("no estimate", mixed, "apo_zero_unpaired", 0.0, beta=0.2),
        record("no estimate, bad answers only", [False] * 3, "apo_zero_unpaired", 0.0),
    ]
    OUT.parent.mkdir(exist_ok=True)
    OUT.write_text(json.dumps({"cases": cases}, indent=None) + "\n")
    print(f"{OUT.name}: {len(cases)} cases, {OUT.stat().st_size} bytes")


if __name__ == "__main__":
    main()
