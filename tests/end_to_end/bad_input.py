"""Bad input gets one line and the right exit code, before the weights are read wherever that is possible."""

import dataclasses
import fcntl
import json
import pathlib
import re
import struct
import sys
from collections.abc import Callable

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))
from support.program import (ATTUNE, MODEL, PAIRS, Checks, attune, copy_model, error_lines, flip_bit,
                             read_safetensors, temporary_folder, write_run, write_safetensors)

GOOD_ROW = {"prompt": "old and:", "chosen": " the river.", "rejected": " a fox!"}
THUMB = {"prompt": "old and:", "completion": " the river.", "label": True}
CHAT_ROW = {"prompt": [{"role": "user", "content": "old and:"}], "chosen": [{"role": "assistant", "content": " the river."}],
            "rejected": [{"role": "assistant", "content": " a fox!"}]}


@dataclasses.dataclass
class Case:
    name: str
    words: Callable  # folder -> the command line, after making what it needs in the folder
    code: int
    says: list  # regular expressions, all in the line
    before_model: bool = True  # the weights are not even opened


def train(*overrides, prepare=lambda folder: [], text=""):
    """A training run on good input, but for what `prepare` makes, the overrides that it returns and the text."""

    def words(folder):
        write_run(folder, f"model: {MODEL}\ndata: {{train: {PAIRS}}}\nsteps: 1\nsamples: {{prompts: 0}}\n{text}")
        return ["train", "dpo", "run.yaml", "out=run", *prepare(folder), *overrides]

    return words


def rows(*lines):
    """Training data of these lines: rows, or bytes as they are."""

    def prepare(folder):
        data = b"".join((line if isinstance(line, bytes) else json.dumps(line).encode()) + b"\n" for line in lines)
        (folder / "data.jsonl").write_bytes(data)
        return ["data.train=data.jsonl"]

    return train(prepare=prepare)


def objective(name, *lines, options="", overrides=()):
    """A run of that objective, on these rows where there are any."""

    def words(folder):
        start = rows(*lines)(folder) if lines else train()(folder)
        run = folder / "run.yaml"
        run.write_text(run.read_text() + f"objective: {{{name}: {{{options}}}}}\n")
        return ["train", name, *start[2:], *overrides]

    return words


def template(text):
    def prepare(folder):
        (folder / "data.jsonl").write_text(json.dumps(CHAT_ROW) + "\n")
        (folder / "template.jinja").write_text(text)
        return ["data.train=data.jsonl", "data.chat_template=template.jinja"]

    return train(prepare=prepare)


def weights(change):
    """A copy of the model whose safetensors file `change` spoils."""

    def prepare(folder):
        change(copy_model(folder) / "model.safetensors")
        return ["model=model"]

    return train(prepare=prepare)


def set_first_value(value):
    def change(path):
        header, data = read_safetensors(path)
        begin = header["model.norm.weight"]["data_offsets"][0]
        write_safetensors(path, header, data[:begin] + struct.pack("<f", value) + data[begin + 4 :])

    return change


def lying_header(path):
    header, data = read_safetensors(path)
    write_safetensors(path, header, data, claimed=1 << 60)


def lying_offsets(path):
    header, data = read_safetensors(path)
    header["model.norm.weight"]["data_offsets"][1] += 1 << 40
    write_safetensors(path, header, data)


def cut_short(path):
    path.write_bytes(path.read_bytes()[:-1000])


def wrong_shape(path):
    header, data = read_safetensors(path)
    rows_, columns = header["model.layers.0.mlp.up_proj.weight"]["shape"]
    header["model.layers.0.mlp.up_proj.weight"]["shape"] = [columns, rows_]
    write_safetensors(path, header, data)


def large_tokenizer(folder):
    path = copy_model(folder) / "tokenizer.json"
    tokenizer = json.loads(path.read_text())
    tokenizer["added_tokens"].append({"id": 258, "content": "<|more|>", "special": True, "single_word": False,
                                      "lstrip": False, "rstrip": False, "normalized": False})
    path.write_text(json.dumps(tokenizer))
    return ["model=model"]


