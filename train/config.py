"""Training settings from a YAML file, checked on load with all errors at once."""

import re
from collections.abc import Iterable
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, TypeVar

import yaml

from model.presets import PRESETS

__all__ = ["Config", "LoopConfig", "MapsConfig", "PartConfig", "ReadingConfig", "Source", "load_config"]

# Each kind of source with the files that it needs.
KINDS = {
    "challenge": ("labels", "photos", "words"),
    "hand": ("labels", "photos", "words"),
    "unlabelled": ("labels", "photos", "words"),
    "read": ("photos", "words"),
    "generated": (),
}
FILES = ("labels", "photos", "words", "more_words")
BELOW_ONE = ("hold_back", "warmup", "ema", "dropout")
POSITIVE = (
    *("minutes", "epochs", "batch_size", "learning_rate", "clip", "evaluate_every"),
    *("checkpoint_batches", "checkpoint_minutes", "side", "maps_size"),
)
NOT_NEGATIVE = ("weight_decay", "spelling_weight", "patience", "seed", "workers")


@dataclass(frozen=True)
class Source:
    """One set of labelled photos.

    Attributes:
        kind: `challenge`, `hand`, `unlabelled` (labels say only what was asked; boosted trees answer), `read` (no
            questions, for the finding and reading of print), or `generated` (drawn layouts, no files).
        labels, photos, words: files and folder of the set; words as JSON lines.
        more_words: the same photos read in another way, for training beside `words`.
        counted: whether the priors were counted with these labels among them.
        photos_count: how many layouts `generated` draws.
    """

    kind: str
    labels: Path | None = None
    photos: Path | None = None
    words: Path | None = None
    more_words: Path | None = None
    counted: bool = False
    photos_count: int = 0


@dataclass(frozen=True, kw_only=True)
class LoopConfig:
    """How long and how fast to learn, whatever is learned.

    Attributes:
        minutes: time budget of this run; it ends sooner when `patience` runs out.
        hold_back: share of the photos, chosen by name, that are only evaluated on.
        precision: `fp32`, `bf16` or `fp16` (with gradient scaling).
    """

    preset: str
    minutes: float
    epochs: int
    batch_size: int = 32
    learning_rate: float = 5e-4
    warmup: float = 0.05
    weight_decay: float = 0.05
    clip: float = 1.0
    ema: float = 0.998
    hold_back: float = 0.1
    patience: int = 0
    evaluate_every: int = 1
    precision: str = "fp32"
    seed: int = 0
    workers: int = 0
    checkpoint_batches: int = 100
    checkpoint_minutes: float = 3.0


C = TypeVar("C", bound="LoopConfig")


@dataclass(frozen=True, kw_only=True)
class Config(LoopConfig):
    """How to train a network that answers.

    Attributes:
        stem_start: None for a random stem, or `efficientnet-lite0` for the weights of that package.
        picture_share and other shares: see train.batches.Shares.
    """

    sources: tuple[Source, ...]
    stem_start: str | None = None
    dropout: float = 0.1
    spelling_weight: float = 0.3
    picture_share: float = 0.0
    no_words_share: float = 0.5
    as_printed_share: float = 0.3
    title_share: float = 0.05
    all_share: float = 0.0
    no_group_share: float = 0.5
    no_drawing_share: float = 0.1


@dataclass(frozen=True, kw_only=True)
class PartConfig(LoopConfig):
    """How to train one part of a network.

    Attributes:
        start: weights of which all is kept that does not learn; None for random ones.
        print_start: what learns starts at random (None) or as the finder or recogniser of that package:
            `ppocrv6-tiny`.
    """

    sources: tuple[Source, ...]
    start: Path | None = None
    print_start: str | None = None


@dataclass(frozen=True, kw_only=True)
class MapsConfig(PartConfig):
    """How to train the maps of print, and the print stem below them.

    Attributes:
        side: of a cut of a photo, pixels.
        maps_size: pixels of the longer side of held-back photos.
    """

    side: int = 320
    maps_size: int = 640


@dataclass(frozen=True, kw_only=True)
class ReadingConfig(PartConfig):
    """How to train the reading of strips.

    Attributes:
        drawn_share: share of strips that are drawn; the others are cut from photos.
        repainted_share: share of strips that are cut from photos with another text drawn in.
        batches: of an epoch.
    """

    drawn_share: float = 0.5
    repainted_share: float = 0.0
    batches: int = 200


