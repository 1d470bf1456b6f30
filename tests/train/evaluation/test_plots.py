"""Plots are images of the expected size."""

from pathlib import Path

from PIL import Image

from resformer.train.evaluation.plots import TimedScore, plot_confusion, plot_f1_against_time, plot_precision_coverage


def test_precision_is_plotted_against_coverage(tmp_path: Path) -> None:
    plot_precision_coverage(tmp_path / "curve.png", [0.9, 0.8, 0.3], [True, True, False])
    assert Image.open(tmp_path / "curve.png").size == (720, 480)


def test_f1_is_plotted_against_time_for_each_set(tmp_path: Path) -> None:
    scores = [
        TimedScore(photos, system, reader, f1, milliseconds)
        for photos in ("one", "two")
        for system, reader, f1, milliseconds in (
            ("Resformer", "crops, 384 pixels", 0.6, 300.0),
            ("Resformer", "crops", 0.7, 500.0),
            ("rules", "Tesseract", 0.4, 900.0),
        )
    ]
    plot_f1_against_time(tmp_path / "times.png", scores)
    with Image.open(tmp_path / "times.png") as plot:
        assert plot.width > 2 * 600
        assert len(plot.convert("RGB").getcolors(1 << 24) or []) > 20


def test_a_confusion_matrix_shows_the_most_frequent_labels(tmp_path: Path) -> None:
    pairs = [("a", "a"), ("a", "b"), ("b", "b"), ("c", "a")]
    for max_labels in (2, 3):
        plot_confusion(tmp_path / f"{max_labels}.png", pairs, max_labels)
    assert Image.open(tmp_path / "2.png").width < Image.open(tmp_path / "3.png").width
