"""Runs through servers that a test plays: busy ones, dead ones, ones with other keys."""

import json
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import wait
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any, TypeAlias

import pytest

from resformer.client.keys import Key
from resformer.scripts.engines.endpoint_engine import EndpointEngine
from resformer.scripts.lib.endpoint_pool import EndpointError, EndpointPool, Patience, endpoint_keys
from resformer.scripts.lib.journal import Questions
from resformer.scripts.lib.photo_sources import PhotoError
from tests.scripts.conftest import Web, reply

QUICK = Patience(seconds=1.0, deaths=3, passed_over=5, first_wait=0.01, max_wait=0.05)
PATH = "/predictions/resformer"
NO_KEY = [Key()]
ANSWER = {"prediction": "1 inch", "value": 1.0, "unit": "inch", "si": None, "confidence": 0.5, "evidence": None}


class Served:
    """A server that takes `capacity` photos at once and answers each after `seconds`; `refusals` counts the others."""

    def __init__(self, capacity: int = 1000, seconds: float = 0.0, key: str = "") -> None:
        self.web = Web()
        self.url = self.web.url + PATH
        self.capacity, self.seconds, self.key = capacity, seconds, key
        self.answered = self.refusals = self.under_way = self.most = 0
        self.broken: Callable[[BaseHTTPRequestHandler, bytes], bool] = lambda handler, body: False
        self._lock = threading.Lock()
        self.web.replies["/ping"] = self._checked(lambda handler: reply(handler, b"{}"))
        self.web.replies[PATH] = self._checked(self._predict)

    def _checked(self, answer: Callable[[BaseHTTPRequestHandler], None]) -> Callable[[BaseHTTPRequestHandler], None]:
        def checked(handler: BaseHTTPRequestHandler) -> None:
            if self.key and handler.headers["Authorization"] != f"Bearer {self.key}":
                handler.rfile.read(int(handler.headers["Content-Length"] or 0))
                fault(handler, 400, "InvalidKeyException")
            else:
                answer(handler)

        return checked

    def _predict(self, handler: BaseHTTPRequestHandler) -> None:
        body = handler.rfile.read(int(handler.headers["Content-Length"]))
        if self.broken(handler, body):
            return
        with self._lock:
            has_room = self.under_way < self.capacity
            self.under_way += has_room
            self.most = max(self.most, self.under_way)
            self.refusals += not has_room
        if not has_room:
            fault(handler, 503, "ServiceUnavailableException")
            return
        time.sleep(self.seconds)
        with self._lock:
            self.under_way -= 1
            self.answered += 1
        reply(handler, json.dumps({"predictions": {"width": ANSWER}}).encode())


def fault(handler: BaseHTTPRequestHandler, status: int, kind: str) -> bool:
    reply(handler, json.dumps({"code": status, "type": kind, "message": "no"}).encode(), status)
    return True


