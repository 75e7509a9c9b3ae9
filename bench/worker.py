"""The driver's end of a long-lived process that answers one JSON line with one JSON line (peers/serve.py is the other)."""

import json
import os
import pathlib
import subprocess

ROOT = pathlib.Path(__file__).resolve().parent.parent
PYTHON = ROOT / ".venv-bench" / "bin" / "python"
DEVICE_VARIABLE = "ATTUNE_BENCH_DEVICE"  # what --device says, to the rows and to the peers' processes


def device():
    return os.environ.get(DEVICE_VARIABLE, "cpu")


def environment():
    """One thread a core and nothing else that users of either side would not have: no hub, no progress bars."""
    return os.environ | {
        "OMP_NUM_THREADS": str(len(os.sched_getaffinity(0))),
        "HF_HUB_OFFLINE": "1", "TQDM_DISABLE": "1", "TOKENIZERS_PARALLELISM": "false",
        "ATTUNE_CACHE": str(ROOT / "bench" / "out" / "cache" / "attune"),
        "HF_HOME": str(ROOT / "bench" / "out" / "cache"),
    }


class Worker:
    """A peer script that stays alive between blocks: from the first question to the end of its `with` statement. `hello`
    is its answer to the options; its messages go to `log`."""

    def __init__(self, script, options, log):
        self.script, self.options, self.log = ROOT / "bench" / "peers" / script, options, pathlib.Path(log)
        self.process, self.hello = None, {}

    def __enter__(self):
        return self

    def start(self):
        self.log.parent.mkdir(parents=True, exist_ok=True)
        with self.log.open("w") as log:
            self.process = subprocess.Popen(
                [PYTHON, self.script], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log, text=True,
                env=environment(), cwd=ROOT)
        self.hello = self.ask(self.options)

    def ask(self, request):
        """Sends one request and waits for its answer. RuntimeError when the process is gone, with its last words."""
        if self.process is None:
            self.start()
        try:
            self.process.stdin.write(json.dumps(request) + "\n")
            self.process.stdin.flush()
            line = self.process.stdout.readline()
        except BrokenPipeError:
            line = ""
        if not line:
            self.process.wait()
            raise RuntimeError(f"{self.script.name} ended:\n" + "\n".join(self.log.read_text().splitlines()[-12:]))
        return json.loads(line)

    def __exit__(self, *_):
        if self.process is None:
            return
        self.process.stdin.close()
        try:
            self.process.wait(timeout=20)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.process.stdout.close()
