"""The archive: what is in it, that it is reproducible, and that a host cannot come between it and its packages."""

import hashlib
import json
import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import numpy as np
import pytest
import torch
import yaml
from PIL import Image

from resformer.model.inference.checkpoint import read_checkpoint
from resformer.model.inference.text_catalogue import TextCatalogue
from resformer.model.predictor import Predictor, weights_version
from resformer.model.schema.schema import Schema
from resformer.scripts.torchserve.archive import build_archive, is_current
from resformer.scripts.torchserve.archive_form import SUMS, read_sums
from resformer.scripts.torchserve.archive_trial import FailedTrial
from tests.paths import ROOT


def files_of(package: str) -> set[str]:
    """Files below one of the two packages, as they are named in the archive."""
    paths = (path for path in (ROOT / package).rglob("*") if path.is_file())
    return {f"resformer/{p.relative_to(ROOT)}" for p in paths if "__pycache__" not in p.parts}


def test_everything_of_both_packages_is_in_it(archive: Path) -> None:
    entry, config = "handler/resformer_service.py", "handler/model-config.yaml"
    expected = (files_of("model") | files_of("handler")) - {f"resformer/{entry}", f"resformer/{config}"}
    expected.add("resformer/__init__.py")
    with zipfile.ZipFile(archive) as file:
        names = file.namelist()
        manifest = json.loads(file.read("MAR-INF/MANIFEST.json"))
        assert file.read("model-config.yaml") == (ROOT / config).read_bytes()
        assert {info.compress_type for info in file.infolist()} == {zipfile.ZIP_STORED}
        sums = read_sums(file.read(SUMS).decode())
        assert sums == {name: hashlib.sha256(file.read(name)).hexdigest() for name in names if name != SUMS}
    assert set(names) == expected | {"resformer_service.py", "model-config.yaml", "MAR-INF/MANIFEST.json", SUMS}
    assert names == sorted(names)
    assert manifest["model"] == {
        "modelName": "resformer",
        "modelVersion": weights_version(),
        "handler": "resformer_service.py",
        "configFile": "model-config.yaml",
    }


