"""A photo and questions in, validated answers out. Handler, scripts, evaluation and tests all come through here."""

import hashlib
import threading
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Final, NamedTuple

import numpy as np
import torch
from safetensors import safe_open
from torch import Tensor

from resformer import __version__
from resformer.model.errors import BadRequest
from resformer.model.images.line_segments import find_line_drawing
from resformer.model.images.loading import MAX_PIXELS, Photo, load_photo
from resformer.model.inference.abstention import apply_min_confidence, parse_min_confidence
from resformer.model.inference.attribute_decoding import MIN_LEVEL_PROBABILITY, AttributeAnswer
from resformer.model.inference.attribute_predictor import AttributePredictor
from resformer.model.inference.checkpoint import DEFAULT_WEIGHTS, Checkpoint, load_checkpoint
from resformer.model.inference.label_tokenizer import LabelTokenizer
from resformer.model.inference.quantity_decoding import EMPTY_MARGIN, ExclusivePair, QuantityAnswer, decode_quantities
from resformer.model.inference.quantity_inputs import ASSUME_PRESENT, QuantityExample, QuantityPreprocessor
from resformer.model.inference.quantity_ranker import QuantityRanker
from resformer.model.inference.tokenizer import Tokenizer
from resformer.model.networks.quantity_network import QuantityBatch
from resformer.model.ocr.page import Page
from resformer.model.ocr.readers import (
    DEFAULT_READER,
    NullReader,
    Reader,
    canonical_reader,
    make_reader,
    readers_for,
)
from resformer.model.prediction import Alternative, Prediction, Result
from resformer.model.quantities.candidates import group_equal_amounts
from resformer.model.quantities.label_priors import LabelPriors
from resformer.model.quantities.quantity import Quantity
from resformer.model.schema.schema import Entity, Schema
from resformer.model.schema.taxonomy import SEPARATOR

__all__ = ["FALLBACK_READER", "Predictor", "weights_version"]

FALLBACK_READER = "ppocr"
"""The default reader of weights that DEFAULT_READER does not work with."""
MAX_TEXT = 10_000  # characters of title and description


class Presumption(NamedTuple):
    """How far a product is presumed to have the values that are asked for.

    Attributes:
        assume_present: see QuantityPreprocessor.example.
        empty_margin: see decode_quantities.
    """

    assume_present: float
    empty_margin: float


# By `assume_present` of a request. The networks are tuned for one setting, so that both are answered alike.
PRESUMPTIONS: Final = {
    False: Presumption(ASSUME_PRESENT, EMPTY_MARGIN),
    True: Presumption(ASSUME_PRESENT, EMPTY_MARGIN),
}