def foreign_adapter(base_hash=None, rank=4, width=48):
    """`attune logps` with an adapter on q_proj of layer 0 (48 to 48 in the model)."""

    def words(folder):
        adapter = folder / "adapter"
        adapter.mkdir()
        config = {"peft_type": "LORA", "r": rank, "lora_alpha": 8, "target_modules": ["q_proj"], "bias": "none"}
        (adapter / "adapter_config.json").write_text(json.dumps(config))
        name = "base_model.model.model.layers.0.self_attn.q_proj.lora_"
        size = 4 * rank * width
        header = {name + "A.weight": {"dtype": "F32", "shape": [rank, width], "data_offsets": [0, size]},
                  name + "B.weight": {"dtype": "F32", "shape": [48, rank], "data_offsets": [size, size + 4 * 48 * rank]}}
        if base_hash is not None:
            header["__metadata__"] = {"attune_base_hash": base_hash}
        write_safetensors(adapter / "adapter_model.safetensors", header, bytes(size + 4 * 48 * rank))
        return ["logps", "--model", MODEL, "--adapter", "adapter", "--data", PAIRS, "--out", "run"]

    return words


def damaged_checkpoint(folder):
    code, _, err = attune(folder, *train("out=before")(folder))
    assert code == 0, err
    flip_bit(folder / "before" / "checkpoints" / "1" / "state.safetensors", 5000)
    return ["resume", "before", "--from", "1"]


class held_lock:
    """A run directory that this process uses."""

    def __call__(self, folder):
        (folder / "run").mkdir()
        self.file = open(folder / "run" / ".lock", "w")
        fcntl.flock(self.file, fcntl.LOCK_EX)
        self.file.write("process 4711 on somewhere")
        self.file.flush()
        return []


