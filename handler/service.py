"""Answers batches of requests; an error affects its own request only."""

import gc
import json
import logging
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from http import HTTPStatus
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from PIL import Image, ImageDraw, ImageFont

from resformer.handler.forms import MULTIPART, URL_ENCODED
from resformer.handler.request import MAX_BYTES, Request, parse_request
from resformer.handler.returned_memory import ReturnedMemory
from resformer.handler.settings import Settings
from resformer.handler.threads import equal_part
from resformer.handler.worker_metrics import INTERNAL_ERROR, WorkerMetrics, start_emitting
from resformer.model.errors import ResformerError
from resformer.model.ocr.readers import canonical_reader
from resformer.model.photo_query import Query
from resformer.model.predictor import Predictor
from resformer.model.schema.taxonomy import SEPARATOR

if TYPE_CHECKING:
    from resformer.handler.photo_links import PhotoLinks

__all__ = ["MODEL_NAME", "Service"]

MODEL_NAME = "resformer"
# Counting the other workers takes a few milliseconds, so it is not done for every photo.
CHECK_SECONDS = 2.0
# Characters, each at most twelve bytes of the reply. TorchServe ends a worker whose reply is too long for it.
MAX_MESSAGE = 20_000

Asked = Request | dict[str, Any] | Exception
"""What one row asks; the answer of a call that describes the worker; or what is wrong with the row."""

logger = logging.getLogger(__name__)


class Service:
    """One worker: a predictor, and the threads it may use.

    Args:
        load: Makes a predictor for a number of threads.
        threads: The number of threads that the worker may use now; asked again while it serves.
        max_bytes: Larger photos are refused.
        links: Fetches photos that are named by a URL; None refuses them.

    Attributes:
        metrics: What it counts about its answers.
    """

    def __init__(
        self,
        load: Callable[[int], Predictor],
        threads: Callable[[], int],
        max_bytes: int = MAX_BYTES,
        links: "PhotoLinks | None" = None,
    ):
        self._load = load
        self._allowed_threads = threads
        self._max_bytes = max_bytes
        self._links = links
        self._threads = 0
        self._checked_at = 0.0
        self._predictor: Predictor | None = None
        self.metrics = WorkerMetrics(self._current_predictor().readers)
        self._memory = ReturnedMemory()

    @classmethod
    def from_context(cls, context: Any) -> "Service":
        """The worker that TorchServe's context describes.

        Raises:
            ValueError: model-config.yaml has errors; the message names all of them.
        """
        settings = Settings.from_config((context.model_yaml_config or {}).get("handler"))
        archive = Path(context.system_properties["model_dir"])
        gpu = context.system_properties.get("gpu_id")
        # TorchServe counts cards itself, and gives -1 or nothing where it finds none.
        device = f"cuda:{gpu}" if gpu is not None and gpu >= 0 and torch.cuda.is_available() else "cpu"

        def load(threads: int) -> Predictor:
            return Predictor.load(
                archive / settings.weights if settings.weights else None,
                schema=archive / settings.schema_file if settings.schema_file else None,
                reader=settings.reader,
                threads=threads,
                device=device,
                max_pixels=settings.max_pixels,
                texts=archive / settings.texts if settings.texts else None,
            )

        service = cls(load, lambda: settings.num_threads or equal_part(), settings.max_bytes, _links(settings))
        if context.metrics is not None:
            start_emitting(service.metrics, context.metrics)
        return service

    def handle(self, data: Sequence[Mapping[str, Any]], context: Any) -> list[str]:
        """Answers each row of a batch by its own JSON text and HTTP status. Photos of a batch are answered together."""
        started = time.monotonic()
        requests = [self._asked(row, context.get_all_request_header(i)) for i, row in enumerate(data)]
        asked = [
            _query(request) if isinstance(request, Request) else request for request in self._with_photos(requests)
        ]
        outcomes = iter(self._outcomes([query for query in asked if isinstance(query, Query)]))
        replies = []
        for i, query in enumerate(asked):
            outcome = next(outcomes) if isinstance(query, Query) else query
            status, reply = self._reply(outcome, _request_id(context, i))
            # TorchServe counts the characters of these two but sends their bytes, so both stay ASCII.
            context.set_response_content_type(i, "application/json")
            context.set_response_status(code=status.value, phrase=status.phrase, idx=i)
            replies.append(reply)
        self.metrics.count_batch(time.monotonic() - started)
        self._memory.give_back()
        return replies

    def describe(self) -> dict[str, Any]:
        """The entities that this worker answers, and its settings."""
        predictor = self._current_predictor()
        return {
            "model": MODEL_NAME,
            "version": predictor.version,
            "preset": predictor.metadata["preset"],
            "reader": predictor.reader,
            "readers": list(predictor.readers),
            "threads": self._threads,
            "entities": [
                {
                    "name": entity.name,
                    "kind": entity.kind,
                    "units": list(entity.units),
                    "labels": list(entity.labels) or [SEPARATOR.join(path) for path in entity.paths],
                }
                for entity in predictor.entities
            ],
        }

    def _asked(self, row: Mapping[str, Any], headers: Mapping[str, Any]) -> Asked:
        try:
            if _is_describe_call(row, headers):
                return self.describe()
            request = parse_request(row, headers, max_bytes=self._max_bytes, links=self._links is not None)
            self._current_predictor()  # where it cannot be loaded now, the next row tries again
        except Exception as error:  # Raised further it would fail the whole batch.
            return error
        return request

    def _with_photos(self, requests: Sequence[Asked]) -> list[Asked]:
        """The same with the photos of all links, which are fetched at once, or why there is none."""
        links = [request.image_url for request in requests if isinstance(request, Request) and request.image_url]
        if not links or self._links is None:
            return list(requests)
        photos: Iterator[bytes | Exception]
        try:
            photos = iter(self._links.fetch(links))
        except Exception as error:
            photos = iter([error] * len(links))
        return [
            _with_photo(request, next(photos)) if isinstance(request, Request) and request.image_url else request
            for request in requests
        ]

    def _outcomes(self, asked: Sequence[Query]) -> Sequence[dict[str, Any] | Exception]:
        """The answer about each photo, or its error."""
        if not asked:
            return []
        try:
            predictor = self._current_predictor()
        except Exception as error:
            return [error] * len(asked)
        with self.metrics.measuring():
            found = list(predictor.predict_many(asked))
        kinds = {entity.name: entity.kind for entity in predictor.entities}
        for query, outcome in zip(asked, found, strict=True):
            if not isinstance(outcome, Exception):
                self.metrics.count_photo(outcome, kinds, canonical_reader(query.reader or predictor.reader))
        return [
            outcome
            if isinstance(outcome, Exception)
            else {"model": MODEL_NAME, "version": predictor.version, **outcome.as_dict()}
            for outcome in found
        ]

    def _reply(self, outcome: dict[str, Any] | Exception, request_id: str | None) -> tuple[HTTPStatus, str]:
        try:
            if isinstance(outcome, Exception):
                raise outcome
            return HTTPStatus.OK, json.dumps(outcome, allow_nan=False)
        except ResformerError as error:
            self.metrics.count_error(error)
            return _failure(HTTPStatus(error.status), type(error).__name__, str(error))
        except Exception as error:  # Raised further it would fail the whole batch.
            self.metrics.count_error(error)
            logger.exception("request %s failed", request_id)
            message = f"the server failed on this request; its log has the reason under {request_id}"
            return _failure(HTTPStatus.INTERNAL_SERVER_ERROR, INTERNAL_ERROR, message)

    def _current_predictor(self) -> Predictor:
        """The predictor, loaded again where the number of threads has changed.

        Scaled from one to two, the first worker gives up half of the cores. Two predictors are never in memory: the
        old one is dropped first. A load that fails is an error of this request, and is tried again by the next one.
        """
        now = time.monotonic()
        if self._predictor is not None and now - self._checked_at < CHECK_SECONDS:
            return self._predictor
        self._checked_at = now
        threads = self._allowed_threads()
        if self._predictor is None or threads != self._threads:
            self._predictor = None
            gc.collect()
            self._predictor = _warmed_up(self._load(threads))
            self._threads = threads
        return self._predictor


