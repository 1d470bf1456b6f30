"""One request in any of the forms that the server takes, as one record."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Final
from urllib.parse import unquote

from resformer.handler.forms import MULTIPART, ONE_PHOTO, URL_ENCODED, parse_multipart, parse_url_encoded
from resformer.handler.text_encodings import decode_base64, decode_header, parse_json
from resformer.model.errors import BadRequest, ImageTooLarge, UrlNotAllowed
from resformer.model.images.loading import is_photo
from resformer.model.inference.min_confidence import parse_min_confidence

__all__ = ["MAX_BYTES", "Request", "parse_request"]

MAX_BYTES = 20_000_000

# No text: a JSON body may have them as numbers and booleans too.
OPTIONS: Final = ("top_k", "min_confidence", "assume_present")
FORM_FIELDS: Final = ("image", "data", "entity_name", "title", "description", "group_id", "reader", *OPTIONS)
JSON_FIELDS: Final = ("image_b64", "image_url", "entities", "title", "description", "group_id", "reader", *OPTIONS)
MAX_ALTERNATIVES = 100
# Of each field but the photo. Title and description have a smaller limit of their own.
MAX_TEXT = 100_000
JSON: Final = "application/json"
NO_PHOTO = (
    "the request has no photo: send it as the body (curl -T photo.jpg), as the form field `image` "
    "(curl -F image=@photo.jpg), or as `image_b64` of a JSON object"
)
HOW_TO_SEND = f"send a photo as image/jpeg or application/octet-stream, a form as {MULTIPART}"
# The query parameter that names the model where the path does not: /invocations?model_name=resformer.
MODEL_PARAMETER = "model_name"


@dataclass(frozen=True)
class Request:
    """What one caller asks.

    Attributes:
        photo: bytes of an image file, not yet decoded; none where `image_url` names it.
        entities: names to answer; none = all.
        title, description: text that came with the photo.
        group_id: the public challenge's code for the kind of product; empty = not known.
        reader: one of READERS; empty = the server's default.
        top_k: how many alternatives each answer has.
        min_confidence: less confident answers are empty, 0 to 1.
        assume_present: whether the product is known to have the values that are asked for.
        image_url: link of the photo, not yet looked at; empty where the photo was sent.

    `top_k`, `min_confidence` and `assume_present` are None where the request does not name them.
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
    image_url: str = ""


def parse_request(
    row: Mapping[str, Any], headers: Mapping[str, Any], *, max_bytes: int = MAX_BYTES, links: bool = False
) -> Request:
    """Reads one row of a TorchServe batch. The body wins over the path, the path over a header.

    Args:
        row: `body`, or the fields of a form that TorchServe decoded: of those of one name it keeps the last.
        headers: of the request, in any case; `url_path` is what followed the version in the path. `x-content-type`
            is the caller's own type of a body that the proxy passes as plain bytes.
        max_bytes: larger photos are refused; of a JSON body its own bytes count, with base64.
        links: whether a photo may be named by a URL.

    Raises:
        BadRequest: there is no photo, there are several, or a field is unknown, repeated or cannot be understood.
        ImageTooLarge: the photo has more than `max_bytes` bytes.
        UrlNotAllowed: the photo is named by a URL.
    """
    # Form fields have their own headers among these, as mappings; a proxy may have changed the case of the names.
    texts = {name.lower(): decode_header(value) for name, value in headers.items() if isinstance(value, str)}
    if "body" in row:
        _refuse_query(row)
        request = _body(row["body"], texts.get("x-content-type") or texts.get("content-type", ""), max_bytes, links)
    else:
        request = _form(row, max_bytes)
    unnamed = [name for name in OPTIONS if getattr(request, name) is None]
    return replace(
        request,
        entities=request.entities
        or _names(unquote(texts.get("url_path", "")))
        or _names(_text(texts, "x-entity-name")),
        title=request.title or _text(texts, "x-title"),
        description=request.description or _text(texts, "x-description"),
        group_id=request.group_id or _group_id(_text(texts, "x-group-id")),
        reader=request.reader or _text(texts, "x-reader").strip(),
        **_options({name: texts.get(f"x-{name.replace('_', '-')}", "") for name in unnamed}),
    )


def _body(body: Any, content_type: str, max_bytes: int, links: bool) -> Request:
    media_type = content_type.partition(";")[0].strip().lower()
    if isinstance(body, bytes | bytearray):
        return _bytes(body, media_type, content_type, max_bytes, links)
    # A front end that decodes bodies passes text as str, and JSON as what it says.
    if isinstance(body, str) and media_type != JSON:
        raise BadRequest(f"the body is sent as text; {HOW_TO_SEND}")
    _refuse_size(body if isinstance(body, Mapping) else {"body": body}, max_bytes)
    return _json(body, links)


