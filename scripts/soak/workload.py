"""The requests of a soak test: valid, invalid, huge and slow ones."""

import io
import json
import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from PIL import Image, ImageDraw, ImageFont

from resformer.scripts.hostile.crowds import large_photo
from resformer.scripts.hostile.raw_exchange import Target
from resformer.scripts.hostile.wire import Answer
from resformer.scripts.lib.sample_photo import sample_photo_bytes

__all__ = ["WEIGHTS", "Request", "make_requests", "send"]

# How often a request is of a kind.
WEIGHTS: Mapping[str, float] = {"valid": 0.8, "invalid": 0.12, "huge": 0.03, "slow": 0.05}
SLOW_PARTS = 6


@dataclass(frozen=True)
class Request:
    """One request, and how it is sent.

    Attributes:
        kind: One of WEIGHTS.
        name: Of this request.
        data: Head and body.
        pause: Seconds between the parts of a slow one.
    """

    kind: str
    name: str
    data: bytes
    pause: float = 0.0


def make_requests(target: Target) -> list[Request]:
    """The different requests of a run."""
    sample = sample_photo_bytes()
    entities: Sequence[dict[str, str]] = ({}, {"X-Entity-Name": "item_weight"}, {"X-Entity-Name": "width, category"})

    def put(body: bytes, headers: Mapping[str, str] | None = None, key: str | None = None) -> bytes:
        return target.head({"Content-Length": len(body), **(headers or {})}, key=key) + body

    valid = [
        Request("valid", f"photo {i}, {headers.get('X-Entity-Name', 'everything')}", put(photo, headers))
        for i, photo in enumerate((sample, _pack("250 g"), _pack("1.5 L")))
        for headers in entities
    ]
    document = json.dumps({"image_b64": "", "title": "Oats 500 g"}).encode()
    invalid = [
        Request("invalid", "no photo", put(b"nothing")),
        Request("invalid", "half a photo", put(sample[: len(sample) // 2])),
        Request("invalid", "unknown entity", put(sample, {"X-Entity-Name": "weight of it"})),
        Request("invalid", "JSON without a photo", put(document, {"Content-Type": "application/json"})),
        Request("invalid", "wrong key", put(sample, key="wrong")),
        Request("invalid", "too large", target.head({"Content-Length": 30_000_000}) + bytes(100_000)),
        Request("invalid", "other method", target.head(method="DELETE")),
    ]
    huge = [Request("huge", "15 MB", put(large_photo(), {"X-Entity-Name": "item_weight"}))]
    return [*valid, *invalid, *huge, Request("slow", "over three seconds", put(sample), 0.5)]


def send(target: Target, request: Request) -> Answer:
    """The answer to one request, on a connection of its own."""
    return target.timed(request.data, parts=SLOW_PARTS if request.pause else 1, pause=request.pause)[0]


def _pack(printed: str) -> bytes:
    photo = Image.new("RGB", (600, 800), random.Random(printed).choice(["#dfe6ee", "#eee3df"]))
    draw = ImageDraw.Draw(photo)
    draw.rectangle((80, 120, 520, 700), fill="#345", outline="black")
    draw.text((300, 400), printed, "white", ImageFont.load_default(72), anchor="mm")
    buffer = io.BytesIO()
    photo.save(buffer, "JPEG", quality=90)
    return buffer.getvalue()