def _request_id(context: Any, i: int) -> str:
    """The one that the proxy logs and answers; TorchServe has its own."""
    headers = context.get_all_request_header(i)
    return next((str(headers[name]) for name in headers if name.lower() == "x-request-id"), context.get_request_id(i))


def _links(settings: Settings) -> "PhotoLinks | None":
    if settings.image_url is None:
        return None
    # What it imports costs memory that only those need who fetch photos.
    from resformer.handler.photo_links import PhotoLinks

    return PhotoLinks(settings.image_url, settings.max_bytes)


def _with_photo(request: Request, photo: bytes | Exception) -> Asked:
    return photo if isinstance(photo, Exception) else replace(request, photo=photo)


def _query(request: Request) -> Query:
    return Query(
        request.photo,
        request.entities,
        title=request.title,
        description=request.description,
        group_id=request.group_id,
        reader=request.reader or None,
        top_k=request.top_k or 0,
        min_confidence=request.min_confidence,
        assume_present=request.assume_present or False,
    )


def _is_describe_call(row: Mapping[str, Any], headers: Mapping[str, Any]) -> bool:
    """Whether this is GET /models/resformer?customized=true, for which TorchServe sets the header `describe`.

    A client may send that header too, so the rest of the call decides: only the management call has no fields at all
    and no body. A prediction has a body, though perhaps an empty one, or is a form, perhaps an empty one.
    """
    types = [str(value) for name, value in headers.items() if name.lower() == "content-type"]
    is_form = any(value.lower().startswith((MULTIPART, URL_ENCODED)) for value in types)
    return not row and not is_form and headers.get("describe") == "True"


def _warmed_up(predictor: Predictor) -> Predictor:
    """After a first photo, which costs more than those after it. A worker that cannot answer fails here, at load."""
    predictor.predict(_photo_with_text())
    return predictor


def _photo_with_text() -> bytes:
    image = Image.new("RGB", (320, 320), "white")
    ImageDraw.Draw(image).text((40, 120), "500 gram", "black", ImageFont.load_default(48))
    file = BytesIO()
    image.save(file, "JPEG")
    return file.getvalue()


def _failure(status: HTTPStatus, kind: str, message: str) -> tuple[HTTPStatus, str]:
    return status, json.dumps({"code": status.value, "type": kind, "message": message[:MAX_MESSAGE]})
