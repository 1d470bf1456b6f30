"""Scoring tables of every format: the same answers, types that are kept, unreadable rows, photos in columns."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from resformer.model.files.whole_file import UnusableFile
from resformer.model.images.loading import decode_photo
from resformer.scripts.cli.main import main
from resformer.scripts.engines.network_settings import NetworkSettings
from resformer.scripts.lib import answerers
from resformer.scripts.lib.answerers import Answers
from resformer.scripts.lib.result_files import NO_ANSWER
from resformer.scripts.lib.score_options import ScoreOptions
from resformer.scripts.lib.score_table import score_table
from tests.scripts.conftest import jpeg, read_rows, write_table
from tests.scripts.lib.table_formats.tables import write_lines, write_parquet
from tests.scripts.lib.test_packed_photos import write_tar

COLUMNS = "index,image_link,group_id,entity_name,sku"
ROWS = [(3, "60.jpg", 1, "width", "A"), (1, "50.jpg", 1, "width", ""), (2, "none.jpg", 1, "width", "C")]


def answer(photo: bytes, entities: Sequence[str], about: Mapping[str, str]) -> Answers:
    """The photo's width, in place of a network."""
    width = decode_photo(photo).shape[1]
    return {name: {**NO_ANSWER, "prediction": f"{width} inch", "confidence": width / 100} for name in entities}


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    folder = tmp_path / "photos"
    folder.mkdir()
    for width in (50, 60):
        (folder / f"{width}.jpg").write_bytes(jpeg(width, 30))
    return folder


def score(table: Path, out: Path, **options: Any) -> tuple[int, int]:
    """Scores a table; returns the number of rows, and of those without an answer."""
    options = {"table": table, "out": out, **options}
    rows, failed, _ = score_table(ScoreOptions(**options), answerer=answer, on_photo=lambda *_: None)
    return rows, failed


def in_format(table: Path, name: str) -> Path:
    """The questions in another format, all as text."""
    header, *rows = read_rows(table)
    path = table.with_name(name)
    if name.endswith(".tsv"):
        path.write_text("".join("\t".join(row) + "\n" for row in (header, *rows)))
    elif name.endswith(".jsonl"):
        write_lines(path, *(dict(zip(header, row, strict=True)) for row in rows))
    elif name.endswith(".parquet"):
        write_parquet(path, {name: list(column) for name, column in zip(header, zip(*rows, strict=True), strict=True)})
    return path


def answers_of(path: Path) -> list[list[Any]]:
    if path.suffix == ".jsonl":
        lines = [json.loads(line) for line in path.read_text().splitlines()]
        return [list(lines[0]), *(list(line.values()) for line in lines)]
    if path.suffix == ".parquet":
        table = pq.read_table(path)
        return [table.column_names, *(list(row.values()) for row in table.to_pylist())]
    if path.suffix == ".tsv":
        return [line.split("\t") for line in path.read_text().splitlines()]
    return list(read_rows(path))


@pytest.mark.parametrize("source", ["in.csv", "in.tsv", "in.jsonl", "in.parquet"])
def test_every_format_gives_the_same_answers(tmp_path: Path, photos: Path, source: str) -> None:
    table = in_format(write_table(tmp_path / "in.csv", COLUMNS, *ROWS), source)
    for target in ("out.csv", "out.tsv", "out.jsonl", "out.parquet"):
        out = tmp_path / target
        assert score(table, out, photos=photos) == (3, 1)
        assert answers_of(out) == [
            ["index", "sku", "prediction"],
            ["3", "A", "60 inch"],
            ["1", "", "50 inch"],
            ["2", "C", ""],
        ]
        assert read_rows(tmp_path / "out.errors.csv")[1][:2] == ["2", "none.jpg"]
        assert main(["sanity", str(table), str(out)]) == 0
    assert {path.suffix for path in tmp_path.iterdir()} <= {".csv", ".tsv", ".jsonl", ".parquet", ""}


