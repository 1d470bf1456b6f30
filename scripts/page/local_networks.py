"""Networks of this process for the page: from files of weights, or from archives."""

import zipfile
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import yaml

from resformer.handler.settings import Settings
from resformer.model.files.whole_file import UnusableFile
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
        files: Weights (`.safetensors`), or archives (`.mar`), of which weights, schema and reader are taken.
        schema: The entities of the weights; None is the shipped file.
        folder: Where archives are unpacked.

    Raises:
        UnusableFile: A file cannot be loaded.
    """
    if not files:
        return [LoadedNetwork(LocalSource(_load(None, schema, None)), schema)]
    networks = []
    for number, file in enumerate(files):
        if file.suffix == ".mar":
            weights, own_schema, reader = _unpack(file, folder / f"archive-{number}")
        else:
            weights, own_schema, reader = file, schema, None
        networks.append(LoadedNetwork(LocalSource(_load(weights, own_schema, reader), file.name), own_schema))
    return networks


def _load(weights: Path | None, schema: Path | None, reader: str | None) -> Predictor:
    try:
        return Predictor.load(weights, schema=schema, reader=reader)
    except (OSError, ValueError) as error:
        raise UnusableFile(f"cannot load the network: {error}") from error


def _unpack(archive: Path, folder: Path) -> tuple[Path, Path, str]:
    """The weights, the schema and the reader of an archive."""
    try:
        with zipfile.ZipFile(archive) as file:
            settings = Settings.from_config(yaml.safe_load(file.read(SETTINGS))["handler"])
            file.extractall(folder)  # zipfile writes nothing outside of it
    except (OSError, zipfile.BadZipFile, KeyError, TypeError, ValueError, yaml.YAMLError) as error:
        raise UnusableFile(f"{archive} is no archive that `resformer archive` built: {error}") from error
    weights = folder / (settings.weights or SHIPPED_WEIGHTS)
    return weights, folder / (settings.schema_file or SHIPPED_SCHEMA), settings.reader
