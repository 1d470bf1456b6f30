"""Forms from their bytes."""

import time

import pytest

from resformer.handler.forms import parse_multipart, parse_url_encoded
from resformer.model.errors import BadRequest

TYPE = "multipart/form-data; boundary=x"
IMAGE = b'Content-Disposition: form-data; name="image"; filename="a.jpg"'


def multipart(*parts: tuple[bytes, bytes], end: bytes = b"--x--\r\n") -> bytes:
    """Parts of headers and content."""
    return b"".join(b"--x\r\n" + headers + b"\r\n\r\n" + content + b"\r\n" for headers, content in parts) + end


def part(name: bytes, content: bytes = b"a", *headers: bytes) -> tuple[bytes, bytes]:
    return b"\r\n".join([b'Content-Disposition: form-data; name="' + name + b'"', *headers]), content


@pytest.mark.parametrize("content", [b"", b"photo", b"\r\n", b"--x", b"\r\n--y\r\n", bytes(range(256)) * 300])
def test_contents_are_left_as_they_are(content: bytes) -> None:
    body = multipart((IMAGE, content), part(b"title", "Café".encode()))
    assert parse_multipart(body, TYPE) == {"image": content, "title": "Café".encode()}


@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        (multipart(part(b"title")), 'multipart/form-data; boundary="x"'),
        (multipart(part(b"title")), "Multipart/Form-Data; charset=utf-8; Boundary=x"),
        (multipart((b"content-disposition: form-data; name=title", b"a")), TYPE),
        (multipart((b"Content-Disposition: form-data; name=\"title\"; filename*=UTF-8''caf%C3%A9", b"a")), TYPE),
        (multipart(part(b"title", b"a", b"Content-Transfer-Encoding: binary", b"Content-Length: 1")), TYPE),
        (multipart(part(b"title", b"a", b"Content-Type: text/plain; charset=ISO-8859-1")), TYPE),
        (b"preamble\r\n" + multipart(part(b"title")) + b"epilogue", TYPE),
        (multipart(part(b"title")) + multipart(part(b"reader")), TYPE),  # the second is an epilogue
        (multipart(part(b"title"), end=b"--x--"), TYPE),
    ],
)
def test_other_ways_of_writing_one_field(body: bytes, content_type: str) -> None:
    assert parse_multipart(body, content_type) == {"title": b"a"}


def test_texts_of_other_charsets_become_utf8() -> None:
    latin = part(b"title", "Café".encode("latin-1"), b"Content-Type: text/plain; charset=latin-1")
    assert parse_multipart(multipart(latin), TYPE) == {"title": "Café".encode()}


def test_an_empty_form_has_no_fields() -> None:
    assert parse_multipart(b"--x--\r\n", TYPE) == {}


@pytest.mark.parametrize(
    ("body", "content_type", "message"),
    [
        (multipart(part(b"title"), end=b""), TYPE, "Unexpected end"),
        (multipart(part(b"title"))[:30], TYPE, "Unexpected end"),
        (multipart(part(b"title")), "multipart/form-data; boundary=y", "Boundary not found"),
        (multipart(part(b"title")), "multipart/form-data", "names no boundary"),
        (multipart(part(b"title")), 'multipart/form-data; boundary=""', "names no boundary"),
        (multipart(part(b"title")), 'multipart/form-data; boundary="\u00e9"', "names no boundary"),
        (multipart(part(b"title")), "multipart/form-data; boundary=" + "x" * 3000, "3030 characters"),
        (multipart(part(b"title")), 'multipart/form-data; boundary="' + "x" * 1100 + '"', "Boundary too long"),
        (multipart((b'Content-Disposition: form-data; filename="a.jpg"', b"a")), TYPE, "Missing name"),
        (multipart((b"Content-Disposition: form-data; name*=UTF-8''image", b"a")), TYPE, "Missing name"),
        (multipart((b"Content-Disposition: attachment; name=image", b"a")), TYPE, "Wrong type"),
        (multipart((b"Content-Type: text/plain", b"a")), TYPE, "Missing Content-Disposition"),
        (multipart((b"no header", b"a")), TYPE, "Malformed segment header"),
        (multipart((IMAGE + b"\r\n folded", b"a")), TYPE, "continuation"),
        (multipart((IMAGE + b"\r\nX: " + b"a" * 3000, b"a")), TYPE, "header length"),
        (multipart((IMAGE + b"\r\nX: a" * 9, b"a")), TYPE, "header count"),
        (multipart(part(b"\xff")), TYPE, "failed to decode"),
        (multipart(*[part(b"title")] * 33), TYPE, "segment count"),
        (multipart(part(b"title")).replace(b"\r\n", b"\n"), TYPE, "line break"),
        (multipart(part(b"image", b"YQ==", b"Content-Transfer-Encoding: base64")), TYPE, "Encoding 'base64'; send its"),
        (multipart(part(b"image", b"a", b"Content-Type: multipart/mixed; boundary=y")), TYPE, "is a form itself"),
        (multipart(part(b"title", b"a", b"Content-Type: text/plain; charset=utf-7")), TYPE, "charset 'utf-7'"),
        (multipart(part(b"title", b"\xff", b"Content-Type: text/plain; charset=ascii")), TYPE, "is not ascii"),
        (multipart(part(b"title"), part(b"title")), TYPE, "2 fields `title`; send one of them"),
        (multipart(part(b"image"), part(b"image")), TYPE, "2 fields `image`; one request takes one photo"),
        (multipart(part(b"entity_name"), part(b"entity_name")), TYPE, "separated by commas: entity_name=width,height"),
    ],
)
def test_what_is_no_form(body: bytes, content_type: str, message: str) -> None:
    with pytest.raises(BadRequest, match=message) as error:
        parse_multipart(body, content_type)
    assert len(str(error.value)) < 200


@pytest.mark.parametrize(
    "body",
    [
        multipart(part(b"title")) * 100_000,
        b"--x\r\n" * 1_000_000,
        b"\r\n--" * 1_250_000 + multipart(part(b"title")),
        multipart((IMAGE, b"\r\n--" * 1_250_000)),
        multipart(part(b"title")) + b"\r\n--x" * 1_000_000,
        b"--x\r\nX: " + b"a" * 5_000_000,
        b"--x" + b" " * 5_000_000,
        b"--x\r\nContent-Disposition: form-data" + b'; a="\\' * 390 + b"\r\n\r\n",
    ],
)
def test_five_megabytes_take_no_longer_than_to_look_at_them_once(body: bytes) -> None:
    start = time.process_time()
    try:
        parse_multipart(body, TYPE)
    except BadRequest as error:
        assert len(str(error)) < 200
    assert time.process_time() - start < 1


def test_url_encoded_fields() -> None:
    assert parse_url_encoded(b"title=a+b%20c%C3%A9&&reader=&top_k") == {
        "title": "a b cé".encode(),
        "reader": b"",
        "top_k": b"",
    }


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (b"a=1&a=2", "2 fields `a`"),
        (b"&".join(b"a%d=1" % i for i in range(33)), "more than 32 fields"),
        (b"%FF=1", "not UTF-8"),
        (b"a=" + b"%" * 1_000_000, "1000000 bytes are taken"),
    ],
)
def test_what_is_no_url_encoded_form(body: bytes, message: str) -> None:
    with pytest.raises(BadRequest, match=message) as error:
        parse_url_encoded(body)
    assert len(str(error.value)) < 250