def test_equal_sources_give_equal_bytes(archive: Path, tmp_path: Path) -> None:
    other = tmp_path / "elsewhere" / "resformer.mar"
    temporary = tmp_path / "tmp"
    temporary.mkdir()
    copy = tmp_path / "checkout"
    for package in ("model", "handler"):  # Copied files are listed in another order and have other dates.
        for name in sorted({"resformer/__init__.py", *files_of(package)}, reverse=True):
            (copy / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(ROOT / name, copy / name)
    code = (
        "import os, sys; from pathlib import Path; from resformer.scripts.torchserve.archive import build_archive; "
        "os.umask(0o077); build_archive(Path(sys.argv[1]), package=Path(sys.argv[2]) / 'resformer')"
    )
    environment = {**os.environ, "TMPDIR": str(temporary)}
    subprocess.run([sys.executable, "-c", code, other, copy], cwd=ROOT, env=environment, check=True)
    assert other.read_bytes() == archive.read_bytes()
    assert list(other.parent.iterdir()) == [other]


def small_package(tmp_path: Path, code: str) -> Path:
    """A package whose handler runs `code` when it is imported, and whose weights are not read."""
    root = tmp_path / "root"
    (root / "handler").mkdir(parents=True)
    for folder in (root, root / "handler"):
        (folder / "__init__.py").write_text("")
    (root / "handler" / "resformer_service.py").write_text(code)
    shutil.copy(ROOT / "handler" / "model-config.yaml", root / "handler")
    (root / "model" / "weights").mkdir(parents=True)
    (root / "model" / "weights" / "small.safetensors").write_bytes(b"none")
    return root


def test_options_change_the_settings_and_the_date_comes_from_outside(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1600000000")
    package = small_package(tmp_path, "def handle(data, context): pass\n")
    made = tmp_path / "out.mar"
    build_archive(made, package=package, reader="builtin", batch_size=8)
    with zipfile.ZipFile(made) as file:
        config = yaml.safe_load(file.read("model-config.yaml"))
        manifest = json.loads(file.read("MAR-INF/MANIFEST.json"))
        assert {info.date_time for info in file.infolist()} == {(2020, 9, 13, 12, 26, 40)}
    assert (config["handler"]["reader"], config["batchSize"]) == ("builtin", 8)
    assert manifest["createdOn"] == "13/09/2020 12:26:40"


def test_an_archive_that_does_not_load_is_not_left_behind(tmp_path: Path) -> None:
    package = small_package(tmp_path, "import no_such_package\n")
    with pytest.raises(FailedTrial, match=r"does not load: ModuleNotFoundError: .*no_such_package"):
        build_archive(tmp_path / "out" / "resformer.mar", package=package)
    assert not any((tmp_path / "out").iterdir())


def test_missing_weights_say_what_to_do(tmp_path: Path) -> None:
    package = small_package(tmp_path, "")
    (package / "model" / "weights" / "small.safetensors").unlink()
    with pytest.raises(ValueError, match=r"no weights at .*small\.safetensors; `resformer train`"):
        build_archive(tmp_path / "resformer.mar", package=package)


def test_own_weights_and_schema(tmp_path: Path, own_network: tuple[Path, Path], capfd: pytest.CaptureFixture) -> None:
    weights, schema = own_network
    made = tmp_path / "own.mar"
    build_archive(made, weights=weights, schema=schema)
    assert "the default reader of this archive is `ppocr`" in capfd.readouterr().err
    with zipfile.ZipFile(made) as file:
        config = yaml.safe_load(file.read("model-config.yaml"))["handler"]
        version = json.loads(file.read("MAR-INF/MANIFEST.json"))["model"]["modelVersion"]
        assert file.read(config["weights"]) == weights.read_bytes()
        assert "resformer/model/weights/small.safetensors" not in file.namelist()
        file.extractall(tmp_path / "unpacked")
    assert Schema.load(tmp_path / "unpacked" / config["schema"]) == Schema.load(schema)
    assert config["reader"] == "ppocr"
    assert version == hashlib.sha256(weights.read_bytes()).hexdigest()[:8] == weights_version(weights)


def test_a_version_of_the_users_own(tmp_path: Path, own_network: tuple[Path, Path]) -> None:
    weights, schema = own_network
    build_archive(tmp_path / "own.mar", weights=weights, schema=schema, version_name="shop-2")
    with zipfile.ZipFile(tmp_path / "own.mar") as file:
        (tmp_path / "named.safetensors").write_bytes(file.read("weights.safetensors"))
    assert weights_version(tmp_path / "named.safetensors") == "shop-2"
    before, after = read_checkpoint(weights), read_checkpoint(tmp_path / "named.safetensors")
    assert all(torch.equal(before[0][name], after[0][name]) for name in before[0])
    assert after[1] == {**before[1], "version": "shop-2"}
    with pytest.raises(ValueError, match="up to 40 letters"):
        build_archive(tmp_path / "own.mar", weights=weights, schema=schema, version_name="a/b")


def test_texts_of_a_catalogue(tmp_path: Path) -> None:
    Image.new("RGB", (60, 40), "red").save(tmp_path / "mug.png")
    table = tmp_path / "catalogue.csv"
    table.write_text("image,description\nmug.png,A red mug\n")
    build_archive(tmp_path / "texts.mar", texts=table)
    with zipfile.ZipFile(tmp_path / "texts.mar") as file:
        config = yaml.safe_load(file.read("model-config.yaml"))["handler"]
        (tmp_path / config["texts"]).write_bytes(file.read(config["texts"]))
    assert TextCatalogue.load(tmp_path / config["texts"]).entities == {"description"}
    predictor = Predictor.load(texts=tmp_path / config["texts"], reader="builtin")
    (description,) = predictor.predict(tmp_path / "mug.png", ["description"], min_confidence=0.0).predictions.values()
    assert description.prediction
    TextCatalogue(np.zeros((1, 8)), {"title": ["x"]}, "other").save(tmp_path / "other.safetensors")
    with pytest.raises(ValueError, match=r"other\.safetensors was made with other weights; make it again"):
        Predictor.load(texts=tmp_path / "other.safetensors")
    with pytest.raises(ValueError, match="no column title or description"):
        table.write_text("image,name\nmug.png,A red mug\n")
        build_archive(tmp_path / "texts.mar", texts=table)
    with pytest.raises(ValueError, match="--photos are those of --texts"):
        build_archive(tmp_path / "texts.mar", photos=tmp_path)


def test_weights_for_another_schema_are_refused_when_the_archive_is_built(
    tmp_path: Path, own_network: tuple[Path, Path]
) -> None:
    with pytest.raises(FailedTrial, match=r"does not load: ValueError: .*train it for this schema"):
        build_archive(tmp_path / "own.mar", schema=own_network[1])


def test_an_archive_is_current_until_a_source_is_newer(tmp_path: Path) -> None:
    package = small_package(tmp_path, "")
    archive = tmp_path / "resformer.mar"
    assert not is_current(archive, package)
    archive.write_bytes(b"")
    assert is_current(archive, package)
    os.utime(package / "handler" / "model-config.yaml", (2**31, 2**31))
    assert not is_current(archive, package)


@pytest.fixture
def unpacked(archive: Path, tmp_path: Path) -> Path:
    with zipfile.ZipFile(archive) as file:
        file.extractall(tmp_path / "unpacked")
    return tmp_path / "unpacked"


def run_entry(unpacked: Path, host: Path, code: str) -> subprocess.CompletedProcess[str]:
    """Runs `code` as a worker would: what the host sets comes first on the path."""
    environment = {**os.environ, "PYTHONPATH": f"{host}:{unpacked}"}
    return subprocess.run(
        [sys.executable, "-P", "-c", code], cwd=unpacked, env=environment, capture_output=True, text=True
    )


@pytest.fixture
def host(tmp_path: Path) -> Path:
    """A folder on the host's PYTHONPATH with a package of the same name."""
    (tmp_path / "host" / "resformer").mkdir(parents=True)
    (tmp_path / "host" / "resformer" / "__init__.py").write_text("")
    return tmp_path / "host"


def test_a_package_of_the_host_does_not_shadow_the_archive(unpacked: Path, host: Path) -> None:
    code = "import resformer_service, resformer.handler.service; print(resformer.handler.service.__file__)"
    done = run_entry(unpacked, host, code)
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == str(unpacked / "resformer/handler/service.py")


def test_a_package_that_the_host_imported_before_is_a_clear_error(unpacked: Path, host: Path) -> None:
    done = run_entry(unpacked, host, "import resformer, resformer_service")
    assert done.returncode != 0
    assert f"RuntimeError: the package `resformer` comes from {host}" in done.stderr
    assert "PYTHONPATH" in done.stderr
