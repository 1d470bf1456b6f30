"""From a photo's words and the questions to a batch of the quantity network: one path for training and serving."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import torch
from torch import Tensor

from resformer.model.inference.tokenizer import Tokenizer
from resformer.model.networks.quantity_network import MAX_NUMBER_TOKENS, QuantityBatch
from resformer.model.ocr.page import BOX_SIZE, Page
from resformer.model.ocr.text_line import TextLine
from resformer.model.quantities.candidate_features import candidate_features, feature_count
from resformer.model.quantities.candidates import find_candidates
from resformer.model.quantities.label_priors import LabelPriors
from resformer.model.quantities.quantity import Candidate, Quantity
from resformer.model.schema.schema import Entity, Schema

__all__ = ["ASSUME_PRESENT", "QuantityExample", "QuantityPreprocessor"]

MAX_WORDS = 160  # a photo with more keeps its largest text; a line with digits counts as three times its size
MAX_CALLER_WORDS = 40  # of these, words of the caller's text
MAX_SUBWORDS = 8  # of a word, and of each side of a candidate's context
CONTEXT_CHARACTERS = 40

# How far the product is presumed to have the value that is asked for, between the two kinds of question of the training
# (see QuantityPreprocessor.example): best on held-out photos, and one value answers two entities half as often as at 1.
ASSUME_PRESENT = 0.5


@dataclass
class QuantityExample:
    """One photo with its questions, as lists that are ready to be batched.

    Attributes:
        assume_present: see QuantityPreprocessor.example.
        candidates: per question, the quantities that its answer can be chosen from.
    """

    words: list[list[int]]
    word_boxes: list[list[float]]
    entities: list[Entity]
    assume_present: float
    candidates: list[list[Candidate]]
    features: list[np.ndarray] = field(default_factory=list)
    units: list[list[int]] = field(default_factory=list)
    numbers: list[list[list[int]]] = field(default_factory=list)
    context: list[list[list[list[int]]]] = field(default_factory=list)
    candidate_boxes: list[list[list[float]]] = field(default_factory=list)


class QuantityPreprocessor:
    """Makes examples and batches."""

    def __init__(self, schema: Schema, tokenizer: Tokenizer, priors: LabelPriors):
        self.schema = schema
        self.tokenizer = tokenizer
        self.priors = priors

    def example(
        self,
        page: Page,
        entities: Sequence[Entity],
        *,
        text: str = "",
        excluded_labels: Sequence[Quantity | None] | None = None,
        assume_present: float = ASSUME_PRESENT,
    ) -> QuantityExample:
        """One photo with its questions.

        Args:
            text: title and description that came with the photo.
            excluded_labels: per question, the label of this photo that the priors have counted and must leave out.
            assume_present: how far the product is presumed to have the values, 0 to 1. In training 1 is a question
                that a catalogue asked, 0 one that is asked because the schema has the entity.
        """
        words, word_boxes = self._words(page, text)
        found = self.candidates(page.lines, entities, text)
        example = QuantityExample(words, word_boxes, list(entities), assume_present, found)
        for i, (entity, candidates) in enumerate(zip(entities, example.candidates, strict=True)):
            excluded = excluded_labels[i] if excluded_labels else None
            example.features.append(candidate_features(page, candidates, entity, self.schema, self.priors, excluded))
            example.units.append([self.tokenizer.unit(c.quantity.unit) for c in candidates])
            example.numbers.append([self.tokenizer.encode_number(c.quantity)[:MAX_NUMBER_TOKENS] for c in candidates])
            example.context.append([self._context(page, c, text) for c in candidates])
            example.candidate_boxes.append(
                [page.box_features(c.box, page.lines[c.line] if c.line >= 0 else None) for c in candidates]
            )
        return example

    def candidates(
        self, lines: Sequence[TextLine], entities: Sequence[Entity], text: str = ""
    ) -> list[list[Candidate]]:
        """Per entity, the quantities in lines and text that may answer it."""
        # Entities that share their units share their candidates.
        kinds = {(e.units, e.ranges) for e in entities}
        found = {kind: find_candidates(lines, kind[0], text, ranges=kind[1]) for kind in kinds}
        return [found[e.units, e.ranges] for e in entities]

    def batch(self, examples: Sequence[QuantityExample]) -> QuantityBatch:
        """Pads examples to one batch."""
        pad_id, prompt = self.tokenizer.pad_id, self.tokenizer.prompt
        n = max([1, *(len(e.words) for e in examples)])
        questions = [(b, q) for b, e in enumerate(examples) for q in range(len(e.entities))]
        c = max([1, *(len(examples[b].candidates[q]) for b, q in questions)])
        batch = QuantityBatch(
            words=torch.full((len(examples), n, MAX_SUBWORDS), pad_id),
            word_boxes=torch.zeros(len(examples), n, BOX_SIZE),
            word_mask=torch.zeros(len(examples), n, dtype=torch.bool),
            sample_index=torch.tensor([b for b, _ in questions]),
            prompt=torch.tensor([prompt(examples[b].entities[q].name) for b, q in questions]),
            assume_present=torch.tensor([examples[b].assume_present for b, _ in questions]),
            features=torch.zeros(len(questions), c, feature_count()),
            units=torch.full((len(questions), c), pad_id),
            numbers=torch.full((len(questions), c, MAX_NUMBER_TOKENS), pad_id),
            context=torch.full((len(questions), c, 2, MAX_SUBWORDS), pad_id),
            candidate_boxes=torch.zeros(len(questions), c, BOX_SIZE),
            candidate_mask=torch.zeros(len(questions), c, dtype=torch.bool),
        )
        for b, e in enumerate(examples):
            for i, word in enumerate(e.words):
                _fill(batch.words[b, i], word)
            if e.words:
                batch.word_boxes[b, : len(e.words)] = torch.tensor(e.word_boxes)
            # Attention needs one key at least: a photo without words has one empty word.
            batch.word_mask[b, : max(1, len(e.words))] = True
        for row, (b, q) in enumerate(questions):
            e = examples[b]
            count = len(e.candidates[q])
            if not count:
                continue
            batch.features[row, :count] = torch.from_numpy(e.features[q])
            batch.units[row, :count] = torch.tensor(e.units[q])
            batch.candidate_boxes[row, :count] = torch.tensor(e.candidate_boxes[q])
            batch.candidate_mask[row, :count] = True
            for i in range(count):
                _fill(batch.numbers[row, i], e.numbers[q][i])
                for side in (0, 1):
                    _fill(batch.context[row, i, side], e.context[q][i][side])
        return batch

    def sample(self) -> QuantityBatch:
        """A batch of one made-up photo with words and candidates, as an example of the shapes."""
        lines = [
            TextLine(((10.0, y), (90.0, y), (90.0, y + 10), (10.0, y + 10)), text, 1.0)
            for y, text in ((10.0, "Net weight 500 g"), (30.0, "10 x 20 cm"))
        ]
        return self.batch([self.example(Page(lines, 100, 100), self.schema.quantities[:2])])

    def _words(self, page: Page, text: str) -> tuple[list[list[int]], list[list[float]]]:
        """Subwords and box of every word; a word's box is its part of the line's."""
        words: list[tuple[float, str, list[float]]] = []
        for line in page.lines:
            x0, y0, x1, y1 = line.box
            vertical, at, length = line.vertical, 0, max(len(line.text), 1)
            for word in line.text.split():
                start = line.text.index(word, at)
                at = start + len(word)
                a, b = start / length, at / length
                box = (
                    (x0, y0 + a * (y1 - y0), x1, y0 + b * (y1 - y0))
                    if vertical
                    else (x0 + a * (x1 - x0), y0, x0 + b * (x1 - x0), y1)
                )
                has_digit = any(ch.isdigit() for ch in line.text)
                priority = page.text_height(line) * (3 if has_digit else 1)
                words.append((priority, word, page.box_features(box, line)))
        no_box = page.box_features(None, None)
        words += [(float("inf"), word, no_box) for word in text.split()[:MAX_CALLER_WORDS]]
        if len(words) > MAX_WORDS:
            keep = set(sorted(range(len(words)), key=lambda i: -words[i][0])[:MAX_WORDS])
            words = [w for i, w in enumerate(words) if i in keep]
        return [self.tokenizer.encode(w[1].lower())[:MAX_SUBWORDS] for w in words], [w[2] for w in words]

    def _context(self, page: Page, candidate: Candidate, text: str) -> list[list[int]]:
        line = page.lines[candidate.line].text if candidate.line >= 0 else text
        before = line[: candidate.start][-CONTEXT_CHARACTERS:].strip().lower()
        after = line[candidate.end :][:CONTEXT_CHARACTERS].strip().lower()
        return [self.tokenizer.encode(before)[-MAX_SUBWORDS:], self.tokenizer.encode(after)[:MAX_SUBWORDS]]


def _fill(row: Tensor, values: list[int]) -> None:
    if values:
        row[: len(values)] = torch.tensor(values)
