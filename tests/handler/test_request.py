"""Every form of the call, as TorchServe passes it to a handler."""

import base64
import json
import time
from contextlib import suppress
from typing import Any
from urllib.parse import urlencode

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from resformer.handler.request import FORM_FIELDS, JSON_FIELDS, Request, parse_request
from resformer.model.errors import BadRequest, ImageTooLarge, ResformerError, UrlNotAllowed

PHOTO = b"\xff\xd8photo"
B64 = base64.b64encode(PHOTO).decode()


@pytest.mark.parametrize(
    ("row", "headers", "entities"),
    [
        ({"body": bytearray(PHOTO)}, {}, ()),
        ({"body": bytearray(PHOTO)}, {"X-Entity-Name": "width, height,"}, ("width", "height")),
        ({"body": bytearray(PHOTO)}, {"x-entity-name": "width"}, ("width",)),
        ({"body": bytearray(PHOTO)}, {"X-Entity-Name": " "}, ()),
        ({"body": bytearray(PHOTO)}, {"url_path": "width,height"}, ("width", "height")),
        ({"body": bytearray(PHOTO)}, {"url_path": "width%2C%20height/"}, ("width", "height")),
        ({"image": bytearray(PHOTO)}, {}, ()),
        ({"data": bytearray(PHOTO), "entity_name": bytearray(b"width")}, {}, ("width",)),
        ({"image": bytearray(PHOTO), "entity_name": "width,width"}, {}, ("width", "width")),
        ({"body": {"image_b64": B64}}, {"Content-Type": "application/json"}, ()),
        ({"body": {"image_b64": B64, "entities": "width, height"}}, {}, ("width", "height")),
        ({"body": {"image_b64": B64, "entities": ["width"]}}, {}, ("width",)),
        ({"body": {"image_b64": B64, "entities": None, "title": None}}, {}, ()),
    ],
)
def test_photo_and_entities(row: dict[str, Any], headers: dict[str, Any], entities: tuple[str, ...]) -> None:
    assert parse_request(row, headers) == Request(PHOTO, entities)


@pytest.mark.parametrize(
    ("row", "headers", "top_k"),
    [
        ({"body": bytearray(PHOTO)}, {}, None),
        ({"body": bytearray(PHOTO)}, {"X-Top-K": " 5 "}, 5),
        ({"image": bytearray(PHOTO), "top_k": bytearray(b"3")}, {"X-Top-K": "5"}, 3),
        ({"image": bytearray(PHOTO), "top_k": bytearray(b"0")}, {"X-Top-K": "5"}, 0),
        ({"body": {"image_b64": B64, "top_k": 7}}, {}, 7),
        ({"body": {"image_b64": B64, "top_k": "7"}}, {}, 7),
        # Many programs have no whole numbers.
        ({"body": {"image_b64": B64, "top_k": 2.0}}, {}, 2),
        ({"body": {"image_b64": B64, "top_k": 1e2}}, {}, 100),
        ({"body": {"image_b64": B64, "top_k": "0.0"}}, {}, 0),
        ({"image": bytearray(PHOTO), "top_k": bytearray(b"3.00")}, {}, 3),
        ({"body": bytearray(PHOTO)}, {"X-Top-K": "5.0"}, 5),
    ],
)
def test_alternatives(row: dict[str, Any], headers: dict[str, Any], top_k: int | None) -> None:
    assert parse_request(row, headers).top_k == top_k


@pytest.mark.parametrize("wrong", ["-1", "two", "101", "1.5", "2.0.0", ".0", "²", "9" * 5000])
def test_alternatives_that_cannot_be_counted(wrong: str) -> None:
    with pytest.raises(BadRequest, match="must be from 0 to 100"):
        parse_request({"body": bytearray(PHOTO)}, {"X-Top-K": wrong})


