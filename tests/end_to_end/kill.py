"""Nothing is lost: runs that are killed, stopped, damaged or out of space end with the weights of an undisturbed one."""

import os
import pathlib
import random
import signal
import subprocess
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))
from support.program import (ATTUNE, DEMONSTRATIONS, MODEL, PAIRS, Checks, attune, error_lines, flip_bit, metric_steps,
                             start, temporary_folder, write_run)

KILLS = 20
STEPS = 24  # of each of the two stages
check = Checks()


def run_file(folder):
    return write_run(folder, f"""\
model: {MODEL}
data: {{eval: {PAIRS}}}
batch: {{records: 8}}
steps: {STEPS}
save_every: 2
eval_every: 6
samples: {{prompts: 1, max_tokens: 4}}
threads: 1
stages:
- sft: {{data: {{train: {DEMONSTRATIONS}}}, optimizer: {{lr: 1.0e-2}}}}
- dpo: {{data: {{train: {PAIRS}}}, optimizer: {{lr: 1.0e-3}}}}
""")


def weights(run):
    return (run / "model" / "model.safetensors").read_bytes()


def begin_or_resume(folder, run):
    if (run / "manifest.json").exists():
        return start(folder, "resume", run, "--quiet")
    return start(folder, "train", "dpo", folder / "run.yaml", f"out={run}", "--quiet")


def wait_for(condition, process, seconds=20):
    """Waits until the condition holds; False when the process ends before."""
    end = time.monotonic() + seconds
    while time.monotonic() < end and not condition():
        if process.poll() is not None:
            return False
        time.sleep(0.002)
    return condition()


def steps_done(run):
    try:
        return len((run / "metrics.jsonl").read_text().splitlines())
    except FileNotFoundError:
        return 0


def finish(folder, run, undisturbed, what):
    code, _, err = attune(folder, "resume", run, "--quiet")
    check(code == 0, f"{what}: resume exits {code}: {err.strip()}")
    if code == 0:
        check(weights(run) == undisturbed, f"{what}: the weights differ")
        check(metric_steps(run) == list(range(1, 2 * STEPS + 1)), f"{what}: metrics.jsonl has steps {metric_steps(run)}")


def killed_at_random_times(folder, undisturbed, duration):
    """Kills of one run until it ends by itself, then of the next run, until there were enough."""
    draw = random.Random(7)
    kills = runs = 0
    while kills < KILLS:
        run = folder / f"killed-{runs}"
        runs += 1
        for _ in range(4):
            process = begin_or_resume(folder, run)
            try:
                process.communicate(timeout=draw.uniform(0.1, 1.1) * duration)
            except subprocess.TimeoutExpired:
                process.kill()
                process.communicate()
                kills += 1
            if process.returncode == 0:
                break
            check(process.returncode == -signal.SIGKILL, f"a run between kills exits {process.returncode}")
        if not (run / "manifest.json").exists():
            begin_or_resume(folder, run).communicate()
        finish(folder, run, undisturbed, f"killed run {runs}")
    print(f"{kills} kills in {runs} runs")


def stopped_politely(folder, undisturbed):
    for number in (signal.SIGTERM, signal.SIGUSR1):
        run = folder / f"stopped-{number.name}"
        process = begin_or_resume(folder, run)
        wait_for(lambda: steps_done(run) > 5, process)
        begin = time.monotonic()
        process.send_signal(number)
        _, err = process.communicate()
        check(process.returncode == 75, f"{number.name}: exit {process.returncode}")
        check(time.monotonic() - begin < 10, f"{number.name}: took {time.monotonic() - begin:.1f} s")
        check(len(error_lines(err)) == 1 and "attune resume" in err, f"{number.name}: says {err!r}")
        saved = max(int(path.name) for path in (run / "checkpoints").iterdir())
        check(saved == metric_steps(run)[-1], f"{number.name}: saved step {saved} of {metric_steps(run)[-1]}")
        finish(folder, run, undisturbed, number.name)