def load_config(path: Path, kind: type[C] = Config) -> C:  # type: ignore[assignment]
    """Reads a config file; paths in it are relative to the folder that holds it.

    Raises ValueError with every error in the file.
    """
    try:
        data = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, yaml.YAMLError) as error:
        raise ValueError(f"cannot read the config {path}: {error}") from error
    if not isinstance(data, dict):
        raise ValueError(f"{path}: expected keys and values, found {type(data).__name__}")
    errors: list[str] = []
    entries = data.pop("sources", None) or []
    if not isinstance(entries, list):
        errors.append(f"sources: {entries!r} is no list; begin each source with a dash")
        entries = []
    sources = [_source(entry, f"sources[{i}]", path.parent, errors) for i, entry in enumerate(entries)]
    if not entries and not errors:
        errors.append("sources: at least one is needed")
    start = ["start"] if "start" in (f.name for f in fields(kind)) else []
    values = _paths(data, start, "", path.parent, errors) | _checked(kind, data, "", errors)
    _check_ranges(values, errors)
    if errors:
        raise ValueError(f"{path} has {len(errors)} error(s):\n" + "\n".join(f"  {e}" for e in errors))
    return kind(sources=tuple(sources), **values)  # type: ignore[call-arg]


def _source(entry: Any, where: str, folder: Path, errors: list[str]) -> Source:
    if not isinstance(entry, dict):
        errors.append(f"{where}: expected keys and values, found {entry!r}")
        return Source("")
    paths = _paths(entry, FILES, f"{where}.", folder, errors)
    values = _checked(Source, entry, f"{where}.", errors)
    kind = values.get("kind", "")
    if kind not in KINDS:
        errors.append(f"{where}.kind: {kind!r} is none of {', '.join(KINDS)}")
    elif kind == "generated":
        if values.get("photos_count", 0) < 1:
            errors.append(f"{where}.photos_count: a generated set needs at least 1")
    else:
        errors += [f"{where}.{k}: missing" for k in KINDS[kind] if k not in paths]
    return Source(**{"kind": kind, **values, **paths})


def _paths(entry: dict[str, Any], keys: Iterable[str], prefix: str, folder: Path, errors: list[str]) -> dict[str, Any]:
    """Takes the files and folders under these keys out of an entry."""
    paths = {k: (folder / str(entry.pop(k))).resolve() for k in keys if k in entry}
    for key, path in paths.items():
        if not path.exists():
            hint = "; `make words` reads the photos" if key == "more_words" else ""
            errors.append(f"{prefix}{key}: {path} does not exist{hint}")
    return paths


def _checked(kind: type, data: dict[str, Any], prefix: str, errors: list[str]) -> dict[str, Any]:
    """The entries of `data` that are fields of `kind` with the type of its default or annotation."""
    expected = {f.name: f.type for f in fields(kind)}
    values = {}
    for key, value in data.items():
        if key not in expected or expected[key] == tuple[Source, ...]:
            errors.append(f"{prefix}{key}: unknown; known: {', '.join(expected)}")
        elif not _fits(value, expected[key]):
            power = isinstance(value, str) and re.fullmatch(r"[\d.]+e-?\d+", value)
            hint = "; YAML takes 5e-4 for text, write 0.0005" if power else ""
            errors.append(
                f"{prefix}{key}: {value!r} is not of type {getattr(expected[key], '__name__', expected[key])}{hint}"
            )
        else:
            values[key] = value
    for f in fields(kind):
        if f.name not in data and f.default is f.default_factory and f.name != "sources":
            errors.append(f"{prefix}{f.name}: missing")
    return values


def _fits(value: Any, expected: Any) -> bool:
    if expected is float:
        return isinstance(value, int | float) and not isinstance(value, bool)
    if expected is int:
        return isinstance(value, int) and not isinstance(value, bool)
    return isinstance(value, expected)


def _check_ranges(values: dict[str, Any], errors: list[str]) -> None:
    if values.get("preset", "nano") not in PRESETS:
        errors.append(f"preset: {values['preset']!r} is none of {', '.join(PRESETS)}")
    if values.get("precision", "fp32") not in ("fp32", "bf16", "fp16"):
        errors.append(f"precision: {values['precision']!r} is none of fp32, bf16, fp16")
    if values.get("stem_start") not in (None, "efficientnet-lite0"):
        errors.append(f"stem_start: {values['stem_start']!r} is not efficientnet-lite0")
    if values.get("print_start") not in (None, "ppocrv6-tiny"):
        errors.append(f"print_start: {values['print_start']!r} is not ppocrv6-tiny")
    if values.get("stem_start") and values.get("preset", "small") != "small":
        errors.append(f"stem_start: its weights fit the stem of small only, not of {values['preset']}")
    for key, value in values.items():
        if key.endswith("_share") and not 0 <= value <= 1:
            errors.append(f"{key}: {value} is not between 0 and 1")
        elif key in BELOW_ONE and not 0 <= value < 1:
            errors.append(f"{key}: {value} is not at least 0 and below 1")
        elif key in POSITIVE and value <= 0:
            errors.append(f"{key}: {value} is not above 0")
        elif key in NOT_NEGATIVE and value < 0:
            errors.append(f"{key}: {value} is below 0")