def _bytes(body: bytes | bytearray, media_type: str, content_type: str, max_bytes: int, links: bool) -> Request:
    if not body:
        raise BadRequest(NO_PHOTO)
    if is_photo(body):  # whatever its type says: curl --data-binary declares every body a form
        media_type = ""
    if media_type == MULTIPART:
        return _form(parse_multipart(body, content_type), max_bytes)
    if media_type == URL_ENCODED:
        return _form(_url_encoded(body), max_bytes)
    _refuse_size({"body": body}, max_bytes)
    if media_type == JSON:
        return _json(parse_json(body), links)
    if media_type.startswith(("multipart/", "text/")):
        raise BadRequest(f"the body is sent as {media_type[:40]}; {HOW_TO_SEND}")
    _refuse_json(body)
    return Request(bytes(body))


def _url_encoded(body: bytes | bytearray) -> dict[str, bytes]:
    _refuse_json(body)
    return parse_url_encoded(body)


def _refuse_json(body: bytes | bytearray) -> None:
    if body.lstrip()[:1] in (b"{", b"["):
        raise BadRequest(f"the body looks like JSON but is sent as something else; add -H 'Content-Type: {JSON}'")


def _json(body: Any, links: bool) -> Request:
    if not isinstance(body, Mapping):
        raise BadRequest(f"the JSON body must be an object with the keys {', '.join(JSON_FIELDS)}; {ONE_PHOTO}")
    _refuse_unknown(body, JSON_FIELDS)
    if body.get("image_url") is not None and not links:
        raise UrlNotAllowed("this server does not fetch photos; send the bytes as `image_b64` or as the body")
    if isinstance(body.get("image_b64"), list):
        raise BadRequest(f"`image_b64` is a list; {ONE_PHOTO}")
    if body.get("image_b64") and body.get("image_url"):
        raise BadRequest(f"the JSON body has `image_b64` and `image_url`; {ONE_PHOTO}")
    body = {**body, **{name: _written(body[name]) for name in OPTIONS if body.get(name) is not None}}
    if type(body.get("group_id")) in (int, float):  # the codes of groups are digits
        body["group_id"] = str(body["group_id"])
    entities = body.get("entities") or ""
    if isinstance(entities, list) and all(isinstance(name, str) for name in entities):
        entities = ",".join(entities)
    if not isinstance(entities, str):
        raise BadRequest("`entities` must be a string or a list of strings")
    body["entities"] = entities
    photo = body.get("image_b64")
    if photo is not None and not isinstance(photo, str):
        raise BadRequest("`image_b64` must be a string")
    return _request(decode_base64(photo or ""), "entities", body)


def _written(value: Any) -> str:
    """An option as text; of a list or an object only what it is, since it may be deep or long."""
    if isinstance(value, list | Mapping):
        return "[...]" if isinstance(value, list) else "{...}"
    return str(value)


def _form(row: Mapping[str, Any], max_bytes: int) -> Request:
    _refuse_unknown(row, FORM_FIELDS)
    _refuse_size(row, max_bytes)
    if row.get("image") and row.get("data"):
        raise BadRequest(f"the form has a field `image` and a field `data`; {ONE_PHOTO}")
    photo = row.get("image") or row.get("data") or b""
    if not isinstance(photo, bytes | bytearray):
        raise BadRequest("the form's photo is sent as text or JSON; send it as image/jpeg or application/octet-stream")
    return _request(bytes(photo), "entity_name", row)


def _request(photo: bytes, entities: str, fields: Mapping[str, Any]) -> Request:
    link = _text(fields, "image_url")
    if not photo and not link:
        raise BadRequest(NO_PHOTO)
    return Request(
        photo,
        _names(_text(fields, entities)),
        image_url=link,
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


def _refuse_size(fields: Mapping[str, Any], max_bytes: int) -> None:
    size = max((len(value) for value in fields.values() if isinstance(value, str | bytes | bytearray)), default=0)
    if size > max_bytes:
        raise ImageTooLarge(f"{size} bytes were sent, more than the {max_bytes} taken here; send a smaller photo")


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
    if value is None:
        return ""
    if isinstance(value, str | bytes | bytearray) and len(value) > MAX_TEXT:
        raise BadRequest(f"`{name}` has {len(value)} characters, more than the {MAX_TEXT} taken here")
    try:
        if isinstance(value, bytes | bytearray):
            return value.decode("utf-8")
        if isinstance(value, str):
            value.encode("utf-8")  # JSON may have halves of characters, which nothing else can hold
            return value
    except UnicodeError as error:
        raise BadRequest(
            f"`{name}` is not UTF-8, or has half of a character such as \\ud83d; send all of it"
        ) from error
    raise BadRequest(f"`{name}` must be a string")


def _names(text: str) -> tuple[str, ...]:
    return tuple(name for part in text.split(",") if (name := part.strip(" /\t")))
