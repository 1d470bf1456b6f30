"""What several test modules build on."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.paths import ROOT


@pytest.fixture(scope="session")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The archive of the checkout, built by the command that users run."""
    path = tmp_path_factory.mktemp("archive") / "model_store" / "resformer.mar"
    command = [sys.executable, "-m", "resformer.scripts.torchserve.archive", "--output", str(path)]
    subprocess.run(command, cwd=ROOT, check=True)
    return path
