"""What a worker counts, through TorchServe's own metrics and metrics.yaml."""

import logging
import re
import time
from collections import defaultdict
from pathlib import Path
from typing import Any

import pytest
import yaml
from ts.context import Context, RequestProcessor
from ts.metrics.metric_cache_yaml_impl import MetricsCacheYamlImpl

from resformer.handler import worker_metrics
from resformer.handler.service import Service
from resformer.handler.worker_metrics import COUNTERS, HISTOGRAMS, WorkerMetrics, start_emitting
from resformer.model.prediction import Prediction, Result
from resformer.model.runtime import measures
from resformer.model.runtime.measures import NETWORK, QUANTITY_OUTCOMES, READER, count_outcome, timed
from tests.handler.test_service import FakePredictor, photo
from tests.paths import ROOT

METRICS_YAML = ROOT / "metrics.yaml"
# As TorchServe's front end matches a line of a worker.
LINE = re.compile(r"\[METRICS](\w+)\.(\w+):([0-9\-,.e]+)\|#([^|]*)\|#type:([^|,]+)\|#hostname:([^,]+),([^,]+)(,(.*))?")


@pytest.fixture
def torchserve_metrics() -> Any:
    """Those of a worker whose server runs with metrics.yaml."""
    cache = MetricsCacheYamlImpl(str(METRICS_YAML))
    cache.initialize_cache()
    return cache


@pytest.fixture(autouse=True)
def no_fault_was_logged(monkeypatch: pytest.MonkeyPatch) -> None:
    """Faults are logged once a minute."""
    monkeypatch.setattr(worker_metrics, "_logged_at", -worker_metrics.LOG_SECONDS)


def emitted(caplog: pytest.LogCaptureFixture, counted: WorkerMetrics, metrics: Any) -> dict[str, float]:
    """What the front end would add, by name and labels; lines that add nothing left out."""
    caplog.clear()
    with caplog.at_level(logging.INFO):
        counted.emit(metrics)
    found: defaultdict[str, float] = defaultdict(float)
    for record in caplog.records:
        match = LINE.fullmatch(record.getMessage())
        assert match, record.getMessage()
        labels = [label.split(":") for label in match[4].split(",") if label]
        assert all(len(label) == 2 for label in labels), record.getMessage()
        assert match[5] == ("HISTOGRAM" if match[1] in HISTOGRAMS else "COUNTER")
        found[" ".join([match[1], *(value for _, value in labels)])] += float(match[3])
    return {series: value for series, value in found.items() if value}


def prediction(text: str, confidence: float) -> Prediction:
    return Prediction(text, None, None, None, confidence, None)


def test_metrics_yaml_defines_what_is_counted() -> None:
    defined = yaml.safe_load(METRICS_YAML.read_text())["model_metrics"]
    assert {metric["name"]: tuple(metric["dimensions"]) for metric in defined["counter"]} == dict(COUNTERS)
    assert {metric["name"]: metric["dimensions"] for metric in defined["histogram"]} == {
        name: [] for name in HISTOGRAMS
    }


def test_a_batch_is_counted(torchserve_metrics: Any, caplog: pytest.LogCaptureFixture) -> None:
    worker = Service(FakePredictor, lambda: 1)  # type: ignore[arg-type]
    rows: list[dict[str, Any]] = [
        {"image": photo(), "entity_name": bytearray(b"width,gender")},
        {"image": photo(), "entity_name": bytearray(b"width"), "reader": bytearray(b"none")},
        {"body": bytearray(b"no photo")},
        {"body": bytearray()},
        {"data": photo(), "description": bytearray(b"fail")},
    ]
    context = Context("resformer", "/", None, len(rows), -1, "0")
    context.request_processor = [RequestProcessor({}) for _ in rows]
    context.request_ids = {i: f"request-{i}" for i in range(len(rows))}
    worker.handle(rows, context)
    found = emitted(caplog, worker.metrics, torchserve_metrics)
    assert 0 < found.pop("resformer_batch_seconds") < 60
    assert found == {
        "resformer_photos_total builtin": 2,
        "resformer_answers_total quantity empty 0.5": 2,
        "resformer_answers_total choice empty 0.5": 1,
        "resformer_errors_total UnsupportedImage": 1,
        "resformer_errors_total BadRequest": 1,
        "resformer_errors_total InternalError": 1,
        "resformer_batches_total": 1,
    }
    assert emitted(caplog, worker.metrics, torchserve_metrics) == {}


