"""The error report classifies errors and shows them on their photos."""

from pathlib import Path

import pytest
from PIL import Image

from resformer.model.ocr.text_line import TextLine
from resformer.model.prediction import Prediction
from resformer.model.quantities.candidates import find_candidates
from resformer.train.data.quantity_records import Record
from resformer.train.evaluation.error_report import ErrorCase, outcome, render_report
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


def test_the_report_counts_and_shows_the_errors(tmp_path: Path) -> None:
    Image.new("RGB", (300, 200), "white").save(tmp_path / "a.png")
    cases = [error_case(prediction, "12 ounce") for prediction in ("12 ounce", "30 gram")]
    text = render_report([*cases, error_case("30 gram", "<b>")], tmp_path)
    assert "The 2 most confident errors of 2" in text
    assert text.count("<img src='data:image/jpeg;base64,") == 2
    assert "right: 12 ounce" in text and "right: &lt;b&gt;" in text
    assert "<td>item_weight</td><td>3</td><td>1</td>" in text
