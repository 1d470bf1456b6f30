"""What answers the questions of a scoring run: a network in this process, or a server."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from resformer.client.address import DEFAULT_URL
from resformer.model.errors import ResformerError
from resformer.model.files.whole_file import UnusableFile
from resformer.scripts.lib.endpoint_pool import Answers, EndpointError, EndpointPool, endpoint_keys
from resformer.scripts.lib.photo_sources import PhotoError

if TYPE_CHECKING:
    from resformer.model.predictor import Predictor

__all__ = [
    "EXAMPLE_URL",
    "Answerer",
    "Answers",
    "EndpointError",
    "answerer_for",
    "endpoint_pool_for",
    "in_process",
    "load_predictor",
]

Answerer = Callable[[bytes, Sequence[str], Mapping[str, str]], Answers]
"""A photo's bytes, names of entities and what else is known of the product (group_id, title, description), to answers.
Raises PhotoError where it is the photo's fault."""

EXAMPLE_URL = DEFAULT_URL


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


def endpoint_pool_for(
    urls: Sequence[str],
    *,
    weights: Path | None = None,
    reader: str | None,
    min_confidence: float | None = None,
    assume_present: bool = False,
    token: str = "",
    key_files: Sequence[Path] = (),
    concurrency: int = 64,
) -> EndpointPool:
    """The servers at these addresses.

    Args:
        urls: For example EXAMPLE_URL.
        weights: None; a server has its own.
        reader: How the text of every photo is read; None leaves that to the server.
        min_confidence, assume_present: As those of Predictor.predict.
        token, key_files: See endpoint_keys.
        concurrency: Photos under way at each server, at most.

    Raises:
        ValueError: Arguments exclude each other, an address is none, or a key file is none.
        EndpointError: No server is there, or one refuses its key.
    """
    if weights:
        raise ValueError("--weights and --endpoint exclude each other: a server has its own weights")
    options = {"reader": reader, "min_confidence": min_confidence, "assume_present": assume_present}
    return EndpointPool(urls, endpoint_keys(token, key_files), options, concurrency=concurrency)


def answerer_for(
    *,
    weights: Path | None,
    schema: Path | None,
    reader: str | None,
    min_confidence: float | None,
    assume_present: bool,
    endpoints: Sequence[str] = (),
    token: str = "",
    key_files: Sequence[Path] = (),
) -> Answerer:
    """The servers at `endpoints`, or without one the network in this process.

    Args:
        weights, schema: Files of the network in this process; None are the shipped ones.
        reader: How text is read; None is the default of the weights or of the server.
        min_confidence, assume_present: As those of Predictor.predict.
        endpoints, token, key_files: As endpoint_pool_for.

    Raises:
        UnusableFile: The network cannot be loaded.
        EndpointError, ValueError: As endpoint_pool_for.
    """
    if endpoints:
        return endpoint_pool_for(
            endpoints,
            weights=weights,
            reader=reader,
            min_confidence=min_confidence,
            assume_present=assume_present,
            token=token,
            key_files=key_files,
        ).answer
    predictor = load_predictor(weights=weights, schema=schema, reader=reader)
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
