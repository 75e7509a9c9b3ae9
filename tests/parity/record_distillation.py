"""Records what TRL's generalised Jensen-Shannon loss (GKDTrainer) gives on logits drawn from a seed: loss and gradient.

    .venv-parity/bin/python tests/parity/record_distillation.py
"""

import json
import pathlib

import torch
from trl.experimental.gkd import GKDTrainer

OUT = pathlib.Path(__file__).parent / "recorded" / "distillation.json"


def main():
    torch.manual_seed(3)
    student, teacher = 2 * torch.randn(6, 9, dtype=torch.float64), 2 * torch.randn(6, 9, dtype=torch.float64)
    cases = []
    for beta, temperature in [(0, 1.0), (1, 1.0), (0.5, 1.0), (0.1, 1.0), (0.3, 0.7), (0, 2.0), (1, 2.0)]:
        leaf = student.clone().requires_grad_(True)
        labels = torch.zeros(1, len(leaf), dtype=torch.long)
        loss = GKDTrainer.generalized_jsd_loss(leaf[None], teacher[None], labels, beta, temperature)
        loss.backward()
        cases.append({"beta": beta, "temperature": temperature, "loss": loss.item(), "gradient": leaf.grad.tolist()})
    OUT.write_text(json.dumps({"student": student.tolist(), "teacher": teacher.tolist(), "cases": cases}) + "\n")


if __name__ == "__main__":
    main()
