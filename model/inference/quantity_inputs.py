"""From a photo's words and the questions to the network's tensors: one path for training and serving."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import torch
from torch import Tensor

from resformer.model.inference.tokenizer import Vocabulary
from resformer.model.networks.resformer import DIGITS, Inputs
from resformer.model.ocr.page import GEOMETRY, Page
from resformer.model.ocr.text_line import Line
from resformer.model.quantities.candidate_features import candidate_features, feature_count
from resformer.model.quantities.candidates import find_candidates
from resformer.model.quantities.label_priors import Priors
from resformer.model.quantities.quantity import Candidate, Quantity
from resformer.model.schema.schema import Entity, Schema

__all__ = ["Example", "Preprocessor"]

MAX_WORDS = 160  # a photo with more keeps its largest print; a line with digits counts as three times its size
MAX_TEXT_WORDS = 40  # of these, words of the caller's text
SUBWORDS = 8  # per word and per side of a candidate's context

# Between the two kinds of question that the network learns from: best on photos held back from training, and one print
# answers two entities half as often as where every value is presumed.
PRESUMPTION = 0.5


@dataclass
class Example:
    """One photo with its questions, as arrays that are ready to be batched.

    Attributes:
        presumption: see Preprocessor.example.
        candidates: per question, the quantities that its answer can be chosen from.
    """

    words: list[list[int]]
    word_geometry: list[list[float]]
    entities: list[Entity]
    presumption: float
    candidates: list[list[Candidate]]
    features: list[np.ndarray] = field(default_factory=list)
    units: list[list[int]] = field(default_factory=list)
    spelling: list[list[list[int]]] = field(default_factory=list)
    context: list[list[list[list[int]]]] = field(default_factory=list)
    geometry: list[list[list[float]]] = field(default_factory=list)


class Preprocessor:
    """Makes examples and batches."""

    def __init__(self, schema: Schema, vocabulary: Vocabulary, priors: Priors):
        self.schema = schema
        self.vocabulary = vocabulary
        self.priors = priors

    def example(
        self,
        page: Page,
        entities: Sequence[Entity],
        *,
        text: str = "",
        own_labels: Sequence[Quantity | None] | None = None,
        presumption: float = PRESUMPTION,
    ) -> Example:
        """One photo with its questions.

        Args:
            text: title and description that came with the photo.
            own_labels: per question, the label that the priors have counted (training rows).
            presumption: how far the product is presumed to have the values, 0 to 1. In training 1 is a label's
                question and 0 one that is asked because the schema has the entity.
        """
        words, geometry = self._words(page, text)
        found = self.candidates(page.lines, entities, text)
        example = Example(words, geometry, list(entities), presumption, found)
        for i, (entity, candidates) in enumerate(zip(entities, example.candidates, strict=True)):
            own = own_labels[i] if own_labels else None
            example.features.append(candidate_features(page, candidates, entity, self.schema, self.priors, own))
            example.units.append([self.vocabulary.unit(c.quantity.unit) for c in candidates])
            example.spelling.append([self.vocabulary.number(c.quantity)[:DIGITS] for c in candidates])
            example.context.append([self._context(page, c, text) for c in candidates])
            example.geometry.append(
                [page.geometry(c.box, page.lines[c.line] if c.line >= 0 else None) for c in candidates]
            )
        return example

    def candidates(self, lines: Sequence[Line], entities: Sequence[Entity], text: str = "") -> list[list[Candidate]]:
        """Per entity, the quantities in lines and text that may answer it."""
        # Entities that share their units share their candidates.
        kinds = {(e.units, e.ranges) for e in entities}
        found = {kind: find_candidates(lines, kind[0], text, ranges=kind[1]) for kind in kinds}
        return [found[e.units, e.ranges] for e in entities]

    def batch(self, examples: Sequence[Example]) -> Inputs:
        """Pads examples to one batch."""
        v = self.vocabulary
        n = max([1, *(len(e.words) for e in examples)])
        questions = [(b, q) for b, e in enumerate(examples) for q in range(len(e.entities))]
        c = max([1, *(len(examples[b].candidates[q]) for b, q in questions)])
        inputs = Inputs(
            words=torch.full((len(examples), n, SUBWORDS), v.pad),
            word_geometry=torch.zeros(len(examples), n, GEOMETRY),
            word_mask=torch.zeros(len(examples), n, dtype=torch.bool),
            owner=torch.tensor([b for b, _ in questions]),
            prompt=torch.tensor([v.prompt(examples[b].entities[q].name) for b, q in questions]),
            presumption=torch.tensor([examples[b].presumption for b, _ in questions]),
            features=torch.zeros(len(questions), c, feature_count()),
            units=torch.full((len(questions), c), v.pad),
            spelling=torch.full((len(questions), c, DIGITS), v.pad),
            context=torch.full((len(questions), c, 2, SUBWORDS), v.pad),
            candidate_geometry=torch.zeros(len(questions), c, GEOMETRY),
            candidate_mask=torch.zeros(len(questions), c, dtype=torch.bool),
        )
        for b, e in enumerate(examples):
            for i, word in enumerate(e.words):
                _fill(inputs.words[b, i], word)
            if e.words:
                inputs.word_geometry[b, : len(e.words)] = torch.tensor(e.word_geometry)
            # Attention needs one key at least: a photo without words shows one empty word.
            inputs.word_mask[b, : max(1, len(e.words))] = True
        for row, (b, q) in enumerate(questions):
            e = examples[b]
            count = len(e.candidates[q])
            if not count:
                continue
            inputs.features[row, :count] = torch.from_numpy(e.features[q])
            inputs.units[row, :count] = torch.tensor(e.units[q])
            inputs.candidate_geometry[row, :count] = torch.tensor(e.geometry[q])
            inputs.candidate_mask[row, :count] = True
            for i in range(count):
                _fill(inputs.spelling[row, i], e.spelling[q][i])
                for side in (0, 1):
                    _fill(inputs.context[row, i, side], e.context[q][i][side])
        return inputs

    def sample(self) -> Inputs:
        """Inputs of a made-up photo with words and candidates, for who wants to know what inputs look like."""
        lines = [
            Line(((10.0, y), (90.0, y), (90.0, y + 10), (10.0, y + 10)), text, 1.0)
            for y, text in ((10.0, "Net weight 500 g"), (30.0, "10 x 20 cm"))
        ]
        return self.batch([self.example(Page(lines, 100, 100), self.schema.quantities[:2])])

    def _words(self, page: Page, text: str) -> tuple[list[list[int]], list[list[float]]]:
        """Subwords and geometry of every word; a word's box is its share of its line's."""
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
                digits = any(ch.isdigit() for ch in line.text)
                priority = page.glyph(line) * (3 if digits else 1)
                words.append((priority, word, page.geometry(box, line)))
        place = page.geometry(None, None)
        words += [(float("inf"), word, place) for word in text.split()[:MAX_TEXT_WORDS]]
        if len(words) > MAX_WORDS:
            keep = set(sorted(range(len(words)), key=lambda i: -words[i][0])[:MAX_WORDS])
            words = [w for i, w in enumerate(words) if i in keep]
        return [self._subwords(w[1]) for w in words], [w[2] for w in words]

    def _subwords(self, text: str) -> list[int]:
        return self.vocabulary.encode_text(text.lower())[:SUBWORDS]

    def _context(self, page: Page, candidate: Candidate, text: str) -> list[list[int]]:
        line = page.lines[candidate.line].text if candidate.line >= 0 else text
        before = self.vocabulary.encode_text(line[: candidate.start][-40:].strip().lower())[-SUBWORDS:]
        after = self.vocabulary.encode_text(line[candidate.end :][:40].strip().lower())[:SUBWORDS]
        return [before, after]


def _fill(row: Tensor, values: list[int]) -> None:
    if values:
        row[: len(values)] = torch.tensor(values)
