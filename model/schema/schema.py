"""The entity schema: what can be asked of a photo, and what an answer may look like."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

import yaml
from pydantic import ValidationError

from resformer.model.errors import UnknownEntity
from resformer.model.quantities.units import SHIPPED_UNITS, UNITS, Unit, register_units, with_si_unit
from resformer.model.schema.entries import (
    ChoiceEntry,
    EntityEntry,
    PathEntry,
    QuantityEntry,
    TextEntry,
    explain,
    parse_entity_entry,
    repeated,
)
from resformer.model.schema.taxonomy import Taxonomy, parse_path

__all__ = ["SCHEMA_FILE", "Entity", "Kind", "Schema"]

SCHEMA_FILE = Path(__file__).parents[1] / "entities.yaml"
KEYS = ("entities", "units")

Kind = Literal["quantity", "choice", "path", "text"]


@dataclass(frozen=True)
class Entity:
    """One thing that can be asked. The kind says which of the other fields have a meaning.

    Attributes:
        name: what a request calls it.
        kind: decides how it is answered, and how its answers are validated and scored.
        units: canonical names of the units that a quantity may be answered in.
        ranges: whether a quantity may be answered by a range.
        labels: the closed list that a choice is made from.
        labels_from: name of the path entity whose leaves have these labels, or "". Both have one answer.
        leaf_labels: of the leaves of that entity, the index of each one's label; None where it has none.
        paths: the taxonomy, every path from the root to a leaf.
        max_subwords: of the longest text that may be answered.
        cues: words that stand near an answer, in lower case; may be empty.
        exclusive_with: name of the quantity that forms an exclusive pair with this one, or "".
    """

    name: str
    kind: Kind
    units: tuple[str, ...] = ()
    ranges: bool = False
    labels: tuple[str, ...] = ()
    labels_from: str = ""
    leaf_labels: tuple[int | None, ...] = ()
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
        """Whether it is a quantity in units of length."""
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
    def names(self) -> tuple[str, ...]:
        """The names of all entities."""
        return tuple(entity.name for entity in self.entities)

    @property
    def units(self) -> tuple[Unit, ...]:
        """The shipped units and those that the schema adds, in the order of their tokens."""
        return SHIPPED_UNITS + self.declared_units

    def __getitem__(self, name: str) -> Entity:
        """The entity of this name. Raises UnknownEntity, which lists the known names."""
        for entity in self.entities:
            if entity.name == name:
                return entity
        raise UnknownEntity(f"unknown entity {name[:40]!r}; known are {', '.join(self.names)}")

    @property
    def quantities(self) -> tuple[Entity, ...]:
        """The entities that are answered by a number and a unit."""
        return tuple(entity for entity in self.entities if entity.kind == "quantity")

    @property
    def attributes(self) -> tuple[Entity, ...]:
        """The other entities that have an answer of their own."""
        return tuple(entity for entity in self.entities if entity.kind != "quantity" and not entity.labels_from)

    @property
    def exclusive_pairs(self) -> tuple[tuple[Entity, Entity], ...]:
        """Pairs of quantities which one value seldom answers both, such as width and height."""
        return tuple((entity, self[entity.exclusive_with]) for entity in self.entities if entity.exclusive_with)

    @classmethod
    def load(cls, path: Path | None = None) -> "Schema":
        """Reads a schema file, and registers the units that it declares.

        Args:
            path: None is the shipped schema.

        Raises:
            ValueError: the file is wrong; the message names everything that is wrong with it.
            OSError: there is no such file.
        """
        path = path or SCHEMA_FILE
        document = _read(path)
        errors = [f"unknown key {key!r}, allowed are {', '.join(KEYS)}" for key in document if key not in KEYS]
        units = _declared_units(document.get("units"), errors)
        entities = _entities(document["entities"], units, path.parent, errors)
        if errors:
            raise ValueError("\n  ".join([f"{path} has {len(errors)} error(s):", *errors]))
        try:
            register_units(units)
        except ValueError as error:
            raise ValueError(f"{path}: {error}") from error
        return cls(entities, units)


def _read(path: Path) -> dict[str, Any]:
    try:
        document = yaml.safe_load(path.read_text(encoding="utf-8"))
    except yaml.YAMLError as error:
        raise ValueError(f"{path} is not YAML: {error}") from error
    entries = document.get("entities") if isinstance(document, dict) else None
    if not isinstance(entries, list) or not entries:
        raise ValueError(f"{path} must hold a list under the key 'entities'")
    content: dict[str, Any] = document
    return content


def _declared_units(entries: Any, errors: list[str]) -> tuple[Unit, ...]:
    if entries is None:
        return ()
    if not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
        errors.append(f"units is {entries!r}, must be a list of mappings, each with the keys {', '.join(_unit_keys())}")
        return ()
    units = []
    for i, entry in enumerate(entries, 1):
        try:
            units.append(Unit(**with_si_unit({str(key): value for key, value in entry.items()})))
        except ValidationError as error:
            errors += explain(error, f"unit {entry.get('name', i)}", entry, _unit_keys())
    errors += [f"unit {name} is listed more than once" for name in repeated([unit.name for unit in units])]
    aliases = [(unit.dimension, alias) for unit in (*SHIPPED_UNITS, *units) for alias in unit.aliases]
    for unit in units:
        if shared := [alias for alias in unit.aliases if aliases.count((unit.dimension, alias)) > 1]:
            errors.append(f"unit {unit.name}: {', '.join(shared)} stands for another unit of {unit.dimension} too")
    return tuple(units)


def _unit_keys() -> list[str]:
    return list(Unit.__dataclass_fields__)


def _entities(entries: Sequence[Any], units: Sequence[Unit], folder: Path, errors: list[str]) -> tuple[Entity, ...]:
    """The entities of all entries that are right; what is wrong with the others, and among them, goes to `errors`."""
    dimensions = {unit.name: unit.dimension for unit in (*SHIPPED_UNITS, *units)}
    entities = []
    mapped: dict[str, tuple[Taxonomy, int]] = {}
    for i, entry in enumerate(entries, 1):
        parsed = parse_entity_entry(entry, i, dimensions, errors)
        if parsed is not None and (entity := _entity(parsed, folder, errors)) is not None:
            entities.append(entity)
        if isinstance(parsed, ChoiceEntry) and parsed.level and (tree := _taxonomy(parsed, folder, errors)) is not None:
            mapped[parsed.name] = (tree, parsed.level)
    kinds = {str(entry.get("name")): entry.get("kind") for entry in entries if isinstance(entry, dict)}
    names = [str(entry.get("name")) for entry in entries if isinstance(entry, dict) and "name" in entry]
    errors += [f"entity {name!r} is listed more than once" for name in repeated(names)]
    errors += _exclusive_errors(entities, kinds)
    return _with_labels_from(entities, kinds, mapped, errors)


def _entity(entry: EntityEntry, folder: Path, errors: list[str]) -> Entity | None:
    cues = tuple(cue.lower() for cue in entry.cues or ())
    match entry:
        case QuantityEntry():
            exclusive_with = entry.exclusive_with or ""
            return Entity(
                entry.name,
                "quantity",
                units=tuple(entry.units),
                ranges=entry.ranges,
                cues=cues,
                exclusive_with=exclusive_with,
            )
        case ChoiceEntry():
            labels, labels_from = tuple(entry.labels or ()), entry.labels_from or ""
            return Entity(entry.name, "choice", labels=labels, labels_from=labels_from, cues=cues)
        case TextEntry():
            return Entity(entry.name, "text", max_subwords=entry.max_subwords, cues=cues)
        case PathEntry():
            try:
                return Entity(entry.name, "path", paths=_leaves(entry.paths, folder), cues=cues)
            except OSError as error:
                errors.append(f"{entry.name}: paths is {entry.paths!r}, cannot be read: {error.strerror}")
            except ValueError as error:
                errors.append(f"{entry.name}: paths is {entry.paths!r}, {error}")
            return None


def _leaves(paths: list[str] | str, folder: Path) -> tuple[tuple[str, ...], ...]:
    if isinstance(paths, str):
        return Taxonomy.load(folder / paths).leaves
    return Taxonomy(parse_path(path) for path in paths).leaves


def _exclusive_errors(entities: Sequence[Entity], kinds: Mapping[str, Any]) -> list[str]:
    by_name = {entity.name: entity for entity in entities}
    errors = []
    for e in entities:
        other = by_name.get(e.exclusive_with)
        # A quantity that is wrong itself is reported already.
        broken = other is None and kinds.get(e.exclusive_with) == "quantity"
        fits = other is not None and other is not e and (other.units, other.ranges) == (e.units, e.ranges)
        if e.exclusive_with and not (fits or broken):
            errors.append(
                f"{e.name}: exclusive_with is {e.exclusive_with!r}, must be the name of another quantity with the same "
                "units and ranges"
            )
    return errors


def _taxonomy(entry: ChoiceEntry, folder: Path, errors: list[str]) -> Taxonomy | None:
    try:
        return Taxonomy.load(folder / (entry.taxonomy or ""))
    except OSError as error:
        errors.append(f"{entry.name}: taxonomy is {entry.taxonomy!r}, cannot be read: {error.strerror}")
    except ValueError as error:
        errors.append(f"{entry.name}: taxonomy is {entry.taxonomy!r}, {error}")
    return None


def _with_labels_from(
    entities: Sequence[Entity],
    kinds: Mapping[str, Any],
    mapped: Mapping[str, tuple[Taxonomy, int]],
    errors: list[str],
) -> tuple[Entity, ...]:
    """The entities, with labels for the choices that the leaves of a path have.

    Args:
        mapped: by choice, the taxonomy in which the names of leaves are looked up, and the level of it that is the
            label. A choice without one has the leaves themselves as labels.
    """
    paths = {entity.name: entity for entity in entities if entity.kind == "path"}
    complete = []
    for entity in entities:
        source = entity.labels_from
        if source and kinds.get(source) != "path":
            errors.append(f"{entity.name}: labels_from is {source!r}, must be the name of a path entity")
        elif source in paths:
            names = _leaf_labels(paths[source], *mapped.get(entity.name, (None, 0)))
            labels = tuple(dict.fromkeys(name for name in names if name is not None))
            if entity.name not in mapped and (twice := repeated([name for name in names if name])):
                errors.append(f"{entity.name}: {source} has several leaves {', '.join(twice)}")
            if not labels:
                errors.append(f"{entity.name}: no leaf of {source} has a label on this level of this taxonomy")
            indices = tuple(None if name is None else labels.index(name) for name in names)
            entity = replace(entity, labels=labels, leaf_labels=indices)
        complete.append(entity)
    return tuple(complete)


def _leaf_labels(source: Entity, tree: Taxonomy | None, level: int) -> list[str | None]:
    """The label of each leaf of a path."""
    if tree is None:
        return [leaf[-1] for leaf in source.paths]
    labels: list[str | None] = []
    for leaf in source.paths:
        # A leaf that has others below it is of none of their kinds.
        found = None if leaf in source.taxonomy.inner_leaves else tree.leaf(leaf[-1])
        labels.append(found[level - 1] if found and len(found) >= level else None)
    return labels
