"""Our side: the real program, `attune train`, a process a block; its own metrics.jsonl says what a step took."""

import json
import shutil
import subprocess
import time

from data import write_rows
from worker import ROOT, environment

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
    """Runs of one objective over slices of the same rows that the peer reads from first to last.

    steps(first, count) makes `count` steps, the first on the batch numbered `first`, from the model folder's weights.
    finish(count) makes the first `count` and lets the program save what it trained, in `folder`/run/model.
    """

    def __init__(self, folder, objective, model, rows, batch, settings):
        self.folder, self.objective, self.rows, self.batch = folder, objective, rows, batch
        self.settings = {
            "model": {"path": str(model)}, "objective": {objective: settings.pop("objective", {})},
            "optimizer": {"adamw": {"lr": settings.pop("lr")}}, "schedule": {"decay": "constant"},
            "samples": {"prompts": 0}, "batch": {"records": batch, "tokens": settings.pop("tokens", 8192)},
        }
        self.settings["model"] |= settings.pop("model", {})
        self.data = {"shuffle": False, "max_tokens": settings.pop("max_tokens", 512)}
        self.settings |= settings

    def steps(self, first, count):
        """Rows of metrics.jsonl."""
        metrics = self.folder / "run" / "metrics.jsonl"
        self._until(metrics, count, ["train", self.objective, self._run_file(first, count)])
        return [json.loads(line) for line in metrics.read_text().splitlines()[:count]]

    def finish(self, count, *flags):
        call(["train", self.objective, self._run_file(0, count), *flags], self.folder / "attune.log")

    def _run_file(self, first, count):
        run, data, config = self.folder / "run", self.folder / "rows.jsonl", self.folder / "run.yaml"
        shutil.rmtree(run, ignore_errors=True)
        write_rows(data, self.rows[first * self.batch : (first + count) * self.batch])
        settings = self.settings | {"data": self.data | {"train": [str(data)]}, "steps": count, "out": str(run)}
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
