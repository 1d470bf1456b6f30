"""Encodings of what a request carries as text: JSON, base64 and percent-encoded headers."""

import base64
import contextlib
import json
import re
from typing import Any, Final
from urllib.parse import unquote

from resformer.model.errors import BadRequest

__all__ = ["decode_base64", "decode_header", "parse_json"]

URL_ALPHABET: Final = str.maketrans("-_", "+/")
NOT_BASE64: Final = re.compile(r"[^A-Za-z0-9+/]")
ESCAPE: Final = re.compile(r"%([0-9A-Fa-f]{2})")
# What no encoder writes as an escape: letters, digits and -._~ (RFC 3986), and what no text holds.
NEVER_ESCAPED: Final = re.compile(r"[A-Za-z0-9\-._~\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")


def parse_json(body: bytes | bytearray) -> Any:
    """The value of a JSON body.

    Raises:
        BadRequest: it is not valid JSON, or one of its objects has a key twice.
    """
    try:
        return json.loads(body, object_pairs_hook=_object)
    except json.JSONDecodeError as error:
        reason = f"{error.msg} at line {error.lineno}, column {error.colno}"
    except (UnicodeDecodeError, RecursionError) as error:
        reason = "it is not UTF-8" if isinstance(error, UnicodeDecodeError) else "it is nested too deeply"
    raise BadRequest(f"the body is sent as application/json but is not valid JSON: {reason}")


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
    digits = "".join(text.split()).rstrip("=").translate(URL_ALPHABET)
    if text.lstrip()[:5].lower() == "data:":
        raise BadRequest("`image_b64` is not base64; leave out the prefix data:image/jpeg;base64,")
    if wrong := NOT_BASE64.search(digits):
        position = text.index(wrong[0]) + 1
        raise BadRequest(
            f"`image_b64` is not base64: it has {wrong[0]!r} at position {position}; send the encoded bytes alone"
        )
    if len(digits) % 4 == 1:
        raise BadRequest(
            f"`image_b64` is not base64: {len(digits)} characters cannot encode whole bytes; send all of them"
        )
    return base64.b64decode(digits + "=" * (-len(digits) % 4))


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
