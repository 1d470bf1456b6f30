"""What failing links cost the others: a run with them beside one without, from a server on this machine."""

import random
import time
from collections import Counter
from collections.abc import Sequence
from io import BytesIO
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
from PIL import Image

from resformer.scripts.lib.downloads import Downloader, DownloadError, DownloadLimits
from resformer.scripts.lib.photo_cache import PhotoCache
from resformer.scripts.lib.unreliable_server import GOOD, TOGETHER, TROUBLES, LinkKind, UnreliableServer

__all__ = ["benchmark_downloads"]

FAILING = 0.3
SIDE = 300  # pixels of a photo, 60 KB
MAX_SHARE = 1.2


def benchmark_downloads(links: int, *, time_limit: float, connections: int = 64) -> dict[str, Any]:
    """Downloads links of which 30 % fail, and those that do not fail alone.

    Args:
        links: How many.
        time_limit: Seconds for each link, see DownloadLimits.
        connections: At once.

    Returns:
        `links`, `good_links`, `connections`, `time_limit_s`; seconds of both runs, `good_s` and `all_s`; `most_s`, what
        `all_s` may be: 1.2 times the sum of `good_s` and the limit of a link; `kinds`, the number of links of each
        kind and how many of them ended as they must; `wrong`, the first outcomes that are others; `connections_after`,
        how many photos the same downloader gets at once after the run.
    """
    good = links - round(FAILING * links)
    asked = [(GOOD, number) for number in range(good)]
    asked += [(TROUBLES[number % len(TROUBLES)], number) for number in range(links - good)]
    random.Random(0).shuffle(asked)
    limits = DownloadLimits(
        connections=connections,
        host_connections=connections,
        timeout=time_limit,
        time_limit=time_limit,
        max_bytes=1_000_000,
    )
    photo = _photo()
    free: list[int] = []
    with UnreliableServer(photo, connections) as server, TemporaryDirectory() as folder:
        good_s, _ = _timed(server, [one for one in asked if one[0] is GOOD], limits, Path(folder) / "good", photo)
        all_s, outcomes = _timed(server, asked, limits, Path(folder) / "all", photo, free)
    ended_well: Counter[str] = Counter()
    wrong = []
    for (kind, number), outcome in outcomes.items():
        is_right = kind.reason in outcome if kind.reason else not outcome
        ended_well[kind.name] += is_right
        if not is_right:
            wrong.append(f"{kind.name} {number}: {outcome or 'a photo'}")
    counts = Counter(kind.name for kind, _ in asked)
    return {
        "links": links,
        "good_links": good,
        "connections": connections,
        "time_limit_s": time_limit,
        "good_s": good_s,
        "all_s": all_s,
        "most_s": MAX_SHARE * (good_s + time_limit),
        "kinds": [
            {"kind": kind.name, "links": counts[kind.name], "as_it_must": ended_well[kind.name]}
            for kind in (GOOD, *TROUBLES)
        ],
        "wrong": wrong[:20],
        "connections_after": free[0],
    }


def _timed(
    server: UnreliableServer,
    asked: Sequence[tuple[LinkKind, int]],
    limits: DownloadLimits,
    folder: Path,
    photo: bytes,
    free: list[int] | None = None,
) -> tuple[float, dict[tuple[LinkKind, int], str]]:
    """Seconds for links, and the reason of each, "" for the photo.

    Args:
        free: Gets the number of photos that the same downloader gets at once after it.
    """
    by_link = {server.link(*one): one for one in asked}
    with Downloader(limits, cache=PhotoCache(folder, 10**9)) as downloader:
        start = time.perf_counter()
        outcomes = {by_link[link]: _reason(found, photo) for link, found in downloader.fetch_all(by_link)}
        seconds = time.perf_counter() - start
        if free is not None:
            together = [server.link(TOGETHER, number) for number in range(limits.connections)]
            free.append(sum(found == photo for _, found in downloader.fetch_all(together)))
    return seconds, outcomes


def _reason(found: bytes | DownloadError, photo: bytes) -> str:
    if isinstance(found, DownloadError):
        return str(found)
    return "" if found == photo else "another photo"


def _photo() -> bytes:
    pixels = np.random.default_rng(0).integers(0, 256, (SIDE, SIDE, 3), dtype=np.uint8)
    buffer = BytesIO()
    Image.fromarray(pixels).save(buffer, "JPEG", quality=60)
    return buffer.getvalue()
