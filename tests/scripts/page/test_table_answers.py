import csv
import json
import time
import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from threading import Event
from typing import Any

import pytest

from resformer.scripts.lib.answerers import Answerer, Answers
from resformer.scripts.lib.photo_sources import PhotoError
from resformer.scripts.lib.score_options import ScoreOptions
from resformer.scripts.lib.score_table import score_table
from resformer.scripts.page.photo_answers import FAULT
from resformer.scripts.page.table_answers import score_files
from resformer.scripts.page.table_run import Progress
from tests.scripts.conftest import jpeg, write_table


def answer(text: str, confidence: float) -> dict[str, Any]:
    si = {"value": 0.5, "unit": "kilogram"} if text else None
    keys = {"value": 500.0 if text else None, "unit": "gram" if text else None, "si": si, "evidence": None}
    return {"prediction": text, "confidence": confidence, **keys}


class Made:
    """A source whose answers are made up: a photo of 20 pixels width is faulty."""

    name, readers, url = "made", ("crops",), ""

    def __init__(self, seconds: float = 0.0):
        self._seconds = seconds

    def ask(self, *_: Any, **__: Any) -> dict[str, Any]:
        raise AssertionError("a table is not asked about so")

    def answerer(self, *, reader: str, min_confidence: float | None, assume_present: bool) -> Answerer:
        def answered(photo: bytes, entities: Sequence[str], about: Mapping[str, str]) -> Answers:
            time.sleep(self._seconds)
            if photo == jpeg(20, 20):
                raise PhotoError("CorruptImage: the photo is damaged")
            return {name: answer("500 gram", 0.9) for name in entities}

        return answered


def photo_zip(path: Path, count: int = 3) -> Path:
    with zipfile.ZipFile(path, "w") as archive:
        for number in range(count):
            archive.writestr(f"{number}.jpg", jpeg(40 + number, 30))
        archive.writestr("faulty.jpg", jpeg(20, 20))
    return path


def run(files: tuple[Path | None, Path | None], folder: Path, **options: Any) -> list[tuple[dict[str, Any], list[str]]]:
    given: dict[str, Any] = {
        "source": Made(),
        "entities": ["item_weight"],
        "reader": "crops",
        "stopped": Event(),
        "schema": None,
    }
    given |= options
    return list(score_files(files=files, folder=folder, **given))


def test_photos_of_a_zip_are_rows_with_thumbnails_and_errors(tmp_path: Path) -> None:
    *reports, (shown, made) = run((None, photo_zip(tmp_path / "x.zip")), tmp_path / "run")
    assert all("progress" in report for report, _ in reports)
    assert shown["summary"] == "3 of 4 rows are answered; the table says why the others are not."
    rows = shown["results"]["rows"]
    assert [row["image"] for row in rows] == ["0.jpg", "1.jpg", "2.jpg", "faulty.jpg"]
    assert all(row["thumbnail"].startswith("data:image/jpeg;base64,") for row in rows)
    assert rows[0]["answers"] == {"item_weight": {"prediction": "500 gram", "amount": 0.5, "confidence": 0.9}}
    assert [row["error"] for row in rows] == ["", "", "", "CorruptImage: the photo is damaged"]
    assert [Path(file).name for file in made] == ["answers.csv", "answers.jsonl", "answers.errors.csv"]


def test_the_file_is_that_of_resformer_score(tmp_path: Path) -> None:
    photos = tmp_path / "photos"
    photos.mkdir()
    (photos / "0.jpg").write_bytes(jpeg(40, 30))
    table = write_table(tmp_path / "in.csv", "index,image,colour", ("7", "0.jpg", "red"))
    with zipfile.ZipFile(tmp_path / "x.zip", "w") as archive:
        archive.writestr("0.jpg", jpeg(40, 30))
    _, made = run((table, tmp_path / "x.zip"), tmp_path / "run")[-1]
    options = ScoreOptions(table=table, out=tmp_path / "out.csv", photos=photos, entities=["item_weight"])
    answerer = Made().answerer(reader="", min_confidence=None, assume_present=False)
    score_table(options, answerer=answerer)
    assert Path(made[0]).read_bytes() == (tmp_path / "out.csv").read_bytes()
    with open(made[0], newline="") as file:
        (row,) = csv.DictReader(file)
    assert (row["index"], row["colour"], row["item_weight"]) == ("7", "red", "500 gram")
    assert json.loads(Path(made[1]).read_text())["unit"] == "gram"


def test_rows_of_questions_have_one_column_and_their_entity(tmp_path: Path) -> None:
    table = write_table(tmp_path / "in.csv", "image,entity_name", ("0.jpg", "width"), ("1.jpg", "item_weight"))
    shown, _ = run((table, photo_zip(tmp_path / "x.zip")), tmp_path / "run")[-1]
    assert shown["results"]["columns"] == [{"name": "answer", "label": "answer"}]
    assert [row["asked"] for row in shown["results"]["rows"]] == ["width", "item_weight"]


@pytest.mark.parametrize(
    ("header", "cells", "message"),
    [
        ("photo", ("0.jpg",), "in.csv has no column image_link or image"),
        ("index,image", ("1", "0.jpg"), "in.csv, line 3, column index: '1' is there twice"),
    ],
)
def test_a_table_that_cannot_be_used_is_an_error_without_paths(
    tmp_path: Path, header: str, cells: tuple[str, ...], message: str
) -> None:
    table = write_table(tmp_path / "in.csv", header, cells, cells)
    shown, made = run((table, photo_zip(tmp_path / "x.zip")), tmp_path / "run")[-1]
    assert made == [] and not (tmp_path / "run").exists()
    assert str(tmp_path) not in shown["error"] and shown["error"].endswith(".")
    assert shown["error"].startswith(message)


def test_a_run_is_stopped(tmp_path: Path) -> None:
    stopped = Event()
    files = (None, photo_zip(tmp_path / "x.zip", 60))
    reports = score_files(Made(0.05), ["width"], "crops", files, tmp_path / "run", stopped, schema=None)
    shown: dict[str, Any] = {}
    for shown, _ in reports:
        if shown.get("progress", {}).get("done", 0) > 0:
            stopped.set()
    answered = [row for row in shown["results"]["rows"] if not row["error"]]
    assert shown["summary"] == f"Stopped: {len(answered)} of 61 rows are answered."
    assert 0 < len(answered) < 61 == len(shown["results"]["rows"])
    assert "not answered: the run was stopped" in {row["error"] for row in shown["results"]["rows"]}


def test_a_fault_is_shown_and_its_traceback_printed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    class Faulty(Made):
        def answerer(self, **_: Any) -> Answerer:
            raise RuntimeError("boom")

    shown, made = run((None, photo_zip(tmp_path / "x.zip")), tmp_path / "run", source=Faulty())[-1]
    assert (shown, made) == ({"error": FAULT}, [])
    assert "RuntimeError: boom" in capsys.readouterr().err


def test_rate_and_time_left() -> None:
    report = Progress(20, 100, 4.0)
    assert (report.rate, report.seconds_left) == (5.0, 16.0)
    assert Progress(0, 0, 0.0).seconds_left is None
