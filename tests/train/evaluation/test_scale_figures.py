"""Figures of docs/scale.md, computed from figures of a photo, and the document that has them."""

import json
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from resformer.train.evaluation.benchmark_file import read_benchmark, write_benchmark
from resformer.train.evaluation.benchmark_tables import ELSEWHERE, render_document, render_section
from resformer.train.evaluation.plots import plot_scale
from resformer.train.evaluation.scale_figures import (
    MACHINE_TYPES,
    MachineType,
    read_stages,
    scale_figures,
    simulate_measured_run,
    with_prices,
)
from resformer.train.evaluation.scale_tables import fill_document
from tests.paths import ROOT

STAGES: dict[str, Any] = {
    "photos": 400,
    "cores": 2,
    "bytes_per_photo": 50_000.0,
    "journal_core_seconds": 0.001,
    "rows": [
        {
            "reader": "builtin",
            "questions": "everything",
            "core_seconds": 0.099,
            "core_share": 0.99,
            "deviation": 0.02,
            "stages": {"decode": 0.015, "detect": 0.05, "recognise": 0.014, "choose": 0.01, "write": 0.01},
            "worker_bytes": 1 << 30,
            "in_process_photos_per_second": 20.0,
            "run": {
                "photos_per_second": 19.5,
                "start_seconds": 5.0,
                "seconds": 25.0,
                "peak_bytes": 3 << 30,
                "main_core_seconds": 0.001,
            },
        }
    ],
}


@cache
def figures(**options: Any) -> dict[str, Any]:
    return scale_figures(STAGES, photos=20_000, **options)


def test_a_price_is_core_hours_times_a_price() -> None:
    ten, few = MachineType("ten", 10, 100 << 30, 0.5), MachineType("little memory", 4, 2 << 30, 0.5)
    prices = figures(machine_types=(ten, few))["prices"][0]["machines"]
    # 0.1 core-seconds a photo, so 27.8 core-hours a million; half of the second machine's cores have no worker.
    assert [one["workers"] for one in prices] == [10, 2]
    assert prices[0]["core_hours_per_million"] == pytest.approx(27.78, abs=0.01)
    assert prices[0]["price_per_million"] == pytest.approx(13.89, abs=0.01)
    assert prices[1]["price_per_million"] == pytest.approx(2 * 13.89, abs=0.01)


def test_prices_of_the_reader() -> None:
    assert [machine.price for machine in with_prices(MACHINE_TYPES, [])] == [m.price for m in MACHINE_TYPES]
    assert {machine.price for machine in with_prices(MACHINE_TYPES, [0.1])} == {0.1}
    assert [machine.price for machine in with_prices(MACHINE_TYPES, [1, 2, 3])] == [1, 2, 3]
    with pytest.raises(ValueError, match="2 prices of a core-hour"):
        with_prices(MACHINE_TYPES, [1, 2])
    with pytest.raises(ValueError, match="must be at least 0"):
        with_prices(MACHINE_TYPES, [-1])


def test_the_bottleneck_moves() -> None:
    (found,) = figures(photo_bytes=125_000)["bottlenecks"]
    assert found["slowest"] == {"stage": "detect", "fraction": pytest.approx(0.505, abs=0.001)}
    assert found["slowest_with_accelerator"]["stage"] == "decode"
    # A link of 1 Gbit/s brings 1,000 photos a second, which take 99 cores.
    assert found["cores_by_link"]["125000000"] == pytest.approx(99)
    assert found["cores_by_head"] == pytest.approx(99)


def test_the_measured_run_is_simulated() -> None:
    assert simulate_measured_run(STAGES["rows"][0], STAGES).photos_per_second == pytest.approx(20.0, rel=0.02)
    (check,) = figures()["checks"]
    assert check["measured"] == 19.5


def test_all_nodes_answer_all_photos() -> None:
    runs = figures()["runs"]
    assert [(run["nodes"], run["parts"], run["troubles"]) for run in runs[:4]] == [
        *((1, 1, False), (1, 1, True)),
        *((10, 1, False), (10, 1, True)),
    ]
    assert {run["answered"] + run["failed"] for run in runs} == {20_000}
    json.dumps(runs, allow_nan=False)


def test_the_document_gets_its_tables(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"stages\.json is missing; measure it first: resformer benchmark stages"):
        read_stages(tmp_path)
    write_benchmark(tmp_path, "stages", STAGES, command="resformer benchmark stages")
    assert read_stages(tmp_path) == STAGES
    path = write_benchmark(tmp_path, "scale", figures(), command="resformer benchmark scale")
    plot_scale(tmp_path / "scale.png", json.loads(path.read_text())["figures"]["runs"])
    assert (tmp_path / "scale.png").stat().st_size > 1000
    text = "# Page\n<!-- figures: scale, prices -->\nold\n<!-- end -->\nprose\n<!-- figures: stages -->\n<!-- end -->\n"
    filled = fill_document(text, tmp_path)
    assert "old" not in filled and "\nprose\n" in filled and "| `builtin` | everything | 27.8 | 20, 0.83 |" in filled
    assert "`resformer benchmark stages` (" in filled and "| `builtin` | everything | 10.1 | 15.0 | 50.0 |" in filled
    assert fill_document(filled, tmp_path) == filled
    with pytest.raises(ValueError, match=r"long-table\.json is missing"):
        fill_document("<!-- figures: long-table -->\n<!-- end -->", tmp_path)
    with pytest.raises(ValueError, match="scale has no table 'costs'; it has prices"):
        fill_document("<!-- figures: scale, costs -->\n<!-- end -->", tmp_path)
    assert "## " not in render_document(tmp_path)  # these figures are not those of BENCHMARKS.md


@pytest.mark.parametrize("name", sorted(set(ELSEWHERE.values())))
def test_the_page_is_what_the_files_generate(name: str) -> None:
    page = (ROOT / "docs" / name).read_text(encoding="utf-8")
    assert page == fill_document(page, ROOT / "docs" / "benchmarks"), (
        f"run: resformer benchmark tables docs/benchmarks docs/{name} --fill"
    )
    assert all(f"<!-- figures: {benchmark}" in page for benchmark, of in ELSEWHERE.items() if of == name)


def test_the_recorded_check_is_within_a_fifth() -> None:
    scale = json.loads((ROOT / "docs" / "benchmarks" / "scale.json").read_text())["figures"]
    for check in scale["checks"]:
        assert check["core_share"] > 0.95, "stages.json was measured on a busy machine; measure it on an idle one"
        assert check["simulated"] == pytest.approx(check["measured"], rel=0.2), check


def test_sections_are_shown_after_a_measurement(tmp_path: Path) -> None:
    path = write_benchmark(tmp_path, "stages", STAGES, command="resformer benchmark stages")
    assert render_section(read_benchmark(path)).startswith("## Stages\n")
