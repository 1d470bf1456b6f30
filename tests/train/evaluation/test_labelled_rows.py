"""Rows of label files and of prediction files."""

from pathlib import Path

import pytest

from resformer.model.schema.schema import Schema
from resformer.train.evaluation.labelled_rows import (
    LabelledRow,
    of_first_photos,
    read_predictions,
    read_rows,
    with_photos,
)
from resformer.train.evaluation.quantity_scores import score_label_file

SCHEMA = Schema.load()


def write(path: Path, text: str) -> Path:
    path.write_text(text)
    return path


def test_a_hand_labelled_row_may_be_ambiguous(tmp_path: Path) -> None:
    hand = write(tmp_path / "h.csv", "image,entity_name,accept,sure\na.jpg,width,5 inch,1.0\nb.jpg,width,,0.0\n")
    assert [row.unambiguous for row in read_rows(hand, SCHEMA)] == [True, False]
    challenge = write(tmp_path / "c.csv", "image,entity_name,entity_value\na.jpg,item_weight,5 gram\n")
    assert [row.unambiguous for row in read_rows(challenge, SCHEMA)] == [True]


def test_the_first_photos_are_the_first_by_name() -> None:
    rows = [LabelledRow(photo, "width", ()) for photo in ("b", "a", "c", "a")]
    assert [row.photo for row in of_first_photos(rows, 2)] == ["b", "a", "a"]
    assert of_first_photos(rows, None) == rows


def test_predictions_are_scored_in_canonical_form(tmp_path: Path) -> None:
    labels = write(
        tmp_path / "labels.csv",
        "image,entity_name,entity_value\n"
        "a.jpg,item_weight,500.0 gram\nb.jpg,wattage,1 horsepower\nb.jpg,height,5 inch\n",
    )
    predictions = write(tmp_path / "out.csv", "index,prediction\n0,500 gram\n1,1 watt\n2,\n")
    assert [row.accepted for row in read_rows(labels, SCHEMA)] == [("500 gram",), ("1 horsepower",), ("5 inch",)]
    assert read_predictions(predictions, labels, SCHEMA) == ["500 gram", "1 watt", ""]
    score = score_label_file(labels, predictions=predictions, reader="builtin")
    # One right, one wrong, one missed.
    assert score.micro.precision == score.micro.recall == 0.5
    write(predictions, "index,prediction\n0,500 gram\n")
    with pytest.raises(ValueError, match="no prediction for index 1"):
        score_label_file(labels, predictions=predictions, reader="builtin")
    with pytest.raises(ValueError, match="name the photos, an OCR cache or predictions"):
        score_label_file(labels, reader="builtin")


@pytest.mark.parametrize(
    ("labels", "predictions", "message"),
    [
        (
            "a/1.jpg,width,5 inch\nb/1.jpg,width,6 inch",
            "0,\n1,",
            r"labels\.csv, line 3: b/1\.jpg has the file name of a/1",
        ),
        (
            "1.jpg,width,5 inch\n,width,6 inch",
            "0,\n1,",
            r"labels\.csv, line 3: the last part of '' is not a file's name",
        ),
        ("1.jpg,girth,5 inch", "0,", r"labels\.csv, line 2, column entity_name: 'girth' is no quantity"),
        ("1.jpg,width,5 inch", "0,\n0,5 inch", r"out\.csv, line 3, column index: '0' is there twice"),
        (
            '1.jpg,width,"5 inch\n2.jpg,width,7 inch"',
            "0,",
            r"labels\.csv, line 2, column entity_value: a quote opens here",
        ),
        ("1.jpg,width,5 inch", '0,"5 inch\n1,7 inch"', r"out\.csv, line 2, column prediction: a quote opens here"),
        ("1.jpg,width", "0,", r"labels\.csv, line 2, column entity_value: the row ends before"),
    ],
)
def test_tables_that_would_be_scored_wrongly(tmp_path: Path, labels: str, predictions: str, message: str) -> None:
    rows = write(tmp_path / "labels.csv", f"image,entity_name,entity_value\n{labels}\n")
    answers = write(tmp_path / "out.csv", f"index,prediction\n{predictions}\n")
    with pytest.raises(ValueError, match=message):
        score_label_file(rows, predictions=answers, reader="builtin")


def test_rows_get_the_names_of_the_files(tmp_path: Path) -> None:
    for name in ("1001.png", "b.jpg"):
        (tmp_path / name).touch()
    labels = "image_link,entity_name,entity_value\n1001.0, width ,5 inch\nhttps://x.example/b.jpg?w=9,width,6 inch\n"
    rows = with_photos(read_rows(write(tmp_path / "c.csv", labels), SCHEMA), tmp_path)
    assert [(row.photo, row.entity) for row in rows] == [("1001.png", "width"), ("b.jpg", "width")]
