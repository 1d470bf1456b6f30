"""One request in any of the forms that the server takes, as one record."""

import base64
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Final
from urllib.parse import unquote

from resformer.model.errors import BadRequest, UrlNotAllowed
from resformer.model.inference.abstention import parse_min_confidence

__all__ = ["Request", "parse_request"]

# No text: a JSON body may have them as numbers and booleans too.
OPTIONS: Final = ("top_k", "min_confidence", "assume_present")
FORM_FIELDS: Final = ("image", "data", "entity_name", "title", "description", "group_id", "reader", *OPTIONS)
JSON_FIELDS: Final = ("image_b64", "image_url", "entities", "title", "description", "group_id", "reader", *OPTIONS)
MAX_ALTERNATIVES = 100
NO_PHOTO = (
    "the request has no photo: send it as the body (curl -T photo.jpg), as the form field `image` "
    "(curl -F image=@photo.jpg), or as `image_b64` of a JSON object"
)


@dataclass(frozen=True)
class Request:
    """What one caller asks.

    Attributes:
        photo: bytes of an image file, not yet decoded.
        entities: names to answer; none = all.
        title, description: text that came with the photo.
        group_id: the public challenge's code for the kind of product; empty = not known.
        reader: one of READERS; empty = the server's default.
        top_k: how many alternatives each answer has.
        min_confidence: less confident answers are empty, 0 to 1.
        assume_present: whether the product is known to have the values that are asked for.

    The last three are None where the request does not name them.
    """

    photo: bytes
    entities: tuple[str, ...] = ()
    title: str = ""
    description: str = ""
    group_id: str = ""
    reader: str = ""
    top_k: int | None = None
    min_confidence: float | None = None
    assume_present: bool | None = None


def parse_request(row: Mapping[str, Any], headers: Mapping[str, Any]) -> Request:
    """Reads one row of a TorchServe batch. The body wins over the path, the path over a header.

    Args:
        row: `body`, or the fields of a form, as TorchServe decoded them.
        headers: of the request, in any case; `url_path` is what followed the version in the path.

    Raises:
        BadRequest: there is no photo, or a field is unknown or cannot be understood.
        UrlNotAllowed: the photo is named by a URL.
    """
    # Form fields have their own headers among these, as mappings; a proxy may have changed the case of the names.
    texts = {name.lower(): _utf8(value) for name, value in headers.items() if isinstance(value, str)}
    request = _form(row) if "body" not in row else _body(row["body"], texts.get("content-type", ""))
    unnamed = [name for name in OPTIONS if getattr(request, name) is None]
    return replace(
        request,
        entities=request.entities
        or _names(unquote(texts.get("url_path", "")))
        or _names(texts.get("x-entity-name", "")),
        title=request.title or texts.get("x-title", ""),
        description=request.description or texts.get("x-description", ""),
        group_id=request.group_id or texts.get("x-group-id", "").strip(),
        reader=request.reader or texts.get("x-reader", "").strip(),
        **_options({name: texts.get(f"x-{name.replace('_', '-')}", "") for name in unnamed}),
    )


def _body(body: Any, content_type: str) -> Request:
    if isinstance(body, bytes | bytearray):
        if not body:
            raise BadRequest(NO_PHOTO)
        if content_type.lower().startswith("application/json"):
            # TorchServe passes parsed JSON, and the bytes where they are no JSON.
            raise BadRequest("the body is sent as application/json but is not valid JSON")
        return Request(bytes(body))
    if isinstance(body, str):
        raise BadRequest("the body is sent as text; send a photo as image/jpeg or application/octet-stream")
    if not isinstance(body, Mapping):
        raise BadRequest(f"the JSON body must be an object with the keys {', '.join(JSON_FIELDS)}")
    return _json(body)


def _json(body: Mapping[str, Any]) -> Request:
    _refuse_unknown(body, JSON_FIELDS)
    if body.get("image_url") is not None:
        raise UrlNotAllowed("this server does not fetch photos; send the bytes as `image_b64` or as the body")
    body = {**body, **{name: str(body[name]) for name in OPTIONS if body.get(name) is not None}}
    if type(body.get("group_id")) is int:  # the codes of groups are digits
        body["group_id"] = str(body["group_id"])
    entities = body.get("entities") or ""
    if isinstance(entities, list) and all(isinstance(name, str) for name in entities):
        entities = ",".join(entities)
    if not isinstance(entities, str):
        raise BadRequest("`entities` must be a string or a list of strings")
    encoded = "".join(_text(body, "image_b64").split())
    try:
        photo = base64.b64decode(encoded, validate=True)
    except ValueError as error:
        raise BadRequest("`image_b64` is not base64; leave out a prefix such as data:image/jpeg;base64,") from error
    return _request(photo, entities, body)


def _form(row: Mapping[str, Any]) -> Request:
    _refuse_unknown(row, FORM_FIELDS)
    photo = row.get("image") or row.get("data") or b""
    if not isinstance(photo, bytes | bytearray):
        raise BadRequest("the form's photo is sent as text or JSON; send it as image/jpeg or application/octet-stream")
    return _request(bytes(photo), _text(row, "entity_name"), row)


def _request(photo: bytes, entities: str, fields: Mapping[str, Any]) -> Request:
    if not photo:
        raise BadRequest(NO_PHOTO)
    return Request(
        photo,
        _names(entities),
        title=_text(fields, "title"),
        description=_text(fields, "description"),
        group_id=_text(fields, "group_id").strip(),
        reader=_text(fields, "reader").strip(),
        **_options({name: _text(fields, name) for name in OPTIONS}),
    )


def _options(texts: Mapping[str, str]) -> dict[str, Any]:
    """The values of some OPTIONS; None of those that are blank."""
    parsers = {"top_k": _top_k, "min_confidence": parse_min_confidence, "assume_present": _assume_present}
    return {name: parsers[name](text.strip()) for name, text in texts.items()}


def _top_k(text: str) -> int | None:
    if text and not (text.isascii() and text.isdigit() and len(text) < 5 and int(text) <= MAX_ALTERNATIVES):
        raise BadRequest(f"the number of alternatives is {text[:40]!r}, must be from 0 to {MAX_ALTERNATIVES}")
    return int(text) if text else None


def _assume_present(text: str) -> bool | None:
    if text.lower() not in ("true", "false", ""):
        raise BadRequest(f"assume_present is {text[:40]!r}; send true or false")
    return text.lower() == "true" if text else None


def _refuse_unknown(fields: Mapping[str, Any], known: tuple[str, ...]) -> None:
    if unknown := [name for name in fields if name not in known]:
        # Only the first, and not all of it: a body sent as a form by mistake is one endless name.
        raise BadRequest(f"unknown field {unknown[0][:40]!r}; known are {', '.join(known)}")


def _text(fields: Mapping[str, Any], name: str) -> str:
    value = fields.get(name)
    if isinstance(value, bytes | bytearray):
        try:
            return value.decode("utf-8")
        except UnicodeDecodeError as error:
            raise BadRequest(f"`{name}` is not UTF-8") from error
    if value is None:
        return ""
    if not isinstance(value, str):
        raise BadRequest(f"`{name}` must be a string")
    return value


def _utf8(value: str) -> str:
    """A header's text. HTTP servers read header bytes as Latin-1; callers such as curl write them as UTF-8."""
    try:
        return value.encode("latin-1").decode("utf-8")
    except UnicodeError:
        return value


def _names(text: str) -> tuple[str, ...]:
    return tuple(name for part in text.split(",") if (name := part.strip(" /\t")))
