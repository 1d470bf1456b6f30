"""Batches: each request is judged alone. The context is TorchServe's own, the predictor a small one."""

import json
import logging
import weakref
from collections.abc import Iterator, Sequence
from io import BytesIO
from typing import Any

import pytest
from PIL import Image
from ts.context import Context, RequestProcessor

from resformer.handler import service
from resformer.handler.service import Service
from resformer.model.errors import BadRequest, LinkFailed
from resformer.model.images.loading import decode_photo
from resformer.model.photo_query import Query
from resformer.model.prediction import Alternative, Prediction, Result
from resformer.model.schema.schema import Schema


class FakePredictor:
    """Decodes the photo as the real one does, and answers nothing. The description `fail` breaks it."""

    version = "1.0"
    reader = "builtin"
    readers = ("ppocr", "builtin")

    def __init__(self, threads: int):
        self.threads = threads
        self.metadata = {"preset": "nano"}
        self.schema = Schema.load()
        self.entities = self.schema.entities
        self.options: list[tuple[float | None, bool]] = []
        self.batches: list[int] = []

    def predict_many(self, queries: Sequence[Query]) -> Iterator[Result | Exception]:
        self.batches.append(len(queries))
        for query in queries:
            try:
                yield self._result(query)
            except Exception as error:
                yield error

    def predict(self, photo: bytes) -> Result:
        return self._result(Query(photo))

    def _result(self, query: Query) -> Result:
        assert isinstance(query.photo, bytes | bytearray)
        self.options.append((query.min_confidence, query.assume_present))
        names = [self.schema[name].name for name in query.entities or self.schema.names]
        height, width = decode_photo(query.photo, max_pixels=500_000).shape[:2]
        if query.description == "fail":
            raise RuntimeError("CUDA secret")
        confidence = float("nan") if query.description == "nan" else 0.5
        alternatives = [Alternative("", confidence)][: query.top_k] if query.top_k else None
        prediction = Prediction("", None, None, None, confidence, None, alternatives)
        return Result(width, height, dict.fromkeys(names, prediction))


def photo(width: int = 40, height: int = 30) -> bytearray:
    file = BytesIO()
    Image.new("RGB", (width, height), "red").save(file, "JPEG")
    return bytearray(file.getvalue())


def answers(
    rows: list[dict[str, Any]], headers: list[dict[str, Any]] | None = None, worker: Service | None = None
) -> list[tuple[int, Any, Context]]:
    """Status and parsed answer of each row of one batch."""
    context = Context("resformer", "/", None, len(rows), -1, "0")
    context.request_processor = [RequestProcessor(h) for h in headers or [{} for _ in rows]]
    context.request_ids = {i: f"request-{i}" for i in range(len(rows))}
    worker = worker or Service(FakePredictor, lambda: 2)  # type: ignore[arg-type]
    replies = worker.handle(rows, context)
    assert len(replies) == len(rows)
    for i in range(len(rows)):
        assert context.get_response_content_type(i) == "application/json"
        assert context.get_response_status(i)[1].isascii()
    return [(context.get_response_status(i)[0], json.loads(reply), context) for i, reply in enumerate(replies)]


def test_answer_has_the_documented_shape() -> None:
    [(status, answer, _)] = answers([{"body": photo()}], [{"X-Entity-Name": "voltage"}])
    assert status == 200
    assert answer == {
        "model": "resformer",
        "version": "1.0",
        "image": {"width": 40, "height": 30},
        "predictions": {
            "voltage": {
                "prediction": "",
                "value": None,
                "unit": None,
                "si": None,
                "confidence": 0.5,
                "evidence": None,
            }
        },
    }


def test_alternatives_are_there_where_they_are_asked_for() -> None:
    (_, some, _), (_, none, _), (status, fault, _) = answers(
        [{"body": photo()}, {"body": photo()}, {"body": photo()}],
        [{"X-Top-K": "3", "X-Entity-Name": "gender"}, {"X-Entity-Name": "gender"}, {"X-Top-K": "many"}],
    )
    assert some["predictions"]["gender"]["alternatives"] == [{"prediction": "", "confidence": 0.5}]
    assert "alternatives" not in none["predictions"]["gender"]
    assert status == 400 and "'many'" in fault["message"]


