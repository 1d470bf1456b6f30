"""The results have the fields and types of the description of the call."""

from typing import Any

import pytest
import yaml
from pydantic import ValidationError

from resformer.client import Result
from tests.client.conftest import ANSWER
from tests.servers import OPENAPI, check_reply

Facts = set[tuple[str, str]]


def facts(schema: dict[str, Any], definitions: dict[str, Any], path: str = "") -> Facts:
    """Each field's path with its JSON types, and with `required` where it must be there."""
    found: Facts = set()
    for choice in choices(schema, definitions):
        kinds = choice.get("type", "string" if "const" in choice else "unknown")
        found |= {(path, kind) for kind in ([kinds] if isinstance(kinds, str) else kinds)}
        found |= {(f"{path}.{name}", "required") for name in choice.get("required", ())}
        inner = {f"{path}.{name}": field for name, field in choice.get("properties", {}).items()}
        if isinstance(values := choice.get("additionalProperties"), dict):
            inner[f"{path}.*"] = values
        for name, field in inner.items():
            found |= facts(field, definitions, name)
        for items in (choice.get("items"), *choice.get("prefixItems", ())):
            found |= facts(items, definitions, f"{path}[]") if items else set()
    return found


def choices(schema: dict[str, Any], definitions: dict[str, Any]) -> list[dict[str, Any]]:
    """The schemas of which one holds."""
    if reference := schema.get("$ref"):
        return choices(definitions[reference.split("/")[-1]], definitions)
    alternatives = schema.get("oneOf") or schema.get("anyOf")
    return [found for other in alternatives for found in choices(other, definitions)] if alternatives else [schema]


def test_they_are_as_described() -> None:
    described = yaml.safe_load(OPENAPI.read_text())["components"]["schemas"]
    schema = Result.model_json_schema()
    ours = facts(schema, schema["$defs"])
    # A field that may be missing is None then, which no server sends.
    ours -= {(path, "null") for path, _ in ours if (path, "required") not in ours}
    theirs = facts(described["Answer"], described)
    assert ours == theirs
    assert {(".predictions.*.si.value[]", "number"), (".image.width", "required"), (".image.frame", "integer")} < theirs


def test_an_answer_is_read() -> None:
    check_reply(200, ANSWER)
    result = Result.model_validate(ANSWER)
    weight = result["item_weight"]
    assert (weight.prediction, weight.value, weight.unit, weight.confidence) == ("500 gram", 500.0, "gram", 0.93)
    assert weight.si is not None and (weight.si.value, weight.si.unit) == (0.5, "kilogram")
    assert weight.evidence == (1.0, 2.0, 3.0, 4.0)
    assert weight.alternatives is None
    assert result.image.frame is None
    assert result.model_dump(mode="json", exclude_unset=True) == ANSWER


@pytest.mark.parametrize(
    ("sent", "read"),
    [
        (None, None),
        (5.0, 5.0),
        ([100.0, 240.0], (100.0, 240.0)),
        (["Food", "Rice"], ("Food", "Rice")),
        (["1", "2"], ("1", "2")),
    ],
)
def test_values_of_all_kinds(sent: Any, read: Any) -> None:
    prediction = {**ANSWER["predictions"]["title"], "value": sent}
    value = Result.model_validate({**ANSWER, "predictions": {"asked": prediction}})["asked"].value
    assert value == read and type(value) is type(read)


def test_they_cannot_be_changed() -> None:
    with pytest.raises(ValidationError, match="frozen"):
        Result.model_validate(ANSWER).version = "2"


def test_what_a_later_server_adds_is_left_out() -> None:
    assert Result.model_validate({**ANSWER, "seconds": 0.1}) == Result.model_validate(ANSWER)
