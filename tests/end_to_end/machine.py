#!/usr/bin/env python3
"""`attune doctor`, `attune plan` and `--profile` as a user calls them: what is said of a run is held against the run."""

import json
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))
from support.program import MODEL, attune, error_lines, temporary_folder

RUN = f"""
model: {{config: config.json, init: random}}
tokenizer: {MODEL}
data: {{train: {MODEL.parent / "pairs.jsonl"}}}
objective: {{dpo: {{beta: 0.1}}}}
optimizer: {{adamw: {{lr: 1.0e-5}}}}
batch: {{records: 4}}
steps: 6
samples: {{prompts: 0}}
out: run
"""


def answered(folder, *words):
    code, out, err = attune(folder, *words, "--json")
    assert code == 0, err
    return json.loads(out.splitlines()[-1] if words[0] == "train" else out)


def check_doctor(folder):
    machine = answered(folder, "doctor")
    assert machine["cores"] >= 1 and machine["memory_bytes"] > machine["available_bytes"] > 0, machine
    assert all(gpu["device"].startswith("cuda:") and gpu["memory_bytes"] > 0 for gpu in machine["gpus"]), machine
    assert machine["instruction_sets"] and machine["product_flops"] > 1e8 and machine["copy_bytes_per_second"] > 1e7, machine


def check_plan(folder):
    config = json.loads((MODEL / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps({**config, "num_hidden_layers": 10}))
    (folder / "run.yaml").write_text(RUN)
    (folder / "adapter.yaml").write_text(RUN.replace("config: config.json, init: random", f"path: {MODEL}, adapter: {{rank: 4}}"))
    for file, trained in (("run.yaml", None), ("adapter.yaml", 0.5)):
        plan = answered(folder, "plan", file)
        result = answered(folder, "train", "dpo", file, "out=from-" + file, "--profile")
        run = folder / result["run"]
        rows = [json.loads(line) for line in (run / "metrics.jsonl").read_text().splitlines()]
        manifest = [json.loads(line) for line in (run / "log.jsonl").read_text().splitlines()]
        stage = next(line for line in manifest if line["event"] == "stage")
        assert plan["trainable"] == stage["parameters"], (plan, stage)
        assert trained is None or plan["trainable"] < trained * plan["parameters"], plan
        assert plan["steps"] == len(rows) == 6 and plan["fits"] is True, plan
        peak = rows[-1]["peak_bytes"]
        assert 0.7 < plan["peak_bytes"] / peak < 1.3, (plan["peak_bytes"], peak)
        assert all(0 < row["fraction_of_limit"] < 1.5 for row in rows), rows
        profile = json.loads((run / "profile.json").read_text())
        assert profile["steps"] == 5 and "attention, forward" in profile["parts"], profile
        assert abs(sum(profile["parts"].values()) - profile["step_seconds"]) < 1e-6, profile
        assert all(seconds >= 0 for seconds in profile["parts"].values()), profile


def check_memory(folder):
    """Blocks are computed again where a step does not fit otherwise: plan says so, training does so."""
    for memory, wanted in (("memory_gib=0.3", True), ("memory_gib=64", False)):
        plan = answered(folder, "plan", "run.yaml", memory)
        assert plan["recompute"] is wanted, plan
        code, out, err = attune(folder, "train", "dpo", "run.yaml", memory, "out=" + memory)
        assert code == 0 and ("computed again" in err) is wanted, err
    assert answered(folder, "plan", "run.yaml", "memory_gib=0.1", "model.recompute=false")["fits"] is False


def check_optimizer_memory(folder):
    """Ten bytes of a parameter's sixteen go; 11 M parameters, since a process by itself differs by some megabytes."""
    config = json.loads((folder / "config.json").read_text())
    (folder / "wide.json").write_text(json.dumps({**config, "num_hidden_layers": 2, "intermediate_size": 40_000}))
    wide = ("plan", "run.yaml", "model.config=wide.json")
    large = answered(folder, *wide)
    small = answered(folder, *wide, "optimizer.moments=int8", "optimizer.in_backward=true", "optimizer.max_grad_norm=0")
    saved = (large["peak_bytes"] - small["peak_bytes"]) / large["parameters"]
    assert large["parameters"] > 1e7 and 7 < saved < 13, (saved, small, large)


def check_refusals(folder):
    for code, *words in ((2, "doctor", "now"), (2, "plan"), (66, "plan", "no.yaml"), (78, "plan", "run.yaml", "steps=x")):
        found, _, err = attune(folder, *words)
        assert found == code and len(error_lines(err)) == 1, (words, found, err)


with temporary_folder() as name:
    folder = pathlib.Path(name)
    check_doctor(folder)
    check_plan(folder)
    check_memory(folder)
    check_optimizer_memory(folder)
    check_refusals(folder)
