"""What is asked, as the fields of the server's form."""

from typing import Any, get_args

import pytest
import yaml

from resformer.client import Query
from resformer.client.query import Options, Reader, queries
from resformer.handler.request import FORM_FIELDS, MAX_ALTERNATIVES, parse_request
from tests.servers import OPENAPI

EVERYTHING: dict[str, Any] = {
    "title": "Café 250 µg",
    "description": "long\ntext",
    "group_id": "748919",
    "reader": "builtin",
    "top_k": 3,
    "min_confidence": 0.0,
    "assume_present": True,
}


def test_all_of_them_reach_the_server() -> None:
    query = Query(b"photo", ["width", " height "], **EVERYTHING)
    sent = query.fields()
    assert {*sent, "image", "data"} == set(FORM_FIELDS)
    assert EVERYTHING.keys() == Options.__annotations__.keys()
    request = parse_request({"image": b"photo", **{name: text.encode() for name, text in sent.items()}}, {})
    assert request.entities == ("width", "height") == query.names
    assert {name: getattr(request, name) for name in EVERYTHING} == EVERYTHING


def test_what_is_left_to_the_server_is_not_sent() -> None:
    assert Query(b"photo").fields() == {}
    assert Query(b"photo", [], title=" ").fields() == {}


def test_names_may_be_separated_by_commas() -> None:
    assert Query(b"photo", "width, height,").names == ("width", "height")


def test_readers_and_limits_are_those_of_the_server() -> None:
    schemas = yaml.safe_load(OPENAPI.read_text())["components"]["schemas"]
    assert list(get_args(Reader)) == schemas["Reader"]["enum"]
    assert Query(b"photo", top_k=MAX_ALTERNATIVES).fields() == {"top_k": "100"}


@pytest.mark.parametrize(
    ("option", "message"),
    [
        ({"reader": "glasses"}, "the reader is 'glasses'; take one of crops, ppocr, builtin, none"),
        ({"top_k": 101}, "top_k is 101"),
        ({"top_k": -1}, "top_k is -1"),
        ({"min_confidence": 1.5}, "min_confidence is 1.5"),
        ({"min_confidence": float("nan")}, "min_confidence is nan"),
    ],
)
def test_values_out_of_range(option: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Query(b"photo", **option)
    with pytest.raises(ValueError, match=message):
        queries([], None, **option)  # before the first photo


def test_an_unknown_option() -> None:
    options: dict[str, Any] = {"titel": "Oats"}
    with pytest.raises(TypeError, match="titel"):
        queries([], None, **options)


def test_a_query_for_each_photo() -> None:
    own = Query(b"own", "voltage")
    assert list(queries([b"photo", own], "width", top_k=1)) == [Query(b"photo", "width", top_k=1), own]


@pytest.mark.parametrize("photo", ["photo.jpg", b"photo"])
def test_a_single_photo_is_not_many(photo: Any) -> None:
    with pytest.raises(TypeError, match="put a single one into a list"):
        queries(photo, None)
