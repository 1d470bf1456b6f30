"""JSON Schema, in words and tables."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

__all__ = ["Property", "describe", "properties_of", "table"]

Node = Mapping[str, Any]

NAMES = {
    "string": "text",
    "integer": "whole number",
    "number": "number",
    "boolean": "true or false",
    "null": "null",
    "object": "keys and values",
}
PLURALS = {"text": "texts", "whole number": "whole numbers", "number": "numbers", "path": "paths"}


@dataclass(frozen=True)
class Property:
    """A key of an object.

    Attributes:
        name: With those of the objects around it: `image.width`, `alternatives[].prediction`.
        value: What it may be, in Markdown.
        required: Whether it must be there.
        default: What it is where it is not there; None where nothing is said about that.
        meaning: In Markdown; may be empty.
    """

    name: str
    value: str
    required: bool
    meaning: str
    default: str | None = None


def describe(node: Node, links: Mapping[str, str]) -> str:
    """What a value may be, in words.

    Args:
        node: A JSON Schema.
        links: Markdown by the last part of a `$ref`.
    """
    if reference := node.get("$ref"):
        return links[reference.rsplit("/", 1)[-1]]
    if "const" in node:
        return f"`{node['const']}`"
    if "enum" in node:
        return _either([f"`{value}`" for value in node["enum"]])
    if options := node.get("oneOf") or node.get("anyOf"):
        return _either([describe(option, links) for option in options])
    kind: Any = node.get("type", "any")
    if isinstance(kind, list):
        return _either([describe({**node, "type": one}, links) for one in kind])
    if kind == "array":
        return _array(node, links)
    if kind == "object" and isinstance(node.get("additionalProperties"), Mapping):
        return f"by name: {describe(node['additionalProperties'], links)}"
    return _limited(NAMES.get(kind, kind), kind, node)


def properties_of(node: Node, links: Mapping[str, str], prefix: str = "") -> Iterator[Property]:
    """The keys of an object, and behind each those of the objects in it."""
    for name, value in node.get("properties", {}).items():
        full = f"{prefix}{name}"
        yield Property(
            full,
            describe(value, links),
            name in node.get("required", ()),
            value.get("description", ""),
            _default(value),
        )
        for inner in (value, *value.get("oneOf", ())):
            yield from properties_of(inner, links, f"{full}.")
        yield from properties_of(value.get("items", {}), links, f"{full}[].")


def table(headings: list[str], rows: list[list[str]]) -> str:
    """A table in Markdown; bars and line breaks in cells are written so that they stay in them."""
    lines = [headings, ["---"] * len(headings), *rows]
    return "\n".join("| " + " | ".join(_cell(cell) for cell in line) + " |" for line in lines)


def _cell(text: str) -> str:
    return " ".join(text.replace("|", "&#124;").split())


def _default(node: Node) -> str | None:
    return json.dumps(node["default"]) if "default" in node else None


def _array(node: Node, links: Mapping[str, str]) -> str:
    item = describe(node.get("items", {}), links)
    item = PLURALS.get(item, item)
    least, most = node.get("minItems"), node.get("maxItems")
    if least is not None and least == most:
        return f"list of {least} {item}"
    return f"list of {item}" + (f", at least {least}" if least and least > 1 else "")


def _limited(name: str, kind: str, node: Node) -> str:
    if node.get("format") == "binary":
        return "bytes"
    if node.get("format") in ("path", "file-path"):
        return "path"
    if kind not in ("integer", "number"):
        return name
    limits = []
    low, above = node.get("minimum"), node.get("exclusiveMinimum")
    high, below = node.get("maximum"), node.get("exclusiveMaximum")
    if low is not None and high is not None:
        limits.append(f"{low:g} to {high:g}")
    elif low is not None:
        limits.append(f"from {low:g}")
    elif high is not None:
        limits.append(f"up to {high:g}")
    if above is not None:
        limits.append(f"above {above:g}")
    if below is not None:
        limits.append(f"below {below:g}")
    if multiple := node.get("multipleOf"):
        limits.append(f"a multiple of {multiple:g}")
    return ", ".join([name, *limits])


def _either(options: list[str]) -> str:
    options = list(dict.fromkeys(options))
    return " or ".join([", ".join(options[:-1]), options[-1]] if len(options) > 1 else options)
