"""The entries of a schema file, and what is wrong with them in words."""

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Discriminator,
    Field,
    StrictBool,
    StrictInt,
    Tag,
    TypeAdapter,
    ValidationError,
    ValidationInfo,
    field_validator,
    model_validator,
)

__all__ = [
    "ChoiceEntry",
    "EntityEntry",
    "PathEntry",
    "QuantityEntry",
    "TextEntry",
    "explain",
    "parse_entity_entry",
    "repeated",
]

MAX_SUBWORDS = 1024
NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]*")


def repeated(items: Sequence[str]) -> list[str]:
    """The items that are listed more than once."""
    return [item for item, count in Counter(items).items() if count > 1]


def _name(text: str) -> str:
    if not NAME.fullmatch(text):
        raise ValueError("must be letters, digits and _, a letter first")
    return text


def _one_line(text: str) -> str:
    # Labels of tables are compared without the spaces around them, and with one between words.
    if not text.strip():
        raise ValueError("must not be blank")
    return " ".join(text.split())


def _unique(items: list[str]) -> list[str]:
    if twice := repeated(items):
        raise ValueError(f"repeats {', '.join(twice)}")
    return items


Name = Annotated[str, AfterValidator(_name)]
Strings = Annotated[list[Annotated[str, AfterValidator(_one_line)]], Field(min_length=1), AfterValidator(_unique)]


class _Entry(BaseModel):
    model_config = ConfigDict(extra="forbid")

    name: Name
    cues: Strings | None = None


class QuantityEntry(_Entry):
    """A number and a unit. Validated with the dimension of every known unit as context."""

    kind: Literal["quantity"]
    units: Strings
    ranges: StrictBool = False
    exclusive_with: Name | None = None

    @field_validator("units")
    @classmethod
    def _known_and_of_one_dimension(cls, units: list[str], info: ValidationInfo) -> list[str]:
        dimensions: Mapping[str, str] = info.context or {}
        if unknown := [unit for unit in units if unit not in dimensions]:
            raise ValueError(f"of which {', '.join(unknown)} is unknown; allowed are {', '.join(dimensions)}")
        if len(measured := sorted({dimensions[unit] for unit in units})) > 1:
            raise ValueError(f"must measure one dimension, not {' and '.join(measured)}")
        return units


class ChoiceEntry(_Entry):
    """One label of a closed list."""

    kind: Literal["choice"]
    labels: Strings | None = None
    labels_from: Name | None = None
    taxonomy: str | None = None
    level: Annotated[StrictInt, Field(ge=1)] | None = None

    @model_validator(mode="after")
    def _has_labels(self) -> "ChoiceEntry":
        if (self.labels is None) == (self.labels_from is None):
            raise ValueError("a choice has either labels or labels_from")
        if (self.taxonomy is None) != (self.level is None) or (self.taxonomy and self.labels_from is None):
            raise ValueError("taxonomy and level stand together, beside labels_from")
        return self


class PathEntry(_Entry):
    """A node of a taxonomy, whose paths are listed or stand in a file."""

    kind: Literal["path"]
    paths: Annotated[
        Annotated[Strings, Tag("list")] | Annotated[str, Tag("file")],
        Discriminator(lambda value: "file" if isinstance(value, str) else "list"),
    ]


class TextEntry(_Entry):
    """Free text."""

    kind: Literal["text"]
    max_subwords: Annotated[StrictInt, Field(ge=1, le=MAX_SUBWORDS)]


EntityEntry = QuantityEntry | ChoiceEntry | PathEntry | TextEntry

_MODELS: Mapping[str, type[_Entry]] = {
    "quantity": QuantityEntry,
    "choice": ChoiceEntry,
    "path": PathEntry,
    "text": TextEntry,
}
_ADAPTER: TypeAdapter[EntityEntry] = TypeAdapter(Annotated[EntityEntry, Field(discriminator="kind")])


def parse_entity_entry(
    entry: Any, position: int, dimensions: Mapping[str, str], errors: list[str]
) -> EntityEntry | None:
    """One entry of the key `entities`; None where it is wrong, with everything wrong added to `errors`.

    Args:
        entry: as it was read from YAML.
        position: of the entry in the file, from 1; names an entry that has no usable name.
        dimensions: by the names of all units that a quantity may have.
        errors: is extended.
    """
    name = entry.get("name") if isinstance(entry, dict) else None
    label = name if isinstance(name, str) and NAME.fullmatch(name) else f"entry {position}"
    try:
        return _ADAPTER.validate_python(entry, context=dimensions)
    except ValidationError as error:
        model = _MODELS.get(str(entry.get("kind"))) if isinstance(entry, dict) else None
        errors += explain(error, label, entry, list(model.model_fields) if model else [])
        return None


def explain(error: ValidationError, label: str, entry: Any, allowed: Sequence[str]) -> list[str]:
    """What is wrong with an entry, one sentence for each error.

    Args:
        error: from the validation of the entry.
        label: what the sentences call the entry.
        entry: as it was read from YAML.
        allowed: the keys that it may have.
    """
    sentences = []
    for detail in error.errors():
        # In front of the key stands the kind by which the model was chosen.
        key = next((part for part in detail["loc"] if part not in _MODELS), None)
        message = detail["msg"].removeprefix("Value error, ").replace("Input should be", "must be")
        match detail["type"]:
            case "union_tag_invalid":
                sentences.append(f"{label}: kind is {entry['kind']!r}, must be one of {', '.join(_MODELS)}")
            case "union_tag_not_found" | "missing":
                sentences.append(f"{label}: {key or 'kind'} is missing")
            case "extra_forbidden" | "unexpected_keyword_argument":
                sentences.append(f"{label}: unknown key {key!r}, allowed are {', '.join(sorted(allowed))}")
            case _ if key is None:
                is_mapping = isinstance(entry, dict)
                sentences.append(f"{label}: {message}" if is_mapping else f"{label} is {entry!r}, must be a mapping")
            case _:
                sentences.append(f"{label}: {key} is {entry[key]!r}, {message[0].lower()}{message[1:]}")
    return sentences
