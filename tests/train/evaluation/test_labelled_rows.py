"""Rows of label files and of prediction files."""

from pathlib import Path

import pytest

from resformer.model.schema.schema import Schema
from resformer.train.evaluation.labelled_rows import LabelledRow, of_first_photos, read_predictions, read_rows
from resformer.train.evaluation.quantity_scores import score_label_file

SCHEMA = Schema.load()


def write(path: Path, text: str) -> Path:
    path.write_text(text)
    return path


def test_a_hand_labelled_row_may_be_ambiguous(tmp_path: Path) -> None:
    hand = write(tmp_path / "h.csv", "image,entity_name,accept,sure\na.jpg,width,5 inch,1\nb.jpg,width,,0\n")
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
