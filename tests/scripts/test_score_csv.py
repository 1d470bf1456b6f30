"""Scoring a table: every row gets one prediction, whatever becomes of its photo, the server or the run."""

import json
import subprocess
import sys
import time
from collections.abc import Sequence
from email import message_from_bytes
from email.message import Message
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from resformer.model.errors import ResformerError
from resformer.model.files.whole_file import file_digest
from resformer.model.images.loading import decode_photo
from resformer.model.inference.checkpoint import DEFAULT_WEIGHTS
from resformer.model.predictor import Predictor
from resformer.scripts import sanity, score_csv
from resformer.scripts.lib import endpoint_pool
from resformer.scripts.lib.download_table import PLACEHOLDER
from resformer.scripts.lib.endpoint_pool import Patience
from resformer.scripts.lib.journal import Journal, Outcome, Questions
from resformer.scripts.lib.result_files import NO_ANSWER
from tests.paths import ROOT
from tests.scripts.conftest import Web, jpeg, read_rows, reply, write_table


class WidthPredictor:
    """Stands for the network: answers every question with the photo's width, or height if asked for it.

    An answer that is withheld by its confidence leaves an empty one with confidence 0.125.
    """

    def __init__(self) -> None:
        self.asked: list[list[str]] = []
        self.groups: dict[int, str] = {}  # by the photo's width: photos are answered in no order
        self.texts: dict[int, tuple[str, str]] = {}
        self.presumed: list[bool] = []

    def predict(
        self,
        photo: bytes,
        entities: Sequence[str],
        *,
        group_id: str = "",
        title: str = "",
        description: str = "",
        min_confidence: float | None = None,
        assume_present: bool = False,
    ) -> SimpleNamespace:
        self.asked.append(list(entities))
        self.presumed.append(assume_present)
        height, width = decode_photo(photo).shape[:2]
        self.groups[width] = group_id
        self.texts[width] = (title, description)
        predictions = {name: self._prediction(name, height if name == "height" else width) for name in entities}
        for name, prediction in predictions.items():
            if prediction["confidence"] < (min_confidence or 0.0):
                predictions[name] = {**NO_ANSWER, "confidence": 0.125}
        return SimpleNamespace(as_dict=lambda: {"predictions": predictions})

    @staticmethod
    def _prediction(name: str, value: int) -> dict[str, Any]:
        unit = "volt" if name == "voltage" else "inch"
        prediction = f"[{value}, 240] volt" if name == "voltage" else f"{value} {unit}"
        return {
            "prediction": prediction,
            "value": float(value),
            "unit": unit,
            "si": {"value": value * 0.0254, "unit": "metre"},
            "confidence": 0.1 + value / 300,
            "evidence": [1.0, 2.0, 3.0, 4.5],
        }


@pytest.fixture
def predictor(monkeypatch: pytest.MonkeyPatch) -> WidthPredictor:
    """What Predictor.load gives instead of a network."""
    fake = WidthPredictor()
    monkeypatch.setattr(Predictor, "load", lambda *_, **__: fake)
    return fake


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    """Photos of 50, 60 and 70 pixels, and some that cannot be read."""
    folder = tmp_path / "photos"
    folder.mkdir()
    for width in (50, 60, 70):
        (folder / f"{width}.jpg").write_bytes(jpeg(width, 30))
    (folder / "truncated.jpg").write_bytes(jpeg(80)[:200])
    (folder / "text.jpg").write_bytes(b"<html>not found</html>")
    (folder / "empty.jpg").write_bytes(b"")
    (folder / "black.jpg").write_bytes(PLACEHOLDER)
    return folder


SETTINGS = f"reader by default, --assume-present, weights {file_digest(DEFAULT_WEIGHTS)[:16]}"
HEADER = "index,image_link,group_id,entity_name"
LINKS = "https://example.com/images/"
ROWS = [
    (3, f"{LINKS}60.jpg", 1, "width"),
    (1, f"{LINKS}50.jpg", 1, "height"),
    (2, f"{LINKS}60.jpg", 1, "voltage"),
    (9, f"{LINKS}60.jpg", 1, "width"),
    (0, f"{LINKS}50.jpg", 1, "width"),
]
ANSWERS = [
    ["index", "prediction"],
    ["3", "60 inch"],
    ["1", "30 inch"],
    ["2", "[60, 240] volt"],
    ["9", "60 inch"],
    ["0", "50 inch"],
]
BAD_ROWS = [
    (20, f"{LINKS}truncated.jpg", 1, "width"),
    (21, f"{LINKS}text.jpg", 1, "width"),
    (22, f"{LINKS}empty.jpg", 1, "width"),
    (23, f"{LINKS}black.jpg", 1, "width"),
    (24, f"{LINKS}none.jpg", 1, "width"),
    (25, f"{LINKS}60.jpg", 1, "colour"),
    (26, "", 1, "width"),
]