@pytest.mark.parametrize(
    ("row", "headers", "min_confidence", "assume_present"),
    [
        ({"body": bytearray(PHOTO)}, {}, None, None),
        ({"body": bytearray(PHOTO)}, {"X-Min-Confidence": " 0.8", "x-assume-present": "True "}, 0.8, True),
        ({"body": bytearray(PHOTO)}, {"X-Min-Confidence": "", "X-Assume-Present": " "}, None, None),
        (
            {"image": bytearray(PHOTO), "min_confidence": bytearray(b"0"), "assume_present": bytearray(b"false")},
            {"X-Min-Confidence": "0.8", "X-Assume-Present": "true"},
            0.0,
            False,
        ),
        ({"body": {"image_b64": B64, "min_confidence": 1, "assume_present": True}}, {}, 1.0, True),
        ({"body": {"image_b64": B64, "min_confidence": 1e-05, "assume_present": False}}, {}, 1e-05, False),
        ({"body": {"image_b64": B64, "min_confidence": "0.5", "assume_present": "true"}}, {}, 0.5, True),
        (
            {"body": {"image_b64": B64, "min_confidence": None, "assume_present": None}},
            {"X-Min-Confidence": "0.8", "X-Assume-Present": "true"},
            0.8,
            True,
        ),
        # A header is not judged where the body has the value.
        ({"body": {"image_b64": B64, "min_confidence": 0.5}}, {"X-Min-Confidence": "high"}, 0.5, None),
    ],
)
def test_abstention(
    row: dict[str, Any], headers: dict[str, Any], min_confidence: float | None, assume_present: bool | None
) -> None:
    request = parse_request(row, headers)
    assert (request.min_confidence, request.assume_present) == (min_confidence, assume_present)


@pytest.mark.parametrize("wrong", ["high", "nan", "-0.1", "1.5", "80%", 2, float("nan"), True, [0.5]])
def test_confidences_out_of_range(wrong: Any) -> None:
    with pytest.raises(BadRequest, match=r"min_confidence is .*; send a number from 0 to 1, such as 0.8"):
        parse_request({"body": {"image_b64": B64, "min_confidence": wrong}}, {})
    with pytest.raises(BadRequest, match="from 0 to 1"):
        parse_request({"body": bytearray(PHOTO)}, {"X-Min-Confidence": "high"})


@pytest.mark.parametrize("wrong", ["yes", "1", 1, [True]])
def test_presumptions_that_are_neither_true_nor_false(wrong: Any) -> None:
    with pytest.raises(BadRequest, match=r"assume_present is .*; send true or false"):
        parse_request({"body": {"image_b64": B64, "assume_present": wrong}}, {})
    with pytest.raises(BadRequest, match="send true or false"):
        parse_request({"image": bytearray(PHOTO), "assume_present": bytearray(b"yes")}, {})


def test_body_wins_over_path_and_path_over_header() -> None:
    headers = {"url_path": "height", "X-Entity-Name": "depth"}
    assert parse_request({"body": bytearray(PHOTO)}, headers).entities == ("height",)
    form = {"image": bytearray(PHOTO), "entity_name": bytearray(b"width")}
    assert parse_request(form, headers).entities == ("width",)


@pytest.mark.parametrize(
    "row",
    [
        {"data": bytearray(PHOTO), "title": bytearray("Café".encode()), "reader": bytearray(b"builtin")},
        {"body": {"image_b64": B64, "title": "Café", "reader": "builtin"}},
        {"image": bytearray(PHOTO), "title": "Café", "reader": "builtin", "group_id": bytearray(b"7")},
    ],
)
def test_text_of_the_body_wins_over_headers(row: dict[str, Any]) -> None:
    request = parse_request(row, {"X-Title": "other", "X-Description": "5 kg", "X-Reader": "ppocr", "X-Group-Id": "8"})
    assert (request.title, request.description, request.reader) == ("Café", "5 kg", "builtin")
    assert request.group_id == ("7" if "group_id" in row else "8")


