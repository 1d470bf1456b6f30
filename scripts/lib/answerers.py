"""What answers the questions of a scoring run: a network in this process, or a server."""

import json
import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol
from urllib.parse import urljoin

import requests

from resformer.model.errors import BadRequest, CorruptImage, ImageTooLarge, ResformerError, UnsupportedImage
from resformer.model.files.whole_file import UnusableFile
from resformer.scripts.lib.external_error import ExternalError
from resformer.scripts.lib.http_retry import RETRIED_STATUS, cause, retrying_session
from resformer.scripts.lib.photo_sources import PhotoError

if TYPE_CHECKING:
    from resformer.model.predictor import Predictor

__all__ = [
    "EXAMPLE_URL",
    "Answerer",
    "Answers",
    "EndpointError",
    "answerer_for",
    "endpoint",
    "in_process",
    "load_predictor",
]

Answers = dict[str, dict[str, Any]]
"""Entity name to the six keys of a prediction."""

Answerer = Callable[[bytes, Sequence[str], Mapping[str, str]], Answers]
"""A photo's bytes, names of entities and what else is known of the product (group_id, title, description), to answers.
Raises PhotoError where it is the photo's fault."""

EXAMPLE_URL = "http://127.0.0.1:8080/predictions/resformer"
INVALID_KEY = "InvalidKeyException"
ADDRESS_HINT = "; the address ends in /predictions/resformer"
PHOTO_FAULTS = {error.__name__ for error in (BadRequest, CorruptImage, ImageTooLarge, UnsupportedImage)}


# Waits a minute in all: a worker that was killed has started again by then.
ATTEMPTS, WAIT, TIMEOUT = 7, 1.0, 120.0
# What TorchServe answers where a photo, or one beside it in the batch, ended the worker.
WORKER_DIED = frozenset({500, 507})


class EndpointError(ExternalError):
    """The server cannot be used; the message says why."""


class _Result(Protocol):
    def as_dict(self) -> dict[str, Any]: ...


class _Predictor(Protocol):
    def predict(
        self,
        photo: bytes,
        entities: Sequence[str],
        *,
        group_id: str = ...,
        title: str = ...,
        description: str = ...,
        min_confidence: float | None = ...,
        assume_present: bool = ...,
    ) -> _Result: ...


def in_process(predictor: _Predictor, *, min_confidence: float | None = None, assume_present: bool = False) -> Answerer:
    """Answers by a `resformer.model.predictor.Predictor`, whose `predict` explains the options."""

    def answer(photo: bytes, entities: Sequence[str], about: Mapping[str, str]) -> Answers:
        try:
            result = predictor.predict(
                photo, entities, **about, min_confidence=min_confidence, assume_present=assume_present
            )
        except ResformerError as error:
            raise PhotoError(f"{type(error).__name__}: {error}") from error
        answers: Answers = result.as_dict()["predictions"]
        return answers

    return answer


def endpoint(
    url: str,
    *,
    reader: str | None,
    min_confidence: float | None = None,
    assume_present: bool = False,
    token: str = "",
    connections: int = 4,
) -> Answerer:
    """Answers by a server's predictions endpoint; raises EndpointError where it cannot be used.

    A server that is out of reach when this is called is an error at once; one that goes away later is waited for.

    Args:
        url: For example EXAMPLE_URL.
        reader: How the text of every photo is read; None leaves that to the server.
        min_confidence, assume_present: As those of Predictor.predict.
        token: The server's inference key, if it asks for one.
        connections: How many are kept open.
    """
    headers = {
        **({"X-Reader": reader} if reader else {}),
        **({"X-Min-Confidence": str(min_confidence)} if min_confidence is not None else {}),
        **({"X-Assume-Present": "true"} if assume_present else {}),
        **({"Authorization": f"Bearer {token}"} if token else {}),
    }
    _check_reachable(url, headers)
    session = retrying_session(attempts=ATTEMPTS, wait=WAIT, connections=connections)

    def post(photo: bytes, entities: Sequence[str], about: Mapping[str, str]) -> requests.Response:
        sent: dict[str, str | bytes] = {**headers, "X-Entity-Name": ", ".join(entities)}
        if group := about.get("group_id"):
            sent["X-Group-Id"] = " ".join(group.split()).encode()
        # A server's headers hold no long description, so text goes into a form.
        texts = {name: (None, text.encode(), "text/plain") for name, text in about.items() if name != "group_id"}
        try:
            if texts:
                form = {**texts, "image": ("photo", photo, "application/octet-stream")}
                return session.post(url, files=form, headers=sent, timeout=TIMEOUT)
            sent["Content-Type"] = "application/octet-stream"
            return session.post(url, data=photo, headers=sent, timeout=TIMEOUT)
        except (requests.ConnectionError, requests.Timeout) as error:
            raise EndpointError(f"{url}: no answer ({cause(error)}), {ATTEMPTS} times; see that it runs") from error
        except requests.RequestException as error:
            raise EndpointError(f"{url}: {error}") from error

    def answer(photo: bytes, entities: Sequence[str], about: Mapping[str, str]) -> Answers:
        if not photo:  # as the predictor says it; a server sees a request without a photo
            raise PhotoError("BadRequest: the photo is empty; send the bytes of an image file")
        response = post(photo, entities, about)
        status = response.status_code
        if status == 200:
            answers: Answers = response.json()["predictions"]
            return answers
        kind, message = _fault(response)
        if status in WORKER_DIED:
            raise PhotoError(f"the server answered {status}: {message}, {ATTEMPTS} times")
        if status in RETRIED_STATUS:
            raise EndpointError(f"{url}: the server answered {status}: {message}, {ATTEMPTS} times; see that it runs")
        if kind in PHOTO_FAULTS:
            raise PhotoError(f"{kind}: {message}")
        # TorchServe's front end refuses what is too large with an empty answer.
        if status == 413:
            raise PhotoError(f"ImageTooLarge: the server refuses {len(photo)} bytes")
        # A wrong key or address is no photo's fault, and would be the same for all of them.
        raise EndpointError(_refusal(url, status, kind, message))

    return answer