LONG_ROW = {**GOOD_ROW, "prompt": "the old river " * 400}
CASES = [
    Case("unknown key on the command line", train("optimizer.adamw.lrr=1"), 78, ["lrr", "'lr'"]),
    Case("unknown key in the file", train(text="epochss: 1\n"), 78, [r"run\.yaml:5 ", "field epochss", "'epochs'"]),
    Case("wrong type", train(text="epochs: many\n"), 78, [r"run\.yaml:5 ", "field epochs", "number"]),
    Case("value out of range", train(text="keep_checkpoints: 0\n"), 78, [r"run\.yaml:5 ", "field keep_checkpoints", "at least 1"]),
    Case("missing run file", lambda folder: ["train", "dpo", "none.yaml"], 66, [r"none\.yaml", "no such file"]),
    Case("missing data file", train("data.train=none.jsonl"), 66, [r"none\.jsonl", "no such file"]),
    Case("missing model", train("model=none"), 66, ["none", "no such file"]),
    Case("missing template", train("data.chat_template=none.jinja"), 66, [r"none\.jinja", "no such file"]),
    Case("row without chosen", rows(GOOD_ROW, {"prompt": "a", "rejected": "b"}), 65, [r"data\.jsonl:2 ", "chosen"]),
    Case("row whose JSON is cut", rows(GOOD_ROW, GOOD_ROW, b'{"prompt": "a", "chosen": "b'), 65, [r"data\.jsonl:3"]),
    Case("identical chosen and rejected", rows(GOOD_ROW, {"prompt": "a", "chosen": "b", "rejected": "b"}), 65,
         [r"data\.jsonl:2 ", "rejected"]),
    Case("empty answer", rows(GOOD_ROW, {"prompt": "a", "chosen": "", "rejected": "b"}), 65, [r"data\.jsonl:2 ", "chosen", "empty"]),
    Case("no prompt that fits max_tokens", rows(LONG_ROW, LONG_ROW), 65, [r"data\.max_tokens", "2 prompts"]),
    Case("invalid UTF-8", rows(GOOD_ROW, b'{"prompt": "a\xff", "chosen": "b", "rejected": "c"}'), 65, [r"data\.jsonl:2", "UTF-8"]),
    Case("NaN weights", weights(set_first_value(float("nan"))), 65, ["model", r"model\.norm\.weight", "not finite"], False),
    Case("infinite weights", weights(set_first_value(float("inf"))), 65, [r"model\.norm\.weight", "not finite"], False),
    Case("safetensors with a lying header length", weights(lying_header), 65, [r"model\.safetensors", "header"], False),
    Case("safetensors with lying offsets", weights(lying_offsets), 65, [r"model\.safetensors", r"model\.norm\.weight"], False),
    Case("safetensors cut short", weights(cut_short), 65, [r"model\.safetensors"], False),
    Case("tensor of the wrong shape", weights(wrong_shape), 65, [r"up_proj", r"\[48, 96\]", r"\[96, 48\]"], False),
    Case("tokenizer larger than the embedding", train(prepare=large_tokenizer), 65, ["259 token ids", "258 rows"]),
    Case("template that raises", template("{{ raise_exception('roles must alternate') }}"), 65,
         [r"template\.jinja:1", "roles must alternate"]),
    Case("template that loops for ever", template("{% for i in range(99999) %}{% for j in range(99999) %}{% endfor %}{% endfor %}"), 65,
         [r"template\.jinja:1", "budget of steps"]),
    Case("template with an endless range", template("{% for i in range(1000000000) %}{% endfor %}"), 65, [r"template\.jinja:1", "range"]),
    Case("adapter for other weights", foreign_adapter("0" * 32), 65,
         [r"adapter_model\.safetensors", "attune_base_hash", "other weights"], False),
    Case("adapter of another shape", foreign_adapter(width=64), 65, [r"adapter_model\.safetensors", "q_proj", "base model"], False),
    Case("checkpoint with a flipped bit", damaged_checkpoint, 65, [r"before/checkpoints/1/state\.safetensors"]),
    Case("thumbs given to a loss on pairs", objective("dpo", THUMB, THUMB), 65,
         [r"data\.jsonl", "2 records", "objective dpo", "comparisons of a chosen and a rejected answer"]),
    Case("pairs given to a loss on scores", objective("dro", GOOD_ROW, GOOD_ROW), 65, ["2 records", "objective dro"]),
    Case("pairs without scores given to odpo", objective("odpo", GOOD_ROW, GOOD_ROW), 65, ["2 records", "objective odpo", "score"]),
    Case("pairs without reasons", objective("rationale-preference", GOOD_ROW, GOOD_ROW), 65, ["2 records", "rationale"]),
    Case("pairs without a gold answer", objective("tpo", GOOD_ROW, GOOD_ROW), 65, ["2 records", "objective tpo"]),
    Case("demonstrations given to a loss on negatives", objective("d2o", GOOD_ROW), 65, ["objective d2o"]),
    Case("beta of nothing", objective("dpo", options="beta: 0"), 78, [r"run\.yaml", r"objective\.dpo\.beta", "above 0"]),
    Case("more labels flipped than not", objective("robust", options="label_smoothing: 0.6"), 78, [r"run\.yaml", "label_smoothing"]),
    Case("distillation without a teacher", objective("gkd"), 78, [r"run\.yaml", r"models\.teacher", "'teacher'", r"models\.teacher=PATH"]),
    Case("thumbs down alone and nothing that holds", objective("pmpo", options="alpha: 0, beta: 0"), 78, [r"run\.yaml", "pmpo", "beta"]),
    Case("a margin said in two ways", objective("alphapo", options="gamma: 0.1, gamma_beta_ratio: 0.2"), 78, [r"run\.yaml", "gamma"]),
    Case("a rating that nobody gave", train("data.attribute=wit"), 78, [r"data\.attribute", "wit"]),
    Case("a reference both live and moving", train(text="reference: {mode: live, every: 2}\n"), 78, [r"run\.yaml", "reference", "live"]),
    Case("updates before the norm is known", train("optimizer.in_backward=true"), 78, [r"optimizer\.in_backward", r"max_grad_norm=0"]),
    Case("updates before the gradient is whole", train("optimizer.in_backward=true", "optimizer.max_grad_norm=0", "batch.tokens=8"), 78,
         [r"optimizer\.in_backward", "micro-batches", r"batch\.tokens"]),
    Case("compressed moments of doubles", train("optimizer.moments=int8", "model.dtype=float64"), 78, [r"optimizer\.moments", "float64"]),
    Case("an average that is never taken", train(text="reference: {bema: {}}\n"), 78, [r"reference\.bema", r"reference\.every"]),
    Case("a GPU that is not there", train("model.device=cuda:99"), 71, ["field device", "cuda:99"]),
    Case("a device of no such name", train("model.device=gpu"), 78, [r"model\.device", "gpu", "cuda:N"]),
    Case("bfloat16 on the CPU", train("model.device=cpu", "model.dtype=bfloat16"), 78, [r"model\.dtype", "bfloat16", "float32"]),
    Case("run directory in use", train(prepare=held_lock()), 73, ["run", "process 4711 on somewhere"]),
]