@pytest.mark.parametrize("number", [709627, 709627.0, "709627", "709627.0", " 709627 "])
def test_group_may_be_a_number(number: Any) -> None:
    assert parse_request({"body": {"image_b64": B64, "group_id": number}}, {}).group_id == "709627"
    assert parse_request({"body": PHOTO}, {"X-Group-Id": str(number)}).group_id == "709627"
    form = {"image": PHOTO, "group_id": str(number).encode()}
    assert parse_request(form, {}).group_id == "709627"


@pytest.mark.parametrize("number", [709627.5, "0.5"])
def test_group_is_a_whole_number(number: Any) -> None:
    with pytest.raises(BadRequest, match="send the whole number"):
        parse_request({"body": {"image_b64": B64, "group_id": number}}, {})


def test_headers_may_be_percent_encoded() -> None:
    headers = {
        "X-Title": "Caf%C3%A9%20500ml",
        "X-Entity-Name": "item_weight%2C%20voltage",
        "X-Reader": "built%69n",
        "X-Top-K": "3",
    }
    request = parse_request({"body": PHOTO}, headers)
    assert (request.title, request.entities) == ("Café 500ml", ("item_weight", "voltage"))
    assert request.reader == "built%69n"  # no encoder writes a letter so
    # Fields of a body are not encoded.
    assert parse_request({"image": PHOTO, "title": "Caf%C3%A9"}, {}).title == "Caf%C3%A9"


@pytest.mark.parametrize(
    "row",
    [
        {"image": PHOTO, "data": PHOTO},
        {"body": {"image_b64": [B64, B64]}},
        {"body": [{"image_b64": B64}, {"image_b64": B64}]},
    ],
)
def test_several_photos_are_refused(row: dict[str, Any]) -> None:
    with pytest.raises(BadRequest, match="one request takes one photo; send each"):
        parse_request(row, {})


@pytest.mark.parametrize("names", [["entity_name"], ["entity_name", "title"], ["title"], ["top_k"], ["a"]])
def test_query_strings_are_refused(names: list[str]) -> None:
    row = {**dict.fromkeys(names, bytearray(b"1")), "body": bytearray(PHOTO)}
    with pytest.raises(BadRequest, match=rf"query string \({names[0]}=.* send it as a header"):
        parse_request(row, {})


def test_query_string_may_name_the_model() -> None:
    assert parse_request({"model_name": bytearray(b"resformer"), "body": PHOTO}, {}) == Request(PHOTO)


@pytest.mark.parametrize(
    "row",
    [{"body": bytearray(PHOTO)}, {"image": PHOTO}, {"data": PHOTO}, {"body": {"image_b64": B64}}],
)
def test_too_many_bytes_are_refused(row: dict[str, Any]) -> None:
    size = len(B64 if isinstance(row.get("body"), dict) else PHOTO)
    assert parse_request(row, {}, max_bytes=size).photo == PHOTO
    with pytest.raises(ImageTooLarge, match=f"{size} bytes were sent, more than the 3 taken") as error:
        parse_request(row, {}, max_bytes=3)
    assert error.value.status == 413


def test_all_bytes_of_a_json_body_count() -> None:
    body = bytearray(json.dumps({"image_b64": B64, "title": "Rice"}).encode())
    headers = {"Content-Type": "application/json"}
    assert parse_request({"body": body}, headers, max_bytes=len(body)).title == "Rice"
    with pytest.raises(ImageTooLarge, match=f"{len(body)} bytes were sent"):
        parse_request({"body": body}, headers, max_bytes=len(body) - 1)


@pytest.mark.parametrize("decoded", [True, False])
def test_a_front_end_may_leave_bodies_as_they_are(decoded: bool) -> None:
    body = {"image_b64": B64, "entities": ["width"], "title": "Café"}
    row = {"body": body if decoded else bytearray(json.dumps(body).encode())}
    assert parse_request(row, {"Content-Type": "application/json"}) == Request(PHOTO, ("width",), title="Café")
    with pytest.raises(BadRequest, match="sent as text"):
        parse_request({"body": "a" if decoded else b"a"}, {"Content-Type": "text/plain"})


