import json
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import pytest

from resformer.scripts.page.answer_sources import ServerSource, SourceError
from resformer.scripts.page.photo_answers import FAULT, Side, answer_photo, compare_photo, faults_shown
from resformer.scripts.page.photo_file import PhotoFile
from resformer.scripts.page.question import Question
from tests.scripts.conftest import Web, jpeg, reply

PATH = "/predictions/resformer"
PHOTO = PhotoFile.decode("x.jpg", jpeg())


def answering(body: object, status: int = 200, seen: list[tuple[str | None, bytes]] | None = None):  # type: ignore[no-untyped-def]
    def answer(handler: BaseHTTPRequestHandler) -> None:
        sent = handler.rfile.read(int(handler.headers["Content-Length"]))
        if seen is not None:
            seen.append((handler.headers["Authorization"], sent))
        reply(handler, body if isinstance(body, bytes) else json.dumps(body).encode(), status)

    return answer


def test_a_question_is_a_form_and_its_key_is_read_each_time(web: Web, tmp_path: Path) -> None:
    seen: list[tuple[str | None, bytes]] = []
    web.replies[PATH] = answering({"predictions": {}}, seen=seen)
    key_file = tmp_path / "inference"
    source = ServerSource(web.url + PATH, key_file)
    for key in ("one", "two"):
        key_file.write_text(key)
        source.ask(b"photo", Question(("width",), "Café", reader="builtin"), min_confidence=0.0, top_k=3)
    assert [key for key, _ in seen] == ["Bearer one", "Bearer two"]
    for part in (
        b'name="entity_name"',
        "Café".encode(),
        b'name="min_confidence"',
        b'name="top_k"',
        b"builtin",
        b"photo",
    ):
        assert part in seen[0][1]
    assert b"description" not in seen[0][1]


def test_without_a_file_the_key_is_of_the_environment(
    web: Web, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[tuple[str | None, bytes]] = []
    web.replies[PATH] = answering({"predictions": {}}, seen=seen)
    source = ServerSource(web.url + PATH, tmp_path / "none.json")
    source.ask(b"photo", Question())
    monkeypatch.setenv("RESFORMER_TOKEN", "secret")
    source.ask(b"photo", Question())
    assert [key for key, _ in seen] == [None, "Bearer secret"]


@pytest.mark.parametrize(
    ("body", "status", "message"),
    [
        (
            {"type": "BadRequest", "message": "unknown reader 'x'"},
            400,
            r"Unknown reader 'x'\. \(The server answered 400",
        ),
        ({"type": "InvalidKeyException", "message": "Token..."}, 400, "refuses the key. Name the file"),
        (b"", 413, "The photo is too large for the server"),
        (b"<html>", 404, r"is no Resformer server \(status 404\)"),
        (b"<html>", 200, r"is no Resformer server \(status 200\)"),
        ({"type": "ServiceUnavailable", "message": "the queue is full"}, 503, "The queue is full"),
    ],
)
def test_errors_are_sentences(web: Web, body: object, status: int, message: str) -> None:
    web.replies[PATH] = answering(body, status)
    with pytest.raises(SourceError, match=message) as error:
        ServerSource(web.url + PATH).ask(b"photo", Question())
    assert str(error.value)[0].isupper() and str(error.value).endswith((".", ")"))


def test_a_server_that_is_down_is_said(tmp_path: Path) -> None:
    source = ServerSource("http://127.0.0.1:9" + PATH)
    with pytest.raises(SourceError, match=r"does not answer.*Start it with `resformer serve --port 9`"):
        source.ask(b"photo", Question())
    shown = answer_photo(source, (), PHOTO, Question(), is_new=True)
    assert "does not answer" in shown["error"] and shown["photo"]["name"] == "x.jpg"
    sides = (Side(source, "crops"), Side(source, "ppocr"))
    assert "does not answer" in compare_photo(sides, (), PHOTO, ("a", "b"), is_new=False)["error"]


def test_a_broken_key_file_and_an_address_that_is_none_are_said(tmp_path: Path) -> None:
    (tmp_path / "key.json").write_text("{}")
    with pytest.raises(SourceError, match="is no key file"):
        ServerSource("http://127.0.0.1:9" + PATH, tmp_path / "key.json").ask(b"", Question())
    with pytest.raises(ValueError, match="--server ftp://x is no address"):
        ServerSource("ftp://x")


def test_a_fault_is_shown_and_its_traceback_printed(capsys: pytest.CaptureFixture[str]) -> None:
    @faults_shown
    def faulty() -> tuple[dict[str, object], None]:
        raise RuntimeError("boom")

    assert faulty() == ({"error": FAULT, "photo": False}, None)
    assert "RuntimeError: boom" in capsys.readouterr().err
