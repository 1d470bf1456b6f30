"""Kubernetes resources as kustomize makes them of deploy/kubernetes."""

import shutil
import subprocess
from functools import cache
from typing import Any

import yaml

from tests.paths import ROOT

__all__ = ["FOLDER", "KUBECTL", "OVERLAYS", "only", "rendered"]

FOLDER = ROOT / "deploy" / "kubernetes"
KUBECTL = shutil.which("kubectl")
OVERLAYS = ("cpu", "gpu")


@cache
def rendered(name: str) -> list[dict[str, Any]]:
    """The resources of a folder of FOLDER."""
    assert KUBECTL is not None
    done = subprocess.run([KUBECTL, "kustomize", str(FOLDER / name)], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert "Warning" not in done.stderr
    return list(yaml.safe_load_all(done.stdout))


def only(resources: list[dict[str, Any]], kind: str) -> dict[str, Any]:
    """The one resource of a kind."""
    (found,) = [resource for resource in resources if resource["kind"] == kind]
    return found
