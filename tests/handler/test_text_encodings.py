"""Texts of a request in the encodings that clients use."""

import base64
from urllib.parse import quote

import pytest

from resformer.handler.text_encodings import decode_base64, decode_header, parse_json
from resformer.model.errors import BadRequest

# Every character of the alphabet, also those that base64url has others for.
PHOTO = b"\xff\xd8\xff" + bytes(range(256))


@pytest.mark.parametrize("length", [3, 100, 101, 102, len(PHOTO)])
@pytest.mark.parametrize("encode", [base64.b64encode, base64.urlsafe_b64encode, base64.encodebytes])
@pytest.mark.parametrize("padding", ["=", ""])
def test_base64(length: int, encode: type[bytes], padding: str) -> None:
    text = encode(PHOTO[:length]).decode().replace("=", padding)
    assert decode_base64(text) == PHOTO[:length]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("%%%", "'%' at position 1"),
        ("AAAA\n*AAA", r"'\*' at position 6"),
        ("AA=A", "'=' at position 3"),
        ("AAAé", "'é' at position 4"),
        ("AAAAA", "5 characters cannot encode whole bytes"),
        ("data:image/png;base64,AAAA", "leave out the prefix"),
        (" DATA:,AAAA", "leave out the prefix"),
    ],
)
def test_what_is_no_base64(text: str, message: str) -> None:
    with pytest.raises(BadRequest, match=f"`image_b64` is not base64.*{message}"):
        decode_base64(text)


@pytest.mark.parametrize(
    "text",
    [
        "Juice 500ml",
        "Café 500 ml",
        "100% cotton, 2 pcs",
        "Müsli & Nüsse 900g",
        "お茶 500ミリリットル",
        "two\nlines",
        "5 % of 2%",
    ],
)
def test_percent_encoded_headers(text: str) -> None:
    assert decode_header(quote(text)) == text
    assert decode_header(quote(text, safe="")) == text
    assert decode_header(quote(text, safe=" ,&")) == text


@pytest.mark.parametrize("text", ["250 µg Café", "250 \xb5g", "Молоко 900 мл"])
def test_headers_as_curl_sends_them(text: str) -> None:
    as_received = text.encode().decode("latin-1")  # A server makes one character of each byte.
    assert decode_header(as_received) == text


@pytest.mark.parametrize(
    "text",
    ["100%", "50% off", "4,9%50cl", "Ale 5%12x33cl", "4%20 cl", "20%ab", "5%AB", "%", "50%-70%", "%zz%20", "5%E9"],
)
def test_percent_signs_stay(text: str) -> None:
    assert decode_header(text) == text


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (b"{broken", "at line 1, column 2"),
        (b'{"a": 1,\n "b" 2}', "Expecting ':' delimiter at line 2, column 6"),
        (b'{"a": "\xff"}', "not UTF-8"),
        (b"[" * 40_000, "nested too deeply"),
        (b"", "at line 1, column 1"),
    ],
)
def test_what_is_no_json(body: bytes, message: str) -> None:
    with pytest.raises(BadRequest, match=f"is not valid JSON: .*{message}"):
        parse_json(body)


@pytest.mark.parametrize("body", ['{"entities": "a", "entities": "b"}', '{"image_b64": "a", "image_b64": "a"}'])
def test_repeated_keys_are_refused(body: str) -> None:
    with pytest.raises(BadRequest, match="twice; one request takes one photo"):
        parse_json(body.encode())