def test_types_are_kept(tmp_path: Path, photos: Path) -> None:
    columns = {
        "index": pa.array([30, 10], pa.int32()),
        "image": ["60", "50.jpg"],
        "at": pa.array([1, None], pa.timestamp("ns")),
        "tags": pa.array([["a"], []], pa.list_(pa.string())),
        "width": pa.array([1.5, None], pa.float32()),
    }
    table = write_parquet(tmp_path / "in.parquet", columns)
    assert score(table, tmp_path / "out.parquet", photos=photos, entities=["width"]) == (2, 0)
    found = pq.read_table(tmp_path / "out.parquet")
    assert found.column_names == ["index", "image", "at", "tags", "width_in", "width", "width_confidence"]
    for name, kept in (("index", "index"), ("at", "at"), ("tags", "tags"), ("width", "width_in")):
        assert found[kept].equals(pa.chunked_array([columns[name]]))
    assert found["width"].to_pylist() == ["60 inch", "50 inch"] and found["width_confidence"].to_pylist() == [0.6, 0.5]
    assert main(["sanity", str(table), str(tmp_path / "out.parquet"), "--entities", "width"]) == 0
    # Rows without an index are counted, in numbers.
    lines = write_lines(tmp_path / "in.jsonl", {"image": "60", "n": 1}, {"image": "50", "n": None})
    score(lines, tmp_path / "2.parquet", photos=photos, entities=["width"])
    assert pq.read_table(tmp_path / "2.parquet").select(["index", "n"]).to_pylist() == [
        {"index": 0, "n": 1},
        {"index": 1, "n": None},
    ]


def test_a_limit_ends_in_the_middle_of_a_batch(tmp_path: Path, photos: Path) -> None:
    table = write_parquet(tmp_path / "in.parquet", {"image": ["60"] * 9, "n": list(range(9))})
    assert score(table, tmp_path / "o.csv", photos=photos, entities=["width", "height"], limit=5) == (5, 0)
    assert [row[2] for row in read_rows(tmp_path / "o.csv")] == ["n", "0", "1", "2", "3", "4"]


@pytest.mark.parametrize("indexed", [False, True])
@pytest.mark.parametrize("entities", [[], ["width", "height"]])
@pytest.mark.parametrize("target", ["out.csv", "out.jsonl", "out.parquet"])
def test_rows_that_cannot_be_read_are_rows_of_the_output(
    tmp_path: Path,
    photos: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    indexed: bool,
    entities: list[str],
    target: str,
) -> None:
    good: list[dict[str, Any]] = [
        {"image": f"{width}.jpg", "entity_name": "width", **({"index": width} if indexed else {})} for width in (50, 60)
    ]
    bad = ["{ no JSON", "[1]", {**good[0], "index": 7, "title": ["a"]} if indexed else {"image": {}, "sku": 1}]
    table = write_lines(tmp_path / "in.jsonl", good[0], *bad, good[1])
    monkeypatch.setattr(NetworkSettings, "answerer", lambda _: answer)
    names = ["--entities", ",".join(entities)] if entities else []
    out = tmp_path / target
    assert main(["score", str(table), str(out), "--photos", str(photos), *names]) == 3
    assert "not answered: 3 of them" in capsys.readouterr().err
    rows = [dict(zip(answers_of(out)[0], row, strict=True)) for row in answers_of(out)[1:]]
    answered = [row["width" if entities else "prediction"] for row in rows]
    assert answered == ["50 inch", "", "", "", "60 inch"]
    places = ["line 2", "line 3"] if target == "out.csv" else [None, None]
    index = [50, *places, 7, 60] if indexed else [0, 1, 2, 3, 4]
    assert [row["index"] for row in rows] == [str(i) if target == "out.csv" else i for i in index]
    errors = read_rows(tmp_path / "out.errors.csv")[1:]
    assert [row[2].partition(": ")[0] for row in errors] == [f"{table}, line {number}" for number in (2, 3, 4)]
    assert main(["sanity", str(table), str(out), *names]) == 0


def test_photos_in_a_column(tmp_path: Path) -> None:
    photos = [jpeg(60), jpeg(50), None, jpeg(60), b"no photo", b""]
    for name, column in (
        ("bytes", pa.array(photos, pa.large_binary())),
        ("structures", [None if data is None else {"bytes": data, "path": "x.jpg"} for data in photos]),
    ):
        table = write_parquet(tmp_path / f"{name}.parquet", {"image": column, "sku": list("abcdef")}, row_group_size=2)
        asked: list[bytes] = []

        def counted(photo: bytes, entities: Sequence[str], about: Mapping[str, str]) -> Answers:
            asked.append(photo)  # noqa: B023  used before the next turn
            return answerers.in_process(Raising())(photo, entities, about)

        options = ScoreOptions(table=table, out=tmp_path / "out.jsonl", entities=["width"])
        assert score_table(options, answerer=counted, on_photo=lambda *_: None)[:2] == (6, 3)
        assert len(asked) == 4  # equal photos are answered once
        rows = [json.loads(line) for line in (tmp_path / "out.jsonl").read_text().splitlines()]
        assert [row["width"] for row in rows] == ["60 inch", "50 inch", "", "60 inch", "", ""]
        assert [row["sku"] for row in rows] == list("abcdef") and rows[0]["image"] == rows[3]["image"]
        assert rows[0]["image"].startswith("sha256-")
        reasons = [row[2] for row in read_rows(tmp_path / "out.errors.csv")[1:]]
        assert [reason.partition(":")[0] for reason in reasons] == [
            "the row names no photo",
            "UnsupportedImage",
            "BadRequest",
        ]
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "bytes.parquet",
        "out.errors.csv",
        "out.jsonl",
        "structures.parquet",
    ]
    with pytest.raises(UnusableFile, match="has the photos in its column image; leave --photos out"):
        score(table, tmp_path / "out.csv", entities=["width"], photos=tmp_path)