def test_headers_of_form_fields_are_not_headers_of_the_request() -> None:
    headers = {"X-Reader": {"content-type": "text/plain"}, "image": {"content-type": "image/jpeg"}}
    assert parse_request({"image": PHOTO}, headers).reader == ""


@pytest.mark.parametrize(
    ("row", "headers", "message"),
    [
        ({"body": bytearray()}, {}, "no photo"),
        ({}, {}, "no photo"),
        ({"entity_name": bytearray(b"width")}, {}, "no photo"),
        ({"body": {}}, {}, "no photo"),
        ({"body": "text"}, {"Content-Type": "text/plain"}, "sent as text"),
        ({"body": [1, 2]}, {}, "must be an object"),
        ({"body": 7}, {}, "must be an object"),
        ({"body": bytearray(b"{broken")}, {"content-type": "application/json; charset=utf-8"}, "not valid JSON"),
        ({"body": {"image_b64": "%%%"}}, {}, "not base64"),
        ({"body": {"image_b64": "data:image/png;base64," + B64}}, {}, "not base64"),
        ({"body": {"image_b64": 5}}, {}, "`image_b64` must be a string"),
        ({"body": {"image_b64": B64, "entities": [1]}}, {}, "`entities` must be"),
        ({"body": {"image_b64": B64, "entities": {"a": 1}}}, {}, "`entities` must be"),
        ({"body": {"image_b64": B64, "title": ["a"]}}, {}, "`title` must be a string"),
        ({"body": {"image_b64": B64, "entity": "width"}}, {}, "unknown field 'entity'"),
        ({"image": bytearray(PHOTO), "entity": bytearray(b"width")}, {}, "unknown field 'entity'"),
        ({"image": bytearray(PHOTO), "title": bytearray(b"\xff")}, {}, "`title` is not UTF-8"),
        ({"image": "text"}, {}, "sent as text"),
    ],
)
def test_what_cannot_be_understood_is_refused(row: dict[str, Any], headers: dict[str, Any], message: str) -> None:
    with pytest.raises(BadRequest, match=message) as error:
        parse_request(row, headers)
    assert error.value.status == 400


def test_photos_are_not_fetched() -> None:
    with pytest.raises(UrlNotAllowed) as error:
        parse_request({"body": {"image_url": "http://127.0.0.1/a.jpg"}}, {})
    assert error.value.status == 403
    assert isinstance(error.value, ResformerError)


def test_links_where_the_server_follows_them() -> None:
    body = {"image_url": "https://images.example.com/a.jpg", "entities": "width", "top_k": 2}
    request = parse_request({"body": body}, {}, links=True)
    assert request == Request(b"", ("width",), top_k=2, image_url="https://images.example.com/a.jpg")
    for wrong in ({"image_url": ""}, {"image_url": 5}, {"image_url": "https://a.example.com", "image_b64": B64}):
        with pytest.raises(BadRequest, match=r"no photo|must be a string|one photo"):
            parse_request({"body": wrong}, {}, links=True)


def raw(body: bytes, content_type: str) -> Request:
    """As the proxy passes a body."""
    headers = {"Content-Type": "application/octet-stream", "X-Content-Type": content_type}
    return parse_request({"body": bytearray(body)}, headers)


def test_the_proxy_passes_every_body_as_it_is() -> None:
    expected = Request(PHOTO, ("width",), title="Café")
    form = [("image", "a.jpg", PHOTO), ("entity_name", None, b"width"), ("title", None, "Café".encode())]
    parts = [
        f'--x\r\nContent-Disposition: form-data; name="{name}"'.encode()
        + (f'; filename="{file}"'.encode() if file else b"")
        + b"\r\n\r\n"
        + content
        + b"\r\n"
        for name, file, content in form
    ]
    assert raw(b"".join(parts) + b"--x--\r\n", "multipart/form-data; boundary=x") == expected
    body = json.dumps({"image_b64": B64, "entities": ["width"], "title": "Café"}).encode()
    assert raw(body, "application/json; charset=utf-8") == expected
    encoded = urlencode({"image": PHOTO, "entity_name": "width", "title": "Café"}).encode()
    assert raw(encoded, "application/x-www-form-urlencoded") == expected
    assert raw(PHOTO, "image/jpeg") == Request(PHOTO)


