#!/usr/bin/env python3
"""`attune data apply` as a user calls it: operators in order, counts, a manifest, and objectives that learn from the result."""

import json
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))
from support.program import MODEL, attune, error_lines, temporary_folder, write_run


HEADER = {"attune": "dataset", "sources": [{"path": "ours", "format": "attune"}]}


def record(i):
    """A question, four scored answers, a thumb up and one down, and a vote."""
    texts = [f"Yes, {i} of them.", "No idea", f"Perhaps {i}.", "Who knows?"]
    nodes = [{"source": 0, "role": "plain", "content": f"How many {'cats' if i % 3 else 'dogs'} are {i}? "}]
    nodes += [{"parent": 0, "role": "plain", "content": text} for text in texts]
    feedback = [{"rating": {"attribute": "score", "value": (4 - k + i) % 5}, "on": {"completion": k}} for k in range(4)]
    feedback += [{"rating": {"attribute": "thumb", "value": int(i % 2 == 0)}, "on": {"completion": 0}}]
    feedback += [{"comparison": {"a": {"completion": 0}, "b": {"completion": 1}, "outcome": "a"}}]
    return {"id": f"r{i}", "nodes": nodes, "feedback": feedback,
            "completions": [{"after": 0, "last": k + 1} for k in range(4)]}


def apply(folder, curate, *words, out="out.jsonl"):
    run = write_run(folder, f"data: data.jsonl\ncurate: {json.dumps(curate)}\nout: {out}\n", "apply.yaml")
    return attune(folder, "data", "apply", run, *words)


def check_operators_run_in_order(folder):
    code, out, err = apply(folder, [{"weight/density-ratio": {"l2": 0.1}}, {"synth/rationale": {}},
                                    {"pairs/best-worst-of-n": {"n": 4}}], "seed=3", "--json")
    assert code == 0, err
    answer = json.loads(out)
    manifest = json.loads((folder / answer["manifest"]).read_text())
    assert all(answer[key] == value for key, value in manifest.items())
    assert [step["operator"] for step in manifest["steps"]] == ["weight/density-ratio", "synth/rationale", "pairs/best-worst-of-n"]
    assert all(step["in"] == step["out"] == 12 for step in manifest["steps"]), manifest["steps"]
    assert manifest["settings"]["seed"] == 3 and manifest["output"]["records"] == 12, manifest
    assert manifest["inputs"][0]["bytes"] == (folder / "data.jsonl").stat().st_size
    assert manifest["steps"][2]["findings"]["target_gap"] == 5.5  # 3 (1 + 1/2 + 1/3)
    header, *rows = map(json.loads, (folder / "out.jsonl").read_text().splitlines())
    assert header["sources"][0]["chain"] == ["weight/density-ratio", "synth/rationale", "pairs/best-worst-of-n"], header
    weights = [feedback.get("weight", 1) for row in rows for feedback in row["feedback"] if feedback.get("rating", {}).get("attribute") == "thumb"]
    assert any(weight != 1 for weight in weights), weights
    plain = apply(folder, [{"synth/rationale": {}}])[1]
    assert plain.startswith("synth/rationale: 12 -> 12 records\n") and plain.endswith("written: out.jsonl\n"), plain


def check_objectives_learn_from_it(folder):
    code, _, err = apply(folder, [{"weight/density-ratio": {}}, {"synth/constraint-prompts": {"constraints": 2}}])
    assert code == 0, err
    for objective in ("bco", "mapl", "bonbon"):
        run = write_run(folder, f"model: {MODEL}\ndata: {{train: out.jsonl}}\nsteps: 2\nsamples: {{prompts: 0}}\n"
                                f"batch: {{records: 8, tokens: 900}}\nout: {objective}\n")
        code, _, err = attune(folder, "train", objective, run, "--quiet")
        assert code == 0, f"{objective}: {err}"
        rows = [json.loads(line) for line in (folder / objective / "metrics.jsonl").read_text().splitlines()]
        assert all(row["grad_norm"] > 0 for row in rows), rows


