"""Packs network, handler and settings as one TorchServe archive. Equal files give equal bytes."""

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import zipfile
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import yaml

import resformer
from resformer.handler.service import MODEL_NAME
from resformer.handler.settings import Settings
from resformer.model.files.whole_file import file_digest, refuse_overwriting
from resformer.model.inference.checkpoint import parts_of, read_checkpoint
from resformer.model.inference.text_catalogue import TextCatalogue
from resformer.model.ocr.readers import DEFAULT_READER, canonical_reader
from resformer.model.predictor import FALLBACK_READER, Predictor, weights_version
from resformer.model.schema.schema import Schema
from resformer.model.schema.taxonomy import SEPARATOR
from resformer.scripts.lib.catalogue_texts import read_catalogue_texts
from resformer.scripts.lib.external_error import ExternalError
from resformer.scripts.torchserve.archive_check import check_archive
from resformer.scripts.torchserve.archive_form import CONFIG, ENTRY, write_archive
from resformer.scripts.torchserve.archive_trial import last_error, load_archive

__all__ = ["ArchiveError", "build_archive", "is_current", "report"]

PACKAGE = Path(resformer.__file__).parent
VERSION_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,39}")
# Names of a network of the user's own inside the archive, beside its settings.
OWN_WEIGHTS, OWN_SCHEMA = "weights.safetensors", "schema.yaml"
TEXTS = "texts.safetensors"


class ArchiveError(ExternalError):
    """An archive cannot be built, and why."""


@dataclass(frozen=True, kw_only=True)
class _Contents:
    """What differs from the shipped archive; None is as shipped."""

    weights: Path | None
    schema: Path | None
    reader: str | None
    batch_size: int | None
    version_name: str | None
    texts: TextCatalogue | None


def build_archive(
    archive: Path,
    *,
    package: Path = PACKAGE,
    weights: Path | None = None,
    schema: Path | None = None,
    reader: str | None = None,
    batch_size: int | None = None,
    version_name: str | None = None,
    texts: Path | None = None,
    photos: Path | None = None,
) -> str:
    """Builds an archive of the package `resformer` without training and scripts, and loads it once as a worker would.

    Args:
        archive: The file to write.
        package: The folder of the package.
        weights, schema: Files of another network than the shipped one.
        reader, batch_size: In place of those in handler/model-config.yaml. Weights that cannot work with the default
            reader get FALLBACK_READER.
        version_name: The version that answers name, in place of that of the weights.
        texts: A table of products whose texts answer about photos that look like theirs.
        photos: The folder of the photos of that table; None is the table's own.

    Returns:
        The archive's SHA-256.

    Raises:
        ValueError: The weights, the schema, the texts or an option cannot be used.
        ArchiveError: torch-model-archiver failed.
        FailedTrial: What was built does not load.
    """
    refuse_overwriting([weights, schema, texts], [archive])
    if version_name is not None and not VERSION_NAME.fullmatch(version_name):
        raise ValueError(f"the version name is {version_name!r}, must be up to 40 letters, digits, dots, _ and -")
    _check_weights(weights or package / "model" / "weights" / "small.safetensors", schema)
    reader = reader or (_possible_reader(weights) if weights else None)
    if photos and not texts:
        raise ValueError("--photos are those of --texts, which is missing")
    version = version_name or weights_version(weights)
    catalogue = None
    if texts:
        predictor = Predictor.load(weights, schema=schema, reader=reader)
        if not predictor.entities:
            raise ValueError(f"{weights} hold no Resformer, which finds similar photos; train one")
        catalogue = read_catalogue_texts(
            texts, photos or texts.parent, predictor.schema, predictor.picture_features, version=version
        )
    contents = _Contents(
        weights=weights,
        schema=schema,
        reader=reader,
        batch_size=batch_size,
        version_name=version_name,
        texts=catalogue,
    )
    archive.parent.mkdir(parents=True, exist_ok=True)
    # Beside the archive, so that the finished file is renamed into place.
    with tempfile.TemporaryDirectory(dir=archive.parent, prefix=".build-") as name:
        work = Path(name).resolve()
        stage = _stage(package, work, contents)
        made = work / "canonical.mar"
        _write_canonical(_archive(stage, work, version), made)
        check_archive(made)
        load_archive(made, work)
        made.replace(archive)
    return file_digest(archive)


def is_current(archive: Path, package: Path = PACKAGE) -> bool:
    """Whether the file is there and younger than every file of the package that it is made of."""
    if not archive.is_file():
        return False
    built = archive.stat().st_mtime
    folders = (package / "model", package / "handler", package / "scripts" / "torchserve")
    files = [path for folder in folders for path in folder.rglob("*") if "__pycache__" not in path.parts]
    return all(path.stat().st_mtime <= built for path in files if path.is_file())


def report(archive: Path, digest: str) -> None:
    """Prints where an archive is, its size and its SHA-256."""
    print(f"{archive}\n{archive.stat().st_size / 2**20:.1f} MiB\nsha256 {digest}", flush=True)


def _check_weights(weights: Path, schema: Path | None) -> None:
    """Raises ValueError for files that cannot be used at all; loading the archive tests that both fit together."""
    if not weights.is_file():
        raise ValueError(f"no weights at {weights}; `resformer train` makes them")
    Schema.load(schema)


