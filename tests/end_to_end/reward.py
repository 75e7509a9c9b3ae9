#!/usr/bin/env python3
"""Reward models as a user makes and asks them: ratings first, then comparisons, then scores, alone and together."""

import json
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))
from support.program import MODEL, attune, error_lines, temporary_folder, write_run

RECIPE = f"""
model: {MODEL}
data: {{train: records.jsonl}}
batch: {{records: 8}}
epochs: 3
stages:
  - reward/regression: {{head: {{attributes: {{names: [helpfulness, verbosity]}}}}, optimizer: {{lr: 3.0e-3}}}}
  - reward/bradley-terry: {{head: {{attributes: {{names: [helpfulness, verbosity]}}}}, margin: scale, optimizer: {{lr: 1.0e-3}}}}
out: recipe
"""


def record(i):
    """Two answers to a question: the polite one is rated higher and preferred, the long one is the wordier."""
    polite, long = i % 2, i % 3 == 0
    texts = [("Gladly: " if k == polite else "No! ") + ("so it is and so on " * 2 if long and k else "so it is") for k in range(2)]
    nodes = [{"role": "plain", "content": f"What of {i}? "}]
    nodes += [{"parent": 0, "role": "plain", "content": text} for text in texts]
    rated = lambda k, name, value: {"rating": {"attribute": name, "value": value}, "on": {"completion": k}}
    feedback = [rated(k, "helpfulness", 2 * (k == polite)) for k in range(2)]
    feedback += [rated(k, "verbosity", 2 * bool(long and k)) for k in range(2) if i % 4]
    feedback += [{"comparison": {"a": {"completion": 0}, "b": {"completion": 1}, "outcome": "ab"[polite], "strength": 1 + i % 3}}]
    return {"id": f"r{i}", "nodes": nodes, "completions": [{"after": 0, "last": 1}, {"after": 0, "last": 2}], "feedback": feedback}


def rows(text):
    return [json.loads(line) for line in text.splitlines()]


def share_right(scores):
    """Of the records, how often the polite answer has the larger score."""
    by_record = {(row["record"], row["completion"]): row["score"] for row in scores}
    return sum(by_record[f"r{i}", i % 2] > by_record[f"r{i}", 1 - i % 2] for i in range(48)) / 48


