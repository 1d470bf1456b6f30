"""What the client needs to start, and what it says where something is missing."""

import subprocess
import sys

import pytest

from resformer.client import Client
from tests.paths import ROOT

HEAVY = ("torch", "numpy", "pandas", "grpc", "google.protobuf", "PIL", "yaml", "requests", "resformer.model")


def test_it_starts_without_the_network_and_its_packages() -> None:
    code = f"import sys, resformer.client; print([name for name in {HEAVY} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


@pytest.mark.parametrize(
    ("missing", "packages"), [("grpc", "grpcio protobuf"), ("google.protobuf.descriptor_pb2", "grpcio protobuf")]
)
def test_what_grpc_needs(monkeypatch: pytest.MonkeyPatch, missing: str, packages: str) -> None:
    monkeypatch.setitem(sys.modules, missing, None)
    with pytest.raises(ImportError, match=rf"gRPC needs {missing}.*pip install {packages}$"):
        Client("grpc://127.0.0.1:8083")


def test_what_tables_need(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pandas", None)
    with Client() as client, pytest.raises(ImportError, match=r"score needs pandas.*pip install pandas$"):
        client.score(None)  # type: ignore[arg-type]
