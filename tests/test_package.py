"""The wheel, installed into an environment that has the project's dependencies and no checkout."""

import shutil
import subprocess
import sys
import sysconfig
import venv
import zipfile
from pathlib import Path

import pytest

from resformer import __version__
from resformer.scripts.lib.sample_photo import draw_sample_photo
from tests.paths import ROOT

SOURCES = ("resformer", "model", "handler", "train", "scripts", "client")
FILES = ("pyproject.toml", "README.md", "LICENSE", "config.properties", "log4j2.xml", "metrics.yaml")
ANSWERS = """
import io, sys
import numpy as np
from PIL import Image
from resformer import Predictor
import resformer

assert sys.prefix in resformer.__file__, resformer.__file__
predictor = Predictor.load()
data = open("photo.jpg", "rb").read()
image = Image.open(io.BytesIO(data))
for photo in ("photo.jpg", data, image, np.asarray(image)):
    print(predictor.predict(photo, ["item_weight"]).predictions["item_weight"].prediction)
"""


def run(*command: object, cwd: Path) -> str:
    done = subprocess.run(list(map(str, command)), cwd=cwd, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-4000:]
    return done.stdout


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Built from a copy, since a build leaves files beside the sources."""
    folder = tmp_path_factory.mktemp("wheel")
    copy = folder / "copy"
    for name in SOURCES:
        shutil.copytree(ROOT / name, copy / name, symlinks=True, ignore=shutil.ignore_patterns("__pycache__"))
    for path in (*(ROOT / name for name in FILES), *ROOT.glob("requirements*.txt")):
        shutil.copy(path, copy)
    pip = (sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--no-build-isolation")
    run(*pip, "--wheel-dir", folder, copy, cwd=folder)
    return next(folder.glob("*.whl"))


@pytest.fixture(scope="module")
def environment(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of programs of a new virtual environment, in which the wheel is installed."""
    folder = tmp_path_factory.mktemp("environment")
    venv.create(folder, with_pip=False)
    python = folder / "bin" / "python"
    site_packages = Path(
        run(python, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))", cwd=folder).strip()
    )
    # The dependencies are those of this environment: they would take gigabytes again.
    (site_packages / "dependencies.pth").write_text(sysconfig.get_path("purelib") + "\n")
    run(sys.executable, "-m", "pip", "--python", python, "install", "--quiet", "--no-deps", wheel, cwd=folder)
    return folder / "bin"


@pytest.fixture
def empty(tmp_path: Path) -> Path:
    """A folder with a photo and nothing else."""
    draw_sample_photo(tmp_path / "photo.jpg")
    return tmp_path


def test_the_wheel_holds_one_package_with_its_data(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as file:
        names = file.namelist()
    assert {name.split("/")[0] for name in names} == {"resformer", f"resformer-{__version__}.dist-info"}
    packed = set(names)
    for folder in SOURCES[1:]:
        files = (path for path in (ROOT / folder).rglob("*") if path.is_file() and "__pycache__" not in path.parts)
        missing = {f"resformer/{path.relative_to(ROOT)}" for path in files} - packed
        assert not missing
    assert {"resformer/py.typed", *(f"resformer/{name}" for name in FILES[3:])} <= packed


@pytest.mark.timeout(300)
def test_a_photo_is_answered_from_python(environment: Path, empty: Path) -> None:
    """A path, bytes, an image of Pillow and an array."""
    assert run(environment / "python", "-c", ANSWERS, cwd=empty).split("\n") == [*["500 gram"] * 4, ""]


def test_the_command_is_installed(environment: Path, empty: Path) -> None:
    for command in ([environment / "resformer"], [environment / "python", "-m", "resformer"]):
        assert run(*command, "--version", cwd=empty).strip() == __version__


def test_an_archive_is_built_without_a_checkout(environment: Path, empty: Path, archive: Path) -> None:
    run(environment / "resformer", "archive", "--out", "model_store/resformer.mar", cwd=empty)
    assert (empty / "model_store" / "resformer.mar").read_bytes() == archive.read_bytes()