@pytest.mark.parametrize(
    "content_type", ["application/x-www-form-urlencoded", "text/plain", "application/json", "multipart/form-data", ""]
)
def test_a_photo_is_one_whatever_its_type_says(content_type: str) -> None:
    """curl --data-binary @photo.jpg declares it a form."""
    photo = b"\x89PNG\r\n\x1a\n&a=b"
    assert raw(photo, content_type) == Request(photo)
    assert parse_request({"body": photo}, {"content-type": content_type}) == Request(photo)


@pytest.mark.parametrize("name", ["title", "description", "reader", "group_id", "entities", "top_k", "image_b64"])
def test_half_characters_are_refused(name: str) -> None:
    body = json.dumps({"image_b64": B64, name: "a\ud83d"}).encode()
    with pytest.raises(BadRequest, match=r"half of a character such as \\ud83d|not base64"):
        raw(body, "application/json")


@pytest.mark.parametrize("name", ["title", "reader", "entities", "group_id", "assume_present", "min_confidence"])
def test_texts_have_a_limit(name: str) -> None:
    body = json.dumps({"image_b64": B64, name: "a" * 100_001}).encode()
    with pytest.raises(BadRequest, match=f"`{name}` has 100001 characters, more than the 100000"):
        raw(body, "application/json")


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-16-le", "utf-32"])
def test_other_unicode_encodings_of_json(encoding: str) -> None:
    body = json.dumps({"image_b64": B64, "title": "Café"}, ensure_ascii=False).encode(encoding)
    assert raw(body, "application/json") == Request(PHOTO, title="Café")


@pytest.mark.parametrize(
    ("body", "content_type", "message"),
    [
        (
            b'{"image_b64": "/9j/"}',
            "application/x-www-form-urlencoded",
            "looks like JSON but is sent as something else",
        ),
        (b' {"image_b64": "/9j/"}', "application/octet-stream", "add -H 'Content-Type: application/json'"),
        (b"--x--", "multipart/related; boundary=x", "sent as multipart/related"),
        (b"text", "text/plain", "sent as text/plain"),
        (b'{"a": ' + b"9" * 5000 + b"}", "application/json", "a number of too many digits"),
        (b'{"min_confidence": NaN}', "application/json", "NaN is no number"),
        (b'{"image_b64": "/9j/", "min_confidence": 1e999}', "application/json", "min_confidence is 'inf'"),
        (b'{"image_b64": "/9j/", "top_k": ' + b"[" * 900 + b"]" * 900 + b"}", "application/json", r"'\[\.\.\.\]'"),
        (b'{"' + b"k" * 1_000_000 + b'": 1}', "application/json", "unknown field 'k{40}'"),
        (b"[" + b"1," * 60_000 + b"1]", "application/json", "more than 50000 values"),
    ],
)
def test_bodies_that_cannot_be_understood(body: bytes, content_type: str, message: str) -> None:
    with pytest.raises(BadRequest, match=message) as error:
        raw(body, content_type)
    assert len(str(error.value)) < 300


