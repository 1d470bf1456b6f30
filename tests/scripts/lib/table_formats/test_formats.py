"""Tables of every format are read and written with their types, and what cannot be read is told."""

import gzip
import json
import subprocess
import sys
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from resformer.model.files.whole_file import UnusableFile
from resformer.scripts.lib.table_formats.format_names import TableFormat, format_of
from resformer.scripts.lib.table_formats.open_table import open_table
from resformer.scripts.lib.table_formats.table_writer import written_table
from tests.paths import ROOT
from tests.scripts.lib.table_formats.tables import write_lines, write_parquet


def copy(source: Path, target: Path) -> Path:
    """Writes all columns of a table in the format of another name."""
    table = open_table(source)
    with written_table(target, format_of(target), table.schema(table.columns)) as write:
        for batch in table.batches(table.columns):
            write(batch)
    return target


def cells(path: Path) -> list[dict[str, str]]:
    table = open_table(path)
    return [dict(row.cells) for row in table.rows(table.columns)]


@pytest.mark.parametrize(
    ("name", "found"),
    [
        ("a.csv", "csv"),
        ("a.txt", "csv"),
        ("a.CSV.GZ", "csv"),
        ("a.tsv.gz", "tsv"),
        ("a.jsonl", "jsonl"),
        ("a.ndjson.gz", "jsonl"),
        ("A.Parquet", "parquet"),
        ("parquet", "csv"),
    ],
)
def test_a_name_tells_the_format(name: str, found: str) -> None:
    assert format_of(Path(name)) == found
    assert format_of(Path(name), "jsonl") is TableFormat.JSONL


def test_all_formats_hold_the_same_cells(tmp_path: Path) -> None:
    (tmp_path / "0.csv").write_text('sku,title,note\n7,"Größe, 3\tcm","two\nlines"\n8,"say ""no""",\n')
    expected = cells(tmp_path / "0.csv")
    path = tmp_path / "0.csv"
    for name in ("1.tsv", "2.jsonl", "3.parquet", "4.csv.gz", "5.jsonl.gz", "6.tsv.gz", "7.pq", "8.csv"):
        path = copy(path, tmp_path / name)
        assert cells(path) == expected
    assert path.read_bytes() == (tmp_path / "0.csv").read_bytes()
    assert gzip.decompress((tmp_path / "4.csv.gz").read_bytes()) == path.read_bytes()


def test_tabs_settle_a_tsv(tmp_path: Path) -> None:
    (tmp_path / "t.tsv").write_text("index\ta, b, c\n1\t2\n")
    assert cells(tmp_path / "t.tsv") == [{"index": "1", "a, b, c": "2"}]


TYPED: dict[str, Any] = {
    "count": pa.array([1, None, 3], pa.int32()),
    "ratio": pa.array([0.5, float("nan"), None], pa.float64()),
    "small": pa.array([0.1, 2.0, None], pa.float32()),
    "flag": pa.array([True, None, False]),
    "at": pa.array([1704067200000000001, None, 0], pa.timestamp("ns", "UTC")),
    "day": pa.array([date(2024, 2, 29), None, None]),
    "price": pa.array([Decimal("1.20"), None, Decimal("7.00")]),
    "tags": pa.array([["a", "b"], [], None], pa.list_(pa.string())),
    "size": pa.array([{"w": 1, "h": None}, None, {"w": 2, "h": 3}], pa.struct([("w", pa.int8()), ("h", pa.int8())])),
    "raw": pa.array([b"\xff\x00", None, b""]),
    "kind": pa.array(["x", "y", "x"]).dictionary_encode(),
}


def test_types_are_kept_between_parquet_files(tmp_path: Path) -> None:
    source = write_parquet(tmp_path / "a.parquet", TYPED, row_group_size=2)
    before, after = pq.read_table(source), pq.read_table(copy(source, tmp_path / "b.parquet"))
    assert after.drop_columns("ratio").equals(before.drop_columns("ratio"))
    assert repr(after["ratio"].to_pylist()) == repr(before["ratio"].to_pylist()) == "[0.5, nan, None]"
    same = [copy(source, tmp_path / name).read_bytes() for name in ("c.parquet", "d.parquet")]
    assert same[0] == same[1]


