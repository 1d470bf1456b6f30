"""Requests whose form is hostile: their multipart bodies, JSON, headers, types, addresses and methods."""

import base64
import json
from collections.abc import Callable, Iterator, Mapping
from functools import cache, partial
from io import BytesIO
from typing import Any, Final

from PIL import Image, ImageDraw, ImageFont

from resformer.scripts.hostile.case import Call, Case

__all__ = ["CASES"]

LARGE: Final = 19_900_000
MULTIPART: Final = "multipart/form-data; boundary=x"
URL_ENCODED: Final = "application/x-www-form-urlencoded"
JSON: Final = "application/json"
REFUSED: Final = frozenset({400})
ANSWERED: Final = frozenset({200})
EITHER: Final = frozenset({200, 400})
# Of addresses and methods the proxy or TorchServe refuse some, before the handler.
NOT_HERE: Final = frozenset({400, 403, 404, 405})


@cache
def _photo() -> bytes:
    image = Image.new("RGB", (240, 180), "white")
    ImageDraw.Draw(image).text((30, 60), "500 g", "black", ImageFont.load_default(48))
    file = BytesIO()
    image.save(file, "JPEG")
    return file.getvalue()


def _sent(path: str = Call.path, method: str = Call.method) -> Call:
    return Call(_photo(), path=path, method=method)


def _b64() -> str:
    return base64.b64encode(_photo()).decode()


def _part(headers: bytes, content: bytes) -> bytes:
    return b"--x\r\n" + headers + b"\r\n\r\n" + content + b"\r\n"


def _field(name: str, content: bytes, *more: bytes) -> bytes:
    return _part(b"\r\n".join([f'Content-Disposition: form-data; name="{name}"'.encode(), *more]), content)


def _image(*more: bytes) -> bytes:
    return _field("image", _photo(), *more)


XML: Final = b'<?xml version="1.0"?><!DOCTYPE a [<!ENTITY b SYSTEM "file:///etc/passwd">]><svg>&b;</svg>'
END: Final = b"--x--\r\n"


def _case(
    group: str, name: str, body: Callable[[], bytes], headers: Mapping[str, str], statuses: frozenset[int]
) -> Case:
    return Case(group, name, lambda: Call(body(), {"X-Entity-Name": "item_weight", **headers}), statuses)


def _forms() -> Iterator[Case]:
    for name, statuses, body in _form_bodies():
        yield _case("forms", name, body, {"Content-Type": MULTIPART}, statuses)
    for name, content_type in (
        ("no boundary", "multipart/form-data"),
        ("an empty boundary", 'multipart/form-data; boundary=""'),
        ("another boundary", "multipart/form-data; boundary=y"),
        ("a boundary of 3,000 characters", f"multipart/form-data; boundary={'x' * 3000}"),
        ("a boundary in an open quotation", 'multipart/form-data; boundary="x' + '; a="\\' * 300),
        ("parts that are related", "multipart/related; boundary=x"),
        ("parts that are ranges", "multipart/byteranges; boundary=x"),
    ):
        yield _case("forms", name, lambda: _image() + END, {"Content-Type": content_type}, REFUSED)
    for name, statuses, text in (
        ("a url-encoded photo of megabytes", REFUSED, lambda: b"image=" + b"%FF" * 3_000_000),
        ("nothing but ampersands", REFUSED, lambda: b"&" * 900_000),
        ("nothing but per cent signs", REFUSED, lambda: b"title=" + b"%" * 900_000),
        ("ten thousand url-encoded fields", REFUSED, lambda: b"&".join(b"f%d=1" % i for i in range(10_000))),
        ("a url-encoded name that is no text", REFUSED, lambda: b"%FF%FE=1"),
        ("JSON that is declared a form", REFUSED, lambda: json.dumps({"image_b64": _b64()}).encode()),
        ("a photo that curl declares a form", ANSWERED, _photo),
    ):
        yield _case("forms", name, text, {"Content-Type": URL_ENCODED}, statuses)