def _possible_reader(weights: Path) -> str | None:
    """None where the default reader works, else the one to take."""
    parts = parts_of(read_checkpoint(weights)[0].keys())
    if {"text_detector", "text_recognizer"} <= set(parts):
        return None
    print(
        f"{weights} has no text detector and recognizer, which the reader `{DEFAULT_READER}` needs: "
        f"the default reader of this archive is `{FALLBACK_READER}`",
        file=sys.stderr,
    )
    return FALLBACK_READER


def _stage(package: Path, work: Path, contents: _Contents) -> Path:
    """Copies what goes into the archive; the entry and the settings lie at its root, beside the package."""
    stage = work / "stage"
    unwanted = ["__pycache__", ".*", ENTRY, CONFIG]
    if contents.weights or contents.version_name:
        unwanted.append("small.safetensors")
    for name in ("model", "handler"):
        shutil.copytree(package / name, stage / PACKAGE.name / name, ignore=shutil.ignore_patterns(*unwanted))
    shutil.copy(package / "__init__.py", stage / PACKAGE.name)
    shutil.copy(package / "handler" / ENTRY, work)
    text = (package / "handler" / CONFIG).read_text(encoding="utf-8")
    config = yaml.safe_load(text)
    changes = _stage_network(package, stage, contents)
    if contents.reader:
        changes["reader"] = canonical_reader(contents.reader)
    config["handler"].update(changes)
    if contents.batch_size is not None:
        config["batchSize"] = contents.batch_size
    Settings.from_config(config["handler"])
    changed = changes or contents.batch_size is not None
    (work / CONFIG).write_text(yaml.safe_dump(config, sort_keys=False) if changed else text, encoding="utf-8")
    return stage


def _stage_network(package: Path, stage: Path, contents: _Contents) -> dict[str, Any]:
    """Copies weights, schema and texts of the user's own; returns the settings that name them."""
    changes = {}
    if contents.weights or contents.version_name:
        weights = contents.weights or package / "model" / "weights" / "small.safetensors"
        changes["weights"] = OWN_WEIGHTS
        if contents.version_name:
            _write_named(weights, stage / OWN_WEIGHTS, contents.version_name)
        else:
            shutil.copy(weights, stage / OWN_WEIGHTS)
    if contents.schema:
        changes["schema"] = OWN_SCHEMA
        _stage_schema(contents.schema, stage)
    if contents.texts:
        changes["texts"] = TEXTS
        contents.texts.save(stage / TEXTS)
    return changes


def _stage_schema(schema: Path, stage: Path) -> None:
    """Copies a schema with the files that it names."""
    document = yaml.safe_load(schema.read_text(encoding="utf-8"))
    known = Schema.load(schema)
    for entry in document["entities"]:
        if "paths" in entry:  # which may name a file
            entry["paths"] = [SEPARATOR.join(path) for path in known[entry["name"]].paths]
        if "taxonomy" in entry:
            taxonomy = schema.parent / entry["taxonomy"]
            entry["taxonomy"] = f"{entry['name']}-taxonomy.txt"
            shutil.copy(taxonomy, stage / entry["taxonomy"])
    (stage / OWN_SCHEMA).write_text(yaml.safe_dump(document, sort_keys=False, allow_unicode=True), encoding="utf-8")


def _write_named(source: Path, target: Path, version: str) -> None:
    """Copies weights with another version in their metadata; equal weights give equal bytes.

    The format is that of safetensors: eight bytes with the length of a JSON header, the header, the tensors.
    """
    data = source.read_bytes()
    length = int.from_bytes(data[:8], "little")
    header = json.loads(data[8 : 8 + length])
    header["__metadata__"] = {**header.get("__metadata__", {}), "version": version}
    text = json.dumps(header, sort_keys=True).encode()
    text += b" " * (-len(text) % 8)  # tensors are aligned
    target.write_bytes(len(text).to_bytes(8, "little") + text + data[8 + length :])


def _archive(stage: Path, work: Path, version: str) -> Path:
    """Runs torch-model-archiver in a process of its own, since it works in TMPDIR/model-name."""
    command = [sys.executable, "-m", "model_archiver.model_packaging", "--force"]
    command += ["--model-name", MODEL_NAME, "--version", version, "--export-path", str(work)]
    command += ["--handler", str(work / ENTRY), "--config-file", str(work / CONFIG), "--extra-files", str(stage)]
    temporary = work / "tmp"
    temporary.mkdir()
    _run(command, {"TMPDIR": str(temporary)}, work, "torch-model-archiver failed")
    return work / f"{MODEL_NAME}.mar"


def _write_canonical(source: Path, target: Path) -> None:
    """Writes what torch-model-archiver made in the form of our archives."""
    with zipfile.ZipFile(source) as old:
        files = {name: old.read(name) for name in old.namelist()}
    date = os.environ.get("SOURCE_DATE_EPOCH")
    write_archive(target, files, *([datetime.fromtimestamp(int(date), UTC)] if date else []))


def _run(command: list[str], environment: dict[str, str], folder: Path, failure: str) -> None:
    done = subprocess.run(command, cwd=folder, env={**os.environ, **environment}, capture_output=True, text=True)
    if done.returncode:
        raise ArchiveError(f"{failure}: {last_error(done.stderr)}")