def run(tmp_path: Path, photos: Path | None, *options: object) -> int:
    where = ["--images", photos] if photos else []
    return score_csv.main([str(a) for a in (tmp_path / "in.csv", tmp_path / "out.csv", *where, *options)])


def is_sane(tmp_path: Path) -> bool:
    files = ["--test_filename", str(tmp_path / "in.csv"), "--output_filename", str(tmp_path / "out.csv")]
    return sanity.main(files) == 0


def test_answers_in_the_order_of_the_input(tmp_path: Path, photos: Path, predictor: WidthPredictor) -> None:
    write_table(tmp_path / "in.csv", HEADER, *ROWS)
    assert run(tmp_path, photos) == 0
    assert read_rows(tmp_path / "out.csv") == ANSWERS
    assert is_sane(tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["in.csv", "out.csv", "photos"]


def test_other_columns_are_copied(tmp_path: Path, photos: Path, predictor: WidthPredictor) -> None:
    header, row = "sku;image;entity_name;prediction", ("A-1", "60.jpg", "width", "old")
    (tmp_path / "in.csv").write_text(f"{header}\n{';'.join(row)}\n")
    assert run(tmp_path, photos) == 0
    assert read_rows(tmp_path / "out.csv") == [
        ["index", "sku", "prediction_in", "prediction"],
        ["0", "A-1", "old", "60 inch"],
    ]
    assert is_sane(tmp_path)
    assert run(tmp_path, photos, "--entities", "width") == 0
    columns = ["index", "image", "sku", "prediction", "width", "width_confidence"]
    assert read_rows(tmp_path / "out.csv") == [columns, ["0", "60.jpg", "A-1", "old", "60 inch", str(0.1 + 60 / 300)]]


@pytest.mark.parametrize(
    "table",
    [
        b"sep=;\r\nindex;image;entity_name\r\n7;60.jpg;width\r\n",
        "index\timage\tentity_name\n7\t60.jpg\twidth\n".encode("utf-16"),
        b",image,entity_name\n7,60.jpg,width\n",
    ],
)
def test_tables_of_spreadsheets(tmp_path: Path, photos: Path, predictor: WidthPredictor, table: bytes) -> None:
    (tmp_path / "in.csv").write_bytes(table)
    assert run(tmp_path, photos) == 0
    assert read_rows(tmp_path / "out.csv") == [["index", "prediction"], ["7", "60 inch"]]


def test_another_encoding_says_what_to_do(
    tmp_path: Path, photos: Path, predictor: WidthPredictor, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "in.csv").write_bytes("image,entity_name,title\n60.jpg,width,Größe\n".encode("cp1252"))
    assert run(tmp_path, photos) == 2
    assert 'save it again as UTF-8, in Excel as "CSV UTF-8"' in capsys.readouterr().err


def test_a_quote_that_is_not_closed_is_named(
    tmp_path: Path, photos: Path, predictor: WidthPredictor, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "in.csv").write_text('image,entity_name,title\n60.jpg,width,a\n50.jpg,width,"24 in\n70.jpg,width,b\n')
    assert run(tmp_path, photos) == 2
    assert "in.csv, line 3, column title: a quote opens here" in capsys.readouterr().err


@pytest.mark.parametrize("out", ["in.csv", "./in.csv", "link.csv"])
def test_the_input_is_never_overwritten(
    tmp_path: Path, photos: Path, predictor: WidthPredictor, out: str, capsys: pytest.CaptureFixture[str]
) -> None:
    table = write_table(tmp_path / "in.csv", HEADER, *ROWS)
    (tmp_path / "link.csv").symlink_to(table)
    before = table.read_bytes()
    assert score_csv.main([str(table), str(tmp_path / out), "--images", str(photos)]) == 2
    assert "is both read and written" in capsys.readouterr().err
    assert table.read_bytes() == before


def test_only_the_first_rows(tmp_path: Path, photos: Path, predictor: WidthPredictor) -> None:
    write_table(tmp_path / "in.csv", HEADER, *ROWS)
    assert run(tmp_path, photos, "--limit", 2) == 0
    assert read_rows(tmp_path / "out.csv") == ANSWERS[:3]


@pytest.mark.parametrize(
    ("links", "failed"),
    [
        ([f"{LINKS}1/60.jpg", f"{LINKS}2/60.jpg"], [1]),
        (["a/60.jpg", f"{LINKS}50.jpg", "b/60.jpg", "a/60.jpg", "c/60.jpg"], [2, 4]),
        (["https://a.example/60.jpg", "https://b.example/60.jpg?x=1"], [1]),
        (["60.jpg", f"{LINKS}60.jpg"], [1]),
        ([f"{LINKS}60?id=1", f"{LINKS}60?id=2"], [1]),
        ([f"{LINKS}60.jpg?size=1", f"{LINKS}60.jpg?size=2", f"{LINKS}60.jpg", "http" + LINKS[5:] + "60.jpg"], []),
        (["60.jpg", "./60.jpg", "60", "60.0"], []),
    ],
)
def test_two_links_with_one_file_name_get_no_common_photo(
    tmp_path: Path, photos: Path, predictor: WidthPredictor, links: list[str], failed: list[int]
) -> None:
    write_table(tmp_path / "in.csv", "image_link,entity_name", *((link, "width") for link in links))
    assert run(tmp_path, photos) == (3 if failed else 0)
    answers = [row[1] for row in read_rows(tmp_path / "out.csv")[1:]]
    assert [i for i, answer in enumerate(answers) if not answer] == failed
    if failed:
        errors = read_rows(tmp_path / "out.errors.csv")[1:]
        assert [int(row[0]) for row in errors] == failed
        assert all(f"the file name is that of {links[0]}, so both would get one photo" in row[2] for row in errors)


def test_photos_in_folders_of_the_folder(tmp_path: Path, photos: Path, predictor: WidthPredictor) -> None:
    for name, width in (("a", 61), ("b", 62)):
        (photos / name).mkdir()
        (photos / name / "60.jpg").write_bytes(jpeg(width, 30))
    write_table(tmp_path / "in.csv", "image,entity_name", *((f"{name}60.jpg", "width") for name in ("a/", "", "b/")))
    assert run(tmp_path, photos) == 0
    assert [row[1] for row in read_rows(tmp_path / "out.csv")[1:]] == ["61 inch", "60 inch", "62 inch"]


def test_copied_columns_keep_different_names(tmp_path: Path, photos: Path, predictor: WidthPredictor) -> None:
    header = "image,entity_name,prediction,prediction_in,"
    write_table(tmp_path / "in.csv", header, ("60.jpg", "width", "a", "b", "c"))
    assert run(tmp_path, photos) == 0
    columns = ["index", "prediction_in", "prediction_in_in", "column 5", "prediction"]
    assert read_rows(tmp_path / "out.csv") == [columns, ["0", "a", "b", "c", "60 inch"]]


def test_each_photo_is_read_once(tmp_path: Path, photos: Path, predictor: WidthPredictor) -> None:
    write_table(tmp_path / "in.csv", HEADER, *ROWS)
    run(tmp_path, photos)
    assert sorted(predictor.asked) == [["height", "width"], ["voltage", "width"]]


def test_the_group_of_a_photo_is_that_of_its_first_row_with_one(
    tmp_path: Path, photos: Path, predictor: WidthPredictor
) -> None:
    rows = [(f"{LINKS}50.jpg", "", "width"), (f"{LINKS}50.jpg", 7, "height"), (f"{LINKS}60.jpg", " ", "width")]
    write_table(tmp_path / "in.csv", "image_link,group_id,entity_name", *rows)
    assert run(tmp_path, photos) == 0
    assert predictor.groups == {50: "7", 60: ""}


def test_a_row_per_product(
    tmp_path: Path, photos: Path, predictor: WidthPredictor, monkeypatch: pytest.MonkeyPatch
) -> None:
    def prediction(name: str, value: int) -> dict[str, Any]:
        text = {"category": "Apparel & Accessories > Shoes", "title": f"Acme, {value}"}.get(name, f"{value} inch")
        return {**NO_ANSWER, "prediction": text, "confidence": value / 100}

    monkeypatch.setattr(predictor, "_prediction", prediction)
    rows = [("b", "60.jpg", "Red Shoe", "Of leather"), ("a", "50.jpg", "", ""), ("c", "truncated.jpg", "", "")]
    write_table(tmp_path / "in.csv", "index,image,title,description", *rows)
    options = ["--entities", "category, title,width", "--min-confidence", "0.55", "--details", tmp_path / "d.jsonl"]
    assert run(tmp_path, photos, *options) == 3
    levels = ["category_1", "category_2", "category_3", "category_confidence"]
    assert read_rows(tmp_path / "out.csv") == [
        ["index", "image", *levels, "title", "title_confidence", "width", "width_confidence"],
        ["b", "60.jpg", "Apparel & Accessories", "Shoes", "", "0.6", "Acme, 60", "0.6", "60 inch", "0.6"],
        ["a", "50.jpg", "", "", "", "0.125", "", "0.125", "", "0.125"],
        ["c", "truncated.jpg", *[""] * 8],
    ]
    assert predictor.texts == {60: ("Red Shoe", "Of leather"), 50: ("", "")}
    assert [row[:2] for row in read_rows(tmp_path / "out.errors.csv")[1:]] == [["c", "truncated.jpg"]]
    assert len((tmp_path / "d.jsonl").read_text().splitlines()) == 9


def test_products_that_cannot_be_asked_about(
    tmp_path: Path, photos: Path, predictor: WidthPredictor, capsys: pytest.CaptureFixture[str]
) -> None:
    write_table(tmp_path / "in.csv", "index,image", ("a", "50.jpg"), ("a", "60.jpg"))
    assert run(tmp_path, photos, "--entities", "width,height") == 2
    assert "in.csv, line 3, column index: 'a' is there twice" in capsys.readouterr().err
    assert run(tmp_path, photos, "--entities", "girth") == 2
    assert "unknown entity 'girth'" in capsys.readouterr().err
    assert run(tmp_path, photos, "--entities", " ,") == 2
    assert "names none" in capsys.readouterr().err


def test_other_columns_will_do(tmp_path: Path, photos: Path, predictor: WidthPredictor) -> None:
    write_table(tmp_path / "in.csv", "entity_name,image", ("width", "70.jpg"), (" height ", "50.jpg"))
    assert run(tmp_path, photos) == 0
    assert read_rows(tmp_path / "out.csv")[1:] == [["0", "70 inch"], ["1", "30 inch"]]
    assert is_sane(tmp_path)


def test_less_confident_answers_are_left_out(
    tmp_path: Path, photos: Path, predictor: WidthPredictor, capsys: pytest.CaptureFixture[str]
) -> None:
    """The photo of 50 pixels is answered with a confidence of 0.27, that of 60 with 0.3."""
    write_table(tmp_path / "in.csv", HEADER, (1, "50.jpg", 1, "width"), (2, "60.jpg", 1, "width"))
    assert run(tmp_path, photos, "--min-confidence", 0.28, "--details", tmp_path / "d.jsonl") == 0
    assert read_rows(tmp_path / "out.csv")[1:] == [["1", ""], ["2", "60 inch"]]
    assert is_sane(tmp_path)
    details = [json.loads(line) for line in (tmp_path / "d.jsonl").read_text().splitlines()]
    assert [(row["prediction"], row["confidence"]) for row in details] == [("", 0.125), ("60 inch", 0.1 + 60 / 300)]
    for wrong in (1.5, "nan", "high"):
        assert run(tmp_path, photos, "--min-confidence", wrong) == 2
        assert "--min-confidence" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("options", "presumed"),
    [
        ([], True),
        (["--no-assume-present"], False),
        (["--entities", "width"], False),
        (["--entities", "width", "--assume-present"], True),
    ],
)
def test_rows_of_questions_presume_that_their_values_are_there(
    tmp_path: Path, photos: Path, predictor: WidthPredictor, options: list[str], presumed: bool
) -> None:
    write_table(tmp_path / "in.csv", HEADER, ROWS[0])
    assert run(tmp_path, photos, *options) == 0
    assert predictor.presumed == [presumed]