def answerer_for(
    *,
    weights: Path | None,
    schema: Path | None,
    reader: str | None,
    min_confidence: float | None,
    assume_present: bool,
    endpoint_url: str | None,
    token: str,
    key_file: Path | None,
    connections: int = 1,
    threads: int | None = None,
    device: str = "cpu",
) -> Answerer:
    """The server at `endpoint_url`, or without one the network in this process.

    Args:
        weights, schema: Files of the network in this process; None are the shipped ones.
        reader: How text is read; None is the default of the weights or of the server.
        min_confidence, assume_present: As those of Predictor.predict.
        token, key_file: The server's inference key, or TorchServe's file with it; $RESFORMER_TOKEN by default.
        connections: To the server.
        threads, device: Of the network in this process, as those of Predictor.load.

    Raises:
        UnusableFile: The network or the key file cannot be loaded.
        EndpointError: The server cannot be used.
        ValueError: Arguments exclude each other.
    """
    if endpoint_url:
        if weights:
            raise ValueError("--weights and --endpoint exclude each other: a server has its own weights")
        if not endpoint_url.startswith(("http://", "https://")):
            raise ValueError(f"--endpoint {endpoint_url} is no address; name it like {EXAMPLE_URL}")
        if token and key_file:
            raise ValueError("--token and --key-file exclude each other: either is the server's key")
        token = _key(key_file) if key_file else token or os.environ.get("RESFORMER_TOKEN", "")
        return endpoint(
            endpoint_url,
            reader=reader,
            min_confidence=min_confidence,
            assume_present=assume_present,
            token=token,
            connections=connections,
        )
    predictor = load_predictor(weights=weights, schema=schema, reader=reader, threads=threads, device=device)
    return in_process(predictor, min_confidence=min_confidence, assume_present=assume_present)


def load_predictor(
    *, weights: Path | None, schema: Path | None, reader: str | None, threads: int | None = None, device: str = "cpu"
) -> "Predictor":
    """The network in this process; the arguments are those of Predictor.load.

    Raises:
        UnusableFile: It cannot be loaded.
    """
    # Loads torch, which a run against a server need not wait for.
    from resformer.model.predictor import Predictor

    try:
        return Predictor.load(weights, schema=schema, reader=reader, threads=threads, device=device)
    except (OSError, ValueError) as error:
        raise UnusableFile(f"cannot load the network: {error}") from error


def _key(key_file: Path) -> str:
    try:
        return str(json.loads(key_file.read_text())["inference"]["key"])
    except OSError as error:
        raise UnusableFile(f"cannot read {key_file}: {error.strerror}") from error
    except (ValueError, KeyError, TypeError) as error:
        raise UnusableFile(
            f"{key_file} is not a key file of TorchServe, such as build/serve-8080/key_file.json"
        ) from error


def _check_reachable(url: str, headers: Mapping[str, str]) -> None:
    """Raises EndpointError where nothing answers at this address, or a server refuses the key."""
    try:
        response = requests.get(urljoin(url, "/ping"), headers=dict(headers), timeout=10.0)
    except requests.Timeout:  # It may be busy.
        return
    except requests.RequestException as error:
        raise EndpointError(
            f"{url}: no answer ({cause(error)}); see that the server runs, and on this port (`resformer status`)"
        ) from error
    kind, message = _fault(response)
    if kind == INVALID_KEY:
        raise EndpointError(_refusal(url, response.status_code, kind, message))


def _refusal(url: str, status: int, kind: str, message: str) -> str:
    hint = {
        INVALID_KEY: "; give its key: --key-file build/serve-PORT/key_file.json, --token or $RESFORMER_TOKEN",
        "MethodNotAllowedException": ADDRESS_HINT,
        "ModelNotFoundException": ADDRESS_HINT,
    }.get(kind, "")
    return f"{url}: the server answered {status} {kind}: {message}{hint}"


def _fault(response: requests.Response) -> tuple[str, str]:
    """Type and message of an error response, which may also come from a proxy and be no JSON."""
    try:
        body = response.json()
    except requests.JSONDecodeError:
        body = None
    if not isinstance(body, dict):
        return "", response.text[:200]
    return str(body.get("type", "")), str(body.get("message", ""))
