"""Packs network, handler and settings as one TorchServe archive. Equal sources give equal bytes.

python -m scripts.torchserve.archive                     model_store/resformer.mar
python -m scripts.torchserve.archive --reader none       ... whose workers do not read words unless a request asks
python -m scripts.torchserve.archive --batch-size 8      ... whose workers are handed eight photos at once (GPU)
"""

import argparse
import hashlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
import zipfile
from datetime import UTC, datetime
from pathlib import Path

import yaml

import resformer
from resformer.handler.service import MODEL_NAME
from resformer.handler.settings import Settings
from resformer.model.ocr.readers import ALIASES, READERS
from resformer.model.predictor import Predictor
from resformer.scripts.torchserve.server import WORKER_ENVIRONMENT

__all__ = ["ArchiveError", "build_archive"]

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = Path(resformer.__file__).parent
ARCHIVE = ROOT / "model_store" / f"{MODEL_NAME}.mar"
ENTRY = "resformer_service.py"
CONFIG = "model-config.yaml"
MANIFEST = "MAR-INF/MANIFEST.json"
# 1980 is the earliest year that a zip can hold.
CONSTANT_TIME = int(datetime(1980, 1, 1, tzinfo=UTC).timestamp())
# What TorchServe does with the archive, in a process that has nothing else on its path.
LOAD = """
import types, yaml, resformer_service
with open("model-config.yaml", encoding="utf-8") as file:
    context = types.SimpleNamespace(model_yaml_config=yaml.safe_load(file), system_properties={})
resformer_service.handle(None, context)
"""


class ArchiveError(Exception):
    """The archive cannot be built, and why."""


def build_archive(
    archive: Path = ARCHIVE, *, package: Path = PACKAGE, reader: str | None = None, batch_size: int | None = None
) -> str:
    """Builds an archive of the package `resformer` without training and scripts, and loads it once as a worker would.

    Args:
        archive: the file to write.
        package: the folder of the package.
        reader, batch_size: instead of what handler/model-config.yaml says.

    Returns:
        The archive's SHA-256.

    Raises:
        ArchiveError: there are no weights, or what was built does not load.
    """
    weights = package / "model" / "weights" / "small.safetensors"
    if not weights.is_file():
        raise ArchiveError(
            f"no weights at {weights}: check them out again, or train them with "
            "`python -m train.run --config train/configs/small.yaml`"
        )
    archive.parent.mkdir(parents=True, exist_ok=True)
    # Beside the archive, so that the finished file is renamed into place.
    with tempfile.TemporaryDirectory(dir=archive.parent, prefix=".build-") as name:
        work = Path(name)
        stage = _stage(package, work, reader, batch_size)
        made = work / "canonical.mar"
        _write_canonical(_archive(stage, work), made)
        _check(made, work)
        made.replace(archive)
    return hashlib.sha256(archive.read_bytes()).hexdigest()


def _stage(package: Path, work: Path, reader: str | None, batch_size: int | None) -> Path:
    """Copies what goes into the archive; the entry and the settings lie at its root, beside the packages."""
    stage = work / "stage"
    for name in ("model", "handler"):
        unwanted = shutil.ignore_patterns("__pycache__", ".*", ENTRY, CONFIG)
        shutil.copytree(package / name, stage / PACKAGE.name / name, ignore=unwanted)
    shutil.copy(package / "__init__.py", stage / PACKAGE.name)
    shutil.copy(package / "handler" / ENTRY, work)
    text = (package / "handler" / CONFIG).read_text(encoding="utf-8")
    config = yaml.safe_load(text)
    if reader is not None:
        config["handler"]["reader"] = reader
    if batch_size is not None:
        config["batchSize"] = batch_size
    Settings.from_config(config["handler"])
    changed = reader is not None or batch_size is not None
    (work / CONFIG).write_text(yaml.safe_dump(config, sort_keys=False) if changed else text, encoding="utf-8")
    return stage


def _archive(stage: Path, work: Path) -> Path:
    """Runs torch-model-archiver in a process of its own, since it works in TMPDIR/model-name."""
    command = [sys.executable, "-m", "model_archiver.model_packaging", "--force"]
    command += ["--model-name", MODEL_NAME, "--version", Predictor.version, "--export-path", str(work)]
    command += ["--handler", str(work / ENTRY), "--config-file", str(work / CONFIG), "--extra-files", str(stage)]
    temporary = work / "tmp"
    temporary.mkdir()
    _run(command, {"TMPDIR": str(temporary)}, work, "torch-model-archiver failed")
    return work / f"{MODEL_NAME}.mar"


def _write_canonical(source: Path, target: Path) -> None:
    """Copies a zip without anything that depends on the day, the machine or the order of a folder.

    Nothing is compressed: weights do not shrink, and another zlib would give other bytes.
    """
    moment = datetime.fromtimestamp(int(os.environ.get("SOURCE_DATE_EPOCH", CONSTANT_TIME)), UTC)
    with zipfile.ZipFile(source) as old:
        files = {name: old.read(name) for name in old.namelist()}
    manifest = json.loads(files[MANIFEST])
    manifest["createdOn"] = moment.strftime("%d/%m/%Y %H:%M:%S")
    files[MANIFEST] = json.dumps(manifest, indent=2, sort_keys=True).encode()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_STORED) as new:
        for name in sorted(files):
            entry = zipfile.ZipInfo(name, moment.timetuple()[:6])
            entry.create_system = 3  # Unix, on which the mode below has a meaning.
            entry.external_attr = 0o100644 << 16
            new.writestr(entry, files[name])


def _check(archive: Path, work: Path) -> None:
    unpacked = work / "unpacked"
    with zipfile.ZipFile(archive) as file:
        file.extractall(unpacked)
    environment = {**WORKER_ENVIRONMENT, "PYTHONPATH": str(unpacked), "PYTHONDONTWRITEBYTECODE": "1"}
    _run([sys.executable, "-c", LOAD], environment, unpacked, "the archive was built but does not load")


def _run(command: list[str], environment: dict[str, str], folder: Path, failure: str) -> None:
    done = subprocess.run(command, cwd=folder, env={**os.environ, **environment}, capture_output=True, text=True)
    if done.returncode:
        raise ArchiveError(f"{failure}:\n{done.stderr.strip()}")


def main() -> None:
    """Builds the archive and prints where it is, its size and its SHA-256."""
    parser = argparse.ArgumentParser(description="Build the TorchServe archive.")
    parser.add_argument("--output", type=Path, default=ARCHIVE, help="the archive to write")
    parser.add_argument("--reader", choices=(*READERS, *ALIASES), help="who reads words where a request does not say")
    parser.add_argument("--batch-size", type=int, help="photos that a worker is handed at once")
    arguments = parser.parse_args()
    if arguments.batch_size is not None and arguments.batch_size < 1:
        parser.error(f"--batch-size is {arguments.batch_size}, must be a number from 1")
    try:
        digest = build_archive(arguments.output, reader=arguments.reader, batch_size=arguments.batch_size)
    except ArchiveError as error:
        sys.exit(f"build_archive: {error}")
    size = arguments.output.stat().st_size
    print(f"{arguments.output}\n{size / 2**20:.1f} MiB\nsha256 {digest}")


if __name__ == "__main__":
    main()
