"""Text lines of photos, to train the recognizer on."""

from dataclasses import replace

import cv2
import numpy as np

from resformer.model.networks.text_recognition import CROP_HEIGHT
from resformer.model.ocr.charset import CHARSET, fold_to_charset
from resformer.model.ocr.line_crop import crop_line
from resformer.model.ocr.text_line import TextLine
from resformer.train.ocr.ocr_records import read_ocr_sources
from resformer.train.ocr.recognition.labelled_lines import LabelledLine, read_labelled_lines
from resformer.train.settings.sources import OcrSource


def test_text_is_folded_to_the_charset() -> None:
    assert fold_to_charset("NET WT. 5½” × 3µg") == 'net wt. 5½" x 3ug'
    assert fold_to_charset("Crème  Brûlée") == "creme brulee"
    assert fold_to_charset("重量 5") is None
    assert all(fold_to_charset(c) == c for c in CHARSET[1:])


def test_lines_keep_their_surroundings(source: OcrSource) -> None:
    lines = read_labelled_lines(read_ocr_sources([source]))
    assert len(lines) == 16
    for line in lines:
        pixels, corners = line.decode()
        assert crop_line(pixels, corners, CROP_HEIGHT).min() < 80
        assert pixels[:2].min() > 100 and pixels[-2:].min() > 100
        assert fold_to_charset(line.text) == line.text


def test_doubtful_foreign_and_tiny_lines_are_left_out(source: OcrSource) -> None:
    record = read_ocr_sources([source])[0]
    line = record.lines[0]
    tiny = TextLine(((9, 9), (12, 9), (12, 12), (9, 12)), "5 g", 0.95)
    others = (replace(line, score=0.5), replace(line, text="重量"), tiny)
    assert not read_labelled_lines([replace(record, lines=others)])
    assert len(read_labelled_lines([replace(record, lines=(line, *others))])) == 1


def test_corners_lie_within_the_surroundings() -> None:
    _, jpeg = cv2.imencode(".jpg", np.zeros((40, 100, 3), np.uint8))
    pixels, corners = LabelledLine(jpeg.tobytes(), "5").decode()
    assert pixels.shape == (40, 100, 3)
    assert corners.tolist() == [[10, 10], [90, 10], [90, 30], [10, 30]]
