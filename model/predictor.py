"""Photos and questions in, validated answers out. Handler, scripts, evaluation and tests all come through here."""

import hashlib
import logging
import re
import threading
from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Unpack

import numpy as np
import torch
from safetensors import safe_open

from resformer import __version__
from resformer.model.errors import BadRequest
from resformer.model.images.line_segments import LineDrawing, find_line_drawing
from resformer.model.images.loading import MAX_PIXELS, LoadedPhoto, Photo, load_frame, load_photo
from resformer.model.inference.calibration import read_calibrations
from resformer.model.inference.checkpoint import DEFAULT_WEIGHTS, Checkpoint, load_checkpoint
from resformer.model.inference.inputs import Preprocessor
from resformer.model.inference.min_confidence import parse_min_confidence
from resformer.model.inference.row_predictor import AskedPage, RowPredictor
from resformer.model.inference.text_catalogue import TextCatalogue
from resformer.model.inference.tokenizer import Tokenizer
from resformer.model.ocr.line_directions import box_before_turns, quarter_turns
from resformer.model.ocr.page import Page
from resformer.model.ocr.readers import (
    DEFAULT_READER,
    BatchReader,
    NullReader,
    canonical_reader,
    make_reader,
    readers_for,
)
from resformer.model.photo_query import Options, Query, queries
from resformer.model.prediction import Result
from resformer.model.quantities.label_priors import LabelPriors
from resformer.model.quantities.quantity import Quantity
from resformer.model.runtime.batch_sizes import BatchSizes, batch_sizes_for
from resformer.model.runtime.measures import NETWORK, READER, timed
from resformer.model.runtime.stage_times import stage
from resformer.model.schema.schema import Entity, Schema

__all__ = ["FALLBACK_READER", "MAX_BATCH_PIXELS", "Predictor", "weights_version"]

FALLBACK_READER = "ppocr"
"""The default reader of weights that DEFAULT_READER does not work with."""
MAX_TEXT = 10_000  # characters of title and description
ROOM_AFTER_TURNS = 0.5  # for lines of a photo that is turned and read again: its first reading took time too
HALF_CHARACTER = re.compile("[\ud800-\udfff]")  # of JSON, which may have one half without the other
MAX_BATCH_PIXELS = 64_000_000
"""Photos that are answered together have no more in all, unless it is one: 3 bytes each."""

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class _LoadedQuery:
    """A query that can be answered.

    Attributes:
        photo: its pixels.
        entities: without repetitions. reader: one that there is.
        min_confidence: as it was parsed.
    """

    query: Query
    photo: LoadedPhoto
    entities: list[Entity]
    reader: str
    min_confidence: float | None