class Raising:
    """A predictor that answers a photo's width."""

    def predict(self, photo: bytes, entities: Sequence[str], **_: Any) -> Any:
        found = answer(photo, entities, {})

        class Result:
            def as_dict(self) -> dict[str, Any]:
                return {"predictions": found}

        return Result()


def test_photos_in_shards(tmp_path: Path) -> None:
    write_tar(tmp_path / "s-0.tar", {"50.jpg": jpeg(50), "50.json": b"{}", "same.jpg": jpeg(50)})
    write_tar(tmp_path / "s-1.tar", {"60.jpg": jpeg(60)})
    table = write_table(tmp_path / "in.csv", COLUMNS, *ROWS)
    for where in ("s-{0..1}.tar", "*.tar"):
        assert score(table, tmp_path / "out.csv", photos=f"{tmp_path}/{where}") == (3, 1)
        assert [row[2] for row in read_rows(tmp_path / "out.csv")[1:]] == ["60 inch", "50 inch", ""]
        assert "has no photo 'none.jpg'" in read_rows(tmp_path / "out.errors.csv")[1][2]
    twins = write_table(tmp_path / "2.csv", "image,entity_name", ("a/60.jpg", "width"), ("b/60.jpg", "width"))
    assert score(twins, tmp_path / "2o.csv", photos=tmp_path / "s-1.tar") == (2, 1)
    assert "so both would get one photo" in read_rows(tmp_path / "2o.errors.csv")[1][2]
    assert not list(tmp_path.glob("*.photos*"))


def test_the_format_can_be_named(
    tmp_path: Path, photos: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(NetworkSettings, "answerer", lambda _: answer)
    table = write_lines(tmp_path / "questions", {"image": "60", "entity_name": "width"})
    out = tmp_path / "answers"
    formats = ["--format", "jsonl", "--out-format", "parquet"]
    assert main(["score", str(table), str(out), "--photos", str(photos), *formats]) == 0
    assert pq.read_table(out).to_pylist() == [{"index": 0, "prediction": "60 inch"}]
    assert main(["sanity", str(table), str(out), *formats]) == 0
    assert main(["score", str(table), str(out), "--format", "xlsx"]) == 2
    assert "--format" in capsys.readouterr().err


def test_a_table_that_changes_under_a_run(tmp_path: Path, photos: Path) -> None:
    table = write_table(tmp_path / "in.csv", COLUMNS, *ROWS)

    def changes(photo: bytes, entities: Sequence[str], about: Mapping[str, str]) -> Answers:
        write_table(table, COLUMNS, *ROWS[:2])
        return answer(photo, entities, about)

    options = ScoreOptions(table=table, out=tmp_path / "out.csv", photos=photos)
    with pytest.raises(UnusableFile, match=r"in.csv has changed since the run began; add --resume"):
        score_table(options, answerer=changes, on_photo=lambda *_: None)
    assert options.journal.exists() and not (tmp_path / "out.csv").exists()
    assert score(table, tmp_path / "out.csv", photos=photos, resume=True) == (2, 0)


def test_sanity_names_rows_that_were_lost(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    table = write_lines(tmp_path / "in.jsonl", {"index": 1, "entity_name": "width"}, "{", "{")
    out = write_lines(tmp_path / "out.jsonl", {"index": 1, "prediction": ""}, {"index": None, "prediction": "1 inch"})
    assert main(["sanity", str(table), str(out)]) == 1
    printed = capsys.readouterr().out.splitlines()
    assert printed == [
        "row 3, index line 2: the entity '' is unknown; leave the prediction empty",
        "index line 3: no row; add one, with empty cells if there is no answer",
    ]


def test_an_index_with_a_nul_is_no_index(tmp_path: Path, photos: Path) -> None:
    lines = [{"index": "a\0b", "image": "60"}, {"index": "a\0c", "image": "60"}, {"index": "a", "image": "60"}]
    table = write_lines(tmp_path / "in.jsonl", *lines)
    assert score(table, tmp_path / "out.csv", photos=photos, entities=["width"]) == (3, 2)
    assert [row[0] for row in read_rows(tmp_path / "out.csv")[1:]] == ["line 1", "line 2", "a"]
    assert "the index 'a\\x00b' holds a NUL" in read_rows(tmp_path / "out.errors.csv")[1][2]