def test_confidences_by_tenth(torchserve_metrics: Any, caplog: pytest.LogCaptureFixture) -> None:
    counted = WorkerMetrics(["crops"])
    answers = {"a": ("5 gram", 0.0), "b": ("", 0.09), "c": ("x", 0.999), "d": ("y", 1.0), "e": ("z", 0.3)}
    row = {name: prediction(*answer) for name, answer in answers.items()}
    counted.count_photo(Result(1, 1, row), dict.fromkeys(answers, "text"), "crops")
    counted.count_photo(Result(1, 1, {}), {}, "a reader of another version")
    assert emitted(caplog, counted, torchserve_metrics) == {
        "resformer_photos_total crops": 1,
        "resformer_photos_total other": 1,
        "resformer_answers_total text answered 0.0": 1,
        "resformer_answers_total text empty 0.0": 1,
        "resformer_answers_total text answered 0.9": 2,
        "resformer_answers_total text answered 0.3": 1,
    }


def test_zeros_come_first_so_that_the_first_error_is_an_increase(
    torchserve_metrics: Any, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.INFO):
        WorkerMetrics(["crops"]).emit(torchserve_metrics)
    text = caplog.text
    assert "resformer_errors_total.Count:0|#type:InternalError|" in text
    assert "resformer_errors_total.Count:0|#type:CorruptImage|" in text
    assert len(caplog.records) < 120


def test_parts_are_measured_where_the_worker_answers(torchserve_metrics: Any, caplog: pytest.LogCaptureFixture) -> None:
    counted = WorkerMetrics()
    with timed(READER):  # nobody listens
        count_outcome("answered")
    with counted.measuring():
        with timed(READER):
            time.sleep(0.01)
        with timed(NETWORK):
            pass
        for outcome in QUANTITY_OUTCOMES:
            count_outcome(outcome)
    assert measures._listener is None
    found = emitted(caplog, counted, torchserve_metrics)
    assert found.pop("resformer_reader_seconds") >= 0.01
    found.pop("resformer_network_seconds", None)
    assert found == {f"resformer_quantities_total {outcome}": 1 for outcome in QUANTITY_OUTCOMES}


def test_a_fault_of_metrics_changes_no_answer_and_is_logged_once(caplog: pytest.LogCaptureFixture) -> None:
    counted = WorkerMetrics(["crops"])
    row = Result(1, 1, {"new": prediction("x", float("nan"))})
    for _ in range(3):
        counted.count_photo(row, {}, "crops")
    counted.count_error(ValueError("x"))
    assert [record.getMessage() for record in caplog.records] == ["metrics are incomplete"]


def test_a_server_with_other_definitions_gets_what_it_ignores(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """As where the archive is served with TorchServe's own metrics.yaml."""
    other = tmp_path / "metrics.yaml"
    other.write_text("model_metrics:\n  gauge:\n    - {name: HandlerTime, unit: ms, dimensions: [ModelName, Level]}\n")
    cache = MetricsCacheYamlImpl(str(other))
    cache.initialize_cache()
    counted = WorkerMetrics()
    counted.count_batch(0.5)
    assert emitted(caplog, counted, cache) == {"resformer_batches_total": 1, "resformer_batch_seconds": 0.5}


def test_a_thread_hands_them_on_and_survives_faults(torchserve_metrics: Any, caplog: pytest.LogCaptureFixture) -> None:
    counted = WorkerMetrics()
    with caplog.at_level(logging.INFO):
        ended = start_emitting(counted, torchserve_metrics, seconds=0.01)
        deadline = time.monotonic() + 20
        while "resformer_batches_total" not in caplog.text and time.monotonic() < deadline:
            time.sleep(0.01)
        counted._counts["resformer_unknown", ()] = 1  # a fault
        time.sleep(0.05)
        counted.count_batch(0.25)
        while "resformer_batch_seconds" not in caplog.text and time.monotonic() < deadline:
            time.sleep(0.01)
        ended.set()
    assert re.search(r"resformer_batch_seconds\.\w+:0\.25\|", caplog.text)
    assert "metrics are incomplete" in caplog.text


def test_counting_a_photo_takes_little() -> None:
    counted = WorkerMetrics(["crops"])
    names = [f"entity{i}" for i in range(20)]
    row = Result(1, 1, {name: prediction("x", 0.7) for name in names})
    kinds = dict.fromkeys(names, "choice")
    times = []
    for _ in range(300):
        start = time.perf_counter()
        counted.count_photo(row, kinds, "crops")
        counted.count_batch(0.05)
        times.append(time.perf_counter() - start)
    assert sorted(times)[len(times) // 2] < 0.0003
