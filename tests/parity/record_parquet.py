"""Small Parquet and Arrow files of every column type, codec and form, written by pyarrow, with their rows as JSON Lines
made from the values that pyarrow reads back. Run with the environment that holds pyarrow:
.venv/bin/python tests/parity/record_parquet.py
"""

import base64
import datetime
import decimal
import json
import pathlib
import struct
import uuid

import pyarrow as pa
import pyarrow.feather as feather
import pyarrow.parquet as pq

OUT = pathlib.Path(__file__).resolve().parent / "recorded" / "parquet"
UTC = datetime.timezone.utc


def single(value):
    """The shortest text that a float of 32 bits (or 16) reads back from."""
    for digits in range(1, 10):
        short = float(f"{value:.{digits}g}")
        if struct.unpack("f", struct.pack("f", short))[0] == value:
            return short
    return value


def plain(value, kind):
    """A value as JSON has it."""
    if value is None or (isinstance(value, float) and value != value):
        return None
    if isinstance(kind, pa.BaseExtensionType):
        if kind.extension_name == "arrow.json":
            return json.loads(value)
        if kind.extension_name == "arrow.uuid":
            return str(value)
        return plain(value, kind.storage_type)
    if pa.types.is_dictionary(kind):
        return plain(value, kind.value_type)
    if pa.types.is_struct(kind):
        return {field.name: plain(value[field.name], field.type) for field in kind}
    if pa.types.is_map(kind):
        return {key: plain(item, kind.item_type) for key, item in value}
    if pa.types.is_list(kind) or pa.types.is_large_list(kind) or pa.types.is_fixed_size_list(kind):
        return [plain(item, kind.value_type) for item in value]
    if isinstance(value, bytes):
        return base64.b64encode(value).decode()
    if pa.types.is_float16(kind) or pa.types.is_float32(kind):
        return single(value)
    if isinstance(value, decimal.Decimal):
        return value
    if pa.types.is_timestamp(kind):
        digits = {"s": 0, "ms": 3, "us": 6, "ns": 9}[kind.unit]
        micros = f"{value.microsecond:06d}000"[:digits]
        return value.strftime("%Y-%m-%dT%H:%M:%S") + ("." + micros if digits else "") + ("Z" if kind.tz else "")
    if isinstance(value, datetime.date):
        return value.isoformat()
    if isinstance(value, datetime.time):
        digits = {"s": 0, "ms": 3, "us": 6, "ns": 9}[kind.unit]
        micros = f"{value.microsecond:06d}000"[:digits]
        return value.strftime("%H:%M:%S") + ("." + micros if digits else "")
    return value


