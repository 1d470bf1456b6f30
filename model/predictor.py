"""Photo and questions in, validated answers out. Handler, scripts, evaluation and tests all come through here."""

import threading
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from resformer.model.errors import BadRequest
from resformer.model.images.line_segments import find_drawing
from resformer.model.images.loading import MAX_PIXELS
from resformer.model.images.loading import decode as decode_photo
from resformer.model.inference.attribute_predictor import Telling, Told
from resformer.model.inference.checkpoint import WEIGHTS, Weights, load_weights
from resformer.model.inference.decoding import EMPTY_MARGIN, Answer, Crossing, decode
from resformer.model.inference.label_tokenizer import LabelVocabulary
from resformer.model.inference.quantity_inputs import Example, Preprocessor
from resformer.model.inference.quantity_ranker import Choosing
from resformer.model.inference.tokenizer import Vocabulary
from resformer.model.networks.resformer import Inputs, Resformer
from resformer.model.ocr.page import Page
from resformer.model.ocr.readers import DEFAULT_READER, NoReader, Reader, make_reader, readers_for
from resformer.model.quantities.candidates import same_amounts
from resformer.model.quantities.label_priors import Priors
from resformer.model.quantities.quantity import Quantity
from resformer.model.schema.schema import Entity, Schema
from resformer.model.schema.taxonomy import SEPARATOR

MAX_TEXT = 10_000  # characters of title and description

__all__ = ["Alternative", "Prediction", "Predictor", "Result"]


@dataclass(frozen=True)
class Alternative:
    """Another answer that is possible, and how likely it is."""

    prediction: str
    confidence: float


@dataclass(frozen=True)
class Prediction:
    """One answer. `prediction` is the canonical string, empty where the photo does not show the value.

    Attributes:
        value: a number, `[low, high]` for a range, the levels of a path from its root; None without an answer and for
            other kinds.
        si: value and unit in SI, None without an answer.
        confidence: share of answers as sure as this one that are right, 0 to 1, as calibrated on photos that were
            held back from training; of a text the geometric mean of its tokens' probabilities.
        evidence: x0, y0, x1, y1 of where the answer was read, in pixels of the upright photo; None where it was not
            read but seen.
        alternatives: the likeliest quantities, labels or leaves, if they were asked for. A text has none.
    """

    prediction: str
    value: float | list[float] | list[str] | None
    unit: str | None
    si: dict[str, Any] | None
    confidence: float
    evidence: list[float] | None
    alternatives: list[Alternative] | None = None

    def as_dict(self) -> dict[str, Any]:
        """The keys of a response."""
        answer = asdict(self)
        if self.alternatives is None:
            del answer["alternatives"]
        return answer


@dataclass(frozen=True)
class Result:
    """The answers about one photo of `width` x `height` pixels."""

    width: int
    height: int
    predictions: dict[str, Prediction]

    def as_dict(self) -> dict[str, Any]:
        """The `image` and `predictions` parts of a response."""
        return {
            "image": {"width": self.width, "height": self.height},
            "predictions": {name: p.as_dict() for name, p in self.predictions.items()},
        }


