"""Benchmarks of scoring on a few drawn photos: each figure is there, and the simulation agrees with the run."""

from hashlib import sha256
from pathlib import Path

import pytest

from resformer.scripts.engines.drawn_photos import draw_photos
from resformer.scripts.engines.long_table_benchmark import benchmark_long_table
from resformer.scripts.engines.run_watch import watch_runs
from resformer.scripts.engines.stage_benchmark import benchmark_stages
from resformer.scripts.lib.external_error import ExternalError
from resformer.train.evaluation.scale_figures import simulate_measured_run
from resformer.train.evaluation.scale_tables import long_table_lines, stages_lines


def test_drawn_photos_differ_and_depend_on_their_number_alone(tmp_path: Path) -> None:
    for name, count in (("few", 60), ("many", 75)):
        (tmp_path / name).mkdir()
        draw_photos(tmp_path / name, count)
    few, many = (
        [sha256((tmp_path / name / "photos" / f"{i}.jpg").read_bytes()).digest() for i in range(count)]
        for name, count in (("few", 60), ("many", 75))
    )
    assert few == many[:60]
    assert len(set(many)) == 75


def test_a_failed_run_is_an_error(tmp_path: Path) -> None:
    command = ["python3", "-c", "import sys; sys.exit('no such table')"]
    with pytest.raises(ExternalError, match="no such table"):
        watch_runs([command], [tmp_path / "out.csv"])


@pytest.mark.timeout(300)
def test_the_simulation_agrees_with_a_measured_run() -> None:
    figures = benchmark_stages(96, ["builtin"], ["quantities"])
    (row,) = figures["rows"]
    assert 10_000 < figures["bytes_per_photo"] < 500_000
    assert 0 < figures["journal_core_seconds"] < row["core_seconds"]
    assert sum(row["stages"].values()) == pytest.approx(row["core_seconds"], rel=0.05)
    assert row["stages"]["detect"] > row["stages"]["decode"] > 0
    assert row["worker_bytes"] > 100 * 2**20 and row["run"]["peak_bytes"] > 100 * 2**20
    assert f"| `builtin` | quantities | {1 / row['core_seconds']:.1f} |" in "\n".join(stages_lines(figures))
    # On a busy machine processes have a part of their cores; the simulation has all of them.
    simulated = simulate_measured_run(row, figures).photos_per_second * min(1.0, row["core_share"])
    assert 1 / 2.5 < simulated / row["run"]["photos_per_second"] < 2.5


@pytest.mark.timeout(300)
def test_a_long_table_beside_a_short_one() -> None:
    figures = benchmark_long_table(60, 20, reader="builtin", few_rows=30, threads_rows=30, in_process_photos=16)
    assert [(run["engine"], run["rows"], run["photos"]) for run in figures["runs"]] == [
        ("processes", 30, 10),
        ("threads", 30, 10),
        ("processes", 60, 20),
    ]
    assert all(run["photos_per_second"] > 0 and run["peak_bytes"] > 100 * 2**20 for run in figures["runs"])
    assert 0.5 < figures["peak_ratio"] < 2
    assert long_table_lines(figures)[2].startswith("| processes | 30 | 10 |")
    with pytest.raises(ValueError, match="10 rows cannot be about 20 photos"):
        benchmark_long_table(10, 20, reader="builtin", few_rows=5, threads_rows=5, in_process_photos=5)
