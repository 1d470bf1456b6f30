"""The notebooks run from their first cell to the last, and are committed without outputs."""

import os
import re
import sys
from pathlib import Path
from typing import Any

import nbformat
import pytest
from nbclient import NotebookClient

from resformer.scripts.torchserve.server import Server
from tests.paths import ROOT
from tests.servers import free_ports

pytestmark = pytest.mark.timeout(900)

NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))
EXECUTED = ROOT / "build" / "notebooks"


def _read(name: str) -> Any:
    return nbformat.read(ROOT / "notebooks" / f"{name}.ipynb", as_version=4)


@pytest.mark.parametrize("file", NOTEBOOKS, ids=lambda file: file.stem)
def test_there_are_no_outputs(file: Path) -> None:
    code = [cell for cell in _read(file.stem).cells if cell.cell_type == "code"]
    assert code
    assert [cell.id for cell in code if cell.outputs or cell.execution_count] == []


def _execute(name: str, folder: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """Runs a notebook, which keeps its files in `folder`; returns what it printed.

    The notebook with its outputs is left in build/notebooks, to be looked at.
    """
    monkeypatch.setenv("TMPDIR", str(folder))
    monkeypatch.setenv("IPYTHONDIR", str(folder / "ipython"))
    monkeypatch.setenv("PYTHONPATH", str(ROOT), prepend=os.pathsep)
    # Programs of the environment that runs the tests, whether it is activated or not.
    monkeypatch.setenv("PATH", str(Path(sys.executable).parent), prepend=os.pathsep)
    notebook = _read(name)
    client = NotebookClient(notebook, timeout=600, kernel_name="python3", resources={"metadata": {"path": str(folder)}})
    client.execute()
    EXECUTED.mkdir(parents=True, exist_ok=True)
    nbformat.write(notebook, EXECUTED / f"{name}.ipynb")
    outputs = [output for cell in notebook.cells if cell.cell_type == "code" for output in cell.outputs]
    return "".join(output.get("text") or output.get("data", {}).get("text/plain", "") + "\n" for output in outputs)


@pytest.mark.notebooks
@pytest.mark.server
def test_quickstart(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    port = free_ports()
    monkeypatch.setenv("RESFORMER_PORT", str(port))
    try:
        printed = _execute("quickstart", tmp_path, monkeypatch)
    finally:
        for folder in tmp_path.glob("resformer-*"):
            Server(port, folder).stop()
    assert "Prediction(prediction='500 gram', value=500.0, unit='gram'" in printed
    assert "Prediction(prediction='24 centimetre'" in printed
    assert '"predictions": {"item_weight": {"prediction": "500 gram"' in printed, "the answer to curl"
    assert f"stopped the server on port {port}" in printed


@pytest.mark.notebooks
def test_score_a_table(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    printed = _execute("score_a_table", tmp_path, monkeypatch)
    assert re.search(r"^192 questions; \d+ are about a value that the photo shows", printed, re.MULTILINE)
    points = re.findall(r"^min_confidence ([\d.]+): coverage ([\d.]+), precision ([\d.]+)$", printed, re.MULTILINE)
    least, coverage, precision = zip(*(map(float, point) for point in points), strict=True)
    assert least[-1] == 0 and coverage[-1] == 1
    assert list(coverage) == sorted(coverage)
    # The confident answers are the better ones, or confidence would be of no use.
    assert precision[0] > precision[-1]
    assert printed.count("<Figure size") == 2


@pytest.mark.notebooks
def test_train_on_your_table(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    printed = _execute("train_on_your_table", tmp_path, monkeypatch)
    for name in ("pattern", "shelf"):
        right, rows = map(int, re.findall(rf"^{name}: (\d+) of (\d+) right$", printed, re.MULTILINE)[0])
        assert right >= 0.75 * rows >= 6, printed
    assert "mine.mar" in printed
