"""Downloads from a server on this machine: what it does wrong on purpose must not hurt."""

import multiprocessing
import pickle
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from email.utils import formatdate
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

import pytest

from resformer.scripts.lib.downloads import Downloader, DownloadError, DownloadLimits
from resformer.scripts.lib.photo_cache import PhotoCache
from tests.scripts.conftest import Web, jpeg, reply

PHOTO = jpeg()
NEWER = jpeg(50)
ETAG = '"first"'
DATE = "Tue, 01 Sep 2026 10:00:00 GMT"


def _wait(event: threading.Event) -> None:
    event.wait(10)


Quick = Callable[..., Downloader]


@pytest.fixture
def quick() -> Iterator[Quick]:
    """Makes downloaders that wait no longer than a test wants to."""
    made = []

    def make(cache: PhotoCache | None = None, max_age: float = 3600.0, **limits: Any) -> Downloader:
        limits = {"wait": 0.01, "timeout": 5.0, "attempts": 3, **limits}
        made.append(Downloader(DownloadLimits(**limits), cache=cache, max_age=max_age))
        return made[-1]

    yield make
    for downloader in made:
        downloader.close()


def answers(handler: BaseHTTPRequestHandler, status: int, body: bytes = b"", **headers: str) -> None:
    handler.send_response(status)
    for name, value in {"Content_Length": str(len(body)), **headers}.items():
        handler.send_header(name.replace("_", "-"), value)
    handler.end_headers()
    handler.wfile.write(body)


@pytest.mark.parametrize("status", [500, 503, 429])
def test_tries_again_where_a_server_is_busy(web: Web, quick: Quick, status: int) -> None:
    web.replies["/a.jpg"] = lambda handler: reply(handler, *((b"", status) if len(web.asked) < 3 else (PHOTO, 200)))
    assert quick().fetch(f"{web.url}/a.jpg") == PHOTO
    assert len(web.asked) == 3


def test_waits_longer_each_time(web: Web, quick: Quick) -> None:
    web.replies["/a.jpg"] = lambda handler: reply(handler, b"", 503)
    start = time.monotonic()
    with pytest.raises(DownloadError, match=r"^the server answered 503 \(Service Unavailable\), 3 times$"):
        quick(wait=0.2).fetch(f"{web.url}/a.jpg")
    assert time.monotonic() - start >= 0.3  # half of 0.2 and 0.4; the other half is left to chance


@pytest.mark.parametrize("as_date", [False, True])
def test_waits_as_long_as_the_server_asks(web: Web, quick: Quick, as_date: bool) -> None:
    def busy_once(handler: BaseHTTPRequestHandler) -> None:
        after = formatdate(time.time() + 2, usegmt=True) if as_date else "1"
        answers(handler, *((503,) if len(web.asked) == 1 else (200, PHOTO)), Retry_After=after)

    web.replies["/a.jpg"] = busy_once
    start = time.monotonic()
    assert quick().fetch(f"{web.url}/a.jpg") == PHOTO
    assert time.monotonic() - start >= 0.9


def test_does_not_wait_for_an_hour(web: Web, quick: Quick) -> None:
    web.replies["/a.jpg"] = lambda handler: answers(handler, 503, Retry_After="3600")
    with pytest.raises(DownloadError, match=r"asks for a pause of 3600 s; 60 s are granted"):
        quick().fetch(f"{web.url}/a.jpg")
    assert len(web.asked) == 1


def test_does_not_wait_beyond_the_limit_of_a_link(web: Web, quick: Quick) -> None:
    web.replies["/a.jpg"] = lambda handler: answers(handler, 503, Retry_After="30")
    with pytest.raises(DownloadError, match="another try would exceed the 20 s of a link"):
        quick(time_limit=20).fetch(f"{web.url}/a.jpg")


def test_too_many_requests_pause_the_whole_host(web: Web, quick: Quick) -> None:
    web.replies["/a.jpg"] = lambda handler: (
        answers(handler, 429, Retry_After="1") if web.asked.count("/a.jpg") == 1 else reply(handler, PHOTO)
    )
    web.replies["/b.jpg"] = lambda handler: reply(handler, PHOTO)
    downloader = quick(attempts=1)
    with pytest.raises(DownloadError, match="Too Many Requests"):
        downloader.fetch(f"{web.url}/a.jpg")
    start = time.monotonic()
    assert downloader.fetch(f"{web.url}/b.jpg") == PHOTO
    assert time.monotonic() - start >= 0.8


