"""Runs the built program the way a user would, for scripts in tests/end_to_end."""

import json
import os
import pathlib
import shutil
import struct
import subprocess
import tempfile

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
ATTUNE = ROOT / "build" / "attune"
RECORDED = ROOT / "tests" / "parity" / "recorded" / "trl"
MODEL, PAIRS, DEMONSTRATIONS = RECORDED / "model", RECORDED / "pairs.jsonl", RECORDED / "demonstrations.jsonl"


def temporary_folder():
    """In memory where there is such a place: what is tested does not wait for a disk."""
    memory = pathlib.Path("/dev/shm")
    return tempfile.TemporaryDirectory(prefix="attune-", dir=memory if os.access(memory, os.W_OK) else None)


def environment(folder):
    """Nothing of the machine's own caches, one thread: runs are compared bit by bit."""
    return {**os.environ, "ATTUNE_CACHE": str(folder / "cache"), "OMP_NUM_THREADS": "1"}


def start(folder, *words):
    return subprocess.Popen([ATTUNE, *map(str, words)], cwd=folder, env=environment(folder), stdout=subprocess.PIPE,
                            stderr=subprocess.PIPE, text=True, errors="replace")


def attune(folder, *words, seconds=60):
    """(exit code, stdout, stderr)"""
    process = start(folder, *words)
    try:
        out, err = process.communicate(timeout=seconds)
    except subprocess.TimeoutExpired:
        process.kill()
        out, err = process.communicate()
        return "no end", out, err
    return process.returncode, out, err


def error_lines(stderr):
    return [line for line in stderr.splitlines() if line.startswith("attune: error[")]


def write_run(folder, text, name="run.yaml"):
    path = folder / name
    path.write_text(text)
    return path


def copy_model(folder, name="model"):
    return pathlib.Path(shutil.copytree(MODEL, folder / name))


def flip_bit(path, byte, bit=3):
    data = bytearray(path.read_bytes())
    data[byte] ^= 1 << bit
    path.write_bytes(data)


def read_safetensors(path):
    """(header, data)"""
    raw = path.read_bytes()
    size = struct.unpack("<Q", raw[:8])[0]
    return json.loads(raw[8 : 8 + size]), raw[8 + size :]


def write_safetensors(path, header, data, claimed=None):
    """`claimed`: the header length that the file says, where it is not the true one."""
    text = json.dumps(header).encode()
    path.write_bytes(struct.pack("<Q", len(text) if claimed is None else claimed) + text + data)


def metric_steps(run):
    return [json.loads(line)["step"] for line in (run / "metrics.jsonl").read_text().splitlines()]


class Checks:
    """Counts what does not hold; the script fails with all of it."""

    def __init__(self):
        self.failures = []

    def __call__(self, holds, message):
        if not holds:
            self.failures.append(message)
            print("FAILED:", message, flush=True)
        return holds

    def finish(self):
        return 1 if self.failures else 0