class Predictor:
    """Answers questions about photos. Safe to call from several threads; one photo or batch is answered at a time.

    Attributes:
        version: see weights_version.
        metadata: of the weights.
        schema: what can be asked.
        reader: the name of the default reader.
        readers: the names of all that work with these weights.
    """

    def __init__(
        self,
        checkpoint: Checkpoint,
        preprocessor: Preprocessor,
        *,
        version: str = __version__,
        reader: str | None,
        threads: int,
        device: str,
        max_pixels: int,
        texts: TextCatalogue | None = None,
        sizes: BatchSizes | None = None,
    ):
        self.version = version
        self.schema = preprocessor.schema
        self.metadata: Mapping[str, str] = checkpoint.metadata
        self.readers = readers_for(checkpoint.network)
        default = DEFAULT_READER if DEFAULT_READER in self.readers else FALLBACK_READER
        self.reader = canonical_reader(reader or default)
        self._network = checkpoint.network.to(device)
        self._preprocessor = preprocessor
        self._device = device
        self._threads = threads
        self._max_pixels = max_pixels
        self._texts = texts
        self._sizes = sizes or batch_sizes_for(device)
        self._made_readers: dict[str, BatchReader] = {}
        self.reader_for()
        self._rows = self._row_predictor()
        self._lock = threading.Lock()
        self._background = ThreadPoolExecutor(threads)
        self._loading = ThreadPoolExecutor(threads)

    @classmethod
    def load(
        cls,
        weights: Path | None = None,
        *,
        schema: Path | None = None,
        reader: str | None = None,
        threads: int | None = None,
        device: str = "cpu",
        max_pixels: int = MAX_PIXELS,
        texts: Path | None = None,
        sizes: BatchSizes | None = None,
    ) -> "Predictor":
        """Loads the shipped weights, or others.

        Examples:
            >>> Predictor.load().predict("photo.jpg").predictions["item_weight"].prediction  # doctest: +SKIP
            '500 gram'

        Args:
            weights: a checkpoint; None is the shipped one.
            schema: the file that the weights were trained for; None is the shipped one.
            reader: the default reader, one of READERS; None is DEFAULT_READER, or FALLBACK_READER where the weights
                have no text detector and recognizer.
            threads: of networks and reader; None keeps torch's own choice.
            device: where the network computes, as torch names it.
            max_pixels: larger photos are refused, see load_frame.
            texts: a catalogue of texts, see TextCatalogue.
            sizes: of the batches of `predict_many`; None: those that are fastest on the device.

        Raises:
            FileNotFoundError: there are no such weights, or there is no such schema.
            ValueError: the weights do not fit the schema, the texts do not fit the weights, or a file is broken.
        """
        if threads is not None:
            torch.set_num_threads(threads)
        tokenizer = Tokenizer(Schema.load(schema))
        checkpoint = load_checkpoint(weights or DEFAULT_WEIGHTS, tokenizer)
        version = weights_version(weights)
        catalogue = TextCatalogue.load(texts) if texts else None
        if catalogue and catalogue.weights_version != version:
            raise ValueError(f"{texts} was made with other weights; make it again with `resformer archive --texts`")
        return cls(
            checkpoint,
            Preprocessor(tokenizer.schema, tokenizer, LabelPriors.load()),
            version=version,
            reader=reader,
            threads=threads or torch.get_num_threads(),
            device=device,
            max_pixels=max_pixels,
            texts=catalogue,
            sizes=sizes,
        )

    @property
    def entities(self) -> tuple[Entity, ...]:
        """What these weights can answer, in the order of the schema."""
        return self.schema.entities if self._rows else ()

    def predict(
        self,
        photo: Photo,
        entities: Sequence[str] | None = None,
        *,
        title: str = "",
        description: str = "",
        group_id: str = "",
        reader: str | None = None,
        assume_present: bool = False,
        min_confidence: float | None = None,
        top_k: int = 0,
    ) -> Result:
        """Answers for one photo.

        Args:
            photo: see Photo. Files are turned upright by their EXIF orientation.
            entities: names to answer; none or empty = all.
            title: text that came with the photo; its quantities can be answers too.
            description: longer text that came with it.
            group_id: the public challenge's code for the kind of product.
            reader: one of `readers` instead of the default one.
            assume_present: whether the product is known to have the values that are asked for. An answer is then empty
                only where that is much likelier.
            min_confidence: 0 to 1: less confident answers are empty, and a path stops above a level of less. 0 gives
                the best guess about everything; None decides by what the weights are calibrated for.
            top_k: how many alternatives an answer has.

        Raises:
            ResformerError: the photo or the request cannot be used; nothing else was done.
            OSError: the path cannot be read.
        """
        query = Query(photo, entities, title, description, group_id, reader, assume_present, min_confidence, top_k)
        return self._answer([self._load(query)])[0]

    def predict_many(
        self, photos: Iterable[Photo | Query], entities: Sequence[str] | None = None, **options: Unpack[Options]
    ) -> Iterator[Result | Exception]:
        """The outcome of each of many photos, in their order: its Result, or the error that `predict` would raise.

        Photos are drawn and decoded as they are needed, and answered in batches, see BatchSizes: of at most
        `sizes.photos` photos and MAX_BATCH_PIXELS, so memory does not grow with their number. Answers are those of
        `predict`; where stages other than the writer compute batches, as on a GPU, confidences differ by 0.001 at most.

        Examples:
            >>> for outcome in Predictor.load().predict_many(["a.jpg", Query("b.jpg", ["width"])]):  # doctest: +SKIP
            ...     print(outcome if isinstance(outcome, Exception) else outcome.predictions)

        Args:
            photos: a Query stands for itself, without `entities` and `options`.
            entities: as that of `predict`, for all other photos.
            options: as those of `predict`, for all other photos.

        Raises:
            TypeError: this is one photo.
        """
        return self._outcomes(queries(photos, entities, **options))

    def _outcomes(self, asked: Iterable[Query]) -> Iterator[Result | Exception]:
        for batch in self._batches(asked):
            answered = iter(self._answer_batch([loaded for loaded in batch if isinstance(loaded, _LoadedQuery)]))
            for loaded in batch:
                yield next(answered) if isinstance(loaded, _LoadedQuery) else loaded

    def _batches(self, asked: Iterable[Query]) -> Iterator[list["_LoadedQuery | Exception"]]:
        """What is answered together, with the errors of what cannot be, in their order."""
        batch: list[_LoadedQuery | Exception] = []
        pixels = 0
        for loaded in self._loaded(asked):
            more = loaded.photo.pixels.size // 3 if isinstance(loaded, _LoadedQuery) else 0
            if batch and (len(batch) == self._sizes.photos or pixels + more > MAX_BATCH_PIXELS):
                yield batch
                batch, pixels = [], 0
            batch.append(loaded)
            pixels += more
        if batch:
            yield batch

    def _loaded(self, asked: Iterable[Query]) -> Iterator["_LoadedQuery | Exception"]:
        """Photos are decoded side by side, and a few ahead of the batch that is answered."""
        pending: deque[Future[_LoadedQuery]] = deque()
        for query in asked:
            pending.append(self._loading.submit(self._load, query))
            if len(pending) > self._threads:
                yield _outcome(pending.popleft())
        while pending:
            yield _outcome(pending.popleft())

    def _load(self, query: Query) -> _LoadedQuery:
        """Raises what `predict` raises."""
        min_confidence = parse_min_confidence(query.min_confidence)
        asked = [self.schema[name] for name in dict.fromkeys(query.entities or self.schema.names)]
        if self._rows is None:
            raise BadRequest(f"these weights do not answer {asked[0].name}: they hold no Resformer; train one")
        if len(query.title) + len(query.description) > MAX_TEXT:
            raise BadRequest(f"title and description have more than {MAX_TEXT} characters in all; send less of them")
        if HALF_CHARACTER.search(query.title) or HALF_CHARACTER.search(query.description):
            raise BadRequest("title or description has half a character, a lone surrogate; send whole characters")
        reader = canonical_reader(query.reader or self.reader)
        if reader not in self.readers:
            self.reader_for(reader)  # raises what is wrong with it
        with stage("decode"):
            photo = load_frame(query.photo, max_pixels=self._max_pixels)
        return _LoadedQuery(query, photo, asked, reader, min_confidence)

    def _answer_batch(self, loaded: Sequence[_LoadedQuery]) -> Sequence[Result | Exception]:
        if not loaded:
            return []
        try:
            return self._answer(loaded)
        except Exception as error:  # One photo of a batch must not fail the others.
            if len(loaded) == 1:
                return [error]
            logger.warning("a batch of %d photos failed and is answered photo by photo", len(loaded), exc_info=True)
        return [outcome for one in loaded for outcome in self._answer_batch([one])]

    def _answer(self, loaded: Sequence[_LoadedQuery]) -> list[Result]:
        """The answers about photos, through each stage together."""
        with self._lock:
            with timed(READER):
                pages = self._read(loaded)
                turns = [quarter_turns(page.lines) for page in pages]
                turned = [_turned(one, n) for one, n in zip(loaded, turns, strict=True)]
                doubtful = [one for one, n in zip(turned, turns, strict=True) if n]
                again = iter(self._read(doubtful, room=ROOM_AFTER_TURNS))
                pages = [next(again) if n else page for page, n in zip(pages, turns, strict=True)]
            asked = [
                AskedPage(
                    one.photo.pixels,
                    page,
                    one.entities,
                    title=one.query.title,
                    description=one.query.description,
                    assume_present=one.query.assume_present,
                    min_confidence=one.min_confidence,
                    top_k=one.query.top_k,
                )
                for one, page in zip(turned, pages, strict=True)
            ]
            with timed(NETWORK):
                results = self._results(asked)
        return [
            replace(_before_turns(result, n) if n else result, frame=one.photo.frame, frames=one.photo.frames)
            for one, result, n in zip(loaded, results, turns, strict=True)
        ]

    def predict_page(
        self,
        page: Page,
        entities: Sequence[Entity],
        *,
        image: np.ndarray | None = None,
        title: str = "",
        assume_present: bool = False,
        min_confidence: float | None = None,
        excluded_labels: Sequence[Quantity | None] | None = None,
        top_k: int = 0,
    ) -> Result:
        """Answers from text lines that were read before.

        Args:
            image: uint8 (H, W, 3); None answers from the words alone.
            title: text that came with the photo.
            assume_present, min_confidence: see `predict`.
            excluded_labels: see Preprocessor.sample.
            top_k: how many alternatives an answer has.
        """
        with self._lock:
            asked = AskedPage(
                image,
                page,
                entities,
                title=title,
                assume_present=assume_present,
                min_confidence=min_confidence,
                excluded_labels=excluded_labels,
                top_k=top_k,
            )
            return self._results([asked])[0]

    def _results(self, pages: Sequence[AskedPage]) -> list[Result]:
        assert self._rows is not None  # else there are no entities to ask for
        with torch.inference_mode():
            rows = self._rows(pages)
        return [Result(asked.page.width, asked.page.height, row) for asked, row in zip(pages, rows, strict=True)]

    def picture_features(self, photo: Photo) -> np.ndarray:
        """Features (size,) of a picture, by which a catalogue of texts compares it.

        Raises:
            OSError, ResformerError: see `predict`.
        """
        if self._rows is None:
            raise BadRequest("these weights describe no pictures: they hold no Resformer; train one")
        with self._lock, torch.inference_mode():
            return self._rows.picture_features(load_photo(photo, max_pixels=self._max_pixels))

    def reader_for(self, name: str | None = None) -> BatchReader:
        """The reader of this name, or the default one. Raises BadRequest: there is none."""
        name = canonical_reader(name or self.reader)
        if name not in self._made_readers:
            self._made_readers[name] = make_reader(name, self._network, self._device, self._threads, self._sizes)
        return self._made_readers[name]

    def _read(self, loaded: Sequence[_LoadedQuery], *, room: float = 1.0) -> list[Page]:
        """The text lines and line segments of each photo; `room` as BatchReader has it."""
        pages: dict[int, Page] = {}
        for name in dict.fromkeys(one.reader for one in loaded):
            reader = self.reader_for(name)
            chosen = [i for i, one in enumerate(loaded) if one.reader == name]
            images = [loaded[i].photo.pixels for i in chosen]
            # In the background, while the reader's threads wait for each other now and then: 8 ms of 17.
            drawings = (
                []
                if isinstance(reader, NullReader)
                else [self._background.submit(_line_drawing, image) for image in images]
            )
            for n, (i, image, lines) in enumerate(zip(chosen, images, reader.read_many(images, room), strict=True)):
                drawing = drawings[n].result() if drawings and lines else None
                pages[i] = Page(lines, image.shape[1], image.shape[0], drawing, loaded[i].query.group_id)
        return [pages[i] for i in range(len(loaded))]

    def _row_predictor(self) -> RowPredictor | None:
        network = self._network
        if network.resformer is None:
            return None
        return RowPredictor(
            network.resformer,
            self._preprocessor,
            read_calibrations(self.metadata),
            network.preset.image_size,
            self._device,
            self._threads,
            self._sizes,
            self._texts,
        )


