"""Encodings of what a request carries as text: JSON, base64 and percent-encoded headers."""

import base64
import contextlib
import json
import re
from typing import Any, Final
from urllib.parse import unquote

from resformer.model.errors import BadRequest

__all__ = ["decode_base64", "decode_header", "parse_json"]

URL_ALPHABET: Final = bytes.maketrans(b"-_", b"+/")
WHITE_SPACE: Final = b" \t\r\n\f\v"
NOT_BASE64: Final = re.compile(rb"[^A-Za-z0-9+/]")
# Each value costs a hundred bytes of memory. Commas in texts count too, but no text that is taken has so many.
MAX_JSON_VALUES: Final = 50_000
ESCAPE: Final = re.compile(r"%([0-9A-Fa-f]{2})")
# What no encoder writes as an escape: letters, digits and -._~ (RFC 3986), and what no text holds.
NEVER_ESCAPED: Final = re.compile(r"[A-Za-z0-9\-._~\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")


def parse_json(body: bytes | bytearray) -> Any:
    """The value of a JSON body in UTF-8, UTF-16 or UTF-32, which may begin with a byte order mark.

    Raises:
        BadRequest: it is not valid JSON, one of its objects has a key twice, or it has too many values.
    """
    if sum(body.count(sign) for sign in (b",", b"[", b"{")) > MAX_JSON_VALUES:
        raise BadRequest(f"the JSON body has more than {MAX_JSON_VALUES} values; send the keys that are documented")
    try:
        return json.loads(body, object_pairs_hook=_object, parse_constant=_refuse_constant)
    except BadRequest:
        raise
    except json.JSONDecodeError as error:
        reason = f"{error.msg} at line {error.lineno}, column {error.colno}"
    except UnicodeDecodeError:
        reason = "it is not UTF-8"
    except RecursionError:
        reason = "it is nested too deeply"
    except ValueError:  # Python reads no whole numbers of thousands of digits
        reason = "it has a number of too many digits"
    raise BadRequest(f"the body is sent as application/json but is not valid JSON: {reason}")


def _refuse_constant(name: str) -> Any:
    raise BadRequest(f"the body is sent as application/json but is not valid JSON: {name} is no number of JSON")


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key, value in pairs:
        if key in found:
            raise BadRequest(
                f"the JSON body has the key {key[:40]!r} twice; one request takes one photo, send one value"
            )
        found[key] = value
    return found


def decode_base64(text: str) -> bytes:
    """The bytes of base64 or base64url, with or without padding and line breaks.

    Raises:
        BadRequest: there are other characters, or some are missing.
    """
    try:
        sent = text.encode("ascii")
    except UnicodeEncodeError as error:
        raise _not_base64(text[error.start], error.start) from error
    if sent.lstrip()[:5].lower() == b"data:":
        raise BadRequest("`image_b64` is not base64; leave out the prefix data:image/jpeg;base64,")
    digits = sent.translate(URL_ALPHABET, WHITE_SPACE).rstrip(b"=")
    if wrong := NOT_BASE64.search(digits):
        raise _not_base64(wrong[0].decode(), sent.index(wrong[0]))
    if len(digits) % 4 == 1:
        raise BadRequest(
            f"`image_b64` is not base64: {len(digits)} characters cannot encode whole bytes; send all of them"
        )
    return base64.b64decode(digits + b"=" * (-len(digits) % 4))


def _not_base64(character: str, position: int) -> BadRequest:
    return BadRequest(
        f"`image_b64` is not base64: it has {character!r} at position {position + 1}; send the encoded bytes alone"
    )


def decode_header(value: str) -> str:
    """A header's text.

    HTTP servers take header bytes for Latin-1; callers such as curl write them as UTF-8. Browsers and many clients
    write only ASCII, with escapes for the rest.
    """
    with contextlib.suppress(UnicodeError):
        value = value.encode("latin-1").decode("utf-8")
    return _without_escapes(value) if "%" in value else value


def _without_escapes(text: str) -> str:
    """The text that is percent-encoded, or the text itself where a `%` in it is a per cent sign."""
    escapes = [chr(int(digits, 16)) for digits in ESCAPE.findall(text)]
    if text.count("%") > len(escapes) or any(NEVER_ESCAPED.match(c) for c in escapes):
        return text
    if " " in escapes and " " in text:  # an encoder leaves no space or every one
        return text
    try:
        return unquote(text, errors="strict")
    except UnicodeDecodeError:
        return text