def line_of(problem):
    """What `--errors=json` says, as the line for people says it."""
    inside = ", ".join(f"{label} {problem[key]}" for key, label in (("offset", "byte"), ("record", "record"), ("field", "field"))
                       if key in problem)
    where = problem.get("file", "") + (f":{problem['line']}" if "line" in problem else "")
    where += (" " if where else "") + f"({inside})" if inside else ""
    parts = ["found " + problem["found"]] + (["expected " + problem["expected"]] if "expected" in problem else [])
    parts += [problem["remedy"]] if "remedy" in problem else []
    return f"attune: error[{problem['code']}]: " + (where + ": " if where else "") + "; ".join(parts)


def contents(folder):
    return {path: path.read_bytes() for path in folder.rglob("*") if path.is_file() and "cache" not in path.parts and path.name != ".lock"}


def run_case(case, folder, check):
    words = case.words(folder)
    before = contents(folder)
    trace = ["--trace"] if words[0] in ("train", "resume") else []
    code, out, err = attune(folder, *words, *trace, seconds=20)
    lines = error_lines(err)

    def expect(holds, what):
        check(holds, f"{case.name}: {what}\n  exit {code}\n  " + err.strip().replace("\n", "\n  "))

    expect(code == case.code, f"exit {case.code}")
    expect(len(lines) == 1 and err.count("error[") == 1, "one line of an error")
    for pattern in case.says:
        expect(lines and re.search(pattern, lines[0]), f"the line says {pattern!r}")
    expect(not re.search(r"what\(\)|terminate|frame #|Traceback|c10", err), "no insides on stderr")
    expect(out == "", "nothing on stdout")
    if case.before_model:
        expect("load_model" not in err, "no weights are read before")
    after = contents(folder)
    expect(after == before, f"no output is left: {sorted(str(path) for path in after.keys() ^ before.keys())}")
    json_code, _, json_err = attune(folder, *words, "--errors=json", "--quiet", seconds=20)
    try:
        problem = json.loads(json_err.strip().splitlines()[-1])["error"]
        expect(json_code == case.code == problem["exit"], "the same exit code in JSON")
        expect(lines and line_of(problem) == lines[0], f"the same parts in JSON: {line_of(problem)}")
    except (ValueError, LookupError):
        expect(False, f"an error in JSON, not {json_err!r}")


def long_prompts_are_dropped_and_counted(folder, check):
    words = rows(GOOD_ROW, LONG_ROW, GOOD_ROW)(folder)
    code, _, err = attune(folder, *words, "data.max_tokens=64")
    check(code == 0 and "dropped 1 record" in err and "max_tokens" in err, f"one long prompt: exit {code}: {err}")


def bad_rows_can_be_dropped(folder, check):
    words = rows(GOOD_ROW, {"prompt": "a", "chosen": "b"}, GOOD_ROW)(folder)
    code, _, err = attune(folder, *words, "data.on_bad_row=drop")
    check(code == 0 and "dropped 1 row" in err, f"a bad row: exit {code}: {err}")


def mistakes_of_later_stages_show_at_once(folder, check):
    (folder / "bad.jsonl").write_text('{"prompt": "a", "chosen": "b"\n')
    write_run(folder, f"model: {MODEL}\nsteps: 1\nstages:\n- sft: {{data: {{train: {PAIRS}}}}}\n- dpo: {{data: {{train: bad.jsonl}}}}\n")
    code, _, err = attune(folder, "train", "dpo", "run.yaml", "out=run", "--trace")
    check(code == 65 and "bad.jsonl:1" in err and "load_model" not in err, f"the second stage's data: exit {code}: {err}")
    check(not (folder / "run").exists(), "the second stage's data: a run directory is left")


def main():
    if not ATTUNE.exists():
        print(f"{ATTUNE} is not built")
        return 77
    check = Checks()
    wanted = sys.argv[1:]
    for case in CASES:
        if wanted and case.name not in wanted:
            continue
        with temporary_folder() as folder:
            run_case(case, pathlib.Path(folder), check)
    for test in (long_prompts_are_dropped_and_counted, bad_rows_can_be_dropped, mistakes_of_later_stages_show_at_once):
        if not wanted:
            with temporary_folder() as folder:
                test(pathlib.Path(folder), check)
    print(f"{len(CASES)} cases, {len(check.failures)} failures")
    return check.finish()


if __name__ == "__main__":
    sys.exit(main())