class Predictor:
    """Answers questions about photos. Safe to call from several threads; one photo is answered at a time.

    Attributes:
        version: see weights_version.
        metadata: of the weights.
        reader: the name of the default reader. readers: the names of all that work with these weights.
    """

    def __init__(
        self,
        checkpoint: Checkpoint,
        preprocessor: QuantityPreprocessor,
        *,
        version: str = __version__,
        reader: str | None,
        threads: int,
        device: str,
        max_pixels: int,
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
        self._made_readers: dict[str, Reader] = {}
        self.reader_for()
        self._ranker: QuantityRanker | None = None
        self._attributes = self._attribute_predictor()
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
    ) -> "Predictor":
        """Loads the shipped weights, or others.

        >>> Predictor.load().predict("photo.jpg").predictions["item_weight"].prediction  # doctest: +SKIP
        '500 gram'

        Args:
            schema: the file that the weights were trained for; None is the shipped one.
            reader: the default reader, one of READERS; None is DEFAULT_READER, or FALLBACK_READER where the weights
                have no text detector and recognizer.
            threads: of networks and reader; None keeps torch's own choice.
            max_pixels: larger photos are refused.

        Raises:
            FileNotFoundError: there are no such weights, or there is no such schema.
            ValueError: the weights do not fit the schema, or a file is broken.
        """
        if threads is not None:
            torch.set_num_threads(threads)
        tokenizer = Tokenizer(Schema.load(schema))
        checkpoint = load_checkpoint(weights or DEFAULT_WEIGHTS, tokenizer)
        return cls(
            checkpoint,
            QuantityPreprocessor(tokenizer.schema, tokenizer, LabelPriors.load()),
            version=weights_version(weights),
            reader=reader,
            threads=threads or torch.get_num_threads(),
            device=device,
            max_pixels=max_pixels,
        ).optimize()

    def optimize(self) -> "Predictor":
        """Exports the quantity network to ONNX Runtime, on a CPU; takes two seconds, which pay off soon."""
        if torch.device(self._device).type == "cpu":
            self._ranker = QuantityRanker(self._network.quantities, self._preprocessor.sample(), self._threads)
        return self

    @property
    def entities(self) -> tuple[Entity, ...]:
        """What these weights can answer, in the order of the schema."""
        return self.schema.entities if self._attributes else self.schema.quantities

    def predict(
        self,
        photo: Photo,
        entities: Sequence[str] | None = None,
        *,
        title: str = "",
        description: str = "",
        group_id: str = "",
        reader: str | None = None,
        top_k: int = 0,
        min_confidence: float | None = None,
        assume_present: bool = False,
    ) -> Result:
        """Answers for one photo.

        Args:
            photo: see Photo. Files are turned upright by their EXIF orientation.
            entities: names to answer; none or empty = all that these weights can answer.
            title, description: text that came with the photo; its quantities can be answers too.
            group_id: the public challenge's code for the kind of product.
            reader: one of `readers` instead of the default one.
            top_k: how many alternatives an answer has.
            min_confidence: 0 to 1: less confident answers are empty, and a path stops above a level of less. 0 gives
                the best guess about everything; None decides by what scored best for each entity.
            assume_present: whether the product is known to have the values that are asked for. An answer is then empty
                only where that is much likelier than any value. The shipped weights answer as without it.

        Raises:
            ResformerError: the photo or the request cannot be used; nothing else was done.
            OSError: the path cannot be read.
        """
        min_confidence = parse_min_confidence(min_confidence)
        asked = [self.schema[name] for name in dict.fromkeys(entities or [entity.name for entity in self.entities])]
        if unanswerable := [entity.name for entity in asked if entity not in self.entities]:
            raise BadRequest(f"these weights do not answer {unanswerable[0]}; train their attributes")
        if len(title) + len(description) > MAX_TEXT:
            raise BadRequest(f"title and description have more than {MAX_TEXT} characters in all; send less of them")
        reader = canonical_reader(reader or self.reader)
        if reader not in self.readers:
            self.reader_for(reader)  # raises what is wrong with it
        image = load_photo(photo, max_pixels=self._max_pixels)
        with self._lock:
            quantities = [entity for entity in asked if entity.kind == "quantity"]
            answers: dict[str, Prediction] = {}
            if quantities:
                page = self._read(image, quantities, reader, group_id)
                # Three spaces apart, so that a number at a line's end finds no unit in the next one.
                text = "   ".join(part for field in (title, description) for part in field.splitlines())
                answers = self.predict_page(
                    page,
                    quantities,
                    text=text,
                    top_k=top_k,
                    min_confidence=min_confidence,
                    assume_present=assume_present,
                ).predictions
            if attributes := [entity for entity in asked if entity.kind != "quantity"]:
                answers |= self._predict_attributes(image, attributes, title, description, top_k, min_confidence)
        height, width = image.shape[:2]
        return Result(width, height, {entity.name: answers[entity.name] for entity in asked})

    def predict_page(
        self,
        page: Page,
        entities: Sequence[Entity],
        *,
        text: str = "",
        excluded_labels: Sequence[Quantity | None] | None = None,
        top_k: int = 0,
        min_confidence: float | None = None,
        assume_present: bool = False,
    ) -> Result:
        """Quantities from text lines that were read before.

        Args:
            text: title and description.
            excluded_labels: see QuantityPreprocessor.example.
            top_k, min_confidence, assume_present: see predict.
        """
        presumption = PRESUMPTIONS[assume_present]
        # Both of an exclusive pair are always asked, so that an answer never depends on what else a caller names.
        pairs = [pair for pair in self.schema.exclusive_pairs if any(e in entities for e in pair)]
        asked = [*entities, *dict.fromkeys(e for pair in pairs for e in pair if e not in entities)]
        excluded = [*(excluded_labels or [None] * len(entities)), *[None] * (len(asked) - len(entities))]
        example = self._preprocessor.example(
            page, asked, text=text, excluded_labels=excluded, assume_present=presumption.assume_present
        )
        exclusive_pairs = [
            ExclusivePair(asked.index(a), asked.index(b), group_equal_amounts(candidates))
            for a, b in pairs
            if (candidates := example.candidates[asked.index(a)])
        ]
        strings = [[str(c.quantity) for c in candidates] for candidates in example.candidates]
        with torch.inference_mode():
            batch = self._preprocessor.batch([example]).to(self._device)
            answers = decode_quantities(
                self._logits(batch),
                strings,
                exclusive_pairs=exclusive_pairs,
                temperature=float(self.metadata["temperature"]),
                empty_margin=presumption.empty_margin if min_confidence is None else float("inf"),
                top_k=top_k,
            )
        predictions = {
            entity.name: apply_min_confidence(
                _quantity_prediction(example, q, answer, top_k),
                min_confidence,
                empty_confidence=answer.empty_probability,
            )
            for q, (entity, answer) in enumerate(zip(entities, answers, strict=False))
        }
        return Result(page.width, page.height, predictions)

    def reader_for(self, name: str | None = None) -> Reader:
        """The reader of this name, or the default one. Raises BadRequest: there is none."""
        name = canonical_reader(name or self.reader)
        if name not in self._made_readers:
            self._made_readers[name] = make_reader(name, self._network, self._device, self._threads)
        return self._made_readers[name]

    def _read(self, image: np.ndarray, quantities: Sequence[Entity], reader_name: str, group_id: str) -> Page:
        """The text lines of a photo, and its line segments where a length is asked for."""
        reader = self.reader_for(reader_name)
        wanted = any(entity.is_length for entity in quantities) and not isinstance(reader, NullReader)
        # In the background, while the reader's threads wait for each other now and then: 8 ms of 17.
        pending = self._background.submit(find_line_drawing, image) if wanted else None
        lines = reader.read(image)
        drawing = pending.result() if pending and lines else None
        return Page(lines, image.shape[1], image.shape[0], drawing, group_id)

    def _logits(self, batch: QuantityBatch) -> Tensor:
        """Logits (Q, FIRST_CANDIDATE + C)."""
        if self._ranker:
            return self._ranker(batch)
        logits: Tensor = self._network.quantities(batch)
        return logits

    def _attribute_predictor(self) -> AttributePredictor | None:
        network = self._network
        if network.attributes is None:
            return None
        tokenizer = LabelTokenizer(self.schema, self._preprocessor.tokenizer)
        return AttributePredictor(network.attributes, tokenizer, network.preset.image_size, self._device, self._threads)

    def _predict_attributes(
        self,
        image: np.ndarray,
        entities: Sequence[Entity],
        title: str,
        description: str,
        top_k: int,
        min_confidence: float | None,
    ) -> dict[str, Prediction]:
        assert self._attributes is not None  # else there are no such entities
        # A choice among a tree's leaves and the tree's path are one answer.
        sources = {
            entity.name: self.schema[entity.labels_from] if entity.labels_from else entity for entity in entities
        }
        answers = self._attributes(
            image,
            list(dict.fromkeys(sources.values())),
            title=title,
            description=description,
            top_k=top_k,
            min_level_probability=MIN_LEVEL_PROBABILITY if min_confidence is None else min_confidence,
        )
        guesses = {e.name: _attribute_prediction(e, answers[sources[e.name].name], top_k) for e in entities}
        return {name: apply_min_confidence(guess, min_confidence) for name, guess in guesses.items()}


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


