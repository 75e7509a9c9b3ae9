"""JSON Lines in the page cache, one thread: records and column counts by attune, tables by datasets, a sum by polars.

`records` is what `attune train` makes of a file: every row checked and split into messages. datasets reads the same file
into Arrow tables (no cache of an earlier call). `columns` parses every row and counts every column, as `attune data
columns` does; polars parses every row for the total length of one column.
"""

import gzip
import json
import subprocess

from data import ROOT, SHARED, pairs, preference_row
from worker import Worker, environment

TARGET = {"records vs datasets": 5, "columns vs polars": 1, "records MB/s": 300, "columns MB/s": 1000}
PROGRAM = ROOT / "build" / "bench" / "bench_json_lines"
BYTES = 64_000_000
FILES = {"hh-rlhf": "chosen", "ultrafeedback-binarized": "prompt"}  # and the column whose lengths are summed


def data_file(bench, name):
    """The shared file repeated up to 64 MB; drawn pairs where it is absent."""
    found = sorted((SHARED / "preference" / name).glob("*.jsonl.gz"))
    text = b"".join(gzip.decompress(path.read_bytes()) for path in found)
    text = text or "".join(json.dumps(preference_row(pair)) + "\n" for pair in pairs(bench.out)).encode()
    path = bench.work("data") / f"{name}.jsonl"
    path.write_bytes(text * (BYTES // len(text) + 1))
    return path


def attune(what, path):
    return json.loads(subprocess.run([PROGRAM, what, path], check=True, capture_output=True, env=environment()).stdout)


def measure(bench):
    for name, column in FILES.items():
        path = data_file(bench, name)
        megabytes = path.stat().st_size / 1e6
        options = {"path": str(path), "column": column, "cache": str(bench.work("cache"))}
        with Worker("json_lines.py", options, bench.log(name)) as peer:
            with bench.quiet():
                ours = {what: attune(what, path) for what in ("records", "columns")}
                wanted = {side: peer.ask({"side": side}) for side in ("datasets", "polars")}

            def compare(what, side, key, target):
                return bench.compare(
                    f"{what} of {name} vs {side}", lambda _: megabytes / attune(what, path)["seconds"],
                    lambda _: megabytes / peer.ask({"side": side})["seconds"], unit="MB/s", better="more", target=target,
                    equality=key, facts={"MB": megabytes, "rows": ours[what]["rows"]})

            rows = {"holds": ours["records"]["rows"] == wanted["datasets"]["rows"], "rows": wanted["datasets"]["rows"]}
            length = wanted["polars"]["bytes"]
            yield compare("records", "datasets", rows, TARGET["records vs datasets"])
            yield compare("columns", "datasets", rows, TARGET["records vs datasets"])
            yield compare("columns", "polars", {"holds": ours["columns"]["string_bytes"][column] == length,
                                                "bytes": length}, TARGET["columns vs polars"])