def second_signal_leaves_at_once(folder, undisturbed):
    run = folder / "stopped-twice"
    process = begin_or_resume(folder, run)
    wait_for(lambda: steps_done(run) > 5, process)
    process.send_signal(signal.SIGSTOP)  # both arrive before the program can answer the first
    process.send_signal(signal.SIGTERM)
    process.send_signal(signal.SIGINT)
    process.send_signal(signal.SIGCONT)
    begin = time.monotonic()
    process.communicate()
    check(process.returncode == 75 and time.monotonic() - begin < 2, f"two signals: exit {process.returncode}")
    finish(folder, run, undisturbed, "two signals")


def damaged_checkpoint(folder, undisturbed):
    run = folder / "damaged"
    process = begin_or_resume(folder, run)
    wait_for(lambda: steps_done(run) > 30, process)
    process.kill()
    process.communicate()
    newest = max(int(path.name) for path in (run / "checkpoints").iterdir() if path.name.isdigit())
    flip_bit(run / "checkpoints" / str(newest) / "state.safetensors", 5000)
    code, _, err = attune(folder, "resume", run, "--from", newest)
    lines = error_lines(err)
    check(code == 65 and len(lines) == 1 and f"checkpoints/{newest}/state.safetensors" in lines[0],
          f"--from a damaged checkpoint: exit {code}: {err.strip()}")
    code, _, err = attune(folder, "resume", run)
    check(code == 0, f"a damaged checkpoint: resume exits {code}: {err.strip()}")
    check("damaged checkpoint is passed over" in err and f"checkpoints/{newest}/" in err,
          f"a damaged checkpoint: not named: {err!r}")
    check(code != 0 or weights(run) == undisturbed, "a damaged checkpoint: the weights differ")


def directory_in_use(folder):
    run = folder / "in-use"
    process = begin_or_resume(folder, run)
    wait_for(lambda: steps_done(run) > 0, process)
    process.send_signal(signal.SIGSTOP)  # a run this small could end before the others ask
    for words in (("train", "dpo", folder / "run.yaml", f"out={run}"), ("resume", run)):
        code, _, err = attune(folder, *words)
        lines = error_lines(err)
        check(code == 73 and len(lines) == 1 and f"process {process.pid} on " in lines[0],
              f"{words[0]} in a directory in use: exit {code}: {err.strip()}")
    process.kill()
    process.communicate()


def full_disk(folder, undisturbed):
    """False where a small file system cannot be mounted."""
    small = folder / "small"
    small.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=8m", "tmpfs", small], capture_output=True)
    if mounted.returncode != 0:
        return False
    try:
        run = small / "run"
        process = begin_or_resume(folder, run)
        wait_for(lambda: steps_done(run) > 8, process)
        filler = small / "filler"
        with open(filler, "wb", buffering=0) as file:
            try:
                while True:
                    file.write(bytes(4096))
            except OSError:
                pass
        _, err = process.communicate()
        lines = error_lines(err)
        check(process.returncode == 74 and len(lines) == 1 and "No space left" in lines[0],
              f"a full disk: exit {process.returncode}: {err.strip()}")
        kept = [path for path in (run / "checkpoints").iterdir() if path.name.isdigit()]
        check(kept, "a full disk: no checkpoint is left")
        os.remove(filler)
        finish(folder, run, undisturbed, "a full disk")
    finally:
        subprocess.run(["umount", small], check=True)
    return True


def main():
    if not ATTUNE.exists():
        print(f"{ATTUNE} is not built")
        return 77
    with temporary_folder() as name:
        folder = pathlib.Path(name)
        run_file(folder)
        begin = time.monotonic()
        process = begin_or_resume(folder, folder / "undisturbed")
        _, err = process.communicate()
        duration = time.monotonic() - begin
        if not check(process.returncode == 0, f"the undisturbed run exits {process.returncode}: {err.strip()}"):
            return 1
        undisturbed = weights(folder / "undisturbed")
        check(metric_steps(folder / "undisturbed") == list(range(1, 2 * STEPS + 1)), "the undisturbed run's metrics")
        print(f"an undisturbed run takes {duration:.1f} s")
        killed_at_random_times(folder, undisturbed, duration)
        stopped_politely(folder, undisturbed)
        second_signal_leaves_at_once(folder, undisturbed)
        damaged_checkpoint(folder, undisturbed)
        directory_in_use(folder)
        if not full_disk(folder, undisturbed):
            print("not tried: a full disk (mounting is not permitted)")
    return check.finish()


if __name__ == "__main__":
    sys.exit(main())
