"""Networks of this process for the page: from files of weights, or from archives."""

import zipfile
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import yaml

from resformer.handler.settings import Settings
from resformer.model.files.whole_file import UnusableFile, file_digest
from resformer.model.inference.checkpoint import DEFAULT_WEIGHTS
from resformer.model.predictor import Predictor
from resformer.scripts.page.answer_sources import LocalSource

__all__ = ["LoadedNetwork", "load_networks"]

SETTINGS = "model-config.yaml"
SHIPPED_WEIGHTS = "resformer/model/weights/small.safetensors"
SHIPPED_SCHEMA = "resformer/model/entities.yaml"


class LoadedNetwork(NamedTuple):
    """A network, and the file of its entities; None is the shipped one."""

    source: LocalSource
    schema: Path | None


def load_networks(files: Sequence[Path], schema: Path | None, folder: Path) -> list[LoadedNetwork]:
    """Loads each network; without files the shipped one.

    Args:
        files: Weights (`.safetensors`), or archives (`.mar`), with their schema, reader and texts.
        schema: The entities of the weights; None is the shipped file.
        folder: Where archives are unpacked.

    Raises:
        UnusableFile: A file cannot be loaded.
    """
    if not files:
        return [LoadedNetwork(LocalSource(_load(_Parts(None, schema, None, None))), schema)]
    networks = []
    for number, file in enumerate(files):
        unpacked = folder / f"archive-{number}"
        parts = _unpack(file, unpacked) if file.suffix == ".mar" else _Parts(file, schema, None, None)
        networks.append(LoadedNetwork(LocalSource(_load(parts), file.name), parts.schema))
    return networks


class _Parts(NamedTuple):
    """What a network is loaded from; None is as shipped."""

    weights: Path | None
    schema: Path | None
    reader: str | None
    texts: Path | None


def _load(parts: _Parts) -> Predictor:
    try:
        return Predictor.load(parts.weights, schema=parts.schema, reader=parts.reader, texts=parts.texts)
    except (OSError, ValueError) as error:
        raise UnusableFile(f"cannot load the network: {error}") from error


def _unpack(archive: Path, folder: Path) -> _Parts:
    try:
        with zipfile.ZipFile(archive) as file:
            settings = Settings.from_config(yaml.safe_load(file.read(SETTINGS))["handler"])
            file.extractall(folder)  # zipfile writes nothing outside of it
        weights = folder / (settings.weights or SHIPPED_WEIGHTS)
        is_shipped = file_digest(weights) == file_digest(DEFAULT_WEIGHTS)
    except (OSError, zipfile.BadZipFile, KeyError, TypeError, ValueError, yaml.YAMLError) as error:
        raise UnusableFile(f"{archive} cannot be used: {error}; build it with `resformer archive`") from error
    return _Parts(
        None if is_shipped else weights,  # which have the version of the package
        folder / (settings.schema_file or SHIPPED_SCHEMA),
        settings.reader,
        folder / settings.texts if settings.texts else None,
    )
