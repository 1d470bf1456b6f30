"""The entity schema: what can be asked of a photo, and what an answer may look like."""

import re
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property, partial
from pathlib import Path
from typing import Any, Literal

import yaml

from resformer.model.errors import UnknownEntity
from resformer.model.quantities.units import SHIPPED_UNITS, UNITS, Unit
from resformer.model.schema.taxonomy import Taxonomy, parse_path

__all__ = ["SCHEMA_FILE", "Entity", "Kind", "Schema"]

SCHEMA_FILE = Path(__file__).parents[1] / "entities.yaml"
MAX_SUBWORDS = 1024
NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]*")

Kind = Literal["quantity", "choice", "path", "text"]


@dataclass(frozen=True)
class Entity:
    """One thing that can be asked. The kind says which of the other fields have a meaning.

    Attributes:
        name: What a request calls it.
        kind: The grammar, the validation and the metric of its answers.
        units: Canonical unit names a quantity may be answered in.
        ranges: Whether a quantity may be answered by a range.
        labels: The closed list that a choice is made from.
        labels_from: Name of the path entity whose leaves these labels are, or "". Both have one answer.
        paths: The taxonomy, every path from the root to a leaf.
        max_subwords: The longest text that may be answered.
        cues: Words printed near an answer, lower case; may be empty.
        exclusive_with: Name of a quantity that is measured exclusive_with this one, or "".
    """

    name: str
    kind: Kind
    units: tuple[str, ...] = ()
    ranges: bool = False
    labels: tuple[str, ...] = ()
    labels_from: str = ""
    paths: tuple[tuple[str, ...], ...] = ()
    max_subwords: int = 0
    cues: tuple[str, ...] = ()
    exclusive_with: str = ""

    @cached_property
    def taxonomy(self) -> Taxonomy:
        """The tree of a path entity."""
        return Taxonomy(self.paths)

    @property
    def is_length(self) -> bool:
        """Whether it is measured along something that a photo may show."""
        return any(UNITS[unit].dimension == "length" for unit in self.units)


@dataclass(frozen=True)
class Schema:
    """All that can be asked of a photo.

    Attributes:
        entities: in the order of their prompts.
        declared_units: units that the schema adds to the shipped ones.
    """

    entities: tuple[Entity, ...]
    declared_units: tuple[Unit, ...] = ()

    @property
    def units(self) -> tuple[Unit, ...]:
        """The shipped units and those that the schema adds, in the order of their tokens."""
        return SHIPPED_UNITS + self.declared_units

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(entity.name for entity in self.entities)

    def __getitem__(self, name: str) -> Entity:
        """The entity of this name. Raises UnknownEntity, which lists the known names."""
        for entity in self.entities:
            if entity.name == name:
                return entity
        raise UnknownEntity(f"unknown entity {name!r}; known are {', '.join(self.names)}")

    @property
    def quantities(self) -> tuple[Entity, ...]:
        """Those that are answered from words alone."""
        return tuple(entity for entity in self.entities if entity.kind == "quantity")

    @property
    def attributes(self) -> tuple[Entity, ...]:
        """Those that are answered from the picture and the caller's text and have an answer of their own."""
        return tuple(entity for entity in self.entities if entity.kind != "quantity" and not entity.labels_from)

    @property
    def exclusive_pairs(self) -> tuple[tuple[Entity, Entity], ...]:
        """Pairs of quantities that are measured exclusive_with each other."""
        return tuple((entity, self[entity.exclusive_with]) for entity in self.entities if entity.exclusive_with)

    @classmethod
    def load(cls, path: Path | None = None) -> "Schema":
        """Reads a schema file; the one beside this module by default.

        Raises:
            ValueError: The file is broken; the message names everything that is wrong with it.
            OSError: There is no such file.
        """
        path = path or SCHEMA_FILE
        try:
            document = yaml.safe_load(path.read_text(encoding="utf-8"))
        except yaml.YAMLError as error:
            raise ValueError(f"{path} is not YAML: {error}") from error
        entries = document.get("entities") if isinstance(document, dict) else None
        if not isinstance(entries, list) or not entries:
            raise ValueError(f"{path} must hold a list under the key 'entities'")
        errors: list[str] = []
        entities = [_entity(entry, i, path.parent, errors) for i, entry in enumerate(entries, 1)]
        names = [entity.name for entity in entities if entity]
        errors += [f"entity {name!r} is listed more than once" for name in _repeated(names)]
        read = [entity for entity in entities if entity]
        errors += _exclusive_errors(read)
        read = _with_labels_from(read, errors)
        if errors:
            raise ValueError("\n  ".join([f"{path} has {len(errors)} error(s):", *errors]))
        return cls(tuple(read))