TYPES = ("application/json", "multipart/form-data; boundary=x", "application/x-www-form-urlencoded", "text/plain", "")
ANY_TEXT = st.text(st.characters(exclude_categories=()), max_size=20)
ANY_JSON = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | ANY_TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(ANY_TEXT, inner, max_size=3),
    max_leaves=6,
)
ANY_FIELDS = st.dictionaries(st.sampled_from(JSON_FIELDS) | ANY_TEXT, ANY_JSON | st.just(B64), max_size=5)
ANY_PART = st.tuples(st.sampled_from(FORM_FIELDS) | ANY_TEXT, st.binary(max_size=40)).map(
    lambda part: (
        b'--x\r\nContent-Disposition: form-data; name="'
        + part[0].encode("utf-8", "replace")
        + b'"\r\n\r\n'
        + part[1]
        + b"\r\n"
    )
)
ANY_BODY = (
    st.binary(max_size=200)
    | ANY_FIELDS.map(lambda fields: json.dumps(fields).encode())
    | st.lists(ANY_PART, max_size=4).map(lambda parts: b"".join(parts) + b"--x--\r\n")
)
HEADER_NAMES = ("X-Title", "X-Entity-Name", "X-Top-K", "X-Group-Id", "X-Min-Confidence", "X-Reader", "url_path")


@settings(max_examples=300, deadline=None, derandomize=True)
@given(
    ANY_BODY,
    st.sampled_from(TYPES) | ANY_TEXT.map(lambda text: f"multipart/form-data; boundary={text}"),
    st.dictionaries(st.sampled_from(HEADER_NAMES) | ANY_TEXT, ANY_TEXT, max_size=4),
)
def test_nothing_but_an_error_of_the_caller_comes_of_any_bytes(
    body: bytes, content_type: str, headers: dict[str, str]
) -> None:
    try:
        request = parse_request({"body": bytearray(body)}, {**headers, "X-Content-Type": content_type}, links=True)
    except ResformerError as error:
        assert 400 <= error.status < 500
        assert len(str(error)) < 500
    else:
        assert request.photo or request.image_url
        for text in (request.title, request.description, request.group_id, request.reader, *request.entities):
            text.encode()


@settings(max_examples=150, deadline=None, derandomize=True)
@given(ANY_FIELDS, st.booleans())
def test_nor_of_any_json_that_a_front_end_decoded(fields: dict[str, Any], form: bool) -> None:
    with suppress(ResformerError):
        parse_request(fields if form else {"body": fields}, {}, links=True)


FORM_NAMES = {"entities": "entity_name"}
ANY_VALUES = st.fixed_dictionaries(
    {},
    optional={
        "title": st.text(max_size=30),
        "description": st.text(max_size=30),
        "entities": st.lists(st.sampled_from(["width", "voltage", "item weight"]), max_size=3).map(", ".join),
        "group_id": st.integers(0, 10**9).map(str),
        "top_k": st.integers(0, 100).map(str),
        "min_confidence": st.floats(0, 1).map(str),
        "assume_present": st.sampled_from(["true", "false"]),
    },
)


@settings(max_examples=60, deadline=None, derandomize=True)
@given(ANY_BODY.filter(bool), st.integers(0, 40), st.sampled_from(TYPES))
def test_whatever_is_repeated_takes_little_time(body: bytes, left_out: int, content_type: str) -> None:
    """Linear time: the square of so many bytes would take hours."""
    piece = body[left_out:] or body
    repeated = body + piece * (2_000_000 // len(piece))
    start = time.process_time()
    with suppress(ResformerError):
        parse_request({"body": bytearray(repeated)}, {"X-Content-Type": content_type})
    assert time.process_time() - start < 1


@settings(max_examples=100, deadline=None, derandomize=True)
@given(ANY_VALUES)
def test_a_form_and_json_say_the_same(values: dict[str, str]) -> None:
    form = "".join(
        f'--x\r\nContent-Disposition: form-data; name="{FORM_NAMES.get(k, k)}"\r\n\r\n{v}\r\n'
        for k, v in values.items()
    )
    photo = b'--x\r\nContent-Disposition: form-data; name="image"\r\n\r\n' + PHOTO + b"\r\n"
    by_form = raw(form.encode() + photo + b"--x--\r\n", "multipart/form-data; boundary=x")
    assert by_form == raw(json.dumps({"image_b64": B64, **values}).encode(), "application/json")
    assert by_form.photo == PHOTO and by_form.title == values.get("title", "")
