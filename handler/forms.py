"""The two kinds of HTML forms, from the bytes of a body to its fields. Both take time linear in the bytes."""

from collections import Counter
from collections.abc import Iterator
from typing import Final
from urllib.parse import unquote_to_bytes

from multipart import MultipartError, MultipartSegment, PushMultipartParser, parse_options_header

from resformer.model.errors import BadRequest

__all__ = ["MULTIPART", "ONE_PHOTO", "URL_ENCODED", "parse_multipart", "parse_url_encoded"]

MULTIPART: Final = "multipart/form-data"
URL_ENCODED: Final = "application/x-www-form-urlencoded"

MAX_FIELDS: Final = 32
MAX_PART_HEADERS: Final = 8
MAX_HEADER_BYTES: Final = 2000
MAX_URL_ENCODED_BYTES: Final = 1_000_000

# Those in which no byte is an instruction. None of others, such as UTF-7 or punycode, is written by a client of today.
CHARSETS: Final = frozenset({"utf-8", "utf8", "us-ascii", "ascii", "iso-8859-1", "latin-1", "latin1", "windows-1252"})
# What leaves the bytes of a part as they are.
PLAIN_ENCODINGS: Final = frozenset({"", "7bit", "8bit", "binary"})
HOW_TO_SEND: Final = "send it as curl -F image=@photo.jpg does"
ONE_PHOTO: Final = "one request takes one photo; send each photo in a request of its own"
SEND_ONCE: Final = {
    "image": ONE_PHOTO,
    "data": ONE_PHOTO,
    "entity_name": "send one, with all names separated by commas: entity_name=width,height",
}


def parse_multipart(body: bytes | bytearray, content_type: str) -> dict[str, bytes]:
    """The fields of a multipart/form-data body, by name; text is UTF-8 whatever its part was written in.

    Args:
        body: With all its boundaries.
        content_type: The header, which says what the boundary is.

    Raises:
        BadRequest: It is no such body, has too many parts or headers, or a part without a name, with a name that
            another one has, or in an encoding that is not read.
    """
    found: list[tuple[str, bytes]] = []
    for part, content in _parts(body, _boundary(content_type)):
        name = part.name or ""
        _refuse_encodings(part, name)
        charset = (part.charset or "utf-8").lower()
        if charset not in CHARSETS:
            raise BadRequest(f"the form's field {name[:40]!r} is in the charset {charset[:40]!r}; send it as UTF-8")
        if charset not in ("utf-8", "utf8") and not part.filename:
            content = _recoded(content, charset, name)
        found.append((name, content))
    return _once(found)


def parse_url_encoded(body: bytes | bytearray) -> dict[str, bytes]:
    """The fields of an application/x-www-form-urlencoded body, by name.

    Raises:
        BadRequest: It has too many bytes or fields, a name that is not UTF-8, or a field twice.
    """
    if len(body) > MAX_URL_ENCODED_BYTES:
        raise BadRequest(
            f"the body is sent as {URL_ENCODED}, of which {MAX_URL_ENCODED_BYTES} bytes are taken; "
            "send a photo as application/octet-stream or as the field `image` of a multipart form"
        )
    pairs = [pair for pair in bytes(body).split(b"&", MAX_FIELDS) if pair]
    if len(pairs) > MAX_FIELDS:
        raise BadRequest(f"the form has more than {MAX_FIELDS} fields; send those that are documented")
    found = []
    for pair in pairs:
        name, _, value = (unquote_to_bytes(text) for text in pair.replace(b"+", b" ").partition(b"="))
        try:
            found.append((name.decode(), value))
        except UnicodeDecodeError as error:
            raise BadRequest(f"the form has a field {name[:40]!r}, whose name is not UTF-8") from error
    return _once(found)


def _boundary(content_type: str) -> str:
    if len(content_type) > MAX_HEADER_BYTES:
        raise BadRequest(f"the form's Content-Type has {len(content_type)} characters; {HOW_TO_SEND}")
    boundary: str = parse_options_header(content_type)[1].get("boundary", "")
    if not boundary or not boundary.isascii():
        raise BadRequest(f"the form's Content-Type names no boundary; {HOW_TO_SEND}")
    return boundary


def _parts(body: bytes | bytearray, boundary: str) -> Iterator[tuple[MultipartSegment, bytes]]:
    """Each part with its content."""
    try:
        parser = PushMultipartParser(
            boundary,
            max_header_size=MAX_HEADER_BYTES,
            max_header_count=MAX_PART_HEADERS,
            max_segment_count=MAX_FIELDS,
            strict=True,
        )
        with parser:
            part, content = None, b""
            for event in parser.parse(body):
                if isinstance(event, MultipartSegment):
                    part, content = event, b""
                elif event is None:
                    yield part, content
                else:
                    content = event  # the whole body is there, so a part's content comes in one piece
    except MultipartError as error:
        # Only the first: others are what was sent, or part of it.
        raise BadRequest(f"the form cannot be read: {error.args[0]}; {HOW_TO_SEND}") from error


def _refuse_encodings(part: MultipartSegment, name: str) -> None:
    encoding = part.header("Content-Transfer-Encoding", "").strip().lower()
    if encoding not in PLAIN_ENCODINGS:
        raise BadRequest(
            f"the form's field {name[:40]!r} has the Content-Transfer-Encoding {encoding[:40]!r}; "
            "send its bytes as they are"
        )
    if (part.content_type or "").startswith("multipart/"):
        raise BadRequest(f"the form's field {name[:40]!r} is a form itself; send its parts as fields")


def _recoded(content: bytes, charset: str, name: str) -> bytes:
    try:
        return content.decode(charset).encode()
    except UnicodeDecodeError as error:
        raise BadRequest(f"the form's field {name[:40]!r} is not {charset}; send it as UTF-8") from error


def _once(fields: list[tuple[str, bytes]]) -> dict[str, bytes]:
    for name, count in Counter(name for name, _ in fields).items():
        if count > 1:
            advice = SEND_ONCE.get(name, "send one of them")
            raise BadRequest(f"the form has {count} fields `{name[:40]}`; {advice}")
    return dict(fields)
