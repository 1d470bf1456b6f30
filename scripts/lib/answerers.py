"""Who answers the questions of a scoring run: a network in this process, or a server."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol

import requests

from resformer.model.errors import BadRequest, CorruptImage, ImageTooLarge, ResformerError, UnsupportedImage
from resformer.scripts.lib.photo_sources import PhotoError
from resformer.scripts.lib.retry import RETRIED_STATUS, Transient, with_retries

__all__ = ["Answerer", "Answers", "EndpointError", "endpoint", "in_process"]

Answers = dict[str, dict[str, Any]]
"""Entity name to the six keys of a prediction."""

Answerer = Callable[[bytes, Sequence[str], Mapping[str, str]], Answers]
"""A photo's bytes, names of entities and what else is known of the product (group_id, title, description), to answers.
Raises PhotoError where it is the photo's fault."""

PHOTO_FAULTS = {error.__name__ for error in (BadRequest, CorruptImage, ImageTooLarge, UnsupportedImage)}


# Waits a minute in all: a worker that was killed has started again by then.
ATTEMPTS, WAIT, TIMEOUT = 7, 1.0, 120.0


class EndpointError(Exception):
    """The server cannot be used; the message says why."""


# What TorchServe answers where a photo, or one beside it in the batch, ended the worker.
WORKER_DIED = frozenset({500, 507})


class _WorkerDied(Transient):
    pass


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
    ) -> _Result: ...


def in_process(predictor: _Predictor) -> Answerer:
    """Answers by a `resformer.model.predictor.Predictor`."""

    def answer(photo: bytes, entities: Sequence[str], about: Mapping[str, str]) -> Answers:
        try:
            answers: Answers = predictor.predict(photo, entities, **about).as_dict()["predictions"]
        except ResformerError as error:
            raise PhotoError(f"{type(error).__name__}: {error}") from error
        return answers

    return answer


def endpoint(url: str, *, reader: str, token: str = "", connections: int = 4) -> Answerer:
    """Answers by a server's predictions endpoint; raises EndpointError where it cannot be used.

    Args:
        url: For example http://127.0.0.1:8080/predictions/resformer.
        reader: Who reads the words of every photo.
        token: The server's inference key, if it asks for one.
        connections: How many are kept open.
    """
    session = requests.Session()
    adapter = requests.adapters.HTTPAdapter(pool_maxsize=connections)
    session.mount("http://", adapter)
    session.mount("https://", adapter)
    headers = {"X-Reader": reader}
    if token:
        headers["Authorization"] = f"Bearer {token}"

    def post(photo: bytes, entities: Sequence[str], about: Mapping[str, str]) -> requests.Response:
        asked: dict[str, str | bytes] = {**headers, "X-Entity-Name": ", ".join(entities)}
        if group := about.get("group_id"):
            asked["X-Group-Id"] = " ".join(group.split()).encode()
        # A server's headers hold no long description, so text goes into a form.
        texts = {name: (None, text.encode(), "text/plain") for name, text in about.items() if name != "group_id"}
        try:
            if texts:
                form = {**texts, "image": ("photo", photo, "application/octet-stream")}
                response = session.post(url, files=form, headers=asked, timeout=TIMEOUT)
            else:
                asked["Content-Type"] = "application/octet-stream"
                response = session.post(url, data=photo, headers=asked, timeout=TIMEOUT)
        except (requests.ConnectionError, requests.Timeout) as error:
            raise Transient(f"no answer ({type(error).__name__})") from error
        except requests.RequestException as error:
            raise EndpointError(f"{url}: {error}") from error
        if response.status_code in RETRIED_STATUS:
            failure = _WorkerDied if response.status_code in WORKER_DIED else Transient
            raise failure(f"the server answered {response.status_code}: {_fault(response)[1]}")
        return response

    def answer(photo: bytes, entities: Sequence[str], about: Mapping[str, str]) -> Answers:
        try:
            response = with_retries(lambda: post(photo, entities, about), attempts=ATTEMPTS, wait=WAIT)
        except _WorkerDied as error:
            raise PhotoError(f"{error}, {ATTEMPTS} times") from error
        except Transient as error:
            raise EndpointError(f"{url}: {error}, {ATTEMPTS} times; see that it runs") from error
        if response.status_code == 200:
            answers: Answers = response.json()["predictions"]
            return answers
        kind, message = _fault(response)
        if kind in PHOTO_FAULTS:
            raise PhotoError(f"{kind}: {message}")
        # The server's front end itself refuses what is too long, without a word.
        if response.status_code == 413:
            raise PhotoError(f"ImageTooLarge: the server refuses {len(photo)} bytes")
        # A wrong token or address is no photo's fault, and would be the same for all of them.
        raise EndpointError(f"{url}: the server answered {response.status_code} {kind}: {message}")

    return answer


def _fault(response: requests.Response) -> tuple[str, str]:
    """Type and message of an error response, which may also come from a proxy and be no JSON."""
    try:
        body = response.json()
    except requests.JSONDecodeError:
        body = None
    if not isinstance(body, dict):
        return "", response.text[:200]
    return str(body.get("type", "")), str(body.get("message", ""))