def test_types_as_text_and_as_json(tmp_path: Path) -> None:
    source = write_parquet(tmp_path / "a.parquet", TYPED)
    rows = cells(copy(source, tmp_path / "b.csv"))
    assert rows[0] == {
        "count": "1",
        "ratio": "0.5",
        "small": "0.1",
        "flag": "true",
        "at": "2024-01-01 00:00:00.000000001Z",
        "day": "2024-02-29",
        "price": "1.20",
        "tags": '["a", "b"]',
        "size": '{"w": 1, "h": null}',
        "raw": "/wA=",
        "kind": "x",
    }
    assert [row["ratio"] for row in rows] == ["0.5", "nan", ""] and rows[1]["tags"] == "[]"
    first, second, _ = map(json.loads, copy(source, tmp_path / "b.jsonl").read_text().splitlines())
    assert first["count"] == 1 and first["flag"] is True and first["tags"] == ["a", "b"] and first["raw"] == "/wA="
    assert first["size"] == {"w": 1, "h": None} and first["at"] == "2024-01-01 00:00:00.000000001Z"
    assert second["ratio"] is None and second["count"] is None


LINES: list[dict[str, Any]] = [
    {"n": 1, "x": 1, "on": True, "mixed": 1, "deep": {"a": [1, None]}, "big": 1},
    {"n": None, "x": 2.5, "on": False, "mixed": "one", "deep": [], "big": 2**70, "late": "é"},
]


def test_json_lines_stay_as_they_are(tmp_path: Path) -> None:
    source = write_lines(tmp_path / "a.jsonl", *LINES)
    for name in ("b.jsonl", "c.parquet", "d.jsonl"):
        source = copy(source, tmp_path / name)
    assert list(map(json.loads, source.read_text().splitlines())) == [{**LINES[0], "late": None}, LINES[1]]
    types = {field.name: field.type for field in pq.read_schema(tmp_path / "c.parquet")}
    assert types["n"] == pa.int64() and types["x"] == pa.float64() and types["on"] == pa.bool_()
    assert types["mixed"] == types["deep"] == types["big"] == pa.json_(pa.string())


@pytest.mark.parametrize(
    ("line", "fault"),
    [
        ('{"image": "b.jpg"', "not JSON"),
        ("7", "7 is no object"),
        ('{"image": ["b.jpg"]}', 'image is ["b.jpg"]; write a text or a number'),
        ('{"image": "a", "image": "b"}', "'image' is there twice"),
        ('{"image": "\\ud800"}', "half of a surrogate pair"),
        ('{"image": ' + "[" * 100_000, "not JSON"),
    ],
)
def test_a_line_that_cannot_be_read_is_a_row(tmp_path: Path, line: str, fault: str) -> None:
    path = write_lines(tmp_path / "a.jsonl", {"image": "a.jpg"}, "", line, {"image": "c.jpg", "k": 1})
    rows = list(open_table(path).rows(["image"]))
    assert [row.place for row in rows] == ["line 1", "line 3", "line 4"]
    assert [bool(row.fault) for row in rows] == [False, True, False]
    assert rows[1].fault.startswith(f"{path}, line 3: ") and fault in rows[1].fault
    (batch,) = open_table(path).batches(["k"])
    assert batch.column("k").to_pylist() == [None, None, 1]


