"""Benchmark files, and the page that is written from them."""

from pathlib import Path

import pytest

from resformer.train.evaluation.benchmark_file import read_benchmark, write_benchmark
from resformer.train.evaluation.benchmark_tables import render_document, render_section
from tests.paths import ROOT

FIGURES = {"detectors": [{"detector": "blind", "recall": 0.0, "boxes_per_photo": 0.0, "ms_per_photo": 12.4}]}


def test_a_file_says_what_its_figures_were_measured_with(tmp_path: Path) -> None:
    path = write_benchmark(tmp_path / "new", "detection", FIGURES, command="resformer benchmark detection")
    benchmark = read_benchmark(path)
    assert benchmark.figures == FIGURES
    assert benchmark.machine["cores"] >= 1 and benchmark.machine["cpu"]
    assert {"python", "resformer", "torch"} <= benchmark.versions.keys()
    assert benchmark.weights is not None and len(benchmark.weights) == 64
    text = render_section(benchmark)
    assert text.startswith("## Text detection\n")
    assert f"`resformer benchmark detection` ({benchmark.machine['cpu']}" in text
    assert "|  | blind |\n| --- | --- |\n| recall | 0.000 |" in text


def test_other_files_are_refused(tmp_path: Path) -> None:
    (tmp_path / "detection.json").write_text('{"recall": 1}')
    with pytest.raises(ValueError, match=r"detection\.json is not a benchmark file"):
        render_document(tmp_path)
    (tmp_path / "detection.json").unlink()
    write_benchmark(tmp_path, "speed", {}, command="")
    with pytest.raises(ValueError, match=r"speed\.json is of no known benchmark; known are quantities"):
        render_document(tmp_path)


def test_the_page_is_what_the_files_generate() -> None:
    page = (ROOT / "BENCHMARKS.md").read_text(encoding="utf-8")
    assert page == render_document(ROOT / "docs" / "benchmarks"), (
        "run: resformer benchmark tables docs/benchmarks BENCHMARKS.md"
    )
    assert len(page.splitlines()) <= 175
