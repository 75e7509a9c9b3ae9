"""TRL commands as run files: every loss is trained for a step from its translation, and mistakes are told in one line."""

import json
import os
import pathlib
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
PROGRAM = ROOT / "build" / "attune"
MODEL = ROOT / "tests" / "parity" / "recorded" / "trl" / "model"
PAIRS = [{"prompt": f"Knot {i}?", "chosen": " Cross, then pull.", "rejected": f" No{'!' * (i % 3 + 1)}"} for i in range(16)]
DATA = {
    "sft": [{"prompt": row["prompt"], "completion": row["chosen"]} for row in PAIRS],
    "kto": [{"prompt": row["prompt"], "completion": row["chosen" if i % 2 else "rejected"], "label": i % 2 == 1}
            for i, row in enumerate(PAIRS)],
    "dpo": PAIRS,
    "cpo": PAIRS,
    "orpo": PAIRS,
}
EXTRA = {("dpo", "exo_pair"): "--label_smoothing 0.001"}
# Beside one command a loss: options that go together, each with a piece of the run file that they must become.
MORE = [
    ("dpo --loss_type sigmoid bco_pair sft --loss_weights 0.8 0.2 1.0", "{sft: {weight: 1.0}}"),
    ("dpo --use_peft --lora_r 4 --lora_target_modules q_proj v_proj --use_rslora", "targets: [q_proj, v_proj]"),
    ("dpo --use_peft --lora_r 4", "targets: []"),
    ("dpo --sync_ref_model --ref_model_sync_steps 2", "mix: 0.6"),
    ("dpo --f_divergence_type alpha_divergence --f_alpha_divergence_coef 0.3", "divergence_alpha: 0.3"),
    ("dpo --use_weighting --ld_alpha 0.5", "ld_alpha: 0.5, weighting: wpo"),
    ("dpo --optim adamw_bnb_8bit --warmup_ratio 0.1 --lr_scheduler_type cosine", "moments: int8"),
    ("cpo --loss_type simpo --alpha 0.2", "alphapo: {alpha: 0.2"),
    ("sft --lr_scheduler_type cosine_with_min_lr --lr_scheduler_kwargs '{\"min_lr_rate\": 0.1}'", "floor: 0.1"),
    ("sft --test_split_size 0.3 --eval_strategy steps --eval_steps 1 --max_length None", "held_out: 0.3"),
]


def attune(folder, *words):
    environment = {**os.environ, "ATTUNE_CACHE": str(folder / "cache")}
    return subprocess.run([PROGRAM, *map(str, words)], cwd=folder, env=environment, capture_output=True, text=True, check=False)


def losses():
    rows = subprocess.run([PROGRAM, "init", "--trl-table"], capture_output=True, text=True, check=True).stdout.splitlines()
    return [row for row in map(json.loads, rows) if "loss" in row]


def check_command(folder, number, command, expected):
    trainer = command.split()[0]
    file = folder / f"{number}.yaml"
    done = attune(folder, "init", "--from-trl", f"trl {command} --model_name_or_path {MODEL} --dataset_name {folder}/{trainer}.jsonl"
                  f" --output_dir {folder}/run{number} --max_steps 1", "--out", file)
    assert done.returncode == 0, f"{command}: {done.stderr}"
    text = file.read_text()
    assert expected in text, f"{command}: no '{expected}' in\n{text}"
    verb = text.splitlines()[0].split()[3]
    done = attune(folder, "train", verb, file, "--json", "--quiet", "monitor.over_optimisation=false")
    assert done.returncode == 0, f"{command}: {done.stderr}\n{text}"
    assert json.loads(done.stdout.splitlines()[-1])["steps"] == 1, done.stdout


def check_refusals(folder):
    (folder / "broken.yaml").write_text("beta: [0.1\n")
    (folder / "good.yaml").write_text("beta: 0.2\nlearning_rate: 1.0e-5\n")
    (folder / "none.sh").write_text("echo hello\n")
    for code, piece, *words in (
        (2, "no command of TRL", "none.sh"),
        (2, "no trainer named", "good.yaml"),
        (2, "the trainer 'grpo'", "trl grpo --beta 0.1"),
        (2, "attune trains no reward models yet", "trl reward --dataset_name d"),
        (2, "a second training command", "trl sft --seed 1; trl dpo --seed 1"),
        (2, "$MODEL, whose value", "trl dpo --model_name_or_path $MODEL"),
        (66, "nothing.sh", "nothing.sh"),
        (78, "broken.yaml", "broken.yaml", "--trainer", "dpo"),
        (78, "expected learning_rate", "trl dpo --learning_rat 1"),
        (78, "the unknown loss 'sigmoit'; expected sigmoid", "trl dpo --loss_type sigmoit"),
        (78, "no number", "trl dpo --beta much"),
        (78, "load_in_4bit", "trl dpo --load_in_4bit"),
        (78, "an optimiser that attune does not have", "trl dpo --optim adafactor"),
        (78, "3 losses", "trl dpo --loss_type sigmoid sft ipo --loss_weights 1 2"),
        (78, "use_weighting with the loss aot", "trl dpo --loss_type aot --use_weighting"),
    ):
        done = attune(folder, "init", "--from-trl", *words)
        assert done.returncode == code, f"{words}: exit {done.returncode}\n{done.stderr}"
        assert done.stderr.count("\n") == 1 and piece in done.stderr and not done.stdout, f"{words}: {done.stderr}"
    done = attune(folder, "init", "--from-trl", "trl dpo --load_in_4bit --config good.yaml --beta 0.3", "--lossy")
    assert done.returncode == 0 and "load_in_4bit: DROPPED" in done.stdout, done.stderr
    assert "lr: 1.0e-5" in done.stdout and "beta: 0.3" in done.stdout, "the command line outranks the file it names"


def main():
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        for trainer, rows in DATA.items():
            (folder / f"{trainer}.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
        commands = []
        for row in losses():
            loss = f"--loss_type {row['loss']} " if row["loss"] else ""
            options = EXTRA.get((row["trainer"], row["loss"]), "")
            if row["loss"] == "alphapo":
                options = "--alpha 0.25"
            commands.append((f"{row['trainer']} {loss}{options}", row["objective"]))
        for number, (command, expected) in enumerate(commands + MORE):
            check_command(folder, number, command, expected)
        check_refusals(folder)
    return 0


if __name__ == "__main__":
    sys.exit(main())