@pytest.mark.parametrize(("status", "name"), [(404, "Not Found"), (410, "Gone"), (403, "Forbidden")])
def test_does_not_try_again_what_is_final(web: Web, quick: Quick, status: int, name: str) -> None:
    web.replies["/a.jpg"] = lambda handler: reply(handler, b"no", status)
    with pytest.raises(DownloadError, match=rf"^the server answered {status} \({name}\)$"):
        quick().fetch(f"{web.url}/a.jpg")
    assert len(web.asked) == 1


@pytest.mark.parametrize(
    ("body", "message"), [(b"<html>not here</html>", "no photo but text/html"), (b"", "no photo but an empty answer")]
)
def test_what_is_no_photo_is_not_kept(web: Web, quick: Quick, tmp_path: Path, body: bytes, message: str) -> None:
    web.replies["/a.jpg"] = lambda handler: answers(handler, 200, body, Content_Type="text/html")
    cache = PhotoCache(tmp_path / "cache", 10**9)
    with pytest.raises(DownloadError, match=message):
        quick(cache).fetch(f"{web.url}/a.jpg")
    assert cache.get(f"{web.url}/a.jpg") is None


def test_connection_cut_in_the_middle(web: Web, quick: Quick) -> None:
    def truncated(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(200)
        handler.send_header("Content-Length", str(len(PHOTO)))
        handler.end_headers()
        handler.wfile.write(PHOTO if len(web.asked) == 2 else PHOTO[:50])

    web.replies["/a.jpg"] = truncated
    assert quick().fetch(f"{web.url}/a.jpg") == PHOTO
    assert len(web.asked) == 2
    with pytest.raises(DownloadError, match=r"the answer breaks off .*, 2 times"):
        quick(attempts=2).fetch(f"{web.url}/a.jpg")


def test_silent_server(web: Web, quick: Quick) -> None:
    done = threading.Event()
    web.replies["/a.jpg"] = lambda handler: _wait(done)
    with pytest.raises(DownloadError, match=r"^the server falls silent, 2 times$"):
        quick(timeout=0.2, attempts=2).fetch(f"{web.url}/a.jpg")
    done.set()
    assert len(web.asked) == 2


def test_a_body_that_never_ends_meets_the_limit_of_a_link(web: Web, quick: Quick) -> None:
    done = threading.Event()

    def dripping(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(200)
        handler.end_headers()
        with suppress(ConnectionError):
            while not done.wait(0.02):
                handler.wfile.write(b"x")

    web.replies["/a.jpg"] = dripping
    start = time.monotonic()
    with pytest.raises(DownloadError, match=r"^the photo is not there after 0.5 s$"):
        quick(time_limit=0.5).fetch(f"{web.url}/a.jpg")
    assert time.monotonic() - start < 5
    done.set()
    assert len(web.asked) == 1


def test_server_that_is_not_there(quick: Quick) -> None:
    with pytest.raises(DownloadError, match=r"^no connection can be made \(.*\), 2 times$"):
        quick(attempts=2).fetch("http://127.0.0.1:9/a.jpg")


def test_host_that_is_not_there(quick: Quick) -> None:
    with pytest.raises(DownloadError, match="the host's name has no address"):
        quick(attempts=1).fetch("http://photos.invalid/a.jpg")


def test_server_without_tls(web: Web, quick: Quick) -> None:
    with pytest.raises(DownloadError, match="no secure connection can be made"):
        quick(attempts=1).fetch(web.url.replace("http:", "https:") + "/a.jpg")


def test_too_large_is_given_up_early(web: Web, quick: Quick) -> None:
    sent = []

    def endless(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(200)
        handler.end_headers()
        with suppress(ConnectionError):
            for _ in range(10_000):
                handler.wfile.write(b"x" * 100_000)
                sent.append(100_000)

    web.replies["/a.jpg"] = endless
    with pytest.raises(DownloadError, match="more than 500000 bytes"):
        quick(max_bytes=500_000).fetch(f"{web.url}/a.jpg")
    assert sum(sent) < 100_000_000
    web.replies["/b.jpg"] = lambda handler: answers(handler, 200, Content_Length="900000")
    with pytest.raises(DownloadError, match="has 900000 bytes, more than 500000"):
        quick(max_bytes=500_000).fetch(f"{web.url}/b.jpg")


@pytest.mark.parametrize("link", ["ftp://127.0.0.1/a.jpg", "file:///etc/passwd", "a.jpg", "", "http://[bad", "http://"])
def test_other_links(quick: Quick, link: str) -> None:
    with pytest.raises(DownloadError, match=r"not an http or https link$|no address"):
        quick().fetch(link)


def test_redirects(web: Web, quick: Quick) -> None:
    web.replies["/a.jpg"] = lambda handler: answers(handler, 302, Location="/b.jpg")
    web.replies["/b.jpg"] = lambda handler: reply(handler, PHOTO)
    assert quick().fetch(f"{web.url}/a.jpg") == PHOTO
    web.replies["/b.jpg"] = web.replies["/a.jpg"]
    with pytest.raises(DownloadError, match=r"^more than 10 redirects$"):
        quick().fetch(f"{web.url}/a.jpg")
    web.replies["/b.jpg"] = lambda handler: answers(handler, 302, Location="file:///etc/passwd")
    with pytest.raises(DownloadError, match=r"redirects to file://.*, which is no http or https link"):
        quick().fetch(f"{web.url}/a.jpg")


# How hard a host is pressed.


def test_connections_to_a_host(web: Web, quick: Quick) -> None:
    lock, now, most = threading.Lock(), [0], [0]

    def counted(handler: BaseHTTPRequestHandler) -> None:
        with lock:
            now[0] += 1
            most[0] = max(most[0], now[0])
        time.sleep(0.02)
        with lock:
            now[0] -= 1
        reply(handler, PHOTO)

    links = [f"{web.url}/{i}.jpg" for i in range(20)]
    for i in range(20):
        web.replies[f"/{i}.jpg"] = counted
    found = dict(quick(host_connections=3).fetch_all(links))
    assert found == dict.fromkeys(links, PHOTO)
    assert most[0] == 3


def test_requests_per_second(web: Web, quick: Quick) -> None:
    for i in range(6):
        web.replies[f"/{i}.jpg"] = lambda handler: reply(handler, PHOTO)
    start = time.monotonic()
    assert len(list(quick(host_rate=10.0).fetch_all(f"{web.url}/{i}.jpg" for i in range(6)))) == 6
    assert time.monotonic() - start >= 0.5


def test_links_are_drawn_as_they_are_needed(web: Web, quick: Quick) -> None:
    drawn = []

    def links() -> Iterator[str]:
        for i in range(100):
            drawn.append(i)
            yield f"{web.url}/{i}.jpg"

    with closing(quick(connections=2).fetch_all(links())) as outcomes:
        next(outcomes)
    assert len(drawn) < 10


# What is kept.


class Versions:
    """A photo that changes, on a server that knows its versions."""

    def __init__(self, web: Web, **headers: str) -> None:
        self.photo, self.headers, self.conditions = PHOTO, headers, list[tuple[str | None, str | None]]()
        web.replies["/a.jpg"] = self

    def __call__(self, handler: BaseHTTPRequestHandler) -> None:
        asked = (handler.headers["If-None-Match"], handler.headers["If-Modified-Since"])
        self.conditions.append(asked)
        if {value for value in asked if value} & set(self.headers.values()):
            answers(handler, 304)
        else:
            answers(handler, 200, self.photo, **self.headers)


def test_a_young_photo_is_not_asked_about(web: Web, quick: Quick, tmp_path: Path) -> None:
    versions = Versions(web, ETag=ETAG)
    for _ in range(2):
        assert quick(PhotoCache(tmp_path / "cache", 10**9)).fetch(f"{web.url}/a.jpg") == PHOTO
    assert versions.conditions == [(None, None)]


@pytest.mark.parametrize("headers", [{"ETag": ETAG}, {"Last_Modified": DATE}, {"ETag": ETAG, "Last_Modified": DATE}])
def test_an_old_photo_is_sent_again_only_if_it_has_changed(
    web: Web, quick: Quick, tmp_path: Path, headers: dict[str, str]
) -> None:
    versions = Versions(web, **headers)
    downloader = quick(PhotoCache(tmp_path / "cache", 10**9), max_age=0)
    for _ in range(3):
        assert downloader.fetch(f"{web.url}/a.jpg") == PHOTO
    condition = (headers.get("ETag"), headers.get("Last_Modified"))
    assert versions.conditions == [(None, None), condition, condition]
    versions.photo, versions.headers = NEWER, {"ETag": '"second"'}
    assert downloader.fetch(f"{web.url}/a.jpg") == NEWER
    assert downloader.fetch(f"{web.url}/a.jpg") == NEWER
    assert versions.conditions[-1] == ('"second"', None)


def test_a_photo_that_is_gone_is_not_kept(web: Web, quick: Quick, tmp_path: Path) -> None:
    cache = PhotoCache(tmp_path / "cache", 10**9)
    link = f"{web.url}/a.jpg"
    Versions(web, ETag=ETAG)
    quick(cache).fetch(link)
    web.replies["/a.jpg"] = lambda handler: reply(handler, b"", 503)
    with pytest.raises(DownloadError, match="503"):
        quick(cache, max_age=0).fetch(link)
    assert cache.get(link)  # it may be there again in a moment
    web.replies["/a.jpg"] = lambda handler: reply(handler, b"", 410)
    with pytest.raises(DownloadError, match="410"):
        quick(cache, max_age=0).fetch(link)
    assert cache.get(link) is None


def _fetch(folder: Path, links: list[str], results: Any) -> None:
    with Downloader(cache=PhotoCache(folder, 10**9)) as downloader:
        results.put(sum(photo == PHOTO for _, photo in downloader.fetch_all(links)))


def test_processes_share_a_cache(web: Web, tmp_path: Path) -> None:
    links = [f"{web.url}/{i}.jpg" for i in range(40)]
    for i in range(40):
        web.replies[f"/{i}.jpg"] = lambda handler: reply(handler, PHOTO)
    context = multiprocessing.get_context("spawn")
    results = context.Queue()
    processes = [context.Process(target=_fetch, args=(tmp_path / "cache", links, results)) for _ in range(2)]
    for process in processes:
        process.start()
    assert [results.get(timeout=60) for _ in processes] == [40, 40]
    for process in processes:
        process.join(30)
    web.replies.clear()
    with Downloader(cache=PhotoCache(tmp_path / "cache", 10**9)) as downloader:
        assert dict(downloader.fetch_all(links)) == dict.fromkeys(links, PHOTO)


def test_a_forked_process_makes_its_own_connections(web: Web, quick: Quick, tmp_path: Path) -> None:
    web.replies["/a.jpg"] = lambda handler: reply(handler, PHOTO)
    downloader = quick()
    assert downloader.fetch(f"{web.url}/a.jpg") == PHOTO
    context = multiprocessing.get_context("fork")
    results = context.Queue()
    process = context.Process(target=lambda: results.put(downloader.fetch(f"{web.url}/a.jpg")))
    process.start()
    assert results.get(timeout=30) == PHOTO
    process.join(30)
    assert process.exitcode == 0


def test_pickled_it_is_the_same(web: Web, quick: Quick, tmp_path: Path) -> None:
    versions = Versions(web, ETag=ETAG)
    downloader = quick(PhotoCache(tmp_path / "cache", 10**9), max_bytes=10_000)
    assert downloader.fetch(f"{web.url}/a.jpg") == PHOTO
    with pickle.loads(pickle.dumps(downloader)) as copy:
        assert copy.limits == downloader.limits
        assert copy.fetch(f"{web.url}/a.jpg") == PHOTO
    assert len(versions.conditions) == 1


def test_close_cancels_what_is_under_way(web: Web) -> None:
    done = threading.Event()
    web.replies["/a.jpg"] = lambda handler: _wait(done)
    downloader = Downloader()
    future = downloader.submit(f"{web.url}/a.jpg")
    while not web.asked:
        time.sleep(0.01)
    downloader.close()
    done.set()
    assert future.cancelled()


@pytest.mark.parametrize("limit", ["attempts", "timeout", "time_limit", "max_bytes", "host_connections", "host_rate"])
def test_limits_that_leave_nothing(limit: str) -> None:
    with pytest.raises(ValueError, match=f"{limit} is 0"):
        DownloadLimits(**{limit: 0})
