"""Every shipped run file, on a few rows of our own for two steps a stage; and the demo, cut short."""

import json
import os
import pathlib
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
PROGRAM = ROOT / "build" / "attune"

# What stands in for each recipe's PATH.
TRANSCRIPTS = [
    {
        "chosen": f"\n\nHuman: How do I tie knot {i}?\n\nAssistant: Cross the ends, then pull.",
        "rejected": f"\n\nHuman: How do I tie knot {i}?\n\nAssistant: No idea{'!' * (i % 3 + 1)}",
    }
    for i in range(40)
]
PAIRS = [{"prompt": f"Knot {i}?", "chosen": " Cross, then pull.", "rejected": f" No{'!' * (i % 3 + 1)}"} for i in range(40)]
ANSWERS = [{"prompt": row["prompt"], "completion": row["chosen"]} for row in PAIRS]
THUMBS = [{"prompt": row["prompt"], "completion": row["chosen" if i % 2 else "rejected"], "label": i % 2 == 1}
          for i, row in enumerate(PAIRS)]


def native(role, answers, feedback):
    """Records of one question and several answers, in attune's own form."""
    rows = [{"attune": "dataset"}]
    for i in range(40):
        nodes = [{"role": role and "user" or "plain", "content": f"Knot {i}?"}]
        nodes += [{"parent": 0, "role": role or "plain", "content": f" {text} {i}"} for text in answers]
        completions = [{"after": 0, "last": k + 1} for k in range(len(answers))]
        rows.append({"nodes": nodes, "completions": completions, "feedback": feedback})
    return rows


def rating(completion, attribute, value):
    return {"rating": {"attribute": attribute, "value": value}, "on": {"completion": completion}}


DATA = {
    "hh-rlhf": TRANSCRIPTS,
    "sft": ANSWERS,
    "gkd": ANSWERS,
    "dpo": PAIRS,
    "simpo": PAIRS,
    "accelerated-po": PAIRS,
    "kto": THUMBS,
    "lipo": native(None, ["Pull.", "No.", "Perhaps."], [rating(0, "score", 3), rating(1, "score", 1), rating(2, "score", 2)]),
    "d2o": native(None, ["No!", "Pull.", "Perhaps."], [rating(0, "thumb", 0)]),
    "helpsteer2-preference": native(None, ["Cross and pull.", "No."], [
        rating(0, "helpfulness", 4), rating(1, "helpfulness", 1),
        {"comparison": {"a": {"completion": 0}, "b": {"completion": 1}, "outcome": "a", "strength": 2}}]),
    "steerlm": native("assistant", ["Cross and pull."], [rating(0, "helpfulness", 4), rating(0, "verbosity", 1)]),
}
# What stands in for the other words in capitals.
MODEL = ROOT / "tests" / "parity" / "recorded" / "trl" / "model"
MORE = {"gkd": [f"models.teacher={MODEL}"]}


def attune(folder, *words):
    environment = {**os.environ, "ATTUNE_CACHE": str(folder / "cache")}
    done = subprocess.run([PROGRAM, *words], cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"attune {' '.join(map(str, words))}: exit {done.returncode}\n{done.stderr}"
    return done.stdout


def check_recipe(path, folder):
    first = path.read_text().splitlines()[0]
    assert first.startswith("# attune train "), f"{path}: line 1 is the command"
    objective = first.split()[3]
    data = folder / f"{path.stem}.jsonl"
    data.write_text("".join(json.dumps(row) + "\n" for row in DATA[path.stem]))
    out = folder / path.stem
    words = [f"data.train={data}", f"out={out}", "steps=2", *MORE.get(path.stem, [])]
    if "model=MODEL" in first:
        words.append(f"model={MODEL}")
    answer = attune(folder, "train", objective, path, *words, "--json", "--quiet")
    result = json.loads(answer.splitlines()[-1])
    assert set(result) == {"run", "steps", "loss", "metrics"}, result
    rows = [json.loads(line) for line in (out / "metrics.jsonl").read_text().splitlines()]
    assert [row["step"] for row in rows] == list(range(1, result["steps"] + 1)), rows
    for name in ("run.yaml", "resolved.yaml", "manifest.json", "report.html", "CARD.md", "latest", "best",
                 "model/model.safetensors", "model/tokenizer.json"):
        assert (out / name).exists() or (name == "best" and "held_out" not in path.read_text()), name


def check_demo(folder):
    result = json.loads(attune(folder, "demo", "--out", folder / "demo", "--json", "--quiet", "steps=2"))
    assert set(result) == {"run", "win_rate", "by_kind", "seconds"}, result
    assert result["win_rate"]["n"] > 50 and 0 <= result["win_rate"]["share"] <= 1, result
    assert "<svg" in (folder / "demo" / "data" / "disagreement.html").read_text()


def main():
    with tempfile.TemporaryDirectory() as folder:
        recipes = sorted((ROOT / "recipes").glob("*.yaml"))
        assert {path.stem for path in recipes} == set(DATA), "a recipe without rows to run on"
        for path in recipes:
            check_recipe(path, pathlib.Path(folder))
        check_demo(pathlib.Path(folder))
    return 0


if __name__ == "__main__":
    sys.exit(main())
