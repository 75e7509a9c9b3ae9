"""datasets and polars as a long-lived process: a file of JSON Lines into tables, and the total length of one column. One
thread each."""

import os
import shutil
import time

os.environ["POLARS_MAX_THREADS"] = "1"

import datasets  # noqa: E402
import polars  # noqa: E402
import serve  # noqa: E402

datasets.disable_progress_bars()


def by_datasets(options):
    shutil.rmtree(options["cache"], ignore_errors=True)  # its conversion of an earlier call
    start = time.perf_counter()
    table = datasets.Dataset.from_json(options["path"], cache_dir=options["cache"])
    return time.perf_counter() - start, {"rows": table.num_rows}


def by_polars(options):
    start = time.perf_counter()
    length = polars.scan_ndjson(options["path"]).select(polars.col(options["column"]).str.len_bytes().sum()).collect()
    return time.perf_counter() - start, {"bytes": length.item()}


def main():
    options = serve.receive()
    serve.answer({})
    sides = {"datasets": by_datasets, "polars": by_polars}
    while (request := serve.receive()) is not None:
        seconds, found = sides[request["side"]](options)
        serve.answer({"seconds": seconds} | found)


main()
