"""The files of deploy/ray have the form that Ray and KubeRay ask for, and run commands that there are."""

import json
import shlex
from pathlib import Path
from typing import Any, Literal

import jsonschema
import pytest
import typer
import yaml
from pydantic import BaseModel, ConfigDict, Field, model_validator

from resformer.scripts.cli.main import app
from tests.paths import ROOT

FOLDER = ROOT / "deploy" / "ray"


class Strict(BaseModel):
    """A part of a resource, of which no other field is used here."""

    model_config = ConfigDict(extra="forbid")


class Mount(Strict):
    name: str
    mountPath: str


class Amounts(Strict):
    cpu: str = Field(pattern=r"^\d+m?$")
    memory: str = Field(pattern=r"^\d+(Mi|Gi)$")


class Resources(Strict):
    requests: Amounts
    limits: Amounts


class Container(Strict):
    name: str
    image: str
    resources: Resources
    volumeMounts: list[Mount]


class Claim(Strict):
    claimName: str


class EmptyDir(Strict):
    medium: Literal["", "Memory"]
    sizeLimit: str


class Volume(Strict):
    name: str
    persistentVolumeClaim: Claim | None = None
    emptyDir: EmptyDir | None = None


class PodSpec(Strict):
    containers: list[Container]
    volumes: list[Volume]

    @model_validator(mode="after")
    def _mounts_are_volumes(self) -> "PodSpec":
        mounted = {mount.name for container in self.containers for mount in container.volumeMounts}
        assert mounted <= {volume.name for volume in self.volumes}
        return self


class PodTemplate(Strict):
    spec: PodSpec


class HeadGroup(Strict):
    rayStartParams: dict[str, str]
    template: PodTemplate


class WorkerGroup(HeadGroup):
    groupName: str
    replicas: int
    minReplicas: int
    maxReplicas: int

    @model_validator(mode="after")
    def _replicas_are_in_bounds(self) -> "WorkerGroup":
        assert self.minReplicas <= self.replicas <= self.maxReplicas
        return self


class ClusterSpec(Strict):
    rayVersion: str
    headGroupSpec: HeadGroup
    workerGroupSpecs: list[WorkerGroup]


class RayJobSpec(Strict):
    entrypoint: str
    backoffLimit: int
    shutdownAfterJobFinishes: bool
    ttlSecondsAfterFinished: int
    rayClusterSpec: ClusterSpec


class Metadata(Strict):
    name: str = Field(pattern=r"^[a-z0-9]([-a-z0-9]*[a-z0-9])?$", max_length=47)


class RayJob(Strict):
    """What KubeRay's RayJob of ray.io/v1 is, as far as it is used."""

    apiVersion: Literal["ray.io/v1"]
    kind: Literal["RayJob"]
    metadata: Metadata
    spec: RayJobSpec


def document(name: str) -> Any:
    return yaml.safe_load((FOLDER / name).read_text())


def test_the_job_is_one_of_kuberay() -> None:
    job = RayJob.model_validate(document("rayjob.yaml"))
    required = [line for line in (ROOT / "requirements-ray.txt").read_text().splitlines() if line.startswith("ray==")]
    assert required == [f"ray=={job.spec.rayClusterSpec.rayVersion}"]
    assert_can_run(job.spec.entrypoint)


@pytest.mark.ray
def test_the_cluster_file_has_rays_own_schema() -> None:
    ray = pytest.importorskip("ray", reason="Ray is not installed: pip install -r requirements-ray.txt")
    schema = json.loads((Path(ray.__file__).parent / "autoscaler" / "ray-schema.json").read_text())
    jsonschema.validate(document("cluster.yaml"), schema)


def test_the_command_of_the_cluster_file_can_run() -> None:
    (line,) = [line for line in (FOLDER / "cluster.yaml").read_text().splitlines() if "ray exec" in line]
    assert_can_run(shlex.split(line.lstrip("# "))[-1])


def assert_can_run(line: str) -> None:
    """The line is a command whose options there are."""
    program, name, *arguments = shlex.split(line)
    command = typer.main.get_command(app).commands[name]  # type: ignore[attr-defined]
    assert program == "resformer"
    command.make_context(name, arguments)
