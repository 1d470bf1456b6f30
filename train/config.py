"""Training settings from a YAML file, checked on load with all errors at once."""

import re
from collections.abc import Iterable
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, TypeVar, get_origin

import yaml

from resformer.model.networks.presets import PRESETS
from resformer.train.attributes.pretrained_networks import PACKAGED

__all__ = [
    "Config",
    "LoopConfig",
    "MapsConfig",
    "PartConfig",
    "ProductSource",
    "ProductsConfig",
    "ReadingConfig",
    "Source",
    "load_config",
    "load_product_sources",
]

# Each kind of source with the files that it needs.
KINDS = {
    "challenge": ("labels", "photos", "words"),
    "hand": ("labels", "photos", "words"),
    "unlabelled": ("labels", "photos", "words"),
    "read": ("photos", "words"),
    "generated": (),
}
FILES = ("labels", "photos", "words", "more_words")
BELOW_ONE = ("hold_back", "warmup", "ema", "dropout", "smoothing")
POSITIVE = (
    *("minutes", "epochs", "batch_size", "learning_rate", "clip", "evaluate_every"),
    *("checkpoint_batches", "checkpoint_minutes", "side", "maps_size", "stem_rate", "enough", "most_repeats"),
)
NOT_NEGATIVE = (
    *("weight_decay", "patience", "seed", "workers", "keep_best", "frozen_blocks"),
    *("patch_views", "text_views"),
    *("text_weight", "prior_strength"),
)


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
class ProductSource:
    """One catalogue's table and photos.

    Attributes:
        table: CSV with a row per photo.
        photo: the column that names the photo.
        title, description: columns that a caller may send with the photo.
        answers: by entity of the schema, the column that holds its label or text.
        repeat: how often an epoch shows each product.
        balance: the entity whose rare labels are shown more often.
        frequencies: how often the catalogue as it is has each label of `balance`, where the photos are fewer of some.
    """

    table: Path
    photos: Path
    photo: str
    answers: dict[str, str]
    title: str = ""
    description: str = ""
    repeat: float = 1.0
    balance: str = ""
    frequencies: Path | None = None


