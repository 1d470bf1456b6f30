"""Photo and questions in, validated answers out. Handler, scripts, evaluation and tests all come through here."""

import threading
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from model.candidates import same_amounts
from model.decoding import EMPTY_MARGIN, Answer, Crossing, Steps, decode
from model.drawing import find_drawing
from model.errors import BadRequest
from model.first_step import FirstStep
from model.grammar import CandidateGrammar, Grammar, QuantityGrammar
from model.inputs import Example, Preprocessor
from model.network import Inputs
from model.page import Page
from model.photo import MAX_PIXELS
from model.photo import decode as decode_photo
from model.priors import Priors
from model.quantity import Quantity
from model.readers import DEFAULT_READER, NoReader, Reader, make_reader, readers_for
from model.schema import Entity, Schema
from model.vocabulary import Vocabulary
from model.weights import WEIGHTS, Weights, load_weights

MAX_TEXT = 10_000  # characters of title and description

__all__ = ["Prediction", "Predictor", "Result"]


@dataclass(frozen=True)
class Prediction:
    """One answer. `prediction` is the canonical string, empty where the photo does not show the value.

    Attributes:
        value: a number, `[low, high]` for a range, None without an answer.
        si: value and unit in SI, None without an answer.
        confidence: share of answers as sure as this one that are right, 0 to 1, as calibrated on photos that were
            held back from training.
        evidence: x0, y0, x1, y1 of where the answer was read, in pixels of the upright photo.
    """

    prediction: str
    value: float | list[float] | None
    unit: str | None
    si: dict[str, Any] | None
    confidence: float
    evidence: list[float] | None


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
            "predictions": {name: asdict(p) for name, p in self.predictions.items()},
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
        self._first_step: FirstStep | None = None
        self._lock = threading.Lock()
        self._aside = ThreadPoolExecutor(1)

    @classmethod
    def load(
        cls,
        weights: Path | None = None,
        *,
        reader: str = DEFAULT_READER,
        threads: int | None = None,
        device: str = "cpu",
        max_pixels: int = MAX_PIXELS,
        empty_margin: float = EMPTY_MARGIN,
    ) -> "Predictor":
        """Loads the shipped `small` network, or the one in `weights`.

        Args:
            reader: who reads words where a request does not say, one of READERS.
            threads: of network and reader; None keeps torch's own choice.
            max_pixels: larger photos are refused.
            empty_margin: see model.decoding.decode.
        """
        if threads is not None:
            torch.set_num_threads(threads)
        schema = Schema.load()
        vocabulary = Vocabulary(schema)
        loaded = load_weights(weights or WEIGHTS / "small.safetensors", vocabulary)
        preprocessor = Preprocessor(schema, vocabulary, Priors.load(), loaded.network.preset.image_size)
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
            begin = self._preprocessor.vocabulary.bos
            self._first_step = FirstStep(self._network, begin, self._preprocessor.sample(), self._threads)
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
    ) -> Result:
        """Answers for one photo.

        Args:
            photo: the bytes of an image file.
            entities: names to answer; none or empty = all of the schema.
            title, description: text that came with the photo; its quantities can be answers too.
            group_id: the public challenge's code for the kind of product; others are not known.
            reader: one of `readers` instead of the default one.

        Raises: ResformerError: the photo or the request cannot be used; nothing else was done.
        """
        asked = [self.schema[name] for name in dict.fromkeys(entities or self.schema.names)]
        if len(title) + len(description) > MAX_TEXT:
            raise BadRequest(f"title and description have more than {MAX_TEXT} characters in all; send less of them")
        image = decode_photo(photo, max_pixels=self._max_pixels)
        with self._lock:
            name = reader or self.reader
            words_reader = self.words_reader(name)
            wanted = any(entity.is_length for entity in asked) and not isinstance(words_reader, NoReader)
            # Looked for while the words are read, whose threads wait for each other now and then: 8 ms of 17.
            strokes = self._aside.submit(find_drawing, image) if wanted else None
            lines = words_reader.read(image)
            # Where there are words they decide: BENCHMARKS.md has what the picture adds to them.
            picture = None if lines and self.metadata["picture_with_words"] == "no" else image
            drawing = strokes.result() if strokes and lines else None
            page = Page(lines, image.shape[1], image.shape[0], drawing, group_id)
            # Three spaces apart, so that a number at a line's end finds no unit in the next one.
            text = "   ".join(part for field in (title, description) for part in field.splitlines())
            return self.answer(page, asked, image=picture, text=text)

    def answer(
        self,
        page: Page,
        entities: Sequence[Entity],
        *,
        image: np.ndarray | None = None,
        text: str = "",
        own_labels: Sequence[Quantity | None] | None = None,
    ) -> Result:
        """Answers from words that were read before.

        Args:
            image: uint8 (H, W, 3), or None to answer from the words alone.
            text: title and description.
            own_labels: see Preprocessor.example.
        """
        # What is measured across something asked is asked too: an answer never depends on what else a caller names.
        pairs = [pair for pair in self.schema.crossing if any(e in entities for e in pair)]
        asked = [*entities, *dict.fromkeys(e for pair in pairs for e in pair if e not in entities)]
        own = [*(own_labels or [None] * len(entities)), *[None] * (len(asked) - len(entities))]
        example = self._preprocessor.example(page, asked, image=image, text=text, own_labels=own)
        vocabulary = self._preprocessor.vocabulary
        grammars: list[Grammar] = [
            QuantityGrammar(vocabulary, entity)
            if not found and entity in entities
            else CandidateGrammar(vocabulary, len(found))
            for entity, found in zip(asked, example.candidates, strict=True)
        ]
        crossing = [
            Crossing(asked.index(a), asked.index(b), same_amounts(found))
            for a, b in pairs
            if (found := example.candidates[asked.index(a)])
        ]
        strings = [[str(c.quantity) for c in found] for found in example.candidates]
        with torch.inference_mode():
            inputs = self._preprocessor.batch([example]).to(self._device)
            first = self._first_tokens(inputs)
            steps = Steps(self._network, vocabulary.bos, len(asked), lambda: self._network.encode(inputs), first)
            answers = decode(
                steps,
                vocabulary,
                grammars,
                strings,
                crossing=crossing,
                temperature=float(self.metadata["temperature"]),
                empty_margin=self._empty_margin,
            )
        predictions = {
            entity.name: self._prediction(example, q, answer)
            for q, (entity, answer) in enumerate(zip(entities, answers, strict=False))
        }
        return Result(page.width, page.height, predictions)

    def _first_tokens(self, inputs: Inputs) -> Tensor | None:
        """What FirstStep says, where there is one; it knows words alone."""
        return self._first_step(inputs) if self._first_step and inputs.pixels is None else None

    def _prediction(self, example: Example, q: int, answer: Answer) -> Prediction:
        quantity: Quantity | None = None
        box = None
        if answer.candidate is not None:
            candidate = example.candidates[q][answer.candidate]
            quantity, box = candidate.quantity, candidate.box
        elif answer.tokens:
            quantity = self._preprocessor.vocabulary.decode_quantity(answer.tokens, example.entities[q].units)
        confidence = round(answer.probability, 4)
        if quantity is None:
            return Prediction("", None, None, None, confidence, None)
        evidence = None if box is None else [round(v, 1) for v in box]
        return Prediction(str(quantity), quantity.value, quantity.unit, quantity.si(), confidence, evidence)

    def words_reader(self, name: str | None = None) -> Reader:
        """The reader of this name, or the default one, for who wants words alone. Raises BadRequest: unknown."""
        name = name or self.reader
        if name not in self._readers:
            self._readers[name] = make_reader(name, self._network, self._device, self._threads)
        return self._readers[name]