def test_details(tmp_path: Path, photos: Path, predictor: WidthPredictor) -> None:
    write_table(tmp_path / "in.csv", HEADER, ROWS[1], BAD_ROWS[0])
    assert run(tmp_path, photos, "--details", tmp_path / "d.jsonl") == 3
    good, bad = map(json.loads, (tmp_path / "d.jsonl").read_text().splitlines())
    assert good == {
        "index": "1",
        "image": f"{LINKS}50.jpg",
        "entity_name": "height",
        "prediction": "30 inch",
        "value": 30.0,
        "unit": "inch",
        "si": {"value": 0.762, "unit": "metre"},
        "confidence": 0.2,
        "evidence": [1.0, 2.0, 3.0, 4.5],
    }
    assert bad.keys() == good.keys()
    assert bad["prediction"] == "" and bad["confidence"] is None


def test_photos_that_cannot_be_read(tmp_path: Path, photos: Path, predictor: WidthPredictor) -> None:
    write_table(tmp_path / "in.csv", HEADER, *BAD_ROWS, *ROWS)
    assert run(tmp_path, photos) == 3
    out = read_rows(tmp_path / "out.csv")
    assert out[1:8] == [[str(index), ""] for index in range(20, 27)]
    assert out[8:] == ANSWERS[1:]
    assert is_sane(tmp_path)
    header, *errors = read_rows(tmp_path / "out.errors.csv")
    assert header == ["index", "image", "error"]
    assert [(int(index), image) for index, image, _ in errors] == [row[:2] for row in BAD_ROWS]
    expected = [
        "CorruptImage: ",
        "UnsupportedImage: ",
        "BadRequest: the photo is empty",
        "is a placeholder",
        "no none.jpg in ",
        "UnknownEntity: unknown entity 'colour'",
        "not a file's name",
    ]
    for (_, _, error), part in zip(errors, expected, strict=True):
        assert part in error