@dataclass(frozen=True, kw_only=True)
class LoopConfig:
    """How long and how fast to learn, whatever is learned.

    Attributes:
        minutes: time budget of this run; it ends sooner when `patience` runs out.
        hold_back: share of the photos, chosen by name, that are only evaluated on.
        precision: `fp32`, `bf16` or `fp16` (with gradient scaling).
        keep_best: how many of the weights that scored best are kept beside the very best.
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
    keep_best: int = 0
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
        as_printed_share and other shares: see train.quantities.quantity_batches.Shares.
    """

    sources: tuple[Source, ...]
    dropout: float = 0.1
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
    """

    start: Path | None = None


@dataclass(frozen=True, kw_only=True)
class PrintConfig(PartConfig):
    """How to train a part that looks at print.

    Attributes:
        print_start: what learns starts at random (None) or as the finder or recogniser of that package:
            `ppocrv6-tiny`.
    """

    sources: tuple[Source, ...]
    print_start: str | None = None


@dataclass(frozen=True, kw_only=True)
class MapsConfig(PrintConfig):
    """How to train the maps of print, and the print stem below them.

    Attributes:
        side: of a cut of a photo, pixels.
        maps_size: pixels of the longer side of held-back photos.
    """

    side: int = 320
    maps_size: int = 640


@dataclass(frozen=True, kw_only=True)
class ReadingConfig(PrintConfig):
    """How to train the reading of strips.

    Attributes:
        drawn_share: share of strips that are drawn; the others are cut from photos.
        repainted_share: share of strips that are cut from photos with another text drawn in.
        batches: of an epoch.
    """

    drawn_share: float = 0.5
    repainted_share: float = 0.0
    batches: int = 200


@dataclass(frozen=True, kw_only=True)
class ProductsConfig(PartConfig):
    """How to train the catalogue part.

    Attributes:
        stem_start: None for a random stem, or the network of train.attributes.pretrained_networks whose weights fit it.
        teachers: weights of other runs, of any preset; what they find of what is shown is learned beside the answers.
        teacher_share: what share of the loss that is.
        mix_share: pictures that another one is mixed into (mixup, arXiv 1710.09412, without its labels): of these only
            teachers know the answers (arXiv 2106.05237).
        entities: a schema other than the shipped one.
        part_start: weights whose catalogue part is gone on with, instead of `stem_start`.
        patch_views: above 0 the picture's side stays as it began, and so many views of each picture are looked at
            once and kept: what is left to learn, words and answers, takes a fraction of the time.
        text_views: how often a product's text is shown each time its picture is.
        frozen_blocks: of the stem, from below, that stay as packaged.
        stem_rate: the learning rate of what is packaged, as a share of the others'.
        side: of the pictures while training, pixels; a multiple of 32.
        smoothing: of labels and text.
        level_weights: of the loss of a path's levels, root first; deeper levels have the last one's.
        text_weight: of the loss of a text of 32 tokens; see train.attributes.attribute_loss.
        text_share: how often a text is asked for.
        hide_picture_share: products with text whose picture is hidden.
        hide_field_share, hide_word_share: fields and words of the caller's text that are left out.
        enough, most_repeats: see train.attributes.labelled_products.balanced.
        prior_strength: how much of the catalogue's own frequencies counts in answers; 0 treats all labels alike.
    """

    sources: tuple[ProductSource, ...]
    stem_start: str | None = None
    teachers: tuple[Path, ...] = ()
    teacher_share: float = 0.5
    mix_share: float = 0.0
    part_start: Path | None = None
    entities: Path | None = None
    patch_views: int = 0
    text_views: int = 1
    frozen_blocks: int = 4
    stem_rate: float = 0.3
    side: int = 160
    dropout: float = 0.1
    smoothing: float = 0.1
    level_weights: tuple[float, ...] = (0.3, 0.3, 1.0)
    text_weight: float = 0.5
    text_share: float = 0.5
    hide_picture_share: float = 0.15
    hide_field_share: float = 0.1
    hide_word_share: float = 0.1
    enough: float = 60.0
    most_repeats: float = 3.0
    prior_strength: float = 1.0


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
    read = _product_source if kind is ProductsConfig else _source
    sources = [read(entry, f"sources[{i}]", path.parent, errors) for i, entry in enumerate(entries)]
    if not entries and not errors:
        errors.append("sources: at least one is needed")
    files = [f.name for f in fields(kind) if f.name in ("start", "part_start", "entities")]
    values = _paths(data, files, "", path.parent, errors)
    if kind is ProductsConfig:
        values |= _teachers(data, path.parent, errors)
    values |= _checked(kind, data, "", errors)
    _check_ranges(values, errors)
    if errors:
        raise ValueError(f"{path} has {len(errors)} error(s):\n" + "\n".join(f"  {e}" for e in errors))
    return kind(sources=tuple(sources), **values)  # type: ignore[call-arg]


def load_product_sources(path: Path) -> tuple[ProductSource, ...]:
    """The sources of a file that has nothing else. Raises ValueError with every error in it."""
    try:
        data = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, yaml.YAMLError) as error:
        raise ValueError(f"cannot read {path}: {error}") from error
    entries = data.get("sources") if isinstance(data, dict) else None
    if not isinstance(entries, list) or not entries or len(data) > 1:
        raise ValueError(f"{path} must hold a list under the key `sources` and nothing else")
    errors: list[str] = []
    sources = [_product_source(entry, f"sources[{i}]", path.parent, errors) for i, entry in enumerate(entries)]
    if errors:
        raise ValueError(f"{path} has {len(errors)} error(s):\n" + "\n".join(f"  {e}" for e in errors))
    return tuple(sources)


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


def _product_source(entry: Any, where: str, folder: Path, errors: list[str]) -> ProductSource:
    if not isinstance(entry, dict):
        errors.append(f"{where}: expected keys and values, found {entry!r}")
        return ProductSource(table=folder, photos=folder, photo="", answers={})
    entry = dict(entry)
    paths = _paths(entry, ("table", "photos", "frequencies"), f"{where}.", folder, errors)
    values = _checked(ProductSource, entry, f"{where}.", errors, given=paths)
    answers = values.get("answers", {})
    if not all(isinstance(v, str) for pair in answers.items() for v in pair):
        errors.append(f"{where}.answers: must name a column for each entity")
    if values.get("repeat", 1.0) <= 0:
        errors.append(f"{where}.repeat: {values['repeat']} is not above 0")
    if not answers and "answers" in values:
        errors.append(f"{where}.answers: name a column for one entity at least")
    if "frequencies" in paths and not values.get("balance"):
        errors.append(f"{where}.frequencies: need `balance`, the entity that they are of")
    empty = {"table": folder, "photos": folder, "photo": "", "answers": {}}
    return ProductSource(**{**empty, **values, **paths})


def _paths(entry: dict[str, Any], keys: Iterable[str], prefix: str, folder: Path, errors: list[str]) -> dict[str, Any]:
    """Takes the files and folders under these keys out of an entry."""
    paths = {k: (folder / str(entry.pop(k))).resolve() for k in keys if k in entry}
    for key, path in paths.items():
        if not path.exists():
            hint = "; `make words` reads the photos" if key == "more_words" else ""
            errors.append(f"{prefix}{key}: {path} does not exist{hint}")
    return paths


def _teachers(entry: dict[str, Any], folder: Path, errors: list[str]) -> dict[str, Any]:
    """Takes the list of files out of an entry."""
    names = entry.pop("teachers", [])
    if not isinstance(names, list):
        errors.append(f"teachers: {names!r} is no list; begin each file with a dash")
        return {}
    taken = [_paths({f"teachers[{i}]": name}, [f"teachers[{i}]"], "", folder, errors) for i, name in enumerate(names)]
    return {"teachers": tuple(path for paths in taken for path in paths.values())}


def _checked(
    kind: type, data: dict[str, Any], prefix: str, errors: list[str], given: Iterable[str] = ()
) -> dict[str, Any]:
    """The entries of `data` that are fields of `kind` with the type of its default or annotation."""
    expected = {f.name: f.type for f in fields(kind)}
    values = {}
    for key, value in data.items():
        if key not in expected or key == "sources":
            errors.append(f"{prefix}{key}: unknown; known: {', '.join(expected)}")
        elif not _fits(value, expected[key]):
            power = isinstance(value, str) and re.fullmatch(r"[\d.]+e-?\d+", value)
            hint = "; YAML takes 5e-4 for text, write 0.0005" if power else ""
            errors.append(
                f"{prefix}{key}: {value!r} is not of type {getattr(expected[key], '__name__', expected[key])}{hint}"
            )
        else:
            values[key] = tuple(value) if isinstance(value, list) else value
    for f in fields(kind):
        if f.name not in data and f.name not in given and f.default is f.default_factory and f.name != "sources":
            errors.append(f"{prefix}{f.name}: missing")
    return values


def _fits(value: Any, expected: Any) -> bool:
    if expected is float:
        return isinstance(value, int | float) and not isinstance(value, bool)
    if expected is int:
        return isinstance(value, int) and not isinstance(value, bool)
    if expected == tuple[str, ...]:
        return isinstance(value, list) and all(isinstance(v, str) for v in value)
    if expected == tuple[float, ...]:
        return isinstance(value, list) and bool(value) and all(_fits(v, float) for v in value)
    if get_origin(expected) is dict:
        return isinstance(value, dict)
    return isinstance(value, expected)


def _check_ranges(values: dict[str, Any], errors: list[str]) -> None:
    if values.get("preset", "nano") not in PRESETS:
        errors.append(f"preset: {values['preset']!r} is none of {', '.join(PRESETS)}")
    if values.get("precision", "fp32") not in ("fp32", "bf16", "fp16"):
        errors.append(f"precision: {values['precision']!r} is none of fp32, bf16, fp16")
    if values.get("stem_start") not in (None, *PACKAGED):
        errors.append(f"stem_start: {values['stem_start']!r} is none of {', '.join(PACKAGED)}")
    if values.get("print_start") not in (None, "ppocrv6-tiny"):
        errors.append(f"print_start: {values['print_start']!r} is not ppocrv6-tiny")
    if values.get("stem_start") and values.get("part_start"):
        errors.append("stem_start: part_start has a stem of its own; leave one of them out")
    if values.get("side", 32) % 32:
        errors.append(f"side: {values['side']} is not a multiple of 32")
    if values.get("patch_views") and not values.get("part_start"):
        errors.append("patch_views: needs part_start, or the picture's side would stay random")
    if values.get("mix_share") and not values.get("teachers"):
        errors.append("mix_share: of mixed pictures only teachers know the answers; name some")
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
