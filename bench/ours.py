"""Our side: the real program, `attune train`, a process a block; its own metrics.jsonl says what a step took."""

import json
import shutil
import subprocess
import time

from data import write_rows
from worker import ROOT, device, environment

PROGRAM = ROOT / "build" / "attune"


class Failed(Exception):
    pass


def call(arguments, log):
    """Runs the program to its end; seconds. Failed, with its last words, when it does not end with 0."""
    start = time.monotonic()
    with log.open("w") as file:
        code = subprocess.run([PROGRAM, *map(str, arguments)], stdout=file, stderr=file, env=environment(),
                              cwd=ROOT).returncode
    if code != 0:
        raise Failed(f"attune {arguments[0]} ended with {code}:\n" + "\n".join(log.read_text().splitlines()[-5:]))
    return time.monotonic() - start


class Train:
    """Runs of a training.Plan over slices of the same rows that the peer reads from first to last.

    steps(first, count) makes `count` steps, the first on the batch numbered `first`, from the model folder's weights.
    finish(count) makes the first `count` and lets the program save what it trained, in `folder`/run/model.
    """

    def __init__(self, folder, plan, rows):
        self.folder, self.plan, self.rows = folder, plan, rows
        self.peak = 0  # bytes, the highest of all runs
        self.settings = {
            "objective": {plan.objective: {}}, "optimizer": {"adamw": {"lr": plan.lr}}, "schedule": {"decay": "constant"},
            "batch": {"records": plan.batch, "tokens": 8192}, "samples": {"prompts": 0},
        } | plan.settings | {"model": {"path": str(plan.model), "device": device()} | plan.settings.get("model", {})}

    def steps(self, first, count):
        """Rows of metrics.jsonl."""
        metrics = self.folder / "run" / "metrics.jsonl"
        self._until(metrics, count, ["train", self.plan.objective, self._run_file(first, count)])
        steps = [json.loads(line) for line in metrics.read_text().splitlines()[:count]]
        self.peak = max(self.peak, steps[-1]["peak_bytes"])
        return steps

    def finish(self, count, *flags):
        call(["train", self.plan.objective, self._run_file(0, count), *flags], self.folder / "attune.log")

    def _run_file(self, first, count):
        run, data, config = self.folder / "run", self.folder / "rows.jsonl", self.folder / "run.yaml"
        shutil.rmtree(run, ignore_errors=True)
        write_rows(data, self.rows[first * self.plan.batch : (first + count) * self.plan.batch])
        reading = {"train": [str(data)], "shuffle": False, "max_tokens": self.plan.max_tokens}
        settings = self.settings | {"data": reading, "steps": count, "out": str(run)}
        config.write_text(json.dumps(settings, indent=1))
        return str(config)

    def _until(self, metrics, count, arguments):
        """Ends the program once it has written `count` lines: what it would save is not wanted. `first`: seconds from
        the start of the process to the first line."""
        log = self.folder / "attune.log"
        with log.open("w") as file:
            start = time.monotonic()
            process = subprocess.Popen([PROGRAM, *arguments], stdout=file, stderr=file, env=environment(), cwd=ROOT)
            self.first, lines = None, 0
            while process.poll() is None and lines < count:
                time.sleep(0.01)
                lines = metrics.read_bytes().count(b"\n") if metrics.exists() else 0
                if lines and self.first is None:
                    self.first = time.monotonic() - start
            process.kill()
            process.wait()
            self.first = self.first or time.monotonic() - start
        if not metrics.exists() or metrics.read_bytes().count(b"\n") < count:
            raise Failed(f"attune {' '.join(arguments)}:\n" + "\n".join(log.read_text().splitlines()[-5:]))