@pytest.fixture
def serve(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., Served]]:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    for name in ("RESFORMER_KEY", "RESFORMER_KEY_FILE", "RESFORMER_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    servers = []

    def start(**options: Any) -> Served:
        servers.append(Served(**options))
        return servers[-1]

    yield start
    for server in servers:
        server.web.close()


@pytest.fixture
def pool_of() -> Iterator[Callable[..., EndpointPool]]:
    pools = []

    def make(*urls: str, keys: Any = NO_KEY, patience: Patience = QUICK, **options: Any) -> EndpointPool:
        pools.append(EndpointPool(urls, keys, {}, patience=patience, **options))
        return pools[-1]

    yield make
    for pool in pools:
        pool.close()


Serve: TypeAlias = Callable[..., Served]
PoolOf: TypeAlias = Callable[..., EndpointPool]


def ask(pool: EndpointPool, photos: int) -> None:
    """Asks about so many photos at once; all of them are answered."""
    futures = [pool.submit(b"%d" % i, ["width"], {}) for i in range(photos)]
    assert [future.result(60) for future in futures] == [{"width": ANSWER}] * photos


def test_finds_what_a_server_takes(serve: Serve, pool_of: PoolOf) -> None:
    server = serve(capacity=8, seconds=0.02)
    pool = pool_of(server.url)
    ask(pool, 300)
    assert server.most == 8
    assert server.answered == 300
    assert server.refusals < 60
    assert 2 <= pool.limits()[server.url] <= 20


def test_asks_no_more_at_once_than_it_may(serve: Serve, pool_of: PoolOf) -> None:
    server = serve(seconds=0.01)
    ask(pool_of(server.url, concurrency=3), 40)
    assert server.most == 3


def test_backs_off_where_workers_die(serve: Serve, pool_of: PoolOf) -> None:
    server = serve(seconds=0.01)
    pool = pool_of(server.url)
    ask(pool, 100)
    before = pool.limits()[server.url]
    deaths = iter([True])
    server.broken = lambda handler, body: next(deaths, False) and fault(handler, 507, "WorkerDied")
    ask(pool, 1)
    assert pool.limits()[server.url] == before // 2


def test_photos_go_where_there_is_room(serve: Serve, pool_of: PoolOf) -> None:
    fast, slow = serve(capacity=6, seconds=0.01), serve(capacity=2, seconds=0.1)
    ask(pool_of(fast.url, slow.url), 200)
    assert fast.answered + slow.answered == 200
    assert fast.answered > 3 * slow.answered > 0


def test_a_dead_server_is_left_out_and_asked_again(
    serve: Serve, pool_of: PoolOf, capsys: pytest.CaptureFixture[str]
) -> None:
    first, second = serve(seconds=0.01), serve(seconds=0.01)
    pool = pool_of(first.url, second.url)
    ask(pool, 20)
    is_dead = [True]

    def cut(handler: BaseHTTPRequestHandler, _: bytes) -> bool:
        handler.close_connection = True
        return is_dead[0]

    second.broken = cut
    asked, answered = len(second.web.asked), second.answered
    ask(pool, 60)
    assert second.answered == answered
    assert len(second.web.asked) - asked < 20
    is_dead[0] = False
    while second.answered == answered:
        ask(pool, 5)
    printed = capsys.readouterr().err
    assert f"{second.url} gives no answer" in printed and "left out and asked again later" in printed
    assert f"{second.url} is back" in printed


def test_a_server_that_is_not_there_at_first(serve: Serve, pool_of: PoolOf, capsys: pytest.CaptureFixture[str]) -> None:
    server = serve()
    ask(pool_of("http://127.0.0.1:9", server.url), 10)
    assert "http://127.0.0.1:9/predictions/resformer gives no answer" in capsys.readouterr().err
    with pytest.raises(EndpointError, match=r"127.0.0.1:9/.*; .*127.0.0.1:11/"):
        pool_of("http://127.0.0.1:9", "http://127.0.0.1:11")


def test_a_run_ends_where_no_server_answers_any_more(serve: Serve, pool_of: PoolOf) -> None:
    server = serve(capacity=0)
    pool = pool_of(server.url)
    start = time.monotonic()
    with pytest.raises(EndpointError, match=r"no endpoint has answered for 1 s; the last one: 503 Service"):
        pool.answer(b"photo", ["width"], {})
    assert time.monotonic() - start < 20


def test_a_photo_that_is_always_passed_over_is_given_up(serve: Serve, pool_of: PoolOf) -> None:
    server = serve(seconds=0.005)
    pool = pool_of(server.url, patience=Patience(seconds=60, passed_over=3, first_wait=0.01, max_wait=0.02))
    server.broken = lambda handler, body: b"unlucky" in body and fault(handler, 504, "GatewayTimeout")
    unlucky = pool.submit(b"unlucky", ["width"], {})
    while not unlucky.done():
        ask(pool, 2)
    with pytest.raises(PhotoError, match=r"GatewayTimeout.*others were answered meanwhile"):
        unlucky.result()


def test_keys(serve: Serve, pool_of: PoolOf, tmp_path: Path) -> None:
    servers = [serve(key="one"), serve(key="two")]
    files = [tmp_path / server.key for server in servers]
    for server, file in zip(servers, files, strict=True):
        file.write_text(server.key)
    urls = [server.url for server in servers]
    pool = pool_of(*urls, keys=endpoint_keys("", files))
    ask(pool, 40)
    assert all(server.answered for server in servers)
    # A server that starts again has a new key.
    servers[1].key = "three"
    files[1].write_text("three")
    before = servers[1].answered
    ask(pool, 40)
    assert servers[1].answered > before
    with pytest.raises(EndpointError, match="the key is not this server's"):
        pool_of(*urls, keys=[Key("one")])
    with pytest.raises(ValueError, match="3 keys for 2 endpoints"):
        pool_of(*urls, keys=[Key()] * 3)
    with pytest.raises(ValueError, match="exclude each other"):
        endpoint_keys("token", files)


def test_a_server_that_refuses_its_key_later_is_left_out(
    serve: Serve, pool_of: PoolOf, capsys: pytest.CaptureFixture[str]
) -> None:
    first, second = serve(key="k"), serve(key="k")
    pool = pool_of(first.url, second.url, keys=[Key("k")])
    second.key = "other"
    ask(pool, 30)
    assert (first.answered, second.answered) == (30, 0)
    assert f"400 InvalidKeyException: {second.url}" in capsys.readouterr().err
    first.key = "other"
    with pytest.raises(EndpointError, match=rf"{first.url}.*; .*{second.url}"):
        pool.answer(b"photo", ["width"], {})


def test_what_answers_otherwise_is_no_server(serve: Serve, pool_of: PoolOf) -> None:
    server = serve()

    def empty(handler: BaseHTTPRequestHandler, _: bytes) -> bool:
        reply(handler, b'{"predictions": {}}')
        return True

    server.broken = empty
    with pytest.raises(EndpointError, match="does not answer as Resformer does"):
        pool_of(server.url).answer(b"photo", ["width"], {})


def test_the_engine_yields_every_question_once(serve: Serve, pool_of: PoolOf) -> None:
    server = serve(capacity=4, seconds=0.005)
    drawn, most_ahead, done = [0], [0], 0

    def questions() -> Iterator[Questions]:
        for i in range(200):
            drawn[0] += 1
            most_ahead[0] = max(most_ahead[0], drawn[0] - done)
            yield Questions(f"{i}.jpg", {}, ["width"])

    def photo(image: str) -> bytes:
        if image == "7.jpg":
            raise PhotoError("it is not there")
        return b"" if image == "8.jpg" else image.encode()

    outcomes = {}
    for answered in EndpointEngine(photo, pool_of(server.url)).answers(questions()):
        done += 1
        outcomes[answered.questions.image] = answered.outcomes["width"]
    assert done == len(outcomes) == 200
    assert most_ahead[0] < 40
    assert outcomes.pop("7.jpg").error == "it is not there"
    assert outcomes.pop("8.jpg").error.startswith("BadRequest: the photo is empty")
    assert {outcome.error for outcome in outcomes.values()} == {""}


def test_closing_the_engine_cancels_what_is_under_way(serve: Serve, pool_of: PoolOf) -> None:
    server = serve(seconds=0.2)
    pool = pool_of(server.url)
    answers = EndpointEngine(str.encode, pool).answers(Questions(f"{i}.jpg", {}, ["width"]) for i in range(50))
    next(answers)
    future = pool.submit(b"photo", ["width"], {})
    answers.close()
    wait([future], timeout=10)
    assert future.cancelled()
    assert server.answered < 20


def test_what_reading_photos_raises_ends_the_run(serve: Serve, pool_of: PoolOf) -> None:
    def photo(image: str) -> bytes:
        raise RuntimeError("the disk is gone")

    with pytest.raises(RuntimeError, match="the disk is gone"):
        list(EndpointEngine(photo, pool_of(serve().url)).answers([Questions("a.jpg", {}, ["width"])]))
