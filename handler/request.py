"""One request in any of the forms that the server takes, as one record."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Final
from urllib.parse import unquote

from resformer.handler.text_encodings import decode_base64, decode_header, parse_json
from resformer.model.errors import BadRequest, ImageTooLarge, UrlNotAllowed
from resformer.model.inference.min_confidence import parse_min_confidence

__all__ = ["MAX_BYTES", "Request", "parse_request"]

MAX_BYTES = 20_000_000

# No text: a JSON body may have them as numbers and booleans too.
OPTIONS: Final = ("top_k", "min_confidence", "assume_present")
FORM_FIELDS: Final = ("image", "data", "entity_name", "title", "description", "group_id", "reader", *OPTIONS)
JSON_FIELDS: Final = ("image_b64", "image_url", "entities", "title", "description", "group_id", "reader", *OPTIONS)
MAX_ALTERNATIVES = 100
NO_PHOTO = (
    "the request has no photo: send it as the body (curl -T photo.jpg), as the form field `image` "
    "(curl -F image=@photo.jpg), or as `image_b64` of a JSON object"
)
ONE_PHOTO = "one request takes one photo; send each photo in a request of its own"
REPEATED: Final = {
    "image": ONE_PHOTO,
    "data": ONE_PHOTO,
    "entity_name": "send one, with all names separated by commas: entity_name=width,height",
}
# The query parameter that names the model where the path does not: /invocations?model_name=resformer.
MODEL_PARAMETER = "model_name"


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


def parse_request(row: Mapping[str, Any], headers: Mapping[str, Any], *, max_bytes: int = MAX_BYTES) -> Request:
    """Reads one row of a TorchServe batch. The body wins over the path, the path over a header.

    Args:
        row: `body`, or the fields of a form, as TorchServe decoded them; a tuple of values where a name is repeated.
        headers: of the request, in any case; `url_path` is what followed the version in the path.
        max_bytes: larger photos are refused; of a JSON body its own bytes count, with base64.

    Raises:
        BadRequest: there is no photo, there are several, or a field is unknown, repeated or cannot be understood.
        ImageTooLarge: the photo has more than `max_bytes` bytes.
        UrlNotAllowed: the photo is named by a URL.
    """
    # Form fields have their own headers among these, as mappings; a proxy may have changed the case of the names.
    texts = {name.lower(): decode_header(value) for name, value in headers.items() if isinstance(value, str)}
    if (size := _sent_bytes(row)) > max_bytes:
        raise ImageTooLarge(f"{size} bytes were sent, more than the {max_bytes} taken here; send a smaller photo")
    if "body" in row:
        _refuse_query(row)
        request = _body(row["body"], texts.get("content-type", ""))
    else:
        request = _form(row)
    unnamed = [name for name in OPTIONS if getattr(request, name) is None]
    return replace(
        request,
        entities=request.entities
        or _names(unquote(texts.get("url_path", "")))
        or _names(texts.get("x-entity-name", "")),
        title=request.title or texts.get("x-title", ""),
        description=request.description or texts.get("x-description", ""),
        group_id=request.group_id or _group_id(texts.get("x-group-id", "")),
        reader=request.reader or texts.get("x-reader", "").strip(),
        **_options({name: texts.get(f"x-{name.replace('_', '-')}", "") for name in unnamed}),
    )


def _body(body: Any, content_type: str) -> Request:
    if isinstance(body, bytes | bytearray):
        if not body:
            raise BadRequest(NO_PHOTO)
        if content_type.lower().startswith("application/json"):
            body = parse_json(body)
        elif not content_type.lower().startswith("text/"):
            return Request(bytes(body))
    # A front end that decodes bodies passes text as str, and JSON as what it says.
    if isinstance(body, str | bytes | bytearray) and not content_type.lower().startswith("application/json"):
        raise BadRequest("the body is sent as text; send a photo as image/jpeg or application/octet-stream")
    if not isinstance(body, Mapping):
        raise BadRequest(f"the JSON body must be an object with the keys {', '.join(JSON_FIELDS)}; {ONE_PHOTO}")
    return _json(body)


def _json(body: Mapping[str, Any]) -> Request:
    _refuse_unknown(body, JSON_FIELDS)
    if body.get("image_url") is not None:
        raise UrlNotAllowed("this server does not fetch photos; send the bytes as `image_b64` or as the body")
    if isinstance(body.get("image_b64"), list):
        raise BadRequest(f"`image_b64` is a list; {ONE_PHOTO}")
    body = {**body, **{name: str(body[name]) for name in OPTIONS if body.get(name) is not None}}
    if type(body.get("group_id")) in (int, float):  # the codes of groups are digits
        body["group_id"] = str(body["group_id"])
    entities = body.get("entities") or ""
    if isinstance(entities, list) and all(isinstance(name, str) for name in entities):
        entities = ",".join(entities)
    if not isinstance(entities, str):
        raise BadRequest("`entities` must be a string or a list of strings")
    return _request(decode_base64(_text(body, "image_b64")), entities, body)


def _form(row: Mapping[str, Any]) -> Request:
    _refuse_unknown(row, FORM_FIELDS)
    for name, value in row.items():
        if isinstance(value, tuple):
            raise BadRequest(f"the form has {len(value)} fields `{name}`; {REPEATED.get(name, 'send one of them')}")
    if row.get("image") and row.get("data"):
        raise BadRequest(f"the form has a field `image` and a field `data`; {ONE_PHOTO}")
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
        group_id=_group_id(_text(fields, "group_id")),
        reader=_text(fields, "reader").strip(),
        **_options({name: _text(fields, name) for name in OPTIONS}),
    )


def _options(texts: Mapping[str, str]) -> dict[str, Any]:
    """The values of some OPTIONS; None of those that are blank."""
    parsers = {"top_k": _top_k, "min_confidence": parse_min_confidence, "assume_present": _assume_present}
    return {name: parsers[name](text.strip()) for name, text in texts.items()}


def _whole(text: str) -> str:
    """A number without the decimal zeros with which many programs write whole numbers; other text as it is."""
    text = text.strip()
    whole, _, zeros = text.partition(".")
    return whole if whole.isdigit() and not zeros.strip("0") else text


def _group_id(text: str) -> str:
    code = _whole(text)
    if "." in code and code.replace(".", "", 1).isdigit():
        raise BadRequest(f"the group_id is {code[:40]!r}; send the whole number")
    return code


def _top_k(text: str) -> int | None:
    text = _whole(text)
    if text and not (text.isascii() and text.isdigit() and len(text) < 5 and int(text) <= MAX_ALTERNATIVES):
        raise BadRequest(f"the number of alternatives is {text[:40]!r}, must be from 0 to {MAX_ALTERNATIVES} and whole")
    return int(text) if text else None


def _assume_present(text: str) -> bool | None:
    if text.lower() not in ("true", "false", ""):
        raise BadRequest(f"assume_present is {text[:40]!r}; send true or false")
    return text.lower() == "true" if text else None


def _sent_bytes(row: Mapping[str, Any]) -> int:
    """The size of the largest field; of a JSON body that the front end has decoded, of its largest text."""
    fields = row["body"] if isinstance(row.get("body"), Mapping) else row
    return max((len(value) for value in fields.values() if isinstance(value, str | bytes | bytearray)), default=0)


def _refuse_query(row: Mapping[str, Any]) -> None:
    """A body has no other fields: what stands beside it came from the address."""
    if names := [name for name in row if name not in ("body", MODEL_PARAMETER)]:
        raise BadRequest(
            f"the address has a query string ({names[0][:40]}=...), which is not read; send it as a header "
            "(X-Entity-Name: item_weight), as a form field or in the JSON body"
        )


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


def _names(text: str) -> tuple[str, ...]:
    return tuple(name for part in text.split(",") if (name := part.strip(" /\t")))
