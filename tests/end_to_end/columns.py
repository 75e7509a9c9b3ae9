#!/usr/bin/env python3
"""Parquet and Arrow files as a user meets them: conversions there and back, pyarrow reading what attune wrote, and the
library that does it opened only when it is needed."""

import json
import pathlib
import shutil
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))
from support.program import ATTUNE, PAIRS, ROOT, attune, environment, error_lines, temporary_folder

ENDINGS = ("parquet", "arrow", "arrows", "feather")
READ_BACK = """
import json, sys
import pyarrow as pa, pyarrow.parquet as pq
for path in sys.argv[1:]:
    if path.endswith(".parquet"):
        table = pq.read_table(path)
    else:
        source = pa.memory_map(path)
        table = (pa.ipc.open_stream(source) if path.endswith(".arrows") else pa.ipc.open_file(source)).read_all()
    print(json.dumps(table.to_pylist()))
"""


def rows(path):
    return [json.loads(line) for line in path.read_text().splitlines()]


def check_there_and_back(folder):
    for ending in ENDINGS:
        code, _, err = attune(folder, "data", "convert", PAIRS, "--to", "trl-preference", "--out", f"x.{ending}")
        assert code == 0, err
        code, _, err = attune(folder, "data", "convert", f"x.{ending}", "--to", "trl-preference", "--out", "back.jsonl")
        assert code == 0, err
        assert rows(folder / "back.jsonl") == rows(PAIRS), ending
        inspected = [attune(folder, "data", "inspect", path, "--json")[1] for path in (PAIRS, f"x.{ending}")]
        assert inspected[0] == inspected[1], ending
        code, out, _ = attune(folder, "data", "columns", f"x.{ending}", "--json")
        assert code == 0 and json.loads(out)["rows"] == len(rows(PAIRS))


def check_pyarrow_reads_them(folder):
    python = next((path for path in (ROOT / ".venv").glob("bin/python")), None)
    if python is None:
        return print("no pyarrow to compare with")
    files = [str(folder / f"x.{ending}") for ending in ENDINGS]
    done = subprocess.run([python, "-c", READ_BACK, *files], check=True, capture_output=True, text=True)
    for line in done.stdout.splitlines():
        assert json.loads(line) == rows(PAIRS)


def check_damage_is_one_line(folder):
    for ending in ENDINGS:
        whole = (folder / f"x.{ending}").read_bytes()
        (folder / f"cut.{ending}").write_bytes(whole[: len(whole) * 2 // 3])
        code, out, err = attune(folder, "data", "inspect", f"cut.{ending}")
        assert code == 65 and out == "" and len(error_lines(err)) == 1, err
        assert "cut short or damaged" in err, err


def check_a_program_without_the_library_says_so(folder):
    alone = folder / "alone"
    alone.mkdir()
    shutil.copy(ATTUNE, alone / "attune")
    for words in (["data", "inspect", "x.parquet"],
                  ["data", "convert", PAIRS, "--to", "trl-preference", "--out", "y.parquet"]):
        done = subprocess.run([alone / "attune", *words], cwd=folder, env=environment(folder), capture_output=True, text=True)
        assert done.returncode == 65 and "this build has no Arrow" in done.stderr, done.stderr
    done = subprocess.run([alone / "attune", "data", "inspect", PAIRS], cwd=folder, env=environment(folder), capture_output=True)
    assert done.returncode == 0  # JSON Lines never ask for it
    assert not (folder / "y.parquet").exists()


def main():
    if not (ATTUNE.parent / "libattune_arrow.so").exists():
        return 77
    with temporary_folder() as name:
        folder = pathlib.Path(name)
        check_there_and_back(folder)
        check_pyarrow_reads_them(folder)
        check_damage_is_one_line(folder)
        check_a_program_without_the_library_says_so(folder)
    linked = subprocess.run(["ldd", ATTUNE], check=True, capture_output=True, text=True).stdout
    assert "arrow" not in linked, linked
    return 0


if __name__ == "__main__":
    sys.exit(main())
