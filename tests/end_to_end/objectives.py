"""Every objective of the catalogue trains for two steps on records that carry every kind of label."""

import json
import pathlib
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
from support.program import ATTUNE, MODEL, attune, temporary_folder, write_run

# Options without which an objective cannot know what to do.
OPTIONS = {"gkd": [f"models.teacher={MODEL}"], "aligndistil": [f"models.dpo={MODEL}", f"models.reverse={MODEL}"],
           "reward/regression": ["objective.reward/regression.head.attributes.names=[score]"],
           "reward/ratings": ["objective.reward/ratings.attribute=score"]}


def record(i):
    """A comparison with its reason and strength, scored and thumbed answers, samples without a label, a gold answer."""
    texts = [f"Yes, {i} of them.", f"No {'idea' * (1 + i % 3)}.", f"Perhaps {i}.", "Who knows?"]
    nodes = [{"role": "plain", "content": f"How many are {i} and none? "}]
    nodes += [{"parent": 0, "role": "plain", "content": text} for text in texts]
    completions = [{"after": 0, "last": k + 1} for k in range(len(texts))]
    on = lambda k: {"on": {"completion": k}}
    feedback = [{"comparison": {"a": {"completion": 0}, "b": {"completion": 1}, "outcome": "a", "strength": 1.5},
                 "why": "It answers the question."}]
    feedback += [{"rating": {"attribute": "score", "value": 4 - k - 0.1 * i}, **on(k)} for k in range(4)]
    feedback += [{"rating": {"attribute": "thumb", "value": 1 - k}, **on(k)} for k in range(2)]
    feedback += [{"signal": {"kind": "logp", "value": -3.0 - k}, **on(k)} for k in range(4)]
    return {"id": f"r{i}", "nodes": nodes, "completions": completions, "feedback": feedback, "answer": f"{i}, of course."}


def train(folder, name, data):
    plain = name.replace("/", "-")
    run = write_run(folder, f"model: {MODEL}\ndata: {{train: {data}, eval: {data}, degrees: 2}}\nsteps: 2\n"
                            "batch: {records: 4, tokens: 400}\nsamples: {prompts: 0}\noptimizer: {lr: 1.0e-3}\n"
                            f"out: {plain}\n", f"{plain}.yaml")
    start = time.monotonic()
    code, out, err = attune(folder, "train", name, run, *OPTIONS.get(name, []), "--json", "--quiet", seconds=60)
    assert code == 0, f"{name}: exit {code}\n{err}"
    answer = json.loads(out.splitlines()[-1])
    assert answer["steps"] == 2, answer
    for row in (json.loads(line) for line in (folder / plain / "metrics.jsonl").read_text().splitlines()):
        for key, value in row.items():
            assert value is not None, f"{name}: {key} is not finite in {row}"
        assert row["grad_norm"] > 0, f"{name}: no gradient in {row}"
    return time.monotonic() - start


def main():
    with temporary_folder() as path:
        folder = pathlib.Path(path)
        data = folder / "records.jsonl"
        data.write_text("\n".join(json.dumps(row) for row in [{"attune": "dataset"}, *map(record, range(8))]) + "\n")
        code, out, err = attune(folder, "parts", "objective", "--json")
        assert code == 0, err
        names = [part["name"] for part in json.loads(out)]
        slowest = max((train(folder, name, data), name) for name in names)
        assert slowest[0] < 20, slowest
        print(f"{len(names)} objectives trained; the slowest was {slowest[1]} with {slowest[0]:.1f} s")


if __name__ == "__main__":
    main()
