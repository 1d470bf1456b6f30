"""Dashboard, alert rules and table of metrics name what is really exported, with the labels that it has."""

import json
import re
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import promql_parser
import pytest
import yaml
from prometheus_client.parser import text_string_to_metric_families

from resformer.scripts.monitor.health import DRAINING_FILE
from resformer.scripts.monitor.monitor import Monitor, MonitorOptions
from resformer.scripts.monitor.nginx_status import STATUS_PATH
from resformer.scripts.monitor.probe_server import Answer, ProbeServer
from resformer.scripts.torchserve.access_keys import KINDS
from tests.paths import ROOT
from tests.scripts.monitor.fake_torchserve import FakeTorchServe

MONITORING = ROOT / "deploy" / "monitoring"
# What Prometheus adds to each sample.
OF_THE_SCRAPE = {"instance", "job"}
OF_PROMETHEUS: dict[str, set[str]] = {"up": set()}
PANELS = {"row", "stat", "timeseries", "bargauge"}
# What Grafana puts in place of its variables.
VARIABLES = {"$__rate_interval": "5m", "$__range": "3h", "$instance": ".*"}


@pytest.fixture(scope="module")
def exported() -> dict[str, set[str]]:
    """The labels of each sample that monitor, TorchServe and workers export."""
    found: dict[str, set[str]] = {}
    with tempfile.TemporaryDirectory(prefix="resformer-", dir="/tmp") as name:
        for sample, labels in _monitor_samples(Path(name)):
            found[sample] = labels
    for kind, metrics in _torchserve_metrics():
        for metric in metrics:
            labels = {*metric["dimensions"]}
            if kind == "histogram":
                for end in ("_count", "_sum"):
                    found[metric["name"] + end] = labels
                labels, metric = {*labels, "le"}, {"name": metric["name"] + "_bucket"}
            assert metric["name"] not in found, "a metric is exported once"
            found[metric["name"]] = labels
    return found


def _monitor_samples(folder: Path) -> Iterator[tuple[str, set[str]]]:
    """With everything that it can watch."""
    keys = folder / "keys"
    keys.mkdir()
    for name in KINDS:
        (keys / name).write_text("0123456789abcdef\n")
    torchserve = FakeTorchServe(folder)
    torchserve.name_in(folder)
    torchserve.metrics = ""
    page = b"Active connections: 1 \nserver accepts handled requests\n 1 1 1 \nReading: 0 Writing: 1 Waiting: 0 \n"
    nginx = ProbeServer(folder / "status.sock", {STATUS_PATH: lambda: Answer(200, page, "text/plain")})
    threading.Thread(target=nginx.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
    (folder / DRAINING_FILE).touch()
    options = MonitorOptions(
        folder=folder,
        listen=folder / "monitor.sock",
        nginx_status=folder / "status.sock",
        keys=keys,
        reload=lambda: None,
    )
    monitor = Monitor(options)
    monitor.poll()
    monitor.access.take(b'{"status":"200","path":"/predictions/resformer","seconds":"0.1","bytes_in":"9"}')
    for family in text_string_to_metric_families(monitor.metrics().body.decode()):
        for sample in family.samples:
            yield sample.name, set(sample.labels)
    nginx.shutdown()
    nginx.server_close()
    torchserve.close()


def _torchserve_metrics() -> Iterator[tuple[str, list[dict[str, Any]]]]:
    defined = yaml.safe_load((ROOT / "metrics.yaml").read_text())
    for part in ("ts_metrics", "model_metrics"):
        yield from defined[part].items()


def _rules() -> list[dict[str, Any]]:
    (group,) = yaml.safe_load((MONITORING / "alerts.yaml").read_text())["groups"]
    return list(group["rules"])


def _dashboard() -> dict[str, Any]:
    document: dict[str, Any] = json.loads((MONITORING / "dashboard.json").read_text())
    return document


def _queries() -> list[str]:
    """Of all panels, with values for Grafana's variables."""
    queries = [target["expr"] for panel in _dashboard()["panels"] for target in panel.get("targets", [])]
    for variable, value in VARIABLES.items():
        queries = [query.replace(variable, value) for query in queries]
    return queries


def _selectors(query: str) -> list[Any]:
    """The vector selectors of a query. Raises ValueError where it is no PromQL."""
    found = []

    def visit(expression: Any) -> bool:
        if isinstance(expression, promql_parser.VectorSelector):
            found.append(expression)
        return True

    promql_parser.walk(promql_parser.parse(query), visit)
    return found


def _labels_named(query: str) -> set[str]:
    """Those by which a query groups."""
    return {label.strip() for group in re.findall(r"\bby \(([^)]*)\)", query) for label in group.split(",")}


@pytest.mark.parametrize("query", [*(rule["expr"] for rule in _rules()), *_queries()])
def test_a_query_names_what_is_exported(query: str, exported: dict[str, set[str]]) -> None:
    selectors = _selectors(query)
    assert selectors and "$" not in query
    exported = {**exported, **OF_PROMETHEUS}
    known: set[str] = set(OF_THE_SCRAPE)
    for selector in selectors:
        assert selector.name in exported, f"{selector.name} is not exported"
        labels = {matcher.name for matcher in selector.matchers.matchers}
        assert labels <= exported[selector.name] | OF_THE_SCRAPE, query
        known |= exported[selector.name]
    assert _labels_named(query) <= known, query


def test_rules_say_what_to_do() -> None:
    rules = _rules()
    assert len({rule["alert"] for rule in rules}) == len(rules) >= 10
    for rule in rules:
        assert set(rule) <= {"alert", "expr", "for", "labels", "annotations"}
        assert rule["labels"]["severity"] in ("critical", "warning")
        assert rule["annotations"]["summary"] and rule["annotations"]["description"]
        assert re.fullmatch(r"\d+m", rule.get("for", "0m"))


def test_the_dashboard_is_laid_out() -> None:
    dashboard = _dashboard()
    assert dashboard["schemaVersion"] >= 39 and dashboard["uid"] == "resformer"
    assert [variable["name"] for variable in dashboard["templating"]["list"]] == ["datasource", "instance"]
    panels = dashboard["panels"]
    assert len({panel["id"] for panel in panels}) == len(panels)
    taken: set[tuple[int, int]] = set()
    for panel in panels:
        assert panel["type"] in PANELS and panel["title"]
        at = panel["gridPos"]
        cells = {(x, y) for x in range(at["x"], at["x"] + at["w"]) for y in range(at["y"], at["y"] + at["h"])}
        assert not cells & taken and max(x for x, _ in cells) < 24, panel["title"]
        taken |= cells
        if panel["type"] != "row":
            assert panel["description"] and panel["targets"]
            assert all(target["datasource"]["uid"] == "${datasource}" for target in panel["targets"])


def test_the_documents_list_every_metric(exported: dict[str, set[str]]) -> None:
    text = (ROOT / "docs" / "operations.md").read_text()
    section = text.split("## Health and metrics")[1].split("\n## ")[0]
    rows = [line for line in section.splitlines() if line.startswith("| `resformer_")]
    listed = {name for row in rows for name in re.findall(r"`(resformer_\w+)`", row)}
    names = {re.sub(r"_(bucket|count|sum)$", "", name) for name in exported if name.startswith("resformer_")}
    assert listed == names


def test_the_scrape_reads_the_rules() -> None:
    config = yaml.safe_load((MONITORING / "prometheus.yml").read_text())
    assert all((MONITORING / name).is_file() for name in config["rule_files"])
