"""Every objective trains on the demo's world: 10 steps of a 1.1 M llama on 8 questions each, under 20 s a run.

"peer" is the limit. A run counts when its loss and all its metrics are finite and its gradient is not zero at every step.
"""

import json
import pathlib
import subprocess
import time

from frame import Unequal

ROOT = pathlib.Path(__file__).resolve().parents[2]
PROGRAM = ROOT / "build" / "attune"
TARGET = "each under 20 s"
LIMIT = 20
STEPS = 10


def attune(*words, **more):
    return subprocess.run([PROGRAM, *map(str, words)], capture_output=True, text=True, check=True, cwd=ROOT, **more).stdout


def rows_of(path):
    return [json.loads(text) for text in path.read_text().splitlines()[1:]]


def texts(record):
    """(prompt, answers) of a record of the demo: node 0 is the prompt."""
    return record["nodes"][0]["content"], [node["content"] for node in record["nodes"][1:]]


def by_question(folder):
    """{prompt: {"votes": {(better, worse): count}, "samples": [answers that nobody judged]}}."""
    questions = {}
    for record in rows_of(folder / "votes.jsonl"):
        prompt, answers = texts(record)
        votes = questions.setdefault(prompt, {"votes": {}, "samples": []})["votes"]
        for feedback in record["feedback"]:
            outcome = feedback["comparison"]["outcome"]
            if outcome in "ab":
                pair = tuple(answers) if outcome == "a" else tuple(reversed(answers))
                votes[pair] = votes.get(pair, 0) + 1
    for record in rows_of(folder / "demonstrations.jsonl"):
        prompt, answers = texts(record)
        judged = {answer for pair in questions[prompt]["votes"] for answer in pair} if prompt in questions else None
        if judged is not None and answers[0] not in judged:
            questions[prompt]["samples"].append(answers[0])
    return questions


def labelled(number, prompt, votes, samples):
    """A record with every label that an objective may ask for, all of them derived from the votes."""
    share = {}
    for (better, worse), count in votes.items():
        for answer, won in ((better, count), (worse, 0)):
            old = share.get(answer, (0, 0))
            share[answer] = (old[0] + won, old[1] + count)
    score = {answer: won / all_ for answer, (won, all_) in share.items()}
    best, worst = max(score, key=score.get), min(score, key=score.get)
    answers = sorted(score) + samples[:3]
    at = {answer: k for k, answer in enumerate(answers)}
    on = lambda answer: {"on": {"completion": at[answer]}}
    feedback = [{"comparison": {"a": {"completion": at[best]}, "b": {"completion": at[worst]}, "outcome": "a",
                                "strength": score[best] - score[worst] + 0.01}, "why": "More people liked it."}]
    feedback += [{"rating": {"attribute": "score", "value": 4 * value}, **on(answer)} for answer, value in score.items()]
    feedback += [{"rating": {"attribute": "thumb", "value": int(value > 0.5)}, **on(answer)}
                 for answer, value in score.items()]
    feedback += [{"signal": {"kind": "logp", "value": -0.5 * len(answer)}, **on(answer)} for answer in answers]
    nodes = [{"role": "plain", "content": prompt}]
    nodes += [{"parent": 0, "role": "plain", "content": answer} for answer in answers]
    return {"id": f"q{number}", "nodes": nodes, "feedback": feedback, "answer": best,
            "completions": [{"after": 0, "last": k + 1} for k in range(len(answers))]}


def prepare(folder):
    """The world, its labelled records and a model that has seen its demonstrations."""
    world = folder / "world" / "data"
    if not world.exists():
        attune("demo", "--out", folder / "world", "--quiet", "steps=2")
    data = folder / "records.jsonl"
    records = [labelled(i, prompt, **question) for i, (prompt, question) in enumerate(by_question(world).items())
               if len(question["votes"]) > 1 and len(question["samples"]) > 1]
    data.write_text("\n".join(map(json.dumps, [{"attune": "dataset"}, *records])) + "\n")
    start = folder / "start"
    if not (start / "model").exists():
        train(folder, "sft", "start", {"data": {"train": str(world / "demonstrations.jsonl")}, "steps": 60,
                                       "model": {"config": str(world / "config.json"), "init": "random"},
                                       "tokenizer": str(world / "tokenizer.json"), "optimizer": {"lr": 3e-3},
                                       "batch": {"records": 32, "tokens": 4096}})
    return data, start / "model"


def train(folder, name, out, settings):
    run = folder / f"{out}.yaml"
    run.write_text(json.dumps({"samples": {"prompts": 0}, **settings}))
    begin = time.monotonic()
    attune("train", name, run, f"out={folder / out}", "--quiet")
    return time.monotonic() - begin


def healthy(path):
    """What is wrong with a run's metrics, empty where nothing is."""
    rows = [json.loads(text) for text in path.read_text().splitlines()]
    wrong = {key for row in rows for key, value in row.items() if value is None}
    return sorted(wrong) + [f"{len(rows)} steps"] * (len(rows) != STEPS) + ["no gradient"] * any(not row["grad_norm"] for row in rows)


def measure(bench):
    folder = bench.work("runs")
    data, model = prepare(folder)
    models = {"gkd": {"teacher": str(model)}, "aligndistil": {"dpo": str(model), "reverse": str(model)}}
    for name in (part["name"] for part in json.loads(attune("parts", "objective", "--json"))):
        subprocess.run(["rm", "-rf", folder / name], check=True)
        seconds = train(folder, name, name, {"model": str(model), "data": {"train": str(data), "degrees": 2}, "steps": STEPS,
                                             "batch": {"records": 8, "tokens": 4096}, "optimizer": {"lr": 1e-4},
                                             "models": models.get(name, {})})
        if wrong := healthy(folder / name / "metrics.jsonl"):
            raise Unequal(f"{name}: {', '.join(wrong)}")
        ratio = LIMIT / seconds
        yield {"what": name, "ours": seconds, "peer": LIMIT, "unit": "s", "better": "less", "ratios": [ratio], "median": ratio,
               "low": ratio, "high": ratio, "target": None, "at_most": LIMIT, "reached": seconds < LIMIT, "disturbed": 0,
               "equality": {"holds": True}, "facts": {}}
