"""What answers the page: a server, or networks in this process."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol
from urllib.parse import urlsplit

import requests

from resformer.client.keys import Key
from resformer.model.errors import ResformerError
from resformer.scripts.lib.answerers import Answerer, endpoint_pool_for, in_process
from resformer.scripts.lib.external_error import ExternalError
from resformer.scripts.page.question import Question

if TYPE_CHECKING:
    from resformer.model.predictor import Predictor

__all__ = ["LocalSource", "ServerSource", "Source", "SourceError"]

READERS = ("crops", "ppocr", "builtin")
TIMEOUT = (5.0, 120.0)  # seconds to connect, and to wait for an answer
WRONG_KEY = "InvalidKeyException"


class SourceError(ExternalError):
    """The question gets no answer; the message says why and what to do, for the user of the page."""


class Source(Protocol):
    """Something that answers."""

    @property
    def name(self) -> str:
        """For people, where there are several."""
        ...

    @property
    def readers(self) -> tuple[str, ...]:
        """Those it reads with, its default first."""
        ...

    @property
    def url(self) -> str:
        """Of the predictions; "" in this process."""
        ...

    def ask(
        self, photo: bytes, question: Question, *, min_confidence: float | None = None, top_k: int = 0
    ) -> dict[str, Any]:
        """The keys of a server's answer; the options are those of Predictor.predict. Raises SourceError."""
        ...

    def answerer(self, *, reader: str, min_confidence: float | None, assume_present: bool) -> Answerer:
        """What answers a table. Raises EndpointError where a server cannot be used."""
        ...


class ServerSource:
    """A running server.

    Args:
        url: Of its predictions, such as `http://127.0.0.1:8080/predictions/resformer`.
        key_file: The file with its key, read for each question, since keys are changed while servers run.
            Where it is not there, $RESFORMER_TOKEN is the key.

    Raises:
        ValueError: The address is none.
    """

    readers = READERS

    def __init__(self, url: str, key_file: Path | None = None):
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise ValueError(f"--server {url} is no address; name it like http://127.0.0.1:8080/predictions/resformer")
        self.url = url
        self.name = parts.netloc.rpartition("@")[2]
        port = f" --port {parts.port}" if parts.port else ""
        self._start = f"resformer serve{port}"
        self._key_file = key_file
        self._session = requests.Session()
        # A proxy that the environment may name does not reach this machine.
        self._session.trust_env = parts.hostname not in ("127.0.0.1", "localhost", "::1")

    def ask(
        self, photo: bytes, question: Question, *, min_confidence: float | None = None, top_k: int = 0
    ) -> dict[str, Any]:
        """See Source."""
        fields = {**question.fields(), "top_k": str(top_k)}
        if min_confidence is not None:
            fields["min_confidence"] = str(min_confidence)
        form: dict[str, Any] = {name: (None, value.encode(), "text/plain") for name, value in fields.items()}
        form["image"] = ("photo", photo, "application/octet-stream")
        key = self._key()
        headers = {"Authorization": f"Bearer {key}"} if key else {}
        try:
            response = self._session.post(self.url, files=form, headers=headers, timeout=TIMEOUT)
        except requests.Timeout as error:
            raise SourceError(
                f"The server at {self.name} gave no answer in time. It may be busy: try again."
            ) from error
        except requests.RequestException as error:
            raise SourceError(
                f"The server at {self.name} does not answer ({_cause(error)}). Start it with `{self._start}`, or "
                "name another one: `resformer demo --server URL`."
            ) from error
        return self._answer(response)

    def answerer(self, *, reader: str, min_confidence: float | None, assume_present: bool) -> Answerer:
        """See Source."""
        return endpoint_pool_for(
            [self.url],
            reader=reader or None,
            min_confidence=min_confidence,
            assume_present=assume_present,
            token=self._key(),
        ).answer

    def _key(self) -> str:
        if self._key_file is None or not self._key_file.exists():
            return os.environ.get("RESFORMER_TOKEN", "")
        try:
            return Key(file=self._key_file).value
        except ValueError as error:
            raise SourceError(_sentence(str(error))) from error

    def _answer(self, response: requests.Response) -> dict[str, Any]:
        try:
            body = response.json()
        except requests.JSONDecodeError:
            body = None
        if response.status_code == 200 and isinstance(body, Mapping) and "predictions" in body:
            return dict(body)
        kind = str(body.get("type", "")) if isinstance(body, Mapping) else ""
        message = str(body.get("message", "")) if isinstance(body, Mapping) else ""
        if kind == WRONG_KEY:
            raise SourceError(
                f"The server at {self.name} refuses the key. Name the file with its key: `resformer demo --key-file "
                "build/serve-PORT/keys/inference`."
            )
        if response.status_code == 413 and not message:
            raise SourceError("The photo is too large for the server. Send a smaller one.")
        if message:
            raise SourceError(f"{_sentence(message)} (The server answered {response.status_code}.)")
        raise SourceError(
            f"What answers at {self.url} is no Resformer server (status {response.status_code}); the address ends in "
            "/predictions/resformer."
        )


class LocalSource:
    """A network in this process."""

    url = ""

    def __init__(self, predictor: "Predictor", name: str = "this process"):
        self.name = name
        self.readers = tuple(sorted(predictor.readers, key=lambda reader: reader != predictor.reader))
        self._predictor = predictor

    def ask(
        self, photo: bytes, question: Question, *, min_confidence: float | None = None, top_k: int = 0
    ) -> dict[str, Any]:
        """See Source."""
        try:
            result = self._predictor.predict(
                photo,
                question.entities,
                title=question.title,
                description=question.description,
                reader=question.reader or None,
                assume_present=question.assume_present,
                min_confidence=min_confidence,
                top_k=top_k,
            )
        except ResformerError as error:
            raise SourceError(_sentence(str(error))) from error
        return {"model": "resformer", "version": self._predictor.version, **result.as_dict()}

    def answerer(self, *, reader: str, min_confidence: float | None, assume_present: bool) -> Answerer:
        """See Source."""
        predictor = _WithReader(self._predictor, reader) if reader else self._predictor
        return in_process(predictor, min_confidence=min_confidence, assume_present=assume_present)


class _WithReader:
    """A predictor that reads with another reader than its default one."""

    def __init__(self, predictor: "Predictor", reader: str):
        self._predictor, self._reader = predictor, reader

    def predict(self, *arguments: Any, **options: Any) -> Any:
        return self._predictor.predict(*arguments, reader=self._reader, **options)


def _sentence(message: str) -> str:
    text = message[:1].upper() + message[1:]
    return text if text.endswith((".", "!", "?")) else f"{text}."


def _cause(error: requests.RequestException) -> str:
    """The kind of failure behind an exception of requests: `NewConnectionError`, `ReadTimeoutError`, ..."""
    inner = error.args[0] if error.args else error
    return type(getattr(inner, "reason", None) or inner).__name__