def _quantity_prediction(example: QuantityExample, q: int, answer: QuantityAnswer, top_k: int) -> Prediction:
    candidates = example.candidates[q]
    confidence = round(answer.probability, 4)
    strings = [("" if c is None else str(candidates[c].quantity), p) for c, p in answer.alternatives]
    alternatives = _alternatives(strings) if top_k else None
    if answer.candidate is None:
        return Prediction("", None, None, None, confidence, None, alternatives)
    quantity, box = candidates[answer.candidate].quantity, candidates[answer.candidate].box
    evidence = None if box is None else [round(v, 1) for v in box]
    return Prediction(str(quantity), quantity.value, quantity.unit, quantity.si(), confidence, evidence, alternatives)


def _attribute_prediction(entity: Entity, answer: AttributeAnswer, top_k: int) -> Prediction:
    alternatives = _alternatives(answer.alternatives) if top_k else None
    if not entity.labels_from:
        levels = list(answer.levels) or None
        return Prediction(answer.text, levels, None, None, round(answer.probability, 4), None, alternatives)
    # Of a path that stopped at a parent, the leaf that it stopped above is still the best label.
    label, probability = answer.leaf
    if alternatives:
        alternatives = [replace(a, prediction=a.prediction.rsplit(SEPARATOR, 1)[-1]) for a in alternatives]
    return Prediction(label, None, None, None, round(probability, 4), None, alternatives)


def _alternatives(pairs: Sequence[tuple[str, float]]) -> list[Alternative]:
    return [Alternative(text, round(probability, 4)) for text, probability in pairs]