def test_errors_of_an_earlier_run_do_not_stay(tmp_path: Path, photos: Path, predictor: WidthPredictor) -> None:
    write_table(tmp_path / "in.csv", HEADER, *BAD_ROWS)
    assert run(tmp_path, photos) == 3
    write_table(tmp_path / "in.csv", HEADER, *ROWS)
    assert run(tmp_path, photos) == 0
    assert not (tmp_path / "out.errors.csv").exists()


def test_downloads_what_is_not_in_a_folder(tmp_path: Path, web: Web, predictor: WidthPredictor) -> None:
    # Two links with one last part are two photos.
    web.replies["/a/x.jpg"] = lambda handler: reply(handler, jpeg(50))
    web.replies["/b/x.jpg"] = lambda handler: reply(handler, jpeg(60))
    rows = [(i, f"{web.url}{path}", 1, "width") for i, path in enumerate(["/a/x.jpg", "/b/x.jpg", "/none.jpg"])]
    write_table(tmp_path / "in.csv", HEADER, *rows, (3, "x.jpg", 1, "width"))
    for _ in range(2):
        assert run(tmp_path, None) == 3
        assert [row[1] for row in read_rows(tmp_path / "out.csv")[1:]] == ["50 inch", "60 inch", "", ""]
    errors = [row[2] for row in read_rows(tmp_path / "out.errors.csv")[1:]]
    assert errors == [
        "cannot download: the server answered 404 (Not Found)",
        "not a link; where photos are files, name them too (--photos, on the page a zip)",
    ]
    assert sorted(web.asked) == ["/a/x.jpg", "/b/x.jpg", "/none.jpg", "/none.jpg"]


