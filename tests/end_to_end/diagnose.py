#!/usr/bin/env python3
"""`attune diagnose` as a user calls it: every diagnostic of the catalogue on the recorded model and a changed copy."""

import array
import html.parser
import json
import pathlib
import random
import shutil
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))
from support.program import ATTUNE, DEMONSTRATIONS, MODEL, PAIRS, attune, error_lines, read_safetensors, temporary_folder, write_safetensors


def changed_model(folder):
    """The recorded model with noise on its weights: what training might have left."""
    copy = pathlib.Path(shutil.copytree(MODEL, folder / "trained"))
    header, data = read_safetensors(copy / "model.safetensors")
    draw = random.Random(1)
    noisy = array.array("f", [value + draw.gauss(0, 0.02) for value in array.array("f", data)])
    write_safetensors(copy / "model.safetensors", header, noisy.tobytes())
    return copy


class Page(html.parser.HTMLParser):
    """Counts drawings; refuses whatever would need the network or run code."""

    def __init__(self, text):
        super().__init__()
        self.drawings = 0
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        assert tag not in ("script", "link", "img", "iframe"), tag
        assert not {"href", "src"} & {name for name, _ in attributes}, attributes
        self.drawings += tag == "svg"


def check_all(folder, trained):
    code, out, err = attune(folder, "parts", "diagnostic", "--json")
    assert code == 0, err
    names = {part["name"] for part in json.loads(out)}
    assert names == {"dpo-field-analysis", "dpo-implicit-rm-generalization", "gradient-entanglement", "likelihood-displacement-ches",
                     "likelihood-over-optimisation", "pair-dynamics", "ranking-accuracy-gap", "reverse-kl"}, names
    options = {"gradient-entanglement": ["pairs=4", "map_tokens=5"], "reverse-kl": ["prompts=4", "max_tokens=8"],
               "likelihood-over-optimisation": ["samples=4", "max_tokens=8"]}
    found = {}
    for name in sorted(names):
        models = ("--models", MODEL, trained) if name == "pair-dynamics" else ("--model", trained)
        words = ("diagnose", name, *models, "--data", PAIRS, "--reference", MODEL, *options.get(name, []))
        code, out, err = attune(folder, *words, "--json", "--html", "page.html")
        assert code == 0, (name, err)
        found[name] = json.loads(out)
        assert found[name]["name"] == name
        assert Page((folder / "page.html").read_text()).drawings >= 1, name
        assert (folder / "page.html").stat().st_size < 300_000, name
        if name == "reverse-kl":  # it samples
            assert attune(folder, *words, "--json")[1] == out, f"{name} does not repeat itself"
            text = attune(folder, *words)[1]
            assert text.startswith("The model is"), text
    return found


def check_numbers(folder, trained, found):
    """Against what `attune logps` says."""
    def differences(model):
        code, out, err = attune(folder, "logps", "--model", model, "--data", PAIRS)
        assert code == 0, err
        rows = [json.loads(line)["logp"] for line in out.splitlines()]
        return [chosen - rejected for chosen, rejected in zip(rows[::2], rows[1::2])]

    now, before = differences(trained), differences(MODEL)
    share = lambda flags: sum(flags) / len(now)
    ranking = found["ranking-accuracy-gap"]
    assert abs(ranking["observed"]["share"] - share(d >= 0 for d in now)) < 1e-9
    assert abs(ranking["reference"]["share"] - share(d >= 0 for d in before)) < 1e-9
    implicit = found["dpo-implicit-rm-generalization"]["splits"][0]["implicit"]["accuracy"]
    assert abs(implicit - share(a > b for a, b in zip(now, before))) < 1e-9
    assert found["pair-dynamics"]["fates"]["learned"] == sum(a >= 0 > b for a, b in zip(now, before))
    assert abs(found["dpo-field-analysis"]["mean_log_ratio"] - sum(b - a for a, b in zip(now, before)) / len(now)) < 1e-4


def check_scores_of_another_reward(folder, trained):
    scores = folder / "scores.jsonl"
    rows = len(PAIRS.read_text().splitlines())
    scores.write_text("".join(json.dumps({"record": r, "completion": c, "score": 1 - c}) + "\n" for r in range(rows) for c in (0, 1)))
    words = ("diagnose", "dpo-implicit-rm-generalization", "--model", trained, "--reference", MODEL, "--data", PAIRS, "--json")
    code, out, err = attune(folder, *words, "explicit=files", f"scores=[{scores}]")
    assert code == 0, err
    split = json.loads(out)["splits"][0]
    assert split["explicit"]["accuracy"] == 1 and abs(split["gap"] - (1 - split["implicit"]["accuracy"])) < 1e-9, split
    assert attune(folder, *words, "explicit=files")[0] == 78
    assert attune(folder, *words, "explicit=data")[0] == 65


def check_refusals(folder, trained):
    model, data = ("--model", trained), ("--data", PAIRS)
    other = pathlib.Path(shutil.copytree(MODEL, folder / "other"))
    settings = json.loads((other / "tokenizer.json").read_text())
    vocabulary = settings["model"]["vocab"]
    vocabulary["a"], vocabulary["b"] = vocabulary["b"], vocabulary["a"]
    (other / "tokenizer.json").write_text(json.dumps(settings))
    for code, *words in ((2, "ranking-accuracy", *model, *data), (2, "ranking-accuracy-gap", *model), (2, "ranking-accuracy-gap", *data),
                         (2, "pair-dynamics", *model, *data), (2, "reverse-kl", *model, *data), (2, "ranking-accuracy-gap", *model, *data, "--refrence", MODEL),
                         (2, "ranking-accuracy-gap", "--models", trained, *model, *data), (78, "ranking-accuracy-gap", *model, *data, "beta=0"),
                         (78, "ranking-accuracy-gap", *model, *data, "bta=1"), (65, "ranking-accuracy-gap", *model, "--data", DEMONSTRATIONS),
                         (66, "ranking-accuracy-gap", *model, "--data", "nowhere"), (78, "dpo-field-analysis", *model, *data), (2, "dpo-field-analysis", *data),
                         (78, "reverse-kl", *model, *data, "--reference", other), (2,)):
        found, out, err = attune(folder, "diagnose", *words, "--html", "refused.html")
        assert found == code and out == "" and len(error_lines(err)) == 1, (words, found, out, err)
        assert not (folder / "refused.html").exists(), words
    code, out, err = attune(folder, "diagnose", "dpo-field-analysis", "--json")
    assert code == 0 and len(json.loads(out)["grid"]) == 81, err


def main():
    if not ATTUNE.exists():
        return 77
    with temporary_folder() as name:
        folder = pathlib.Path(name)
        trained = changed_model(folder)
        found = check_all(folder, trained)
        check_numbers(folder, trained, found)
        check_scores_of_another_reward(folder, trained)
        check_refusals(folder, trained)
    return 0


if __name__ == "__main__":
    sys.exit(main())
