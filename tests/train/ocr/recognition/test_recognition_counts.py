"""Recognized texts are compared with the true ones."""

from resformer.train.ocr.recognition.recognition_counts import RecognitionCounts, compare_texts


def test_texts_are_counted() -> None:
    counts = compare_texts([("5 g", "5 g"), ("6 g", "5 g"), ("net", "net"), ("golden", "golden")])
    assert counts == RecognitionCounts(lines=4, correct=3, digit_lines=2, correct_digit_lines=1)
    assert counts.accuracy == 0.5
    assert counts.table() == "lines with digits correct: 0.500 of 2; all lines: 0.750 of 4"
    assert compare_texts([]).accuracy == 0
