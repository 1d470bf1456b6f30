"""Loading of YAML files into models, with overrides and with all errors at once."""

import difflib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import yaml
from pydantic import BaseModel, BeforeValidator, ConfigDict, TypeAdapter, ValidationError, ValidationInfo

__all__ = ["EVERYTHING", "ExistingPath", "Files", "RelativePath", "StrictModel", "load_yaml", "validate"]

# Sentences in place of pydantic's, by its types of errors; fields in braces are those of the error's context.
SENTENCES = {
    "missing": "missing",
    "greater_than": "{value} is not above {gt:g}",
    "greater_than_equal": "{value} is below {ge:g}",
    "less_than": "{value} is not below {lt:g}",
    "less_than_equal": "{value} is above {le:g}",
    "multiple_of": "{value} is not a multiple of {multiple_of}",
    "int_type": "{value} is not a whole number",
    "int_parsing": "{value} is not a whole number",
    "int_from_float": "{value} is not a whole number",
    "float_type": "{value} is not a number",
    "float_parsing": "{value} is not a number",
    "bool_type": "{value} is not true or false",
    "bool_parsing": "{value} is not true or false",
    "string_type": "{value} is not a text",
    "literal_error": "{value} is not {expected}",
    "tuple_type": "expected a list, each entry behind a dash",
    "too_short": "at least {min_length} is needed",
    "dict_type": "expected keys and values",
    "model_type": "expected keys and values",
    "model_attributes_type": "expected keys and values",
    "union_tag_not_found": "missing; one of {expected_tags}",
    "union_tag_invalid": "{tag!r} is not one of {expected_tags}",
}


class StrictModel(BaseModel):
    """A frozen model that refuses unknown keys."""

    model_config = ConfigDict(extra="forbid", frozen=True)


@dataclass(frozen=True)
class Files:
    """Where the paths of a file lead.

    Attributes:
        locate: gives the path in place of one that is named.
        exists: whether there is something at a path, or will be when it is needed.
    """

    locate: Callable[[Path], Path] = lambda path: path
    exists: Callable[[Path], bool] = Path.exists


EVERYTHING = Files(exists=lambda path: True)
"""To look at settings without the files that they name."""


def _relative(value: Any, info: ValidationInfo) -> Any:
    """A path, relative to the folder of the file that names it."""
    if not isinstance(value, str | Path):
        raise ValueError(f"{value!r} is not a path")
    return ((info.context or {}).get("folder", Path()) / value).resolve()


def _existing(value: Any, info: ValidationInfo) -> Any:
    """The same, of something that exists."""
    files: Files = (info.context or {}).get("files", Files())
    path = files.locate(_relative(value, info))
    if not files.exists(path):
        hint = "; `resformer data ocr` makes it" if info.field_name in ("ocr", "extra_ocr") else ""
        raise ValueError(f"{path} does not exist{hint}")
    return path


RelativePath = Annotated[Path, BeforeValidator(_relative)]
ExistingPath = Annotated[Path, BeforeValidator(_existing)]


def load_yaml(path: Path, overrides: Sequence[str] = ()) -> dict[str, Any]:
    """The keys and values of a YAML file.

    Args:
        overrides: `key=value` each, the value in YAML; dots and indices lead into nested values
            (`sources.0.num_photos=10`).

    Raises:
        ValueError: the file cannot be read or holds something else, or an override fits nothing.
    """
    try:
        data = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeError, yaml.YAMLError) as error:
        raise ValueError(f"cannot read the config {path}: {error}") from error
    if not isinstance(data, dict):
        raise ValueError(f"{path}: expected keys and values, found {type(data).__name__}")
    for override in overrides:
        _apply(data, override)
    return data


def _apply(data: dict[str, Any], override: str) -> None:
    key, equals, value = override.partition("=")
    if not equals:
        raise ValueError(f"override {override!r} is not of the form key=value")
    *parents, last = key.split(".")
    target: Any = data
    try:
        for parent in parents:
            target = target[int(parent)] if isinstance(target, list) else target.setdefault(parent, {})
        if isinstance(target, list):
            target[int(last)] = yaml.safe_load(value)
        else:
            target[last] = yaml.safe_load(value)
    except (TypeError, ValueError, IndexError, AttributeError) as error:
        raise ValueError(f"override {override!r} does not fit the config: {error}") from error


def validate(data: Mapping[str, Any], kind: Any, path: Path, files: Files | None = None) -> Any:
    """The data as `kind`, a model or a union of models.

    Args:
        path: the file that the data is from; paths in it are relative to its folder.
        files: where they lead; None = where they say.

    Raises:
        ValueError: the message names every error in the data.
    """
    adapter = TypeAdapter(kind)
    try:
        return adapter.validate_python(data, context={"folder": path.parent, "files": files or Files()})
    except ValidationError as error:
        schema = adapter.json_schema()
        # A list of which every entry is wrong also counts as too short.
        errors = [e for e in error.errors() if not (e["type"] == "too_short" and e["input"])]
        lines = [f"  {_sentence(e, schema)}" for e in errors]
        raise ValueError("\n".join([f"{path} has {len(lines)} error(s):", *lines])) from error


def _sentence(error: Mapping[str, Any], schema: dict[str, Any]) -> str:
    """`sources[0].labels: missing`."""
    *parents, last = error["loc"] or ("",)
    key, node = _walk(parents, schema)
    if error["type"] == "extra_forbidden":
        close = difflib.get_close_matches(str(last), node.get("properties", {}), n=1)
        hint = f"; did you mean {close[0]}?" if close else ""
        return f"{_join(key, last)}: unknown key{hint}"
    key, node = _walk(error["loc"], schema)
    context = {**error.get("ctx", {}), "value": repr(error["input"])}
    if error["type"].startswith("union_tag"):
        key = _join(key, node["discriminator"]["propertyName"])
        context["expected_tags"] = ", ".join(node["discriminator"]["mapping"])
    text = SENTENCES[error["type"]].format(**context) if error["type"] in SENTENCES else str(error["msg"])
    return f"{key or 'config'}: {text.removeprefix('Value error, ')}"


def _walk(location: Sequence[int | str], schema: dict[str, Any]) -> tuple[str, dict[str, Any]]:
    """The key that pydantic's location stands for, and the JSON schema there.

    A location names which member of a union it goes through; a key in a file does not.
    """
    key = ""
    node = _resolved(schema, schema)
    for part in location:
        if "discriminator" in node:
            child = {"$ref": node["discriminator"]["mapping"][part]}
        else:
            key = _join(key, part)
            child = node.get("items", {}) if isinstance(part, int) else node.get("properties", {}).get(part, {})
        node = _resolved(child, schema)
    return key, node


def _resolved(node: dict[str, Any], schema: dict[str, Any]) -> dict[str, Any]:
    reference = node.get("$ref")
    definition: dict[str, Any] = schema["$defs"][reference.rsplit("/", 1)[-1]] if reference else node
    return definition


def _join(key: str, part: int | str) -> str:
    if isinstance(part, int):
        return f"{key}[{part}]"
    return f"{key}.{part}" if key else part