class Predictor:
    """Answers questions about photos with one network. Safe to call from several threads, one at a time."""

    version = "1.0"

    def __init__(
        self,
        weights: Weights,
        preprocessor: Preprocessor,
        *,
        reader: str,
        threads: int,
        device: str,
        max_pixels: int,
        empty_margin: float = EMPTY_MARGIN,
    ):
        self.schema = preprocessor.schema
        self.metadata: Mapping[str, str] = weights.metadata
        self.reader = reader
        self._network = weights.network.to(device)
        self._preprocessor = preprocessor
        self._device = device
        self._threads = threads
        self._max_pixels = max_pixels
        self._empty_margin = empty_margin
        self.readers = readers_for(weights.network)
        self._readers: dict[str, Reader] = {}
        self.words_reader()
        self._choosing: Choosing | None = None
        self._telling = _telling(weights.network, self.schema, preprocessor.vocabulary, device, threads)
        self._lock = threading.Lock()
        self._aside = ThreadPoolExecutor(1)

    @property
    def entities(self) -> tuple[Entity, ...]:
        """What these weights can answer, in the order of the schema."""
        return self.schema.entities if self._telling else self.schema.quantities

    @classmethod
    def load(
        cls,
        weights: Path | None = None,
        *,
        entities: Path | None = None,
        reader: str = DEFAULT_READER,
        threads: int | None = None,
        device: str = "cpu",
        max_pixels: int = MAX_PIXELS,
        empty_margin: float = EMPTY_MARGIN,
    ) -> "Predictor":
        """Loads the shipped `small` network, or the one in `weights`.

        Args:
            entities: the schema that the weights were trained for; None is the shipped one.
            reader: who reads words where a request does not say, one of READERS.
            threads: of network and reader; None keeps torch's own choice.
            max_pixels: larger photos are refused.
            empty_margin: see model.inference.decoding.decode.
        """
        if threads is not None:
            torch.set_num_threads(threads)
        schema = Schema.load(entities)
        vocabulary = Vocabulary(schema)
        loaded = load_weights(weights or WEIGHTS / "small.safetensors", vocabulary)
        preprocessor = Preprocessor(schema, vocabulary, Priors.load())
        return cls(
            loaded,
            preprocessor,
            reader=reader,
            threads=threads or torch.get_num_threads(),
            device=device,
            max_pixels=max_pixels,
            empty_margin=empty_margin,
        ).prepare()

    def prepare(self) -> "Predictor":
        """Takes two seconds to make answers from words faster, on a processor; for who will give more than a few."""
        if torch.device(self._device).type == "cpu":
            self._choosing = Choosing(self._network, self._preprocessor.sample(), self._threads)
        return self

    def predict(
        self,
        photo: bytes,
        entities: Sequence[str] | None = None,
        *,
        title: str = "",
        description: str = "",
        group_id: str = "",
        reader: str | None = None,
        top: int = 0,
    ) -> Result:
        """Answers for one photo.

        Args:
            photo: the bytes of an image file.
            entities: names to answer; none or empty = all that these weights can answer.
            title, description: text that came with the photo; its quantities can be answers too.
            group_id: the public challenge's code for the kind of product; others are not known.
            reader: one of `readers` instead of the default one.
            top: how many alternatives every answer is given with.

        Raises: ResformerError: the photo or the request cannot be used; nothing else was done.
        """
        asked = [self.schema[name] for name in dict.fromkeys(entities or [entity.name for entity in self.entities])]
        if unanswerable := [entity.name for entity in asked if entity not in self.entities]:
            raise BadRequest(f"these weights do not answer {unanswerable[0]}; train them with `--products`")
        if len(title) + len(description) > MAX_TEXT:
            raise BadRequest(f"title and description have more than {MAX_TEXT} characters in all; send less of them")
        if reader and reader not in self.readers:
            self.words_reader(reader)  # says what is wrong with it
        image = decode_photo(photo, max_pixels=self._max_pixels)
        with self._lock:
            quantities = [entity for entity in asked if entity.kind == "quantity"]
            answers: dict[str, Prediction] = {}
            if quantities:
                page = self._read(image, quantities, reader or self.reader, group_id)
                # Three spaces apart, so that a number at a line's end finds no unit in the next one.
                text = "   ".join(part for field in (title, description) for part in field.splitlines())
                answers = self.answer(page, quantities, text=text, top=top).predictions
            if others := [entity for entity in asked if entity.kind != "quantity"]:
                answers |= self._tell(image, others, title, description, top)
        height, width = image.shape[:2]
        return Result(width, height, {entity.name: answers[entity.name] for entity in asked})

    def _read(self, image: np.ndarray, quantities: Sequence[Entity], reader: str, group_id: str) -> Page:
        """The print on a photo, and its strokes where a length is asked for."""
        words_reader = self.words_reader(reader)
        wanted = any(entity.is_length for entity in quantities) and not isinstance(words_reader, NoReader)
        # Looked for while the words are read, whose threads wait for each other now and then: 8 ms of 17.
        strokes = self._aside.submit(find_drawing, image) if wanted else None
        lines = words_reader.read(image)
        drawing = strokes.result() if strokes and lines else None
        return Page(lines, image.shape[1], image.shape[0], drawing, group_id)

    def _tell(
        self, image: np.ndarray, entities: Sequence[Entity], title: str, description: str, top: int
    ) -> dict[str, Prediction]:
        """Answers from the picture and the caller's text."""
        assert self._telling is not None  # else there are no such entities
        # A choice among a tree's leaves and the tree's path are one answer.
        sources = {entity.name: self.schema[entity.leaves_of] if entity.leaves_of else entity for entity in entities}
        told = self._telling(
            image, list(dict.fromkeys(sources.values())), title=title, description=description, top=top
        )
        return {entity.name: _as_prediction(entity, told[sources[entity.name].name], top) for entity in entities}

    def answer(
        self,
        page: Page,
        entities: Sequence[Entity],
        *,
        text: str = "",
        own_labels: Sequence[Quantity | None] | None = None,
        top: int = 0,
    ) -> Result:
        """Quantities from words that were read before.

        Args:
            text: title and description.
            own_labels: see Preprocessor.example.
            top: see predict.
        """
        # What is measured across something asked is asked too: an answer never depends on what else a caller names.
        pairs = [pair for pair in self.schema.crossing if any(e in entities for e in pair)]
        asked = [*entities, *dict.fromkeys(e for pair in pairs for e in pair if e not in entities)]
        own = [*(own_labels or [None] * len(entities)), *[None] * (len(asked) - len(entities))]
        example = self._preprocessor.example(page, asked, text=text, own_labels=own)
        crossing = [
            Crossing(asked.index(a), asked.index(b), same_amounts(found))
            for a, b in pairs
            if (found := example.candidates[asked.index(a)])
        ]
        strings = [[str(c.quantity) for c in found] for found in example.candidates]
        with torch.inference_mode():
            inputs = self._preprocessor.batch([example]).to(self._device)
            answers = decode(
                self._logits(inputs),
                strings,
                crossing=crossing,
                temperature=float(self.metadata["temperature"]),
                empty_margin=self._empty_margin,
                top=top,
            )
        predictions = {
            entity.name: self._prediction(example, q, answer, top)
            for q, (entity, answer) in enumerate(zip(entities, answers, strict=False))
        }
        return Result(page.width, page.height, predictions)

    def _logits(self, inputs: Inputs) -> Tensor:
        """Logits (Q, READ + C) of the answers."""
        if self._choosing:
            return self._choosing(inputs)
        logits: Tensor = self._network(inputs)
        return logits

    def _prediction(self, example: Example, q: int, answer: Answer, top: int) -> Prediction:
        quantity: Quantity | None = None
        box = None
        if answer.candidate is not None:
            candidate = example.candidates[q][answer.candidate]
            quantity, box = candidate.quantity, candidate.box
        confidence = round(answer.probability, 4)
        found = example.candidates[q]
        others = [("" if c is None else str(found[c].quantity), chance) for c, chance in answer.others]
        alternatives = _alternatives(others) if top else None
        if quantity is None:
            return Prediction("", None, None, None, confidence, None, alternatives)
        evidence = None if box is None else [round(v, 1) for v in box]
        return Prediction(
            str(quantity), quantity.value, quantity.unit, quantity.si(), confidence, evidence, alternatives
        )

    def words_reader(self, name: str | None = None) -> Reader:
        """The reader of this name, or the default one, for who wants words alone. Raises BadRequest: unknown."""
        name = name or self.reader
        if name not in self._readers:
            self._readers[name] = make_reader(name, self._network, self._device, self._threads)
        return self._readers[name]


def _telling(network: Resformer, schema: Schema, vocabulary: Vocabulary, device: str, threads: int) -> Telling | None:
    if network.catalogue is None:
        return None
    side = network.preset.image_size
    return Telling(network.catalogue, LabelVocabulary(schema, vocabulary), side, device, threads)


def _as_prediction(entity: Entity, told: Told, top: int) -> Prediction:
    alternatives = _alternatives(told.alternatives) if top else None
    confidence = round(told.probability, 4)
    if not entity.leaves_of:
        levels = list(told.levels) or None
        return Prediction(told.text, levels, None, None, confidence, None, alternatives)
    # Of a path that stopped at a parent, the leaf that it stopped above is still the best label.
    label, chance = told.leaf
    if alternatives:
        alternatives = [replace(a, prediction=a.prediction.rsplit(SEPARATOR, 1)[-1]) for a in alternatives]
    return Prediction(label, None, None, None, round(chance, 4), None, alternatives)


def _alternatives(pairs: Sequence[tuple[str, float]]) -> list[Alternative]:
    return [Alternative(text, round(chance, 4)) for text, chance in pairs]