def _entity(entry: Any, number: int, folder: Path, errors: list[str]) -> Entity | None:
    """One entry as an Entity, or None where its head is unusable. Everything wrong is added to `errors`."""
    if not isinstance(entry, dict):
        errors.append(f"entry {number} is {entry!r}, must be a mapping with the keys name and kind")
        return None
    name, kind = entry.get("name"), entry.get("kind")
    if not isinstance(name, str) or not NAME.fullmatch(name):
        errors.append(f"entry {number}: name is {name!r}, must be letters, digits and _, a letter first")
        return None
    if not isinstance(kind, str) or kind not in FIELDS:
        errors.append(f"{name}: kind is {kind!r}, must be one of {', '.join(FIELDS)}")
        return None
    readers = {**FIELDS[kind], "cues": _cues}
    if kind == "path":
        readers["paths"] = partial(_paths, folder)
    allowed = ["name", "kind", *readers]
    errors += [f"{name}: unknown key {key!r}, allowed are {', '.join(allowed)}" for key in entry if key not in allowed]
    if kind == "choice" and ("labels" in entry) == ("labels_from" in entry):
        errors.append(f"{name}: a choice has either labels or labels_from")
    fields = {}
    for key, read in readers.items():
        try:
            fields[key] = read(entry.get(key))
        except ValueError as error:
            errors.append(f"{name}: {key} is {entry.get(key)!r}, {error}")
    return Entity(name, kind, **fields)  # type: ignore[arg-type]  # kind is a key of FIELDS


def _exclusive_errors(entities: list[Entity]) -> list[str]:
    kinds = {entity.name: (entity.units, entity.ranges) for entity in entities}
    return [
        f"{e.name}: exclusive_with is {e.exclusive_with!r}, must be the name of another quantity with the same units "
        "and ranges"
        for e in entities
        if e.exclusive_with and (e.exclusive_with == e.name or kinds.get(e.exclusive_with) != kinds[e.name])
    ]


def _with_labels_from(entities: list[Entity], errors: list[str]) -> list[Entity]:
    """Gives the labels to choices that are leaves of a path."""
    paths = {entity.name: entity for entity in entities if entity.kind == "path"}
    whole = []
    for entity in entities:
        if entity.labels_from and entity.labels_from not in paths:
            errors.append(f"{entity.name}: labels_from is {entity.labels_from!r}, must be the name of a path entity")
        elif entity.labels_from:
            names = [path[-1] for path in paths[entity.labels_from].paths]
            if repeated := _repeated(names):
                errors.append(f"{entity.name}: {entity.labels_from} has several leaves {', '.join(repeated)}")
            entity = replace(entity, labels=tuple(names))
        whole.append(entity)
    return whole


def _repeated(names: list[str]) -> list[str]:
    return [name for name, count in Counter(names).items() if count > 1]


def _strings(value: Any) -> tuple[str, ...]:
    if not isinstance(value, list) or not value or not all(isinstance(v, str) and v.strip() for v in value):
        raise ValueError("must be a list of non-empty strings")
    if repeated := _repeated(value):
        raise ValueError(f"repeats {', '.join(repeated)}")
    return tuple(value)


def _units(value: Any) -> tuple[str, ...]:
    units = _strings(value)
    if unknown := [unit for unit in units if unit not in UNITS]:
        raise ValueError(f"of which {', '.join(unknown)} is unknown; allowed are {', '.join(UNITS)}")
    if len(dimensions := sorted({UNITS[unit].dimension for unit in units})) > 1:
        raise ValueError(f"must measure one thing, not {' and '.join(dimensions)}")
    return units


def _ranges(value: Any) -> bool:
    if value not in (None, True, False):
        raise ValueError("must be true or false")
    return bool(value)


def _paths(folder: Path, value: Any) -> tuple[tuple[str, ...], ...]:
    if isinstance(value, str):
        try:
            return Taxonomy.load(folder / value).leaves
        except OSError as error:
            raise ValueError(f"cannot be read: {error.strerror}") from error
    return Taxonomy(parse_path(path) for path in _strings(value)).leaves


def _max_subwords(value: Any) -> int:
    if type(value) is not int or not 1 <= value <= MAX_SUBWORDS:
        raise ValueError(f"must be a whole number from 1 to {MAX_SUBWORDS}")
    return value


def _labels(value: Any) -> tuple[str, ...]:
    return () if value is None else _strings(value)


def _entity_name(value: Any) -> str:
    if value is not None and not isinstance(value, str):
        raise ValueError("must be the name of an entity")
    return value or ""


def _cues(value: Any) -> tuple[str, ...]:
    return () if value is None else tuple(cue.lower() for cue in _strings(value))


FIELDS: Mapping[str, Mapping[str, Callable[[Any], Any]]] = {
    "quantity": {"units": _units, "ranges": _ranges, "exclusive_with": _entity_name},
    "choice": {"labels": _labels, "labels_from": _entity_name},
    "path": {"paths": _strings},
    "text": {"max_subwords": _max_subwords},
}
