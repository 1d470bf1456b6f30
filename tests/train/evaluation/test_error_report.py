"""The error report classifies errors and shows them on their photos."""

from dataclasses import replace
from pathlib import Path

import pytest
from PIL import Image

from resformer.model.ocr.text_line import TextLine
from resformer.model.prediction import Prediction
from resformer.model.quantities.candidates import find_candidates
from resformer.train.data.quantity_records import Record
from resformer.train.evaluation.error_cases import ErrorCase, outcome
from resformer.train.evaluation.error_page import render_page
from resformer.train.evaluation.labelled_rows import LabelledRow

UNITS = ("gram", "ounce")


def error_case(prediction: str, *accepted: str, text: str = "12 oz (340 g), serving 30 g") -> ErrorCase:
    line = TextLine(((10, 10), (200, 10), (200, 40), (10, 40)), text, 0.9)
    box = [10.0, 10.0, 60.0, 40.0] if prediction else None
    answer = Prediction(prediction, None, None, None, 0.9, box)
    record = Record("a.png", None, 300, 200, (line,), ())
    return ErrorCase(LabelledRow("a.png", "item_weight", accepted), answer, find_candidates([line], UNITS), record)


@pytest.mark.parametrize(
    ("given", "kind"),
    [
        (error_case("12 ounce", "12 ounce"), "right"),
        (error_case("340 gram", "12 ounce"), "other unit"),
        (error_case("30 gram", "12 ounce"), "other candidate"),
        (error_case("30 gram", "7 ounce"), "no candidate"),
        (error_case("", "12 ounce"), "empty"),
        (error_case("", "7 ounce"), "no candidate"),
        (error_case("30 gram"), "not shown"),
        (error_case(""), "rightly empty"),
    ],
)
def test_outcomes(given: ErrorCase, kind: str) -> None:
    assert outcome(given) == kind


def test_the_page_counts_and_shows_the_errors(tmp_path: Path) -> None:
    Image.new("RGB", (300, 200), "white").save(tmp_path / "a.png")
    cases = [error_case(prediction, "12 ounce") for prediction in ("12 ounce", "30 gram")]
    text = render_page([*cases, error_case("30 gram", "<b>")], tmp_path, source="labels.csv")
    assert "2 of 3 answers are wrong" in text and "<title>Errors of labels.csv</title>" in text
    assert text.count('<img src="data:image/jpeg;base64,') == 1
    assert text.count("class=answer") == 2 and text.count('class="box wrong" data-of="1"') == 1
    assert 'style="left:3.33%;top:5.00%;width:16.67%;height:15.00%"' in text
    assert "<b>" not in text and "right: <span class=accepted>&lt;b&gt;</span>" in text
    assert "<td>item_weight</td><td>3</td><td>1</td>" in text
    assert '<option value="other candidate">other candidate (1)</option>' in text


def test_of_many_photos_those_with_the_most_confident_errors_are_shown(tmp_path: Path) -> None:
    Image.new("RGB", (300, 200), "white").save(tmp_path / "a.png")
    Image.new("RGB", (300, 200), "white").save(tmp_path / "b.png")
    first = error_case("30 gram", "12 ounce")
    second = replace(
        first, row=replace(first.row, photo="b.png"), prediction=replace(first.prediction, confidence=0.95)
    )
    text = render_page([first, second], tmp_path, source="labels.csv", max_photos=1)
    assert "Of 2 photos the 1 with the most confident errors are shown" in text
    assert '<article id="b.png">' in text and '<article id="a.png">' not in text
