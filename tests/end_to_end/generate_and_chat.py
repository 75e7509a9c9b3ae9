#!/usr/bin/env python3
"""`attune generate` and `attune chat` as a user calls them, on a tiny recorded model."""

import json
import pathlib
import re
import struct
import subprocess
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))
from support.program import copy_model, read_safetensors, write_safetensors

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
PROGRAM = ROOT / "build" / "attune"
MODEL = ROOT / "tests" / "parity" / "recorded" / "trl" / "model"
TEMPLATE = "{% for m in messages %}{{ m['role'] }}: {{ m['content'] }}\n{% endfor %}{% if add_generation_prompt %}assistant:{% endif %}"
PROMPTS = ["one", "a longer prompt of some words", "", "x", "and another", "the last of them all", "six", "seven"]


def attune(*words, text=None):
    return subprocess.run([PROGRAM, *map(str, words)], input=text, capture_output=True, text=True, timeout=120)


def rows(*words):
    process = attune("generate", "--model", MODEL, *words)
    assert process.returncode == 0, process.stderr
    return [json.loads(line) for line in process.stdout.splitlines()]


def check_generate(folder):
    prompts = folder / "prompts.jsonl"
    lines = [json.dumps({"prompt": text or "zero"}) for text in PROMPTS]
    prompts.write_text("\n".join(lines) + "\n")
    common = ("--prompts", prompts, "--n", 2, "--max-tokens", 12, "--seed", 5)
    found = rows(*common)
    assert [(row["record"], row["completion"]) for row in found] == [(i, s) for i in range(8) for s in range(2)]
    for row in found:
        assert list(row) == ["record", "completion", "text", "ids", "logps", "stop"], row
        assert len(row["ids"]) == len(row["logps"]) <= 12 and row["stop"] in ("eos", "length", "stop-string"), row
        assert max(row["logps"]) <= 0, row
    assert found[0]["ids"] != found[1]["ids"], "two samples of a prompt are the same"
    assert [row["ids"] for row in rows(*common, "--batch", 1)] == [row["ids"] for row in found]
    assert rows(*common[:-1], 6) != found, "the seed decides nothing"

    out = folder / "answers.jsonl"
    assert rows(*common, "--out", out) == []
    assert [json.loads(line)["ids"] for line in out.read_text().splitlines()] == [row["ids"] for row in found]

    # A model of random weights writes mostly halves of characters: any two letters in a row will do.
    place, stop = next((i, match[0]) for i, row in enumerate(found) if (match := re.search("[ -~]{2}", row["text"])))
    whole = found[place]
    stopped = rows(*common, "--stop", "never there", "--stop", stop)[place]
    assert stopped["stop"] == "stop-string" and stopped["text"] == whole["text"][: whole["text"].index(stop)], stopped


