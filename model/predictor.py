"""A photo and questions in, validated answers out. Handler, scripts, evaluation and tests all come through here."""

import hashlib
import threading
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors import safe_open

from resformer import __version__
from resformer.model.errors import BadRequest
from resformer.model.images.line_segments import find_line_drawing
from resformer.model.images.loading import MAX_PIXELS, Photo, load_frame, load_photo
from resformer.model.inference.calibration import read_calibrations
from resformer.model.inference.checkpoint import DEFAULT_WEIGHTS, Checkpoint, load_checkpoint
from resformer.model.inference.inputs import Preprocessor
from resformer.model.inference.min_confidence import parse_min_confidence
from resformer.model.inference.row_predictor import RowPredictor
from resformer.model.inference.text_catalogue import TextCatalogue
from resformer.model.inference.tokenizer import Tokenizer
from resformer.model.ocr.line_directions import box_before_turns, quarter_turns
from resformer.model.ocr.page import Page
from resformer.model.ocr.readers import (
    DEFAULT_READER,
    NullReader,
    Reader,
    canonical_reader,
    make_reader,
    readers_for,
)
from resformer.model.prediction import Result
from resformer.model.quantities.label_priors import LabelPriors
from resformer.model.quantities.quantity import Quantity
from resformer.model.schema.schema import Entity, Schema

__all__ = ["FALLBACK_READER", "Predictor", "weights_version"]

FALLBACK_READER = "ppocr"
"""The default reader of weights that DEFAULT_READER does not work with."""
MAX_TEXT = 10_000  # characters of title and description


class Predictor:
    """Answers questions about photos. Safe to call from several threads; one photo is answered at a time.

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
        self._made_readers: dict[str, Reader] = {}
        self.reader_for()
        self._rows = self._row_predictor()
        self._lock = threading.Lock()
        self._background = ThreadPoolExecutor(1)

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
            max_pixels: larger photos are refused.
            texts: a catalogue of texts, see TextCatalogue.

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
        min_confidence = parse_min_confidence(min_confidence)
        asked = [self.schema[name] for name in dict.fromkeys(entities or self.schema.names)]
        if self._rows is None:
            raise BadRequest(f"these weights do not answer {asked[0].name}: they hold no Resformer; train one")
        if len(title) + len(description) > MAX_TEXT:
            raise BadRequest(f"title and description have more than {MAX_TEXT} characters in all; send less of them")
        reader = canonical_reader(reader or self.reader)
        if reader not in self.readers:
            self.reader_for(reader)  # raises what is wrong with it
        loaded = load_frame(photo, max_pixels=self._max_pixels)
        with self._lock:
            pixels = loaded.pixels
            page = self._read(pixels, reader, group_id)
            turns = quarter_turns(page.lines)
            if turns:
                pixels = np.ascontiguousarray(np.rot90(pixels, turns))
                page = self._read(pixels, reader, group_id)
            answers = self._answer(
                pixels,
                page,
                asked,
                title=title,
                description=description,
                assume_present=assume_present,
                min_confidence=min_confidence,
                top_k=top_k,
            )
        answers = _before_turns(answers, turns) if turns else answers
        return replace(answers, frame=loaded.frame, frames=loaded.frames)

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
            return self._answer(
                image,
                page,
                entities,
                title=title,
                assume_present=assume_present,
                min_confidence=min_confidence,
                excluded_labels=excluded_labels,
                top_k=top_k,
            )

    def _answer(self, image: np.ndarray | None, page: Page, entities: Sequence[Entity], **options: Any) -> Result:
        assert self._rows is not None  # else there are no entities to ask for
        with torch.inference_mode():
            return Result(page.width, page.height, self._rows(image, page, entities, **options))

    def picture_features(self, photo: Photo) -> np.ndarray:
        """Features (size,) of a picture, by which a catalogue of texts compares it.

        Raises:
            OSError, ResformerError: see `predict`.
        """
        if self._rows is None:
            raise BadRequest("these weights describe no pictures: they hold no Resformer; train one")
        with self._lock, torch.inference_mode():
            return self._rows.picture_features(load_photo(photo, max_pixels=self._max_pixels))

    def reader_for(self, name: str | None = None) -> Reader:
        """The reader of this name, or the default one. Raises BadRequest: there is none."""
        name = canonical_reader(name or self.reader)
        if name not in self._made_readers:
            self._made_readers[name] = make_reader(name, self._network, self._device, self._threads)
        return self._made_readers[name]

    def _read(self, image: np.ndarray, reader_name: str, group_id: str) -> Page:
        """The text lines and line segments of a photo."""
        reader = self.reader_for(reader_name)
        # In the background, while the reader's threads wait for each other now and then: 8 ms of 17.
        pending = None if isinstance(reader, NullReader) else self._background.submit(find_line_drawing, image)
        lines = reader.read(image)
        drawing = pending.result() if pending and lines else None
        return Page(lines, image.shape[1], image.shape[0], drawing, group_id)

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
            self._texts,
        )


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
