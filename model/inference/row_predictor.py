"""The answers of the Resformer about photos: everything that is asked about each, in one pass."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import astuple, dataclass, replace
from functools import reduce

import numpy as np

from resformer.model.images.resize import letterbox
from resformer.model.inference.calibration import Calibration
from resformer.model.inference.inputs import Preprocessor, Sample
from resformer.model.inference.label_decoding import EMPTY_ABOVE, LabelAnswer, decode_choice, decode_path, derive_choice
from resformer.model.inference.photo_encoder import EncodedPhoto, PhotoEncoder
from resformer.model.inference.quantity_decoding import (
    ExclusivePair,
    QuantityAnswer,
    decode_quantities,
    outcome_of,
)
from resformer.model.inference.text_catalogue import ChosenText, TextCatalogue
from resformer.model.inference.text_generation import GeneratedText, TextTask, TextWriter
from resformer.model.networks.batch import Batch
from resformer.model.networks.label_shortcut import DECODER_WEIGHT
from resformer.model.networks.resformer import Resformer
from resformer.model.ocr.boxes import Box, union
from resformer.model.ocr.page import Page
from resformer.model.ocr.text_line import TextLine
from resformer.model.prediction import Alternative, Prediction
from resformer.model.quantities.candidates import group_equal_amounts
from resformer.model.quantities.quantity import Quantity
from resformer.model.runtime.batch_sizes import BatchSizes
from resformer.model.runtime.measures import count_outcome
from resformer.model.runtime.stage_times import stage
from resformer.model.schema.schema import Entity

__all__ = ["AskedPage", "RowPredictor"]

DEFAULT = Calibration()
PRESUMED_EMPTY_ABOVE = 0.9  # a product that is presumed to have a label or a text
# Below it a draft has a fifth of the words of a catalogue's title, and above it half of them: fashion, and names that
# are printed plainly.
MIN_TEXT_CONFIDENCE = 0.3


@dataclass(frozen=True)
class AskedPage:
    """A photo whose text was read, and what is asked about it.

    Attributes:
        image: uint8 (H, W, 3); None answers from the words alone.
        page: what was read on it.
        entities: what is asked.
        title, description: text that came with the photo.
        assume_present: whether the product is presumed to have the values that are asked for.
        min_confidence: an answer that is less sure is empty; None: as the weights are calibrated.
        excluded_labels: see Preprocessor.sample, by entity.
        top_k: how many alternatives an answer has.
    """

    image: np.ndarray | None
    page: Page
    entities: Sequence[Entity]
    title: str = ""
    description: str = ""
    assume_present: bool = False
    min_confidence: float | None = None
    excluded_labels: Sequence[Quantity | None] | None = None
    top_k: int = 0


@dataclass(frozen=True)
class _EmptyRule:
    """When an answer is empty: below a least confidence, or, where that is None, by how likely the empty answer is."""

    min_confidence: float | None
    empty_above: float = EMPTY_ABOVE


class RowPredictor:
    """Answers questions about photos whose text was read.

    Args:
        network: on its device. calibrations: by kind of entity.
        image_size: side of the letterboxed picture, pixels.
        threads: of ONNX Runtime.
        sizes: of batches.
        catalogue: texts that answer about photos like those of its products.
    """

    def __init__(
        self,
        network: Resformer,
        preprocessor: Preprocessor,
        calibrations: Mapping[str, Calibration],
        image_size: int,
        device: str,
        threads: int,
        sizes: BatchSizes,
        catalogue: TextCatalogue | None = None,
    ):
        self._catalogue = catalogue
        self._preprocessor = preprocessor
        self._tokenizer = preprocessor.tokenizer
        self._schema = preprocessor.schema
        self._calibrations = calibrations
        self._image_size = image_size
        self._log_prior = network.log_prior.cpu().numpy()
        self._encoder_batch = sizes.encoder
        example = [(_example_sample(preprocessor), np.zeros((32, 32, 3), dtype=np.uint8))]
        examples = self._batch(example * min(2, sizes.encoder))
        self._encode = PhotoEncoder(network.eval(), examples, image_size, device, threads)
        self._write = TextWriter(network, self._tokenizer, device, threads, sizes.writer)

    def __call__(self, pages: Sequence[AskedPage]) -> list[dict[str, Prediction]]:
        """Answers about each page, by entity name.

        A text that the caller sends is its own answer.
        """
        rows = [_sent_texts(asked) for asked in pages]
        samples = {i: sample for i, asked in enumerate(pages) if (sample := self._sample(asked, rows[i]))}
        photos = dict(zip(samples, self._encoded([(s, pages[i].image) for i, s in samples.items()]), strict=True))
        texts = {(i, q): task for i, photo in photos.items() for q, task in self._tasks(photo, samples[i], pages[i])}
        with stage("write"):
            written = dict(zip(texts, self._write(list(texts.values())), strict=True))
        for i, photo in photos.items():
            asked, sample = pages[i], samples[i]
            rules = self._rules(asked)
            rows[i] |= self._quantities(photo, sample, asked.entities, rules, asked.top_k)
            rows[i] |= self._labels(photo, sample, asked.entities, rules, asked.top_k)
            drafts = {q: text for (of_page, q), text in written.items() if of_page == i}
            rows[i] |= self._texts(photo, sample, drafts, rules, asked.top_k)
        return [{e.name: row[e.name] for e in asked.entities} for asked, row in zip(pages, rows, strict=True)]

    def picture_features(self, image: np.ndarray) -> np.ndarray:
        """Features (size,) of a picture, by which a catalogue of texts compares it."""
        return self._encode.picture_features(self._batch([(_example_sample(self._preprocessor), image)]))[0]

    def _sample(self, asked: AskedPage, answered: Mapping[str, Prediction]) -> Sample | None:
        """What the network is asked about a page; None where all is answered."""
        questions = self._asked([e for e in asked.entities if e.name not in answered])
        if not questions:
            return None
        excluded = dict(zip((e.name for e in asked.entities), asked.excluded_labels or [], strict=False))
        return self._preprocessor.sample(
            asked.page,
            questions,
            title=asked.title,
            description=asked.description,
            assume_present=asked.assume_present,
            excluded_labels=[excluded.get(e.name) for e in questions],
            has_image=asked.image is not None,
        )

    def _encoded(self, photos: Sequence[tuple[Sample, np.ndarray | None]]) -> list[EncodedPhoto]:
        size = self._encoder_batch
        batches = [photos[first : first + size] for first in range(0, len(photos), size)]
        with stage("choose"):
            return [photo for batch in batches for photo in self._encode(self._batch(batch))]

    def _asked(self, entities: Sequence[Entity]) -> list[Entity]:
        """What the network is asked: the entities that have answers of their own, and both of an exclusive pair."""
        own = [self._schema[e.labels_from] if e.labels_from else e for e in entities]
        pairs = [pair for pair in self._schema.exclusive_pairs if any(e in own for e in pair)]
        return list(dict.fromkeys([*own, *(e for pair in pairs for e in pair)]))

    def _rules(self, asked: AskedPage) -> dict[str, _EmptyRule]:
        return {e.name: self._rule(e, asked.assume_present, asked.min_confidence) for e in self._schema.entities}

    def _rule(self, entity: Entity, assume_present: bool, requested: float | None) -> _EmptyRule:
        """When an answer is empty: by what is requested, by the margins of a presumed value, or as calibrated."""
        if requested is not None:
            return _EmptyRule(requested)
        if assume_present:
            return _EmptyRule(None, PRESUMED_EMPTY_ABOVE)
        return _EmptyRule(self._calibrations.get(entity.kind, DEFAULT).min_confidence)

    def _batch(self, photos: Sequence[tuple[Sample, np.ndarray | None]]) -> Batch:
        no_picture = np.zeros((1, 1, 3), dtype=np.uint8)
        pictures = [letterbox(no_picture if image is None else image, self._image_size) for _, image in photos]
        return self._preprocessor.batch(
            [replace(sample, image_index=i) for i, (sample, _) in enumerate(photos)],
            np.stack([pixels for pixels, _ in pictures]),
            [extent for _, extent in pictures],
        )

    def _temperature(self, entity: Entity) -> float:
        return self._calibrations.get(entity.kind, DEFAULT).temperature

    def _quantities(
        self,
        photo: EncodedPhoto,
        sample: Sample,
        entities: Sequence[Entity],
        rules: Mapping[str, _EmptyRule],
        top_k: int,
    ) -> dict[str, Prediction]:
        asked = [(q, e) for q, e in enumerate(sample.entities) if e.kind == "quantity"]
        question_of = sample.candidate_question
        pointers = self._tokenizer.num_answers + photo.first_candidate
        rows = []
        for q, entity in asked:
            tokens = [self._tokenizer.empty(entity), self._tokenizer.unread_id]
            logits = photo.logits[q, [*tokens, *(pointers + np.flatnonzero(question_of == q))]]
            rows.append(_softmax(logits / self._temperature(entity)))
        index = {entity: i for i, (_, entity) in enumerate(asked)}
        pairs = [
            ExclusivePair(index[a], index[b], group_equal_amounts(candidates))
            for a, b in self._schema.exclusive_pairs
            if a in index and b in index and (candidates := sample.candidates[asked[index[a]][0]])
        ]
        strings = [[str(c.quantity) for c in sample.candidates[q]] for q, _ in asked]
        decoded = decode_quantities(
            rows,
            strings,
            min_confidence=[rules[entity.name].min_confidence for _, entity in asked],
            exclusive_pairs=pairs,
            top_k=top_k,
        )
        for (_, entity), row, texts, answer in zip(asked, rows, strings, decoded, strict=True):
            if entity in entities:  # the other one of an exclusive pair may not be asked for
                count_outcome(outcome_of(row, texts, answer))
        return {
            e.name: _quantity_prediction(sample, q, answer, top_k)
            for (q, e), answer in zip(asked, decoded, strict=True)
        }

    def _labels(
        self,
        photo: EncodedPhoto,
        sample: Sample,
        entities: Sequence[Entity],
        rules: Mapping[str, _EmptyRule],
        top_k: int,
    ) -> dict[str, Prediction]:
        answers = {}
        for entity in entities:
            if entity.kind not in ("choice", "path"):
                continue
            source = self._schema[entity.labels_from] if entity.labels_from else entity
            tokens = self._tokenizer.answers(source)
            span = slice(tokens.start, tokens.stop)
            decoded = DECODER_WEIGHT * photo.logits[sample.entities.index(source), span]
            logits = decoded + photo.label_logits[span] + self._log_prior[span]
            probabilities = _softmax(logits / self._temperature(source))
            least, empty_above = astuple(rules[entity.name])
            if entity.kind == "path":
                answer = decode_path(entity, probabilities, least, top_k, empty_above=empty_above)
            else:
                if entity.labels_from:
                    probabilities = derive_choice(entity, probabilities)
                answer = decode_choice(entity.labels, probabilities, least, top_k, empty_above=empty_above)
            answers[entity.name] = _label_prediction(answer, top_k)
        return answers

    def _tasks(self, photo: EncodedPhoto, sample: Sample, asked: AskedPage) -> Iterator[tuple[int, TextTask]]:
        """The texts to write about a page, each with the index of its question."""
        rules = self._rules(asked)
        for q, entity in enumerate(sample.entities):
            if entity.kind == "text":
                least, empty_above = astuple(rules[entity.name])
                # An answer that may be withheld is written for the alternatives, one with a least confidence to get it.
                is_written = asked.top_k or least is not None
                yield q, TextTask(photo, q, entity, sample.words, empty_above=1.0 if is_written else empty_above)

    def _texts(
        self,
        photo: EncodedPhoto,
        sample: Sample,
        drafts: Mapping[int, GeneratedText],
        rules: Mapping[str, _EmptyRule],
        top_k: int,
    ) -> dict[str, Prediction]:
        answers = {}
        for q, text in drafts.items():
            entity = sample.entities[q]
            least, empty_above = astuple(rules[entity.name])
            if text.text and self._catalogue and sample.has_image and entity.name in self._catalogue.entities:
                text = _agreed(text, self._catalogue.choose(entity.name, photo.picture_features, text.text))
            boxes = [box for w in text.copied if (box := sample.words[w].box) is not None]
            confidence = round(text.probability, 4)
            found = sorted([(text.text, text.probability), ("", text.p_empty)], key=lambda pair: -pair[1])
            alternatives = _alternatives(found[:top_k]) if top_k else None
            is_empty = text.probability < (MIN_TEXT_CONFIDENCE if least is None else least)
            is_empty |= least is None and text.p_empty > empty_above
            if is_empty or not text.text:
                p_empty = round(text.p_empty, 4)
                answers[entity.name] = Prediction("", None, None, None, p_empty, None, alternatives)
                continue
            evidence = _rounded(reduce(union, boxes)) if boxes else None
            answers[entity.name] = Prediction(text.text, None, None, None, confidence, evidence, alternatives)
        return answers


def _sent_texts(asked: AskedPage) -> dict[str, Prediction]:
    """The texts that are asked for and were sent."""
    sent = {"title": asked.title.strip(), "description": asked.description.strip()}
    return {
        e.name: Prediction(sent[e.name], None, None, None, 1.0, None, [] if asked.top_k else None)
        for e in asked.entities
        if e.kind == "text" and sent.get(e.name)
    }


def _agreed(draft: GeneratedText, chosen: ChosenText) -> GeneratedText:
    copied = draft.copied if chosen.text == draft.text else ()
    return replace(draft, text=chosen.text, probability=chosen.agreement, copied=copied)


def _quantity_prediction(sample: Sample, q: int, answer: QuantityAnswer, top_k: int) -> Prediction:
    candidates = sample.candidates[q]
    confidence = round(answer.probability, 4)
    strings = [("" if c is None else str(candidates[c].quantity), p) for c, p in answer.alternatives]
    alternatives = _alternatives(strings) if top_k else None
    if answer.candidate is None:
        return Prediction("", None, None, None, confidence, None, alternatives)
    quantity, box = candidates[answer.candidate].quantity, candidates[answer.candidate].box
    evidence = None if box is None else _rounded(box)
    return Prediction(str(quantity), quantity.value, quantity.unit, quantity.si(), confidence, evidence, alternatives)


def _label_prediction(answer: LabelAnswer, top_k: int) -> Prediction:
    levels = list(answer.levels) or None
    alternatives = _alternatives(answer.alternatives) if top_k else None
    return Prediction(answer.text, levels, None, None, round(answer.probability, 4), None, alternatives)


def _alternatives(pairs: Sequence[tuple[str, float]]) -> list[Alternative]:
    return [Alternative(text, round(probability, 4)) for text, probability in pairs]


def _rounded(box: Box) -> list[float]:
    return [round(v, 1) for v in box]


def _softmax(logits: np.ndarray) -> np.ndarray:
    exponentials = np.exp(logits - logits.max())
    probabilities: np.ndarray = exponentials / exponentials.sum()
    return probabilities


def _example_sample(preprocessor: Preprocessor) -> Sample:
    """A made-up photo with words and candidates, as an example of the shapes."""
    lines = [
        TextLine(((10.0, y), (90.0, y), (90.0, y + 10), (10.0, y + 10)), text, 1.0)
        for y, text in ((10.0, "Net weight 500 g"), (30.0, "10 x 20 cm"))
    ]
    return preprocessor.sample(Page(lines, 100, 100), preprocessor.tokenizer.entities)
