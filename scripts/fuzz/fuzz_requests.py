"""The parser of requests.

An input is the lines of some headers, an empty line, and a body; with the address's part that names entities as the
header `url_path`, as the handler gets it.
"""

import base64
import json
from collections.abc import Iterator

from resformer.handler.request import FORM_FIELDS, JSON_FIELDS, MAX_TEXT, Request, parse_request
from resformer.model.errors import ResformerError
from resformer.scripts.fuzz.target import Target
from resformer.scripts.hostile.requests import CASES

__all__ = ["TARGET"]

MAX_BYTES = 4000
MAX_MESSAGE = 1000
JSON = b"application/json"
PHOTO = b"\xff\xd8\xff photo"
HEADERS = ("X-Entity-Name", "X-Title", "X-Description", "X-Group-Id", "X-Reader", "X-Top-K", "X-Min-Confidence")


def check(data: bytes) -> None:
    """Parses a request.

    Raises:
        AssertionError: The request or its error is of another form than is promised.
    """
    # HTTP servers give the bytes of headers as Latin-1.
    lines, _, body = data.partition(b"\n\n")
    pairs = (line.decode("latin-1").partition(":") for line in lines.split(b"\n"))
    headers = {name.strip(): value.strip() for name, _, value in pairs}
    try:
        _check_request(parse_request({"body": bytearray(body)}, headers, links=True))
    except ResformerError as error:
        assert error.status in (400, 413), error.status
        assert len(str(error)) < MAX_MESSAGE, len(str(error))
        str(error).encode()


def _check_request(request: Request) -> None:
    assert bool(request.photo) != bool(request.image_url)
    texts = (request.title, request.description, request.group_id, request.reader, request.image_url, *request.entities)
    for text in texts:
        assert len(text.encode()) <= 4 * MAX_TEXT
    assert all(request.entities), request.entities
    assert request.top_k is None or 0 <= request.top_k <= 100
    assert request.min_confidence is None or 0 <= request.min_confidence <= 1
    assert request.assume_present in (None, True, False)


def seeds() -> Iterator[bytes]:
    """Requests of each form, and the small ones among the hostile requests."""
    photo = base64.b64encode(PHOTO).decode()
    plain = {"entities": ["width"], "title": "Oats 500 g", "top_k": 3, "min_confidence": 0.5, "assume_present": True}
    yield _input({"X-Title": "Caf%C3%A9 500 ml", "X-Top-K": "3", "url_path": "width,height"}, PHOTO)
    for encoding in ("utf-8", "utf-16", "utf-32"):
        body = json.dumps({"image_b64": photo, **plain}, ensure_ascii=False).encode(encoding)
        yield _input({"X-Content-Type": "application/json"}, body)
    yield _input({"Content-Type": "application/json"}, b'{"image_url": "https://example.com/a.jpg"}')
    yield _input({"X-Content-Type": "application/x-www-form-urlencoded"}, b"image=%FF%D8%FF&title=a+b&top_k=1")
    for name in FORM_FIELDS:
        disposition = f'Content-Disposition: form-data; name="{name}"; filename="a"'
        head = f"--x\r\n{disposition}\r\nContent-Type: text/plain; charset=latin1\r\n\r\n"
        form = head.encode() + PHOTO + b"\r\n--x--\r\n"
        yield _input({"X-Content-Type": "multipart/form-data; boundary=x"}, form)
    for call in (case.make() for case in CASES):
        headers = {f"X-{name}" if name == "Content-Type" else name: value for name, value in call.headers.items()}
        data = _input(headers, call.body)
        if len(data) <= MAX_BYTES:
            yield data


def _input(headers: dict[str, str], body: bytes) -> bytes:
    lines = "\n".join(f"{name}: {value}" for name, value in headers.items())
    return lines.encode("latin-1", "replace") + b"\n\n" + body


def _words() -> list[bytes]:
    types = (
        b"application/json",
        b"multipart/form-data; boundary=x",
        b"application/x-www-form-urlencoded",
        b"text/plain",
    )
    parts = (b"\r\n--x\r\n", b"\r\n--x--", b'Content-Disposition: form-data; name="', b"filename*=", b"charset=utf-7")
    texts = (b"\\ud83d", b"%C3%A9", b"%00", b"1e999", b"NaN", b"data:image/jpeg;base64,", b"true", b"\xff\xd8\xff")
    names = [name.encode() for name in (*HEADERS, *FORM_FIELDS, *JSON_FIELDS, "X-Content-Type", "url_path")]
    return [*types, *parts, *texts, *names, *(b'"%s":' % name.encode() for name in JSON_FIELDS)]


TARGET = Target(
    check, seeds, _words(), MAX_BYTES, ("resformer.handler", "resformer.model", "multipart", "json", "base64")
)
