"""Builds the image of the Dockerfile without a Docker engine and without a registry of images.

The base is a Debian that debootstrap makes. The packages are those of the lock, as wheels that are fetched beforehand;
the libraries of CUDA, some 4 GB of which a processor needs nothing but their being there, are not installed but mounted
from this environment. That is the Dockerfile's own way for a processor, TORCH_INDEX, with a folder as the index.
"""

import importlib.util
import json
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.paths import ROOT

__all__ = ["PROGRAMS", "Builder", "cuda_mount"]

# Of the Debian packages of the same names.
PROGRAMS = ("buildah", "runc", "debootstrap")
# Of the host's, as the base image's own.
CUDA = re.compile(r"(triton|nvidia-[^=]+|cuda-[^=]+)==")
SITE_PACKAGES = "/opt/venv/lib/python3.11/site-packages"


def cuda_mount() -> tuple[Path, str]:
    """The folder of CUDA's libraries here, and where torch looks for it in the image."""
    found = importlib.util.find_spec("nvidia")
    assert found and found.submodule_search_locations, "torch is installed without CUDA: nothing is to be mounted"
    return Path(next(iter(found.submodule_search_locations))), f"{SITE_PACKAGES}/nvidia"


@dataclass(frozen=True)
class Builder:
    """What is fetched, kept for the next time, and what is built, removed by `remove`.

    Attributes:
        folder: Of both.
    """

    folder: Path

    @property
    def wheels(self) -> Path:
        """The packages."""
        return self.folder / "wheels"

    def build(self) -> None:
        """Makes the image `resformer`."""
        self.remove()
        self._fetch_base()
        self._fetch_wheels()
        base = self.buildah("from", "scratch")
        self.buildah("add", "--quiet", base, str(self.folder / "base"), "/")
        self.buildah("config", "--env", "PIP_NO_INDEX=1", "--env", "PIP_FIND_LINKS=/wheels", base)
        self.buildah("commit", "--quiet", base, "localhost/debian")
        self.buildah("rm", base)
        here, there = cuda_mount()
        options = ["--format", "docker", "--isolation", "chroot", "--layers=false", "--pull-never"]
        options += ["--build-arg", "BASE=localhost/debian", "--build-arg", "TORCH_INDEX=file:///wheels/index"]
        options += ["--volume", f"{self.wheels}:/wheels:ro", "--volume", f"{here}:{there}:ro"]
        self.buildah("bud", *options, "--tag", "resformer", str(ROOT))

    def mount(self) -> Path:
        """The root file system of a container of the image."""
        return Path(self.buildah("mount", self.buildah("from", "--pull-never", "localhost/resformer")))

    def inspect(self) -> dict[str, Any]:
        """The configuration of the image."""
        return dict(json.loads(self.buildah("inspect", "--type", "image", "localhost/resformer"))["Docker"]["config"])

    def remove(self) -> None:
        """Removes all images and containers."""
        if (self.folder / "storage").exists():
            self.buildah("rm", "--all")
            self.buildah("rmi", "--all", "--force")
        for name in ("storage", "run"):
            shutil.rmtree(self.folder / name, ignore_errors=True)

    def buildah(self, *arguments: str) -> str:
        """Runs buildah, and returns what it prints."""
        storage = ["--root", str(self.folder / "storage"), "--runroot", str(self.folder / "run")]
        return _run(["buildah", *storage, "--storage-driver", "overlay", *arguments]).strip()

    def _fetch_base(self) -> None:
        if not (self.folder / "base").exists():
            new = self.folder / "base.new"
            shutil.rmtree(new, ignore_errors=True)
            new.mkdir(parents=True)
            _run(["debootstrap", "--variant=minbase", "bookworm", str(new)])
            new.rename(self.folder / "base")

    def _fetch_wheels(self) -> None:
        """Those of the lock, and an index of torch's."""
        lock = (ROOT / "locks" / "serve.txt").read_text()
        shutil.rmtree(self.wheels / "index", ignore_errors=True)
        self.wheels.mkdir(exist_ok=True)
        wanted = self.folder / "wheels.txt"
        wanted.write_text("".join(part for part in re.split(r"(?m)^(?=[a-z0-9])", lock) if not CUDA.match(part)))
        command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--find-links", str(self.wheels)]
        _run([*command, "--dest", str(self.wheels), "--requirement", str(wanted)])
        for package in ("torch", "torchvision"):
            page = self.wheels / "index" / package / "index.html"
            page.parent.mkdir(parents=True)
            names = [path.name for path in self.wheels.glob(f"{package}-[0-9]*.whl")]
            page.write_text("".join(f'<a href="../../{name}">{name}</a>\n' for name in names))


def _run(command: list[str]) -> str:
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, f"{command}\n{done.stdout[-4000:]}{done.stderr[-4000:]}"
    return done.stdout