def text(value):
    if isinstance(value, dict):
        return "{" + ",".join(json.dumps(key, ensure_ascii=False) + ":" + text(item) for key, item in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ",".join(text(item) for item in value) + "]"
    return str(value) if isinstance(value, decimal.Decimal) else json.dumps(value, ensure_ascii=False)


def save_rows(name, table):
    rows = []
    for row in table.to_pylist():
        rows.append(text({field.name: plain(row[field.name], field.type) for field in table.schema}))
    (OUT / f"{name}.jsonl").write_text("\n".join(rows) + "\n")


def scalars():
    when = [datetime.datetime(2024, 5, 1, 12, 34, 56, 789000), None, datetime.datetime(1969, 12, 31, 23, 59, 59, 1000)]
    aware = [value and value.replace(tzinfo=UTC) for value in when]
    clock = [datetime.time(0, 0, 1), datetime.time(23, 59, 59), None]
    columns = {"none": pa.array([None] * 3, pa.null()), "bool": pa.array([True, None, False])}
    for kind in (pa.int8(), pa.int16(), pa.int32(), pa.int64()):
        columns[str(kind)] = pa.array([-(2 ** (kind.bit_width - 1)), None, 2 ** (kind.bit_width - 1) - 1], kind)
    for kind in (pa.uint8(), pa.uint16(), pa.uint32(), pa.uint64()):
        columns[str(kind)] = pa.array([0, None, 2**kind.bit_width - 1], kind)
    columns["float"] = pa.array([0.1, None, 16777216.0], pa.float32())
    columns["double"] = pa.array([0.1, float("nan"), -2.5], pa.float64())
    columns["decimal"] = pa.array([decimal.Decimal("1.20"), None, decimal.Decimal("-33.05")], pa.decimal128(9, 2))
    columns["string"] = pa.array(['a "b"\n', None, "é"])
    columns["large_string"] = pa.array(["", None, "x" * 40], pa.large_string())
    columns["binary"] = pa.array([b"\x00\xff", None, b"abc"])
    columns["fixed"] = pa.array([b"abcd", None, b"\x01\x02\x03\x04"], pa.binary(4))
    columns["category"] = pa.array(["x", None, "x"]).dictionary_encode()
    columns["date"] = pa.array([datetime.date(2024, 2, 29), None, datetime.date(1, 1, 1)], pa.date32())
    columns["seconds"] = pa.array([value and value.replace(microsecond=0) for value in when], pa.timestamp("ms"))
    columns["micros"] = pa.array(when, pa.timestamp("us"))
    columns["aware"] = pa.array(aware, pa.timestamp("us", tz="Europe/Berlin"))
    columns["clock"] = pa.array(clock, pa.time32("ms"))
    columns["clock_us"] = pa.array(clock, pa.time64("us"))
    table = pa.table(columns)
    utc = table.set_column(table.schema.get_field_index("aware"), "aware", table["aware"].cast(pa.timestamp("us", tz="UTC")))
    return table, utc


def nested():
    message = pa.struct([("role", pa.string()), ("content", pa.string()), ("score", pa.float64())])
    return pa.table(
        {
            "messages": pa.array(
                [[{"role": "user", "content": "q", "score": None}, {"role": "assistant", "content": "a", "score": 0.5}], [], None]
                * 3,
                pa.list_(message),
            ),
            "deep": pa.array([[[1], None, []], None, [[2, None]]] * 3, pa.list_(pa.list_(pa.int32()))),
            "large": pa.array([["x"], [], None] * 3, pa.large_list(pa.string())),
            "pair": pa.array([[1.5, 2.5], None, [0.0, -1.0]] * 3, pa.list_(pa.float64(), 2)),
            "map": pa.array([[("a", 1), ("b", None)], [], None] * 3, pa.map_(pa.string(), pa.int64())),
            "outer": pa.array([{"inner": {"x": 1}}, {"inner": None}, None] * 3, pa.struct([("inner", pa.struct([("x", pa.int64())]))])),
        }
    )


def pairs():
    return pa.table(
        {
            "prompt": [f"prompt {i}" for i in range(20)],
            "chosen": [[{"role": "assistant", "content": f"yes {i}"}] for i in range(20)],
            "margin": [i / 4 for i in range(20)],
        }
    )


def write_stream(table, path, compression=None):
    options = pa.ipc.IpcWriteOptions(compression=compression)
    with pa.ipc.new_stream(str(path), table.schema, options=options) as writer:
        writer.write_table(table, max_chunksize=7)


def write_file(table, path, compression=None):
    options = pa.ipc.IpcWriteOptions(compression=compression)
    with pa.ipc.new_file(str(path), table.schema, options=options) as writer:
        writer.write_table(table, max_chunksize=7)


def main():
    OUT.mkdir(parents=True, exist_ok=True)
    for old in OUT.iterdir():
        old.unlink()
    table, as_utc = scalars()
    save_rows("scalars", as_utc)
    pq.write_table(table, OUT / "scalars.parquet")
    write_file(table, OUT / "scalars.arrow")
    extensions = pa.table(
        {
            "json": pa.array(['{"a":[1,null]}', None, '"t"'], pa.json_()),
            "uuid": pa.array([uuid.UUID(int=i).bytes for i in (1, 2**127)] + [None], pa.uuid()),
            "half": pa.array([0.5, None, -2.0], pa.float16()),
            "view": pa.array(["short", None, "longer than twelve bytes"], pa.string_view()),
        }
    )
    save_rows("extensions", extensions)
    write_file(extensions, OUT / "extensions.arrow")
    save_rows("nested", nested())
    pq.write_table(nested(), OUT / "nested.parquet", row_group_size=4, data_page_version="2.0")
    write_stream(nested(), OUT / "nested.arrows", "zstd")
    feather.write_feather(nested(), str(OUT / "nested.feather"), compression="lz4")
    save_rows("pairs", pairs())
    for codec in ("none", "snappy", "gzip", "brotli", "zstd", "lz4"):
        pq.write_table(pairs(), OUT / f"pairs.{codec}.parquet", compression=codec, row_group_size=6)
    write_stream(pairs(), OUT / "pairs.stream.arrow")
    seconds = pa.table({"text": ["a"], "wait": pa.array([5], pa.duration("s"))})
    write_file(seconds, OUT / "unsupported-wait.arrow")
    by_number = pa.array([[(1, "x")]], pa.map_(pa.int64(), pa.string()))
    pq.write_table(pa.table({"numbers": by_number}), OUT / "unsupported-numbers.parquet")


if __name__ == "__main__":
    main()