def test_abstention_reaches_the_predictor() -> None:
    predictor = FakePredictor(1)
    worker = Service(lambda _: predictor, lambda: 1)  # type: ignore[arg-type, return-value]
    rows: list[dict[str, Any]] = [{"body": photo()}, {"image": photo(), "assume_present": bytearray(b"true")}]
    answers([*rows, {"body": photo()}], [{}, {"X-Min-Confidence": "0.7"}, {"X-Assume-Present": "1"}], worker)
    assert predictor.options[1:] == [(None, False), (0.7, True)]  # after the first photo, at load


def test_no_entity_named_means_all_and_names_may_repeat() -> None:
    (_, every, _), (_, one, _) = answers(
        [{"body": photo()}, {"data": photo(), "entity_name": bytearray(b"width,width")}]
    )
    assert list(every["predictions"]) == list(Schema.load().names)
    assert list(one["predictions"]) == ["width"]


def test_one_bad_request_leaves_the_others_alone() -> None:
    truncated = photo(400, 400)[:900]
    rows: list[dict[str, Any]] = [
        {"body": photo()},
        {"body": bytearray(b"no photo at all")},
        {"body": truncated},
        {"body": bytearray()},
        {"data": photo(), "entity_name": bytearray(b"colour")},
        {"body": photo(800, 800)},
        {"body": {"image_url": "http://127.0.0.1/"}},
        {"data": photo(), "description": bytearray(b"fail")},
        {"data": photo(), "description": bytearray(b"nan")},
        {"image": photo()},
    ]
    found = answers(rows)
    assert [status for status, _, _ in found] == [200, 415, 422, 400, 400, 413, 403, 500, 500, 200]
    kinds = [answer.get("type") for _, answer, _ in found]
    assert kinds == [
        None,
        "UnsupportedImage",
        "CorruptImage",
        "BadRequest",
        "UnknownEntity",
        "ImageTooLarge",
        "UrlNotAllowed",
        "InternalError",
        "InternalError",
        None,
    ]
    for status, answer, _ in found:
        if status != 200:
            assert answer.keys() == {"code", "type", "message"}
            assert answer["code"] == status
            assert answer["message"]
    assert "item_weight" in found[4][1]["message"]  # It lists the known entities.


class FakeLinks:
    """Answers links by what is at them."""

    def __init__(self, **found: Any):
        self.found = found
        self.batches: list[list[str]] = []

    def fetch(self, links: list[str]) -> list[Any]:
        self.batches.append(links)
        if "broken" in links:
            raise RuntimeError("too many open files")
        return [self.found[link] for link in links]


def test_photos_of_links_are_fetched_together() -> None:
    links = FakeLinks(a=bytes(photo()), b=LinkFailed("the host answered 404"), c=bytes(photo(80, 60)))
    worker = Service(FakePredictor, lambda: 1, links=links)  # type: ignore[arg-type]
    rows: list[dict[str, Any]] = [{"body": {"image_url": link}} for link in "abc"]
    rows.insert(1, {"body": photo()})
    found = answers([*rows, {"body": bytearray()}], worker=worker)
    assert [status for status, _, _ in found] == [200, 200, 424, 200, 400]
    assert found[2][1]["type"] == "LinkFailed"
    assert found[3][1]["image"] == {"width": 80, "height": 60}
    assert links.batches == [["a", "b", "c"]]
    statuses = [status for status, _, _ in answers([{"body": {"image_url": "broken"}}, rows[1]], worker=worker)]
    assert statuses == [500, 200]


@pytest.mark.parametrize("name", ["\ud83d", "\x00", "\r\nX: y", "é" * 1_000_000, "a," * 1_000_000, "\u2028"])
def test_no_text_of_a_request_breaks_its_reply(name: str) -> None:
    """Nor those of the rows beside it, whatever the answer repeats of it."""
    rows: list[dict[str, Any]] = [
        {"body": {"image_b64": "/9j/", field: name}} for field in ("entities", "title", "reader", "group_id", "top_k")
    ]
    rows += [
        {"body": {"image_b64": "/9j/", name: 1}},
        {"image": photo(), "entity_name": name.encode("utf-8", "replace")},
    ]
    for status, answer, _ in answers(rows):
        assert 400 <= status < 500
        assert len(json.dumps(answer)) < 3000