def check_self_samples(folder):
    """A model's own answers: those that `attune generate` writes, the same each time, and what d2o wants beside a bad one."""
    rows = [{"prompt": f"How many cats are {i}? ", "completion": "No idea", "label": False} for i in range(6)]
    (folder / "bad.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    sample = {"synth/self-sample": {"model": str(MODEL), "k": 3, "max_tokens": 10, "temperature": 0.8}}
    words = ("data=bad.jsonl", "seed=5", "--json", "--quiet")
    code, out, err = apply(folder, [sample], *words, out="samples.jsonl")
    assert code == 0, err
    step = json.loads(out)["steps"][0]
    assert step["in"] == step["out"] == 6 and len(step["findings"]["model_hash"]) >= 16, step
    left_out = step["counts"].get("left out: an empty answer", 0)
    assert step["counts"]["answers"] + left_out == 18, step

    code, again, err = apply(folder, [sample], *words, "curate.0.synth/self-sample.batch=2", out="again.jsonl")
    assert code == 0, err
    assert (folder / "again.jsonl").read_text() == (folder / "samples.jsonl").read_text(), "a seed gives other answers"
    code, out, err = attune(folder, "generate", "--model", MODEL, "--prompts", "bad.jsonl", "--n", 3, "--max-tokens", 10,
                            "--temperature", 0.8, "--seed", 5, "--quiet")
    assert code == 0, err
    generated = [[json.loads(line)["text"] for line in out.splitlines()][3 * i:3 * i + 3] for i in range(6)]
    header, *records = map(json.loads, (folder / "samples.jsonl").read_text().splitlines())
    for record, texts in zip(records, generated, strict=True):
        found = [record["nodes"][completion["last"]]["content"] for completion in record["completions"]]
        assert found == ["No idea", *filter(None, texts)], (found, texts)

    run = write_run(folder, f"model: {MODEL}\ndata: {{train: samples.jsonl}}\nsteps: 2\nsamples: {{prompts: 0}}\n"
                            "batch: {records: 6, tokens: 900}\nout: d2o\n")
    code, _, err = attune(folder, "train", "d2o", run, "--quiet")
    assert code == 0, err
    metrics = [json.loads(line) for line in (folder / "d2o" / "metrics.jsonl").read_text().splitlines()]
    assert all(row["grad_norm"] > 0 for row in metrics), metrics


def check_refusals(folder):
    for code, said, curate, *words in (
        (78, "weigth/density-ratio", [{"weigth/density-ratio": {}}]),
        (78, "curate.synth/constraint-prompts.broken", [{"synth/constraint-prompts": {"constraints": 2, "broken": 3}}]),
        (78, "no rating of that name", [{"pairs/best-worst-of-n": {"attribute": "charm"}}]),
        (65, "no record left", [{"pairs/best-worst-of-n": {"n": 5}}]),
        (66, "none.jsonl", [{"synth/rationale": {}}], "data=none.jsonl"),
        (78, "out", [{"synth/rationale": {}}], "out=null"),
        (65, "--lossy", [{"synth/rationale": {}}, {"pairs/best-worst-of-n": {"n": 4}}], "format=trl-preference"),
        (2, "trl-preference", [{"synth/rationale": {}}], "format=trl-preferences"),
        (78, "model", [{"synth/self-sample": {}}]),
        (78, "k", [{"synth/self-sample": {"model": str(MODEL), "k": 0}}]),
        (78, "temperature", [{"synth/self-sample": {"model": str(MODEL), "temperature": float("nan")}}]),
        (66, "no_model", [{"synth/self-sample": {"model": "no_model"}}], "data=none.jsonl"),
        (66, "none.jsonl", [{"synth/self-sample": {"model": str(MODEL)}}], "data=none.jsonl"),
    ):
        found, _, err = apply(folder, curate, *words, out="refused.jsonl")
        assert found == code and len(error_lines(err)) == 1 and said in err, (curate, words, found, err)
    assert not (folder / "refused.jsonl").exists() and not (folder / "refused.jsonl.manifest.json").exists()


def main():
    with temporary_folder() as path:
        folder = pathlib.Path(path)
        (folder / "data.jsonl").write_text("\n".join(json.dumps(row) for row in [HEADER, *map(record, range(12))]) + "\n")
        check_operators_run_in_order(folder)
        check_objectives_learn_from_it(folder)
        check_self_samples(folder)
        check_refusals(folder)


if __name__ == "__main__":
    main()