def check_several_models(folder):
    """A second model, so far away that combining shows: the first with its embedding backwards."""
    other = copy_model(folder, "other")
    header, data = read_safetensors(other / "model.safetensors")
    name = next(name for name in header if "embed_tokens" in name or "wte" in name)
    begin, end = header[name]["data_offsets"]
    assert header[name]["dtype"] == "F32", header[name]
    values = struct.unpack(f"<{(end - begin) // 4}f", data[begin:end])
    write_safetensors(other / "model.safetensors", header,
                      data[:begin] + struct.pack(f"<{len(values)}f", *reversed(values)) + data[end:])
    common = ("--prompts", folder / "prompts.jsonl", "--max-tokens", 12, "--seed", 5)

    def combined(*words):
        process = attune("generate", *words, *common)
        assert process.returncode == 0, process.stderr
        return [json.loads(line) for line in process.stdout.splitlines()]

    plain = combined("--model", MODEL)
    assert combined("--model", MODEL, "--before", other, "--momentum", 0) == plain
    assert combined("--models", MODEL, other, "--weights", 1, 0) == plain
    moved = combined("--model", MODEL, "--before", other)
    assert moved == combined("--models", MODEL, other, "--weights", 1.3, -0.3) != plain, "momentum is 0.3 unless given"
    assert moved != combined("--models", other, MODEL, "--weights", 1.3, -0.3)

    lines = {(2, "--weights for 2 models"): ("--models", MODEL, other, "--weights", 1),
             (2, "all 0"): ("--models", MODEL, other, "--weights", 0, 0),
             (2, "--weights nan"): ("--models", MODEL, other, "--weights", 1, "nan"),
             (2, "--weights without --models"): ("--model", MODEL, "--weights", 1),
             (2, "--model beside --models"): ("--model", MODEL, "--models", MODEL, "--weights", 1),
             (2, "--before beside --models"): ("--before", other, "--models", MODEL, "--weights", 1),
             (2, "--momentum without --before"): ("--model", MODEL, "--momentum", 0.1),
             (2, "--momentum 1"): ("--model", MODEL, "--before", other, "--momentum", 1),
             (2, "--momentum nan"): ("--model", MODEL, "--before", other, "--momentum", "nan"),
             (66, "absent"): ("--model", MODEL, "--before", folder / "absent")}
    for (code, said), words in lines.items():
        process = attune("generate", *words, *common)
        assert process.returncode == code and said in process.stderr and process.stdout == "", (words, process)

    tokenizer = json.loads((other / "tokenizer.json").read_text())
    vocabulary = tokenizer["model"]["vocab"]
    vocabulary["a"], vocabulary["b"] = vocabulary["b"], vocabulary["a"]
    (other / "tokenizer.json").write_text(json.dumps(tokenizer))
    process = attune("generate", "--model", MODEL, "--before", other, *common)
    assert process.returncode == 78 and "another tokenizer" in process.stderr, process
    assert combined("--model", MODEL, "--before", other, "--tokenizer", MODEL) == moved


def check_refusals(folder):
    prompts = folder / "prompts.jsonl"
    for words in (("--n", 0), ("--temperature", -1), ("--temperature", "nan"), ("--top-p", 0), ("--top-k", -1), ("--batch", 0),
                  ("--min-p", 1.5), ("--max-tokens", 0), ("--stop", ""), ("--seed", -1), ("--temprature", 1)):
        process = attune("generate", "--model", MODEL, "--prompts", prompts, *words)
        assert process.returncode == 2 and process.stdout == "", (words, process)
    long = folder / "long.jsonl"
    long.write_text(json.dumps({"prompt": "word " * 5000}) + "\n")
    process = attune("generate", "--model", MODEL, "--prompts", long)
    assert process.returncode == 65 and "positions" in process.stderr and "word word" not in process.stderr, process


def check_chat(folder):
    template = folder / "chat.jinja"
    template.write_text(TEMPLATE)
    words = ("chat", "--model", MODEL, "--template", template, "--max-tokens", 8, "--temperature", 0)
    process = attune(*words, "--system", "be brief", text="hello\nhello\n/exit\nnever read\n")
    assert process.returncode == 0, process.stderr
    assert process.stdout.count("\n") >= 2, process.stdout
    assert attune(*words, "--system", "be brief", text="hello\nhello").stdout == process.stdout, "the end of input is no /exit"
    again = attune(*words, text="hello\n/reset\nhello\n").stdout
    assert again[: len(again) // 2] == again[len(again) // 2 :], "/reset did not forget"
    assert attune("chat", "--model", MODEL, text="hello\n").returncode == 78, "no template and no complaint"


def main():
    if not PROGRAM.exists():
        sys.exit(77)
    with tempfile.TemporaryDirectory() as folder:
        check_generate(pathlib.Path(folder))
        check_several_models(pathlib.Path(folder))
        check_refusals(pathlib.Path(folder))
        check_chat(pathlib.Path(folder))


if __name__ == "__main__":
    main()