def test_a_line_of_other_bytes_is_a_row(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_bytes('\ufeff{"image": "ä"}\n'.encode() + b'{"image": "\xe4"}')
    rows = list(open_table(tmp_path / "a.jsonl").rows(["image"]))
    assert rows[0].cells == {"image": "ä"} and "line 2: not UTF-8" in rows[1].fault


def unusable(path: Path, *columns: str) -> str:
    with pytest.raises(UnusableFile) as error:
        list(open_table(path).rows(columns))
    return str(error.value)


def test_files_that_are_no_tables(tmp_path: Path) -> None:
    array = write_lines(tmp_path / "a.json", '[{"image": "a.jpg"}]')
    assert "is an array of JSON; write one object a line" in unusable(array)
    assert "is empty; it needs a JSON object" in unusable(write_lines(tmp_path / "e.jsonl"))
    assert "line 1: not JSON" in unusable(write_lines(tmp_path / "t.jsonl", "image,entity_name"))
    assert "has no column index; its columns are k" in unusable(write_lines(tmp_path / "k.jsonl", {"k": 1}), "index")
    assert "No such file" in unusable(tmp_path / "none.jsonl")
    assert "No such file" in unusable(tmp_path / "none.parquet")
    (tmp_path / "bad.jsonl").write_bytes(gzip.compress(b'{"k": 1}')[:-9])
    assert "is no file of JSON lines" in unusable(tmp_path / "bad.jsonl")
    (tmp_path / "t.parquet").write_text("image,entity_name\n")
    assert "is not a usable Parquet file" in unusable(tmp_path / "t.parquet")
    whole = write_parquet(tmp_path / "w.parquet", {"k": [1]})
    whole.rename(tmp_path / "w.csv")
    assert "is a Parquet file and not a CSV file" in unusable(tmp_path / "w.csv")
    nested = write_parquet(tmp_path / "n.parquet", {"title": [["a"]]})
    assert "column title: its type is list<element: string>; write texts or numbers" in unusable(nested, "title")
    twice = pa.Table.from_arrays([pa.array([1]), pa.array([2])], names=["a", "a"])
    pq.write_table(twice, tmp_path / "2.parquet")
    assert "two columns have the name a" in unusable(tmp_path / "2.parquet")


def test_a_parquet_file_that_is_damaged(tmp_path: Path) -> None:
    path = write_parquet(
        tmp_path / "a.parquet", {"k": [f"{i * 7919}" for i in range(20_000)]}, write_page_checksum=True
    )
    data = bytearray(path.read_bytes())
    data[1000:3000] = bytes(2000)
    path.write_bytes(data)
    assert str(path) in unusable(path, "k")


@pytest.mark.parametrize("name", ["a.csv", "a.jsonl", "a.parquet"])
def test_a_table_is_written_whole_or_not_at_all(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_text("old")
    schema = pa.schema([("k", pa.int64())])
    with (
        pytest.raises(RuntimeError),
        written_table(tmp_path / name, format_of(Path(name)), schema) as write,
    ):
        write(pa.RecordBatch.from_arrays([pa.array([1])], schema=schema))
        raise RuntimeError
    assert [path.name for path in tmp_path.iterdir()] == [name]
    assert (tmp_path / name).read_text() == "old"


PEAK = """
import resource, sys
from pathlib import Path
from resformer.scripts.lib.table_formats.open_table import open_table
from resformer.scripts.lib.table_formats.format_names import format_of
from resformer.scripts.lib.table_formats.table_writer import written_table
table = open_table(Path(sys.argv[1]))
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
rows = sum(1 for row in table.rows([table.columns[0]]) if row.cells or row.photo)
names = [name for name in table.columns if name != table.photo_column]
out = Path(sys.argv[2])
with written_table(out, format_of(out), table.schema(names)) as write:
    for batch in table.batches(names):
        write(batch)
print(rows, (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) // 1024)
"""


def peak(source: Path, target: Path) -> tuple[int, int]:
    """Rows, and the MiB that reading and writing them takes above what the imports take."""
    done = subprocess.run(
        [sys.executable, "-c", PEAK, source, target], cwd=ROOT, capture_output=True, text=True, check=True
    )
    rows, memory = map(int, done.stdout.split())
    return rows, memory


def test_memory_does_not_grow_with_a_column_of_photos(tmp_path: Path) -> None:
    """120 MB of photos in one row group, which is also one column chunk."""
    photos = [bytes([i % 251]) * 10 + i.to_bytes(8, "big") * 7_500 for i in range(2_000)]
    columns = {"image": photos, "n": list(range(2_000))}
    path = write_parquet(tmp_path / "a.parquet", columns, compression="none", use_dictionary=False)
    assert path.stat().st_size > 115_000_000
    rows, memory = peak(path, tmp_path / "b.parquet")
    assert rows == 2_000 and memory < 90


@pytest.mark.parametrize("name", ["a.csv", "a.jsonl"])
def test_memory_does_not_grow_with_lines(tmp_path: Path, name: str) -> None:
    with open(tmp_path / name, "w") as file:
        if name.endswith(".csv"):
            file.write("image,note\n")
        for i in range(60_000):
            row = {"image": f"{i:07}.jpg", "note": f"{i:0300}"}
            file.write((json.dumps(row) if name.endswith(".jsonl") else ",".join(row.values())) + "\n")
    rows, memory = peak(tmp_path / name, tmp_path / f"b{Path(name).suffix}")
    assert rows == 60_000 and memory < 40