def _line_drawing(image: np.ndarray) -> LineDrawing:
    with stage("draw"):
        return find_line_drawing(image)


def _outcome(pending: "Future[_LoadedQuery]") -> _LoadedQuery | Exception:
    try:
        return pending.result()
    except Exception as error:  # It stands in the place of its photo's answers.
        return error


def _turned(loaded: _LoadedQuery, turns: int) -> _LoadedQuery:
    """The query with its photo turned counter-clockwise by quarters."""
    if not turns:
        return loaded
    pixels = np.ascontiguousarray(np.rot90(loaded.photo.pixels, turns))
    return replace(loaded, photo=replace(loaded.photo, pixels=pixels))


def _before_turns(result: Result, turns: int) -> Result:
    """The answers about a turned photo with the size and the boxes of the photo before its turns."""
    width, height = (result.height, result.width) if turns % 2 else (result.width, result.height)
    predictions = {
        name: replace(p, evidence=p.evidence and box_before_turns(p.evidence, turns, width, height))
        for name, p in result.predictions.items()
    }
    return Result(width, height, predictions)


def weights_version(weights: Path | None = None) -> str:
    """The version that answers name: of the shipped weights the package's, of others their own.

    That is `version` of the file's metadata, or the first 8 digits of the file's SHA-256.

    Raises:
        OSError: The file cannot be read.
    """
    if weights is None or (DEFAULT_WEIGHTS.exists() and weights.exists() and weights.samefile(DEFAULT_WEIGHTS)):
        return __version__
    with safe_open(weights, framework="pt") as file:
        if version := (file.metadata() or {}).get("version"):
            return str(version)
    with open(weights, "rb") as data:
        return hashlib.file_digest(data, "sha256").hexdigest()[:8]