def test_messages_have_an_end(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever writes them: TorchServe ends a worker whose reply is longer than it takes."""

    def fail(*_: Any, **__: Any) -> None:
        raise BadRequest("é" * 10_000_000)

    monkeypatch.setattr(service, "parse_request", fail)
    [(status, answer, _)] = answers([{"body": photo()}])
    assert (status, len(answer["message"])) == (400, service.MAX_MESSAGE)


def test_the_usable_requests_of_a_batch_are_answered_together() -> None:
    predictor = FakePredictor(1)
    worker = Service(lambda _: predictor, lambda: 1)  # type: ignore[arg-type, return-value]
    rows: list[dict[str, Any]] = [{"body": photo()}, {"body": bytearray()}, {}, {"body": photo()}]
    found = answers(rows, [{}, {}, {"describe": "True"}, {}], worker)
    assert [status for status, _, _ in found] == [200, 400, 200, 200]
    assert predictor.batches == [2]


def test_an_unexpected_error_is_logged_and_not_disclosed(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.ERROR):
        [(status, answer, _)] = answers(
            [{"data": photo(), "description": bytearray(b"fail")}], [{"Authorization": "Bearer secret-key"}]
        )
    assert status == 500
    assert "secret" not in answer["message"]
    assert "request-0" in answer["message"]
    assert "CUDA secret" in caplog.text
    assert "request-0" in caplog.text
    assert "secret-key" not in caplog.text


def test_description_lists_entities_readers_and_threads() -> None:
    [(status, answer, _)] = answers([{}], [{"describe": "True"}])
    assert status == 200
    assert [entity["name"] for entity in answer["entities"]] == list(Schema.load().names)
    entities = {entity.pop("name"): entity for entity in answer["entities"]}
    assert entities["voltage"] == {"kind": "quantity", "units": ["kilovolt", "millivolt", "volt"], "labels": []}
    assert entities["season"] == {"kind": "choice", "units": [], "labels": ["Fall", "Spring", "Summer", "Winter"]}
    assert "Apparel & Accessories > Shoes > Heels" in entities["category"]["labels"]
    assert (answer["preset"], answer["readers"], answer["threads"]) == ("nano", ["ppocr", "builtin"], 2)


def test_a_clients_header_describe_changes_nothing() -> None:
    form = {"describe": "True", "Content-Type": "multipart/form-data; boundary=x"}
    rows: list[dict[str, Any]] = [{"body": photo()}, {"image": photo()}, {"body": bytearray()}, {}]
    found = answers(rows, [{"describe": "True"}, form, {"describe": "True"}, form])
    assert [status for status, _, _ in found] == [200, 200, 400, 400]
    assert not any("entities" in answer for _, answer, _ in found)


def test_threads_follow_the_number_of_workers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(service, "CHECK_SECONDS", 0.0)
    allowed = [4]
    loaded = []

    def load(threads: int) -> FakePredictor:
        loaded.append(threads)
        return FakePredictor(threads)

    worker = Service(load, lambda: allowed[0])  # type: ignore[arg-type]
    worker.describe()
    allowed[0] = 2
    worker.describe()
    assert worker.describe()["threads"] == 2
    assert loaded == [4, 2]


def test_a_load_that_fails_is_an_error_of_one_request_and_tried_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(service, "CHECK_SECONDS", 0.0)
    allowed, failures = [4], [0]
    alive: weakref.WeakSet[FakePredictor] = weakref.WeakSet()

    def load(threads: int) -> FakePredictor:
        assert not alive  # never two in memory
        if failures[0]:
            failures[0] -= 1
            raise MemoryError
        alive.add(predictor := FakePredictor(threads))
        return predictor

    worker = Service(load, lambda: allowed[0])  # type: ignore[arg-type]
    allowed[0], failures[0] = 2, 1
    rows: list[dict[str, Any]] = [{"body": photo()}, {"body": photo()}]
    assert [status for status, _, _ in answers(rows, worker=worker)] == [500, 200]
    assert worker.describe()["threads"] == 2


def test_a_predictor_that_cannot_answer_fails_at_load() -> None:
    class Broken(FakePredictor):
        def predict(self, *arguments: Any, **options: Any) -> Result:
            raise RuntimeError("no weights")

    with pytest.raises(RuntimeError, match="no weights"):
        Service(Broken, lambda: 1)  # type: ignore[arg-type]