def main():
    with temporary_folder() as name:
        folder = pathlib.Path(name)
        (folder / "records.jsonl").write_text("\n".join(json.dumps(row) for row in [{"attune": "dataset"}, *map(record, range(48))]) + "\n")
        run = write_run(folder, RECIPE, "recipe.yaml")
        code, out, err = attune(folder, "train", "reward", run, "--json", "--quiet")
        assert code == 0, err
        assert json.loads(out.splitlines()[-1])["metrics"]["accuracy"] > 0.9, out
        model = folder / "recipe" / "model"
        config = json.loads((model / "config.json").read_text())
        assert config["architectures"] == ["LlamaForSequenceClassification"], config
        assert config["id2label"] == {"0": "helpfulness", "1": "verbosity"} and "attributes" in config["reward_head"], config

        code, out, err = attune(folder, "score", "--model", model, "--data", "records.jsonl")
        assert code == 0, err
        scores = rows(out)
        assert len(scores) == 96 and set(scores[0]) == {"record", "completion", "score", "scores"}, scores[0]
        assert all(row["score"] == row["scores"]["helpfulness"] for row in scores)
        assert share_right(scores) > 0.9, scores

        # ExPO: beyond the second stage on the way from the first; alpha 0 is the second.
        first = folder / "recipe" / "stages" / "1-reward-regression" / "model"
        for alpha in (0, 0.5):
            beyond = f"beyond-{alpha}"
            code, _, err = attune(folder, "merge", "expo", "--model", model, "--start", first, "--alpha", alpha, "--out", beyond)
            assert code == 0, err
            code, out, err = attune(folder, "score", "--model", beyond, "--data", "records.jsonl")
            assert code == 0, err
            assert (rows(out) == scores) == (alpha == 0) and share_right(rows(out)) > 0.9, alpha

        # A context that the reward model reads changes what it says; one that it does not read does not.
        stated = [{**record(i), "context": "Be rude."} for i in range(48)]
        (folder / "stated.jsonl").write_text("\n".join(json.dumps(row) for row in [{"attune": "dataset"}, *stated]) + "\n")
        for place in ("ignore", "before", "after"):
            code, out, err = attune(folder, "score", "--model", model, "--data", "stated.jsonl", "--context", place)
            assert code == 0 and (rows(out) == scores) == (place == "ignore"), (place, err)

        # A language model asked: no and yes are all there is, several questions are combined.
        def asked(*words):
            code, out, err = attune(folder, "score", "--model", MODEL, "--data", "records.jsonl", *words)
            assert code == 0, err
            return [row["score"] for row in rows(out)]

        polite, rude = asked("--method", "yes-no", "--questions", "Is it polite?"), asked("--method", "yes-no", "--questions", "Is it rude?")
        unwanted = asked("--method", "yes-no", "--questions", "Is it rude?", "--unwanted")
        both = asked("--method", "yes-no", "--questions", "Is it polite?", "Is it rude?", "--combine", "min")
        assert all(0 < value < 1 for value in polite) and len(set(polite)) > 2 and polite != rude
        assert max(abs(a + b - 1) for a, b in zip(rude, unwanted)) < 1e-9
        assert both == [min(pair) for pair in zip(polite, rude)]
        followed = asked("--method", "follow-up")
        assert len(followed) == 96 and len(set(followed)) > 2

        # A second model that knows how much people differ, and both together.
        code, out, err = attune(folder, "train", "reward/verdicts", write_run(folder, RECIPE[: RECIPE.index("stages")] +
                                "optimizer: {lr: 3.0e-3}\nout: verdicts\n", "verdicts.yaml"), "--json", "--quiet")
        assert code == 0, err
        other = folder / "verdicts" / "model"
        code, out, err = attune(folder, "score", "--model", other, "--data", "records.jsonl")
        assert code == 0 and all(row["spread"] > 0 for row in rows(out)), err
        alone = {(row["record"], row["completion"]): row["score"] for row in rows(out)}
        code, out, err = attune(folder, "score", "--models", model, other, "--combine", "mean-std", "--factor", 2, "--data", "records.jsonl")
        assert code == 0, err
        for one, both in zip(scores, rows(out)):
            pair = [one["score"], alone[one["record"], one["completion"]]]
            mean, spread = sum(pair) / 2, abs(pair[0] - pair[1]) / 2
            assert abs(both["score"] - (mean - 2 * spread)) < 1e-9 and abs(both["spread"] - spread) < 1e-9, both

        # An adapter trains and keeps the score head, alone and merged.
        adapter = write_run(folder, f"model: {{path: {MODEL}, adapter: {{rank: 4}}}}\n" + RECIPE[RECIPE.index("data:") : RECIPE.index("stages")] +
                            "optimizer: {lr: 1.0e-2}\nout: adapter\n", "adapter.yaml")
        code, out, err = attune(folder, "train", "reward", adapter, "--json", "--quiet")
        assert code == 0, err
        assert json.loads(out.splitlines()[-1])["metrics"]["accuracy"] > 0.9, out
        kept = folder / "adapter" / "model"
        config = json.loads((kept / "adapter_config.json").read_text())
        assert config["task_type"] == "SEQ_CLS" and config["modules_to_save"] == ["score"], config
        code, out, err = attune(folder, "score", "--model", kept, "--data", "records.jsonl")
        assert code == 0 and share_right(rows(out)) > 0.9, err
        code, _, err = attune(folder, "merge", "--model", MODEL, "--adapter", kept, "--out", "merged")
        assert code == 0, err
        code, merged, err = attune(folder, "score", "--model", folder / "merged", "--data", "records.jsonl")
        assert code == 0, err
        for one, both in zip(rows(out), rows(merged)):
            assert abs(one["score"] - both["score"]) < 1e-3, (one, both)

        # A trained reward model is trained on only under its own labels; a language model scores nothing.
        on = write_run(folder, f"model: {model}\ndata: {{train: records.jsonl}}\nout: on\n", "on.yaml")
        for code, words in (
            (78, ("train", "reward", on)),  # one output on a model of two labels
            (78, ("train", "dpo", run)),
            (78, ("train", "reward/ratings", on, f"model={MODEL}", "objective.reward/ratings.attribute=helpfulnes")),
            (65, ("train", "reward/ratings", on, f"model={MODEL}", "objective.reward/ratings.head.ratings.high=1")),
            (65, ("score", "--model", MODEL, "--data", "records.jsonl")),
            (2, ("score", "--data", "records.jsonl")),
            (2, ("score", "--model", MODEL, "--method", "yes-no", "--data", "records.jsonl")),
            (2, ("score", "--model", MODEL, "--method", "follow-up", "--unwanted", "--data", "records.jsonl")),
            (2, ("score", "--model", model, "--context", "inside", "--data", "records.jsonl")),
            (78, ("train", "reward", on, "data.context=inside")),
            (2, ("score", "--models", model, other, "--combine", "max", "--data", "records.jsonl")),
            (78, ("train", "reward/regression", on, "objective.reward/regression.head.attributes.names=[helpfulness, verbosty]")),
        ):
            found, _, err = attune(folder, *words)
            assert found == code and len(error_lines(err)) == 1, (words, found, err)


if __name__ == "__main__":
    main()
