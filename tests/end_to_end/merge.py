#!/usr/bin/env python3
"""`attune merge` as a user calls it: soups, ExPO, SLERP and WARP of the recorded model and changed copies of it."""

import array
import pathlib
import shutil
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))
from support.program import ATTUNE, MODEL, attune, error_lines, read_safetensors, temporary_folder, write_safetensors


def values(folder):
    header, data = read_safetensors(folder / "model.safetensors")
    return header, array.array("f", data)


def changed(folder, name, change):
    copy = pathlib.Path(shutil.copytree(MODEL, folder / name))
    header, numbers = values(copy)
    write_safetensors(copy / "model.safetensors", header, array.array("f", map(change, numbers)).tobytes())
    return copy


def check_results(folder):
    doubled, shifted = changed(folder, "doubled", lambda x: 2 * x), changed(folder, "shifted", lambda x: x + 1)
    start = values(MODEL)[1]

    def merged(*words):
        code, out, err = attune(folder, "merge", *words, "--out", "result")
        assert code == 0 and out == "result\n", (words, err)
        found = values(folder / "result")[1]
        for name in ("config.json", "tokenizer.json", "tokenizer_config.json"):
            assert (folder / "result" / name).read_bytes() == (MODEL / name).read_bytes(), name
        assert attune(folder, "logps", "--model", "result", "--data", MODEL.parent / "pairs.jsonl")[0] == 0
        shutil.rmtree(folder / "result")
        return found

    def check(found, rule):
        assert len(found) == len(start) and max(abs(a - rule(x)) for a, x in zip(found, start)) < 1e-5

    check(merged("soup", "--models", MODEL, doubled, shifted), lambda x: (4 * x + 1) / 3)
    check(merged("soup", "--models", MODEL, doubled, "--weights", 3, 1), lambda x: 1.25 * x)
    check(merged("expo", "--model", shifted, "--start", MODEL, "--alpha", 0.5), lambda x: x + 1.5)
    check(merged("slerp", "--models", MODEL, doubled, "--t", 0.25), lambda x: 1.25 * x)  # parallel: a straight line
    check(merged("warp", "--base", MODEL, "--models", shifted, "--eta", 0.25), lambda x: x + 0.25)
    check(merged("warp", "--base", MODEL, "--models", shifted, shifted), lambda x: x + 0.5)


def check_refusals(folder):
    narrow = pathlib.Path(shutil.copytree(MODEL, folder / "narrow"))
    header, data = read_safetensors(narrow / "model.safetensors")
    name = next(key for key in header if key != "__metadata__" and len(header[key]["shape"]) == 2)
    header[name]["shape"].reverse()
    header[name]["shape"].append(1)
    write_safetensors(narrow / "model.safetensors", header, data)
    both = ("--models", MODEL, MODEL)
    for code, *words in ((2, "soup", "--models", MODEL), (2, "soup", *both, "--weights", 1), (2, "soup", *both, "--weights", 1, "x"),
                         (2, "soup", *both, "--weights", 0, 0), (2, "soop", *both), (2, "slerp", *both, "--t", 1.5), (2, "slerp", *both, MODEL),
                         (2, "expo", "--model", MODEL, "--start", MODEL), (2, "expo", "--model", MODEL, "--start", MODEL, "--alpha", "nan"),
                         (2, "warp", *both), (2, "soup", *both, "--weihgts", 1, 1), (65, "soup", "--models", MODEL, narrow),
                         (66, "soup", "--models", MODEL, "nowhere")):
        found, out, err = attune(folder, "merge", *words, "--out", "refused")
        assert found == code and out == "" and len(error_lines(err)) == 1, (words, found, out, err)
        assert not (folder / "refused").exists(), words
    assert name in attune(folder, "merge", "soup", "--models", MODEL, narrow, "--out", "refused")[2]
    assert attune(folder, "merge", "soup", "--models", MODEL, narrow, "--out", narrow)[0] == 73


def main():
    if not ATTUNE.exists():
        return 77
    with temporary_folder() as name:
        check_results(pathlib.Path(name))
        check_refusals(pathlib.Path(name))
    return 0


if __name__ == "__main__":
    sys.exit(main())
