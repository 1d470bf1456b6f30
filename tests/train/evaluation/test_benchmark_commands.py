"""The commands `resformer benchmark` and `evaluate`."""

import json
import shlex
import subprocess
import sys
from pathlib import Path
from typing import Any, ClassVar

import pytest
import typer
from PIL import Image

from resformer.scripts.cli.main import app, main
from resformer.scripts.torchserve import server_latency
from resformer.scripts.torchserve.server import Reply, ServerError
from tests.paths import ROOT


def command_of(*names: str) -> Any:
    command: Any = typer.main.get_command(app)
    for name in names:
        command = command.commands[name]
    return command


@pytest.mark.parametrize("file", sorted((ROOT / "docs" / "benchmarks").glob("*.json")), ids=lambda file: file.stem)
def test_the_command_of_a_benchmark_file_exists(file: Path) -> None:
    words = [w for w in shlex.split(json.loads(file.read_text())["command"]) if not w.startswith("GOMP_SPINCOUNT=")]
    assert words[:3] == ["resformer", "benchmark", file.stem]
    command = command_of("benchmark", file.stem)
    options = {name: parameter for parameter in command.params for name in parameter.opts}
    assert all(word in options for word in words if word.startswith("--"))
    values = sum(word.startswith("--") for word in words)
    arguments = [parameter for parameter in command.params if parameter.param_type_name == "argument"]
    assert len(words) == 3 + len(arguments) + 2 * values


def test_help_loads_no_network() -> None:
    code = (
        "import sys; from resformer.scripts.cli.main import main; "
        "main(['benchmark', 'quantities', '--help']); main(['evaluate', '--help']); "
        "sys.exit('torch' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert "--limit" in done.stdout and "--predictions" in done.stdout


@pytest.fixture
def labels(tmp_path: Path) -> Path:
    """One photo with `Net Wt 500 g`: its labels, beside its OCR cache."""
    Image.new("RGB", (300, 200), "white").save(tmp_path / "a.png")
    line = [[[10, 10], [200, 10], [200, 40], [10, 40]], "Net Wt 500 g", 0.9]
    cache = {"image": "a.png", "width": 300, "height": 200, "lines": [line]}
    (tmp_path / "ocr.jsonl").write_text(json.dumps(cache) + "\n")
    path = tmp_path / "labels.csv"
    path.write_text("image,entity_name,entity_value\na.png,item_weight,500 gram\n")
    return path


def test_evaluate_writes_the_score(labels: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = labels.parent
    out = folder / "out" / "score.json"
    assert main(["evaluate", str(labels), "--ocr", str(folder / "ocr.jsonl"), "--out", str(out)]) == 0
    assert "micro" in capsys.readouterr().out
    assert json.loads(out.read_text())["f1_micro"] == 1.0
    assert main(["evaluate", str(labels)]) == 2
    assert "name the photos, an OCR cache or predictions" in capsys.readouterr().err


def test_report_writes_a_page(labels: Path) -> None:
    folder = labels.parent
    out = folder / "errors.html"
    arguments = ["--ocr", str(folder / "ocr.jsonl"), "--photos", str(folder), "--out", str(out)]
    assert main(["benchmark", "report", str(labels), *arguments]) == 0
    assert "<td>item_weight</td><td>1</td><td>1</td>" in out.read_text()


class FakeServer:
    """Answers every photo, but none about voltage."""

    pid = None
    requests: ClassVar[list[dict[str, str]]] = []

    def __init__(self, port: int) -> None:
        self.requests.clear()

    def predict(self, photo: bytes, headers: dict[str, str]) -> Any:
        self.requests.append(headers)
        return Reply(400 if headers["X-Entity-Name"] == "voltage" else 200, {})

    def workers(self) -> list[str]:
        return ["9000"]


def test_the_endpoint_is_timed_for_each_reader_and_group(labels: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server_latency, "Server", FakeServer)
    groups = {"weights": ["item_weight"], "everything": []}
    figures = server_latency.benchmark_endpoint(labels.parent, ["crops", "builtin"], groups, limit=4, port=8080)
    kinds = [(row["reader"], row["entities"], row["requests"]) for row in figures["requests"]]
    assert kinds == [(reader, group, 4) for reader in ("crops", "builtin") for group in groups]
    assert all(0 <= row["median_ms"] <= row["p95_ms"] for row in figures["requests"])
    with pytest.raises(ServerError, match="answered with 400"):
        server_latency.benchmark_endpoint(labels.parent, ["crops"], {"one": ["voltage"]}, limit=1, port=8080)
