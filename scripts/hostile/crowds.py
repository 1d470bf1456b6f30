"""Many at once. A crowd waits for its answers or is told to come again; afterwards all is as before."""

import io
import random
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import cache, partial

from PIL import Image

from resformer.scripts.hostile.raw_exchange import Exchange, Fault, Outcome, Target
from resformer.scripts.hostile.wire import Answer

__all__ = ["CASES", "large_photo"]

GROUP = "crowds"


@cache
def large_photo() -> bytes:
    """A PNG of 15 MB: noise, which nothing shrinks."""
    side = 2236
    noise = random.Random(0).randbytes(3 * side * side)
    buffer = io.BytesIO()
    Image.frombytes("RGB", (side, side), noise).save(buffer, "PNG", compress_level=0)
    return buffer.getvalue()


@cache
def _wide_photo() -> bytes:
    """A few kilobytes that are 24 million pixels."""
    buffer = io.BytesIO()
    Image.new("RGB", (6000, 4000), "white").save(buffer, "PNG")
    return buffer.getvalue()


def _crowd(target: Target, requests: list[bytes]) -> list[Answer]:
    with ThreadPoolExecutor(len(requests)) as pool:
        return [answer for answer, _ in pool.map(target.timed, requests)]


def _equal(target: Target, count: int, make: Callable[[Target], bytes]) -> Outcome:
    return target.meanwhile(_crowd(target, [make(target)] * count))


def _large(target: Target) -> bytes:
    return target.head({"Content-Length": len(large_photo()), "X-Entity-Name": "item_weight"}) + large_photo()


def _wide(target: Target) -> bytes:
    return target.head({"Content-Length": len(_wide_photo()), "X-Entity-Name": "item_weight"}) + _wide_photo()


def _mixed(target: Target) -> Outcome:
    """Large photos and ordinary ones; of these some must be answered."""
    answers = _crowd(target, [_large(target)] * 64 + [target.request()] * 16)
    outcome = target.meanwhile(answers)
    if any(answer.status == 200 for answer in answers[64:]):
        return outcome
    return Outcome(
        (*outcome.answers, Fault(**vars(answers[64]), reason="no ordinary photo was answered")), outcome.seconds
    )


def _leaving(target: Target) -> Outcome:
    """Senders of large photos that do not wait for an answer. What they sent must still count as under way."""

    def leave(_: int) -> None:
        with target.connect() as wire:
            wire.send(_large(target))

    with ThreadPoolExecutor(16) as pool:
        list(pool.map(leave, range(100)))
    return target.meanwhile()


SERVED = frozenset({200, 503})
CASES = (
    Exchange(GROUP, "64 photos of 15 MB", partial(_equal, count=64, make=_large), SERVED),
    Exchange(GROUP, "64 photos of 15 MB and 16 ordinary ones", _mixed, SERVED),
    Exchange(GROUP, "100 photos of 15 MB whose senders leave", _leaving, SERVED),
    Exchange(GROUP, "32 photos of 24 megapixels", partial(_equal, count=32, make=_wide), SERVED),
    Exchange(GROUP, "200 ordinary photos", partial(_equal, count=200, make=lambda t: t.request()), SERVED),
    Exchange(
        GROUP,
        "200 bodies that are no photo",
        partial(_equal, count=200, make=lambda t: t.head({"Content-Length": 7}) + b"nothing"),
        frozenset({400, 415, 422, 503}),
    ),
    Exchange(
        GROUP,
        "400 wrong keys",
        partial(_equal, count=400, make=lambda t: t.request(key="wrong")),
        frozenset({401}),
    ),
)
