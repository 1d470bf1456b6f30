from typing import Any

import pytest

from resformer.scripts.docs_site.schema_text import Property, describe, properties_of, table


@pytest.mark.parametrize(
    ("node", "words"),
    [
        ({"type": "string"}, "text"),
        ({"type": "string", "format": "binary"}, "bytes"),
        ({"type": "integer", "exclusiveMinimum": 0}, "whole number, above 0"),
        ({"type": "integer", "exclusiveMinimum": 0, "multipleOf": 32}, "whole number, above 0, a multiple of 32"),
        ({"type": "number", "minimum": 0, "maximum": 1}, "number, 0 to 1"),
        ({"type": "number", "minimum": 0, "exclusiveMaximum": 1}, "number, from 0, below 1"),
        ({"type": ["string", "null"]}, "text or null"),
        ({"const": "resformer"}, "`resformer`"),
        ({"enum": ["a", "b", "c"]}, "`a`, `b` or `c`"),
        ({"$ref": "#/$defs/Row"}, "[Row](#row)"),
        ({"type": "array", "items": {"type": "number"}, "minItems": 4, "maxItems": 4}, "list of 4 numbers"),
        ({"type": "object", "additionalProperties": {"$ref": "#/$defs/Row"}}, "by name: [Row](#row)"),
    ],
)
def test_a_schema_in_words(node: dict[str, Any], words: str) -> None:
    assert describe(node, {"Row": "[Row](#row)"}) == words


def test_keys_of_objects_in_objects_follow() -> None:
    inner = {"type": "object", "required": ["width"], "properties": {"width": {"type": "integer"}}}
    node = {
        "properties": {
            "image": {**inner, "description": "Pixels."},
            "list": {"type": "array", "items": inner},
            "top_k": {"type": "integer", "default": 3},
        }
    }
    assert list(properties_of(node, {})) == [
        Property("image", "keys and values", False, "Pixels."),
        Property("image.width", "whole number", True, ""),
        Property("list", "list of keys and values", False, ""),
        Property("list[].width", "whole number", True, ""),
        Property("top_k", "whole number", False, "", "3"),
    ]


def test_cells_stay_in_their_table() -> None:
    assert table(["a"], [["x | y\nz"]]) == "| a |\n| --- |\n| x &#124; y z |"