def _form_bodies() -> Iterator[tuple[str, frozenset[int], Callable[[], bytes]]]:
    yield "a form", ANSWERED, lambda: _image() + END
    yield "no last boundary", REFUSED, _image
    yield "cut off in a part's headers", REFUSED, lambda: _image()[:40]
    yield "the last boundary alone", REFUSED, lambda: END
    yield "bare line feeds", REFUSED, lambda: (_image() + END).replace(b"\r\n", b"\n")
    yield "400,000 empty parts", REFUSED | {413}, lambda: _field("a", b"") * 400_000 + END
    yield "10,000 parts after the photo", REFUSED, lambda: _image() + _field("title", b"a") * 10_000 + END
    yield "33 fields", REFUSED, lambda: b"".join(_field(f"f{i}", b"a") for i in range(33)) + END
    yield "boundaries without parts", REFUSED, lambda: b"--x\r\n" * (LARGE // 5)
    yield "a boundary and megabytes of spaces", REFUSED, lambda: b"--x" + b" " * LARGE
    yield "megabytes before the first part", EITHER, lambda: b"a" * LARGE + b"\r\n" + _image() + END
    yield "half boundaries before the first part", EITHER, lambda: b"\r\n--" * (LARGE // 4) + b"\r\n" + _image() + END
    yield "megabytes after the last part", EITHER, lambda: _image() + END + b"\r\n--x" * (LARGE // 5)
    yield "a photo of half boundaries", frozenset({415}), lambda: _field("image", b"\r\n--" * (LARGE // 4)) + END
    yield "a photo of boundaries that go on", REFUSED, lambda: _field("image", b"\r\n--xy" * (LARGE // 6)) + END
    yield "a header of megabytes", REFUSED, lambda: _part(b"X: " + b"a" * LARGE, b"a") + END
    yield "a header without an end", REFUSED, lambda: b"--x\r\nX: " + b"a" * LARGE
    yield "100,000 headers", REFUSED, lambda: _image(*[b"X: a"] * 100_000) + END
    yield "a folded header of megabytes", REFUSED, lambda: _image(b"X: a", *[b" a"] * 1_000_000) + END
    yield "a header of open quotations", REFUSED, lambda: _image(b"Content-Type: a" + b'; a="\\' * 390) + END
    yield "a header that is no text", REFUSED, lambda: _image(b"X: \xff\xfe") + END
    yield "a part without a name", REFUSED, lambda: _part(b"Content-Disposition: form-data", _photo()) + END
    yield (
        "a part with a file's name alone",
        REFUSED,
        lambda: _part(b'Content-Disposition: form-data; filename="image"', _photo()) + END,
    )
    yield (
        "a name in RFC 5987's form",
        REFUSED,
        lambda: _part(b"Content-Disposition: form-data; name*=UTF-8''image", _photo()) + END,
    )
    yield "a part without headers", REFUSED, lambda: b"--x\r\n\r\n" + _photo() + b"\r\n" + END
    yield "an attachment", REFUSED, lambda: _part(b"Content-Disposition: attachment; name=image", _photo()) + END
    yield "a name of NUL", REFUSED, lambda: _field("\0", b"a") + _image() + END
    yield "a name with a path", REFUSED, lambda: _field("../../image", b"a") + _image() + END
    yield "a form within the form", REFUSED, lambda: _image(b"Content-Type: multipart/mixed; boundary=y") + END
    yield "a part in base64", REFUSED, lambda: _image(b"Content-Transfer-Encoding: base64") + END
    yield "a part that says it is longer", REFUSED, lambda: _image(b"Content-Length: 99999999") + END
    yield "a part of negative length", REFUSED, lambda: _image(b"Content-Length: -1") + END
    yield "a title in UTF-7", REFUSED, lambda: _field("title", b"+AGE-", b"Content-Type: a/b; charset=utf-7") + END
    yield "a title in punycode", REFUSED, lambda: _field("title", b"a", b"Content-Type: a/b; charset=punycode") + END
    yield "a title that is no text", REFUSED, lambda: _field("title", b"\xff\xfe") + _image() + END
    yield "a title of megabytes", REFUSED, lambda: _field("title", b"a" * 15_000_000) + _image() + END
    yield "a reader's name of megabytes", REFUSED, lambda: _field("reader", b"a" * 15_000_000) + _image() + END
    yield "an entity's name of megabytes", REFUSED, lambda: _field("entity_name", b"a" * 15_000_000) + _image() + END
    yield "five million entities", REFUSED, lambda: _field("entity_name", b"a," * 5_000_000) + _image() + END
    yield (
        "an entity's name of 90,000 characters",
        REFUSED,
        lambda: _field("entity_name", b"a" * 90_000) + _image() + END,
    )
    yield "a reader's name of 90,000 characters", REFUSED, lambda: _field("reader", b"a" * 90_000) + _image() + END
    yield "two photos", REFUSED, lambda: _image() + _image() + END


def _json() -> Iterator[Case]:
    for name, statuses, body in _json_bodies():
        yield _case("JSON", name, body, {"Content-Type": JSON}, statuses)


def _object(**fields: Any) -> Callable[[], bytes]:
    return lambda: json.dumps({"image_b64": _b64(), **fields}).encode()


def _with(more: bytes) -> Callable[[], bytes]:
    """An object with one more key and value, as no encoder writes them."""
    return lambda: _object()()[:-1] + b", " + more + b"}"


def _json_bodies() -> Iterator[tuple[str, frozenset[int], Callable[[], bytes]]]:
    yield "an object", ANSWERED, _object()
    yield "a byte order mark", ANSWERED, lambda: b"\xef\xbb\xbf" + _object()()
    yield "UTF-16", ANSWERED, lambda: _object()().decode().encode("utf-16")
    yield "UTF-32", ANSWERED, lambda: _object()().decode().encode("utf-32")
    yield "UTF-16 that is cut off", REFUSED, lambda: _object()().decode().encode("utf-16")[:-1]
    yield "bytes that are no text", REFUSED, lambda: b'{"image_b64": "\xff\xfe"}'
    yield "NUL bytes alone", REFUSED, lambda: bytes(1000)
    yield "half of a character in the title", REFUSED, _object(title="Rice \ud83d")
    yield "half of a character in an entity", REFUSED, _object(entities=["\udc00"])
    yield "half of a character in a key", REFUSED, _object(**{"\ud83d": 1})
    yield "half of a character in the photo", REFUSED, _object(image_b64="\ud83d")
    yield "control characters in the title", EITHER, _object(title="".join(map(chr, range(32))))
    yield "directions of writing in the title", EITHER, _object(title="\u202e\u2066\ufeff\u2028 500 g")
    yield "20 megabytes of brackets", REFUSED, lambda: b"[" * LARGE
    yield "20 megabytes of objects", REFUSED, lambda: b'{"a":' * (LARGE // 5)
    yield "40,000 levels", REFUSED, lambda: b"[" * 40_000
    yield (
        "900 levels in a number's place",
        REFUSED,
        _with(b'"top_k": ' + b"[" * 900 + b"]" * 900),
    )
    yield "seven million empty lists", REFUSED, lambda: b"[" + b"[]," * (LARGE // 3 - 1) + b"1]"
    yield "five million keys", REFUSED, lambda: b"{" + b'"":1' * (LARGE // 5) + b"}"
    yield "20 megabytes of digits", REFUSED, lambda: b"9" * LARGE
    yield "20 megabytes of decimals", REFUSED, lambda: b"0." + b"9" * LARGE
    yield "an exponent of 20 megabytes", REFUSED, lambda: b"1e" + b"9" * LARGE
    yield "20 megabytes of spaces", REFUSED, lambda: b" " * LARGE
    yield "20 megabytes of lines", REFUSED, lambda: b"\n" * LARGE
    yield "a whole number of 5,000 digits", REFUSED, _with(b'"top_k": ' + b"9" * 5000)
    yield "infinity", REFUSED, _with(b'"min_confidence": 1e999')
    yield "NaN", REFUSED, _object(min_confidence=float("nan"))
    yield "a key twice", REFUSED, _with(b'"image_b64": ""')
    yield "a key of megabytes", REFUSED, _object(**{"k" * 15_000_000: 1})
    yield "a title of megabytes", REFUSED, _object(title="a" * 15_000_000)
    yield "a title of emoji", REFUSED, _object(title="\U0001f600" * 1_000_000)
    yield "an entity's name of megabytes", REFUSED, _object(entities="a" * 15_000_000)
    yield "an entity's name of 90,000 characters", REFUSED, _object(entities="\u00e9" * 90_000)
    yield "a reader's name of 90,000 characters", REFUSED, _object(reader="\u00e9" * 90_000)
    yield "a group of 4,000 digits", EITHER, _with(b'"group_id": ' + b"9" * 4000)
    yield "10,000 times one entity", ANSWERED, _object(entities=["voltage"] * 10_000)
    yield "base64 between spaces", REFUSED, _object(image_b64="A " * 9_000_000 + "*")
    yield "base64 that is not, at its end", REFUSED, _object(image_b64="A" * 19_000_000 + "\u00e9")
    yield "padding alone", REFUSED, _object(image_b64="=" * 19_000_000)
    yield "a list of photos", REFUSED, _object(image_b64=["", ""])
    yield "a link to a file", frozenset({403}), lambda: b'{"image_url": "file:///etc/passwd"}'
    yield "a link to the cloud's metadata", frozenset({403}), lambda: b'{"image_url": "http://169.254.169.254/"}'
    yield "a link to this machine", frozenset({403}), lambda: b'{"image_url": "http://127.0.0.1:8081/models"}'
    yield "a key of Python", REFUSED, _object(__class__="a")


def _headers() -> Iterator[Case]:
    for name, statuses, headers in (
        ("text that looks encoded", EITHER, {"X-Title": "%ff%fe%00%zz 500 g"}),
        ("an encoded NUL", EITHER, {"X-Title": "a%00b"}),
        ("encoded line ends", EITHER, {"X-Title": "a%0D%0AX-Reader: ppocr"}),
        ("bytes that are no text", EITHER, {"X-Title": "\xff\xfe\x80"}),
        ("an overlong encoding", EITHER, {"X-Title": "\xc0\xaf"}),
        ("half of a character", EITHER, {"X-Title": "\xed\xa0\xbd"}),
        ("per cent signs", EITHER, {"X-Title": "%" * 3000}),
        ("an unknown entity", REFUSED, {"X-Entity-Name": "\xff" * 3000}),
        ("1,500 commas", EITHER, {"X-Entity-Name": "," * 1500}),
        ("an unknown reader", REFUSED, {"X-Reader": "../../../etc/passwd"}),
        ("digits of another script", REFUSED, {"X-Top-K": "\xd9\xa3"}),
        ("a number of 3,000 digits", REFUSED, {"X-Top-K": "9" * 3000}),
        ("a negative number", REFUSED, {"X-Top-K": "-1"}),
        ("a confidence that is no number", REFUSED, {"X-Min-Confidence": "nan"}),
        ("an endless exponent", REFUSED, {"X-Min-Confidence": "1e" + "9" * 3000}),
        ("the call that describes a model", ANSWERED, {"describe": "True"}),
        ("the caller's own X-Content-Type", EITHER, {"X-Content-Type": JSON}),
        ("the caller's own url_path", EITHER, {"url_path": "../../voltage"}),
        ("ten kilobytes", frozenset({400, 413, 431, 494}), {"X-Description": "a" * 10_000}),
        ("a megabyte", frozenset({400, 413, 431, 494}), {"X-Description": "a" * 1_000_000}),
        ("a compressed body", frozenset({200, 400, 415}), {"Content-Encoding": "gzip"}),
        ("several ranges", EITHER, {"Range": "bytes=0-1," * 300}),
        ("another host", EITHER, {"X-Forwarded-For": "127.0.0.1", "X-Forwarded-Host": "127.0.0.1:8081"}),
    ):
        yield _case("headers", name, _photo, headers, statuses)


def _types() -> Iterator[Case]:
    for name, statuses, content_type in (
        ("none", ANSWERED, ""),
        ("no type at all", ANSWERED, "\xff\xfe;;;=\x01"[:-1]),
        ("a type of 3,000 characters", ANSWERED, "a/" + "b" * 3000),
        ("a photo that is declared text", ANSWERED, "text/plain; charset=utf-7"),
        ("a photo that is declared JSON", ANSWERED, JSON),
        ("a photo that is declared a form", ANSWERED, MULTIPART),
        ("a photo of 3,000 parameters", ANSWERED, "image/jpeg" + ";a=b" * 750),
    ):
        yield _case("types", name, _photo, {"Content-Type": content_type} if content_type else {}, statuses)
    for content_type in ("text/plain", "text/html", "multipart/form-data", "application/json"):
        yield _case(
            "types", f"a script as {content_type}", lambda: b"<script>", {"Content-Type": content_type}, REFUSED
        )
    for content_type in ("image/svg+xml", "application/xml", "application/x-python-pickle", "image/jpeg"):
        yield _case("types", f"XML as {content_type}", lambda: XML, {"Content-Type": content_type}, frozenset({415}))


def _addresses() -> Iterator[Case]:
    base = "/predictions/resformer"
    for name, statuses, path in (
        ("a query", REFUSED, f"{base}?entity_name=voltage"),
        ("100 queries", REFUSED, f"{base}?" + "&".join(f"a{i}=b" for i in range(100))),
        ("an empty query", EITHER, f"{base}?"),
        ("another model", NOT_HERE, "/predictions/other"),
        ("another version", NOT_HERE, f"{base}/9.9"),
        ("a version that is none", NOT_HERE, f"{base}/%00"),
        ("an unknown entity", NOT_HERE, f"{base}/1.0/%F0%9F%98%80"),
        ("an entity that is no text", NOT_HERE, f"{base}/1.0/%FF%FE"),
        ("an entity that is cut off", NOT_HERE, f"{base}/1.0/voltage%"),
        ("an entity with NUL", NOT_HERE, f"{base}/1.0/voltage%00"),
        ("an entity of 3,000 characters", frozenset({400, 404, 414}), f"{base}/1.0/" + "a" * 3000),
        ("an address of 20,000 characters", frozenset({400, 404, 414}), f"{base}/1.0/" + "a" * 20_000),
        ("twice encoded", NOT_HERE | ANSWERED, f"{base}/1.0/%2576oltage"),
        ("dots", NOT_HERE, f"{base}/../../models"),
        ("encoded dots", NOT_HERE, f"{base}/%2e%2e/%2e%2e/models"),
        ("encoded slashes", NOT_HERE, "/predictions%2fresformer%2f..%2f..%2fmodels"),
        ("two slashes", frozenset({200, 400, 404, 405}), "//predictions//resformer"),
        ("backslashes", NOT_HERE, "/predictions\\resformer"),
        ("the management's address", NOT_HERE, "/models/resformer?min_worker=0"),
        ("the management's registration", NOT_HERE, "/models?url=http://127.0.0.1/a.mar"),
        ("the metrics' address", NOT_HERE, "/metrics"),
        ("explanations", frozenset({400, 404, 405, 501}), "/explanations/resformer"),
        ("the key's own address", NOT_HERE, "/token?type=inference"),
    ):
        yield Case("addresses", name, partial(_sent, path=path), statuses)
    for method in ("GET", "DELETE", "PATCH", "OPTIONS", "TRACE", "CONNECT", "PROPFIND", "put", "A" * 1000):
        yield Case("methods", method[:10], partial(_sent, method=method), frozenset({400, 404, 405, 501}))


CASES: tuple[Case, ...] = (*_forms(), *_json(), *_headers(), *_types(), *_addresses())
