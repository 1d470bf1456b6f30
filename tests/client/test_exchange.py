"""When a question is asked again, and what comes out, without any server."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from resformer.client import ClientError, PhotoError, RequestError, Result, Unavailable
from resformer.client.exchange import MAX_RETRY_AFTER, MAX_WAIT, Retries, Send, Wait, exchange
from resformer.client.keys import Key
from resformer.client.replies import Lost, Reply
from tests.client.conftest import ANSWER
from tests.client.test_keys import write_key

ADDRESS = "http://127.0.0.1:8080/predictions/resformer"
DONE = Reply(200, ANSWER)


def refusal(status: int, kind: str, message: str = "said the server", **more: Any) -> Reply:
    return Reply(status, {"code": status, "type": kind, "message": message}, **more)


def run(replies: Sequence[Reply | Lost], *, key: Key | None = None, retries: int = 2) -> tuple[Result, list[Any]]:
    """The answer, and what was to be done for it."""
    steps: list[Any] = []
    given = iter(replies)
    exchanged = exchange(
        b"photo", {"top_k": "1"}, key=key or Key("key"), retries=Retries(retries, jitter=lambda: 1.0), address=ADDRESS
    )
    reply: Reply | Lost | None = None
    while True:
        try:
            step = exchanged.send(reply)
        except StopIteration as end:
            assert next(given, None) is None, "not everything was asked"
            return end.value, steps
        steps.append(step)
        reply = next(given) if isinstance(step, Send) else None


SEND = Send(b"photo", {"top_k": "1"}, "key")


def test_an_answer() -> None:
    result, steps = run([DONE])
    assert result["item_weight"].prediction == "500 gram"
    assert steps == [SEND]


@pytest.mark.parametrize(
    "reply",
    [
        Lost("ConnectError: Connection refused"),
        refusal(503, "ServiceUnavailableException"),
        Reply(502, "<html>a proxy</html>"),
        refusal(500, "InternalServerException", "Worker died."),
        refusal(507, "InternalServerException"),
    ],
)
def test_what_passes_is_asked_again_more_patiently_each_time(reply: Reply | Lost) -> None:
    result, steps = run([reply, reply, DONE])
    assert result == Result.model_validate(ANSWER)
    assert steps == [SEND, Wait(0.5), SEND, Wait(1.0), SEND]
    with pytest.raises(ClientError, match="3 times"):
        run([reply] * 3)


@pytest.mark.parametrize(
    "reply",
    [
        refusal(400, "BadRequest"),
        refusal(400, "UnknownEntity"),
        refusal(404, "ModelNotFoundException"),
        refusal(413, "ImageTooLarge"),
        refusal(500, "InternalError"),
        Reply(200, "<html>another server</html>"),
    ],
)
def test_what_stays_is_not_asked_again(reply: Reply) -> None:
    with pytest.raises(ClientError):
        run([reply])


@pytest.mark.parametrize(
    ("reply", "error", "code", "kind", "message"),
    [
        (refusal(400, "BadRequest"), PhotoError, 400, "BadRequest", "said the server"),
        (refusal(415, "UnsupportedImage"), PhotoError, 415, "UnsupportedImage", "said the server"),
        (refusal(422, "CorruptImage"), PhotoError, 422, "CorruptImage", "said the server"),
        (Reply(413, ""), PhotoError, 413, "ImageTooLarge", "send a smaller photo"),
        (refusal(500, "InternalError"), PhotoError, 500, "InternalError", "said the server"),
        (
            refusal(500, "InternalServerException", "Worker died."),
            PhotoError,
            500,
            "InternalServerException",
            "Worker died.; the photo may be what ends the worker",
        ),
        (refusal(400, "UnknownEntity"), RequestError, 400, "UnknownEntity", f"{ADDRESS}: said the server"),
        (refusal(404, "ModelNotFoundException"), RequestError, 404, "ModelNotFoundException", "the address ends in"),
        (refusal(405, "MethodNotAllowedException"), RequestError, 405, "MethodNotAllowedException", "ends in"),
        (Reply(401, "<h1>no\nentry</h1>"), RequestError, 401, "Refused", "<h1>no entry</h1>"),
        (refusal(400, "InvalidKeyException"), RequestError, 400, "InvalidKeyException", "is not this server's"),
        (Reply(200, {"model": "other"}), RequestError, 200, "UnexpectedAnswer", "does not answer as Resformer does"),
        (Reply(200, "<html>"), RequestError, 200, "UnexpectedAnswer", "does not answer as Resformer does"),
        (refusal(503, "ServiceUnavailableException"), Unavailable, 503, "ServiceUnavailableException", "said the"),
        (Reply(503, ""), Unavailable, 503, "Busy", ""),
        (Lost("ReadTimeout"), Unavailable, None, "NoAnswer", "(ReadTimeout); see that the server runs"),
    ],
)
def test_errors_say_whose_they_are(
    reply: Reply | Lost, error: type[ClientError], code: int | None, kind: str, message: str
) -> None:
    with pytest.raises(ClientError) as raised:
        run([reply], retries=0)
    assert type(raised.value) is error
    assert (raised.value.code, raised.value.type) == (code, kind)
    assert message in raised.value.message
    assert str(raised.value).endswith(f"{kind}: {raised.value.message}")


def test_without_a_key_the_error_says_where_it_may_come_from() -> None:
    with pytest.raises(RequestError, match=r"give the server's key: key=.*keys/inference.*\$RESFORMER_KEY_FILE"):
        run([refusal(400, "InvalidKeyException")], key=Key())


def test_a_server_that_has_started_again_has_another_key(tmp_path: Path) -> None:
    file = write_key(tmp_path / "inference", "old")
    key = Key(file=file)
    write_key(file, "new")
    _, steps = run([refusal(400, "InvalidKeyException"), DONE], key=key)
    assert [step.key for step in steps] == ["old", "new"]
    with pytest.raises(RequestError, match="is not this server's"):
        run([refusal(400, "InvalidKeyException")], key=key)


def test_the_server_may_ask_for_more_patience() -> None:
    busy = [refusal(503, "Busy", retry_after=seconds) for seconds in (7.0, 0.0, 3600.0)]
    _, steps = run([*busy, DONE], retries=3)
    assert [step.seconds for step in steps if isinstance(step, Wait)] == [7.0, 1.0, MAX_RETRY_AFTER]


def test_waits_double_up_to_a_limit_and_are_spread() -> None:
    assert list(Retries(8, jitter=lambda: 1.0).waits()) == [0.5, 1, 2, 4, 8, 16, MAX_WAIT, MAX_WAIT]
    assert list(Retries(2, jitter=lambda: 0.0).waits()) == [0.25, 0.5]
    assert list(Retries(0).waits()) == []
    with pytest.raises(ValueError, match="retries is -1"):
        Retries(-1)