# Interrupted runs.


def test_resume_asks_only_what_is_open(
    tmp_path: Path,
    photos: Path,
    predictor: WidthPredictor,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    write_table(tmp_path / "in.csv", HEADER, *ROWS, (30, f"{LINKS}70.jpg", 1, "width"), BAD_ROWS[0])
    predict = predictor.predict

    def fails_on_the_last(photo: bytes, entities: Sequence[str], **options: Any) -> SimpleNamespace:
        if decode_photo(photo).shape[1] == 70:
            raise RuntimeError("interrupted")
        return predict(photo, entities, **options)

    monkeypatch.setattr(predictor, "predict", fails_on_the_last)
    with pytest.raises(RuntimeError, match="interrupted"):
        run(tmp_path, photos, "--jobs", 1)
    assert "--resume continues" in capsys.readouterr().err
    assert not (tmp_path / "out.csv").exists()
    assert (tmp_path / "out.csv.journal").exists()

    assert run(tmp_path, photos) == 2
    assert "add --resume, or delete it" in capsys.readouterr().err

    assert run(tmp_path, photos, "--resume", "--reader", "none") == 2
    assert "made with reader by default" in capsys.readouterr().err
    assert run(tmp_path, photos, "--resume", "--min-confidence", 0.5) == 2
    assert "not with reader by default, --min-confidence 0.5" in capsys.readouterr().err
    assert run(tmp_path, photos, "--resume", "--no-assume-present") == 2
    assert "not with reader by default, --no-assume-present" in capsys.readouterr().err

    monkeypatch.setattr(predictor, "predict", predict)
    (photos / "truncated.jpg").write_bytes(jpeg(90))  # what failed is tried again
    predictor.asked.clear()
    assert run(tmp_path, photos, "--resume") == 0
    assert predictor.asked == [["width"], ["width"]]
    assert read_rows(tmp_path / "out.csv") == [*ANSWERS, ["30", "70 inch"], ["20", "90 inch"]]
    assert not (tmp_path / "out.csv.journal").exists()


def test_resume_after_the_table_has_changed(tmp_path: Path, photos: Path, predictor: WidthPredictor) -> None:
    with (
        pytest.raises(RuntimeError),
        Journal(tmp_path / "out.csv.journal", SETTINGS) as journal,
    ):
        answer = Outcome({**NO_ANSWER, "prediction": "1 inch", "confidence": 0.5}, "")
        journal.record(Questions("50.jpg", {}, ["width"]), {"width": answer})
        journal.record(Questions("70.jpg", {"group_id": "7"}, ["width"]), {"width": answer})
        raise RuntimeError
    write_table(tmp_path / "in.csv", "image,entity_name", ("60.jpg", "width"), ("50.jpg", "width"), ("70.jpg", "width"))
    assert run(tmp_path, photos, "--resume") == 0
    # The answer for another group is not the answer now.
    assert read_rows(tmp_path / "out.csv")[1:] == [["0", "60 inch"], ["1", "1 inch"], ["2", "70 inch"]]


def test_run_that_answered_nothing_leaves_nothing(
    tmp_path: Path, photos: Path, predictor: WidthPredictor, capsys: pytest.CaptureFixture[str]
) -> None:
    write_table(tmp_path / "in.csv", "index,image,entity_name", (1, "50.jpg", "width"), (1, "60.jpg", "width"))
    assert run(tmp_path, photos) == 2
    assert "in.csv, line 3, column index: '1' is there twice" in capsys.readouterr().err
    assert sorted(path.name for path in tmp_path.iterdir()) == ["in.csv", "photos"]


@pytest.mark.parametrize(
    ("header", "message"),
    [
        ("index,link,entity_name", "no column image_link or image"),
        ("index,image_link,entity", "no column entity_name"),
    ],
)
def test_unusable_table(
    tmp_path: Path,
    photos: Path,
    predictor: WidthPredictor,
    capsys: pytest.CaptureFixture[str],
    header: str,
    message: str,
) -> None:
    write_table(tmp_path / "in.csv", header, (0, "50.jpg", "width"))
    assert run(tmp_path, photos) == 2
    assert message in capsys.readouterr().err
    assert not (tmp_path / "out.csv").exists()


def test_a_table_without_questions_needs_entities(
    tmp_path: Path, photos: Path, predictor: WidthPredictor, capsys: pytest.CaptureFixture[str]
) -> None:
    write_table(tmp_path / "in.csv", "index,image_link", (0, "50.jpg"))
    assert run(tmp_path, photos) == 2
    assert "has no column entity_name; name what to answer: --entities" in capsys.readouterr().err


def test_unusable_settings(
    tmp_path: Path, photos: Path, predictor: WidthPredictor, capsys: pytest.CaptureFixture[str]
) -> None:
    write_table(tmp_path / "in.csv", HEADER, *ROWS)
    assert run(tmp_path, tmp_path / "nowhere") == 2
    assert "nowhere is not a folder" in capsys.readouterr().err
    assert score_csv.main([str(tmp_path / "in.csv"), str(tmp_path / "no" / "out.csv"), "--images", str(photos)]) == 2
    (tmp_path / "out.csv.journal").write_text("a text of the user's own, and no data base at all" * 99)
    assert run(tmp_path, photos, "--resume") == 2
    assert "not a usable journal" in capsys.readouterr().err
    assert (tmp_path / "out.csv.journal").exists()


def test_weights_that_are_not_there(tmp_path: Path, photos: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_table(tmp_path / "in.csv", HEADER, *ROWS)
    assert run(tmp_path, photos, "--weights", tmp_path / "none.safetensors") == 2
    assert "cannot load the network" in capsys.readouterr().err


def test_other_weights_do_not_resume(
    tmp_path: Path,
    photos: Path,
    predictor: WidthPredictor,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    with pytest.raises(RuntimeError), Journal(tmp_path / "out.csv.journal", SETTINGS) as journal:
        journal.record(Questions("50.jpg", {}, ["width"]), {"width": Outcome(NO_ANSWER, "")})
        raise RuntimeError
    write_table(tmp_path / "in.csv", HEADER, *ROWS)
    (tmp_path / "own.safetensors").write_bytes(b"other weights")
    assert run(tmp_path, photos, "--resume", "--weights", tmp_path / "own.safetensors") == 2
    assert f"was made with {SETTINGS}" in capsys.readouterr().err


# Through a server.


def parsed_form(handler: BaseHTTPRequestHandler) -> tuple[bytes, dict[str, str]]:
    """The photo and the other fields of a request."""
    body = handler.rfile.read(int(handler.headers["Content-Length"]))
    form = message_from_bytes(f"Content-Type: {handler.headers['Content-Type']}\r\n\r\n".encode() + body)
    parts = {
        str(part.get_param("name", header="Content-Disposition")): cast(bytes, part.get_payload(decode=True))
        for part in cast(list[Message], form.get_payload())
    }
    photo = parts.pop("image")
    return photo, {name: text.decode() for name, text in parts.items()}


class Server:
    """Answers as the archive does: the predictor's answers, or the error of this one photo."""

    def __init__(self, web: Web, predictor: WidthPredictor) -> None:
        self.url = f"{web.url}/predictions/resformer"
        self.headers: list[dict[str, str]] = []
        self.fields: list[dict[str, str]] = []
        self.first: list[tuple[bytes, int]] = []  # replies to the first requests
        self.deadly = b""  # a photo that ends its worker
        self._predictor = predictor
        web.replies["/predictions/resformer"] = self

    def __call__(self, handler: BaseHTTPRequestHandler) -> None:
        photo, fields = parsed_form(handler)
        self.headers.append(dict(handler.headers))
        self.fields.append(fields)
        if self.first:
            reply(handler, *self.first.pop(0))
            return
        if photo == self.deadly:
            reply(handler, b'{"code": 507, "type": "InternalServerException", "message": "Worker died."}', 507)
            return
        try:
            names = fields["entity_name"].split(",")
            result = self._predictor.predict(photo, names, min_confidence=float(fields.get("min_confidence", 0)))
        except ResformerError as error:
            fault = {"code": error.status, "type": type(error).__name__, "message": str(error)}
            reply(handler, json.dumps(fault).encode(), error.status)
        else:
            reply(handler, json.dumps(result.as_dict()).encode())


@pytest.fixture
def server(web: Web, predictor: WidthPredictor, monkeypatch: pytest.MonkeyPatch) -> Server:
    quick = Patience(seconds=0.5, deaths=3, passed_over=5, first_wait=0.01, max_wait=0.05)
    monkeypatch.setattr(endpoint_pool, "PATIENCE", quick)
    return Server(web, predictor)


def test_endpoint_gives_the_same_files(tmp_path: Path, photos: Path, server: Server) -> None:
    write_table(tmp_path / "in.csv", HEADER, *ROWS, *BAD_ROWS)
    names = ["out.csv", "out.errors.csv", "d.jsonl"]
    files = []
    for options in ([], ["--endpoint", server.url]):
        assert run(tmp_path, photos, "--details", tmp_path / "d.jsonl", "--min-confidence", 0.28, *options) == 3
        files.append([(tmp_path / name).read_bytes() for name in names])
    assert files[0] == files[1]


def test_what_the_endpoint_is_sent(
    tmp_path: Path, photos: Path, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RESFORMER_TOKEN", "from the environment")
    (tmp_path / "inference").write_text("from-the-file\n")
    write_table(tmp_path / "in.csv", HEADER, *ROWS[:1], ROWS[2])
    keys: list[list[object]] = [["--token", "given"], ["--key-file", tmp_path / "inference"], []]
    for key in keys:
        assert run(tmp_path, photos, "--endpoint", server.url, "--reader", "none", *key) == 0
    assert [sent["Authorization"] for sent in server.headers] == [
        "Bearer given",
        "Bearer from-the-file",
        "Bearer from the environment",
    ]
    sent = {"entity_name": "voltage,width", "group_id": "1", "reader": "none", "assume_present": "true"}
    assert server.fields == [sent] * 3
    server.fields.clear()
    options = ["--no-assume-present", "--min-confidence", 0]
    assert run(tmp_path, photos, "--endpoint", server.url, *options) == 0
    assert server.fields == [{"entity_name": "voltage,width", "group_id": "1", "min_confidence": "0.0"}]


def test_the_endpoint_is_sent_texts_in_a_form(tmp_path: Path, photos: Path, server: Server) -> None:
    text = "Soft — and red. " * 600
    write_table(tmp_path / "in.csv", "image,entity_name,description", ("50.jpg", "width", text))
    assert run(tmp_path, photos, "--endpoint", server.url) == 0
    assert server.fields[0]["description"] == text.strip()
    assert sum(map(len, server.headers[0].values())) < 1000


@pytest.mark.parametrize("status", [500, 503])
def test_busy_endpoint(tmp_path: Path, photos: Path, server: Server, status: int) -> None:
    write_table(tmp_path / "in.csv", HEADER, *ROWS)
    server.first = [(b'{"code": 503, "type": "ServiceUnavailableException", "message": "wait"}', status)] * 2
    assert run(tmp_path, photos, "--endpoint", server.url, "--concurrency", 1) == 0
    assert read_rows(tmp_path / "out.csv") == ANSWERS
    assert len(server.headers) == 4  # two of them refused


def test_photo_that_is_too_long_for_the_server(tmp_path: Path, photos: Path, server: Server) -> None:
    write_table(tmp_path / "in.csv", HEADER, ROWS[0])
    server.first = [(b"", 413)]
    assert run(tmp_path, photos, "--endpoint", server.url) == 3
    error = read_rows(tmp_path / "out.errors.csv")[1][2]
    assert error.startswith("ImageTooLarge: the request has more bytes than the server takes")


def test_photo_that_kills_its_worker(tmp_path: Path, photos: Path, server: Server) -> None:
    write_table(tmp_path / "in.csv", HEADER, *ROWS)
    server.deadly = (photos / "50.jpg").read_bytes()
    assert run(tmp_path, photos, "--endpoint", server.url) == 3
    errors = read_rows(tmp_path / "out.errors.csv")[1:]
    assert [row[0] for row in errors] == ["1", "0"]
    assert "Worker died." in errors[0][2]


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b'{"code": 400, "type": "InvalidKeyException", "message": "Token Authorization failed."}', 400),
        (b'{"code": 404, "type": "ModelNotFoundException", "message": "Model not found: resformer"}', 404),
        (b"<html>a proxy's page</html>", 403),
        (b'{"code": 503, "type": "ServiceUnavailableException", "message": "no worker"}', 503),
    ],
)
def test_endpoint_that_cannot_be_used_ends_the_run(
    tmp_path: Path, photos: Path, server: Server, capsys: pytest.CaptureFixture[str], body: bytes, status: int
) -> None:
    write_table(tmp_path / "in.csv", HEADER, *ROWS)
    server.first = [(body, status)] * 99
    assert run(tmp_path, photos, "--endpoint", server.url) == 1
    printed = capsys.readouterr().err
    assert str(status) in printed and "--resume" not in printed
    assert sorted(path.name for path in tmp_path.iterdir()) == ["in.csv", "photos"]


def test_endpoint_that_goes_away_leaves_a_journal(
    tmp_path: Path, photos: Path, server: Server, capsys: pytest.CaptureFixture[str]
) -> None:
    write_table(tmp_path / "in.csv", HEADER, *ROWS)
    good = json.dumps(WidthPredictor().predict(jpeg(50), ["height", "voltage", "width"]).as_dict()).encode()
    server.first = [(good, 200), *[(b"", 503)] * 99]
    assert run(tmp_path, photos, "--endpoint", server.url, "--concurrency", 1) == 1
    assert "--resume continues" in capsys.readouterr().err
    server.first = []
    assert run(tmp_path, photos, "--endpoint", server.url, "--resume") == 0
    assert len(read_rows(tmp_path / "out.csv")) == 6


def test_endpoint_that_is_not_there(
    tmp_path: Path, photos: Path, server: Server, capsys: pytest.CaptureFixture[str]
) -> None:
    write_table(tmp_path / "in.csv", HEADER, *ROWS)
    started = time.monotonic()
    assert run(tmp_path, photos, "--endpoint", "http://127.0.0.1:9/predictions/resformer") == 1
    assert "gives no answer (ConnectError: All connection attempts failed)" in capsys.readouterr().err
    assert time.monotonic() - started < 5


def test_a_wrong_key_is_refused_before_a_photo_is_sent(
    tmp_path: Path, photos: Path, server: Server, web: Web, capsys: pytest.CaptureFixture[str]
) -> None:
    fault = b'{"code": 400, "type": "InvalidKeyException", "message": "Token Authorization failed."}'
    web.replies["/ping"] = lambda handler: reply(handler, fault, 400)
    write_table(tmp_path / "in.csv", HEADER, *ROWS)
    assert run(tmp_path, photos, "--endpoint", server.url) == 1
    assert "--key-file" in capsys.readouterr().err
    assert server.headers == []


def test_key_file_that_is_none(
    tmp_path: Path, photos: Path, server: Server, capsys: pytest.CaptureFixture[str]
) -> None:
    write_table(tmp_path / "in.csv", HEADER, *ROWS)
    for content in (b"{}", b"\xff\xd8 a photo" * 99):
        (tmp_path / "inference").write_bytes(content)
        assert run(tmp_path, photos, "--endpoint", server.url, "--key-file", tmp_path / "inference") == 2
        errors = capsys.readouterr().err
        assert "is no key file" in errors and len(errors) < 300


def test_endpoint_without_a_scheme(tmp_path: Path, photos: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_table(tmp_path / "in.csv", HEADER, *ROWS)
    assert run(tmp_path, photos, "--endpoint", "127.0.0.1:8080") == 2
    assert "name it like http://" in capsys.readouterr().err


@pytest.mark.parametrize("how", [["scripts/score_csv.py"], ["-m", "resformer.scripts.score_csv"]])
def test_runs_as_a_file_and_as_a_module(how: list[str], tmp_path: Path, photos: Path) -> None:
    write_table(tmp_path / "in.csv", "index,image_link", (0, "50.jpg"))
    files = [str(path) for path in (tmp_path / "in.csv", tmp_path / "out.csv")]
    arguments = [*files, "--images", str(photos), "--endpoint", "http://127.0.0.1:9"]
    done = subprocess.run([sys.executable, *how, *arguments], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 2
    assert "no column entity_name" in done.stderr


def test_with_the_network_itself(tmp_path: Path, photos: Path) -> None:
    write_table(tmp_path / "in.csv", HEADER, *ROWS, *BAD_ROWS)
    assert run(tmp_path, photos, "--reader", "none") == 3
    assert is_sane(tmp_path)
    assert len(read_rows(tmp_path / "out.errors.csv")) == 1 + len(BAD_ROWS)
