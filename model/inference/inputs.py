"""From a photo's text lines, the caller's text and the questions to a batch: one path for training and serving."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from resformer.model.inference.tokenizer import Tokenizer
from resformer.model.networks.batch import (
    DESCRIPTION,
    MAX_NUMBER_TOKENS,
    MAX_SUBWORDS,
    PRINTED,
    TITLE,
    Batch,
)
from resformer.model.ocr.boxes import Box
from resformer.model.ocr.page import BOX_SIZE, Page
from resformer.model.ocr.text_line import TextLine
from resformer.model.quantities.candidate_features import candidate_features, feature_count
from resformer.model.quantities.candidates import find_candidates
from resformer.model.quantities.label_priors import LabelPriors
from resformer.model.quantities.quantity import Candidate, Quantity
from resformer.model.schema.schema import Entity, Schema

__all__ = ["Preprocessor", "Sample", "Word", "word_key"]

MAX_PRINTED_WORDS = 128  # a photo with more keeps its largest text; a line with digits counts as three times its size
MAX_SENT_WORDS = {TITLE: 24, DESCRIPTION: 96}  # what comes later in a description is terms of sale
CONTEXT_CHARACTERS = 40
WORD = re.compile(r"\S+")


@dataclass(frozen=True)
class Word:
    """A word that was read on the photo or sent with it.

    Attributes:
        text: as it is written.
        field: index into FIELDS. position: in the field.
        box: on the photo, in pixels; None for a word that was sent.
        box_features: see Page.box_features.
    """

    text: str
    field: int
    position: int
    box: Box | None
    box_features: list[float]


@dataclass
class Sample:
    """One photo with its words and the questions about it, ready to be batched. N words, M candidates.

    Attributes:
        image_index: of its picture in the batch. has_image: False where the picture is hidden.
        assume_present: whether the product is presumed to have the values that are asked for.
        candidates: by question, the quantities that its answer can be chosen from; empty for other kinds.
        subwords: int (N, MAX_SUBWORDS). features, units, numbers, context, candidate_boxes: see Batch, by candidate.
    """

    words: list[Word]
    entities: list[Entity]
    candidates: list[list[Candidate]]
    assume_present: bool
    subwords: np.ndarray
    features: np.ndarray
    units: np.ndarray
    numbers: np.ndarray
    context: np.ndarray
    candidate_boxes: np.ndarray
    image_index: int = 0
    has_image: bool = True

    @property
    def candidate_question(self) -> np.ndarray:
        """The question of each candidate: (M,)."""
        return np.repeat(np.arange(len(self.entities)), [len(found) for found in self.candidates])


class Preprocessor:
    """Makes samples and batches."""

    def __init__(self, schema: Schema, tokenizer: Tokenizer, priors: LabelPriors):
        self.schema = schema
        self.tokenizer = tokenizer
        self.priors = priors

    def sample(
        self,
        page: Page,
        entities: Sequence[Entity],
        *,
        title: str = "",
        description: str = "",
        assume_present: bool = False,
        excluded_labels: Sequence[Quantity | None] | None = None,
        image_index: int = 0,
        has_image: bool = True,
    ) -> Sample:
        """One photo with its questions.

        Args:
            entities: without those whose labels are of another entity.
            title, description: text that came with the photo.
            assume_present: whether the product is presumed to have the values.
            excluded_labels: per question, the label of this photo that the priors have counted and must leave out.
        """
        words = [*_printed_words(page), *_sent_words(title, TITLE), *_sent_words(description, DESCRIPTION)]
        # Three spaces apart, so that a number at a line's end finds no unit in the next one.
        text = "   ".join(part for field in (title, description) for part in field.splitlines())
        candidates = self.candidates(page.lines, entities, text)
        excluded = excluded_labels or [None] * len(entities)
        features = [
            candidate_features(page, found, entity, self.schema, self.priors, label)
            for found, entity, label in zip(candidates, entities, excluded, strict=True)
            if found
        ]
        chosen = [c for found in candidates for c in found]
        boxes = [page.box_features(c.box, page.lines[c.line] if c.line >= 0 else None) for c in chosen]
        context = [side for c in chosen for side in self._context(page, c, text)]
        return Sample(
            words,
            list(entities),
            candidates,
            assume_present,
            subwords=_padded([self.tokenizer.encode(word.text.lower()) for word in words], MAX_SUBWORDS),
            features=np.concatenate([np.zeros((0, feature_count()), dtype=np.float32), *features]),
            units=np.array([self.tokenizer.unit(c.quantity.unit) for c in chosen], dtype=np.int64),
            numbers=_padded([self.tokenizer.encode_number(c.quantity) for c in chosen], MAX_NUMBER_TOKENS),
            context=_padded(context, MAX_SUBWORDS).reshape(-1, 2, MAX_SUBWORDS),
            candidate_boxes=np.array(boxes, dtype=np.float32).reshape(-1, BOX_SIZE),
            image_index=image_index,
            has_image=has_image,
        )

    def candidates(
        self, lines: Sequence[TextLine], entities: Sequence[Entity], text: str = ""
    ) -> list[list[Candidate]]:
        """Per entity, the quantities in lines and text that may answer it."""
        # Entities that share their units share their candidates.
        kinds = {(e.units, e.ranges) for e in entities if e.kind == "quantity"}
        found = {kind: find_candidates(lines, kind[0], text, ranges=kind[1]) for kind in kinds}
        return [found.get((e.units, e.ranges), []) for e in entities]

    def batch(
        self,
        samples: Sequence[Sample],
        pixels: np.ndarray | Tensor | None = None,
        extent: Sequence[tuple[float, float]] | Tensor | None = None,
    ) -> Batch:
        """Pads samples to one batch.

        Args:
            pixels: uint8 (P, 3, S, S), letterboxed pictures. extent: of each picture, see letterbox. Without them,
                there are no pixels, and every photo is a full square.
        """
        prompts = [np.array([self.tokenizer.prompt(e) for e in s.entities], dtype=np.int64) for s in samples]
        words = [s.subwords for s in samples]
        # Attention needs one key at least: a sample with neither picture nor words has one empty word.
        counts = [len(s.words) or int(not s.has_image) for s in samples]
        pictures = 1 + max(s.image_index for s in samples)
        return Batch(
            pixels=torch.zeros(pictures, 3, 0, 0, dtype=torch.uint8) if pixels is None else torch.as_tensor(pixels),
            extent=torch.ones(pictures, 2) if extent is None else torch.as_tensor(extent),
            image_index=torch.tensor([s.image_index for s in samples]),
            has_image=torch.tensor([s.has_image for s in samples]),
            words=_trimmed(_stack(words, self.tokenizer.pad_id, counts)),
            word_boxes=_stack([_rows([w.box_features for w in s.words], BOX_SIZE) for s in samples], 0, counts),
            word_field=_stack([np.array([w.field for w in s.words], dtype=np.int64) for s in samples], 0, counts),
            word_position=_stack([np.array([w.position for w in s.words], dtype=np.int64) for s in samples], 0, counts),
            word_mask=_mask(counts),
            prompts=_stack(prompts, self.tokenizer.pad_id),
            prompt_mask=_mask([len(p) for p in prompts]),
            assume_present=_stack([np.full(len(s.entities), s.assume_present, dtype=np.float32) for s in samples], 0),
            candidate_question=_stack([s.candidate_question for s in samples], 0),
            features=_stack([s.features for s in samples], 0),
            units=_stack([s.units for s in samples], self.tokenizer.pad_id),
            numbers=_stack([s.numbers for s in samples], self.tokenizer.pad_id),
            context=_stack([s.context for s in samples], self.tokenizer.pad_id),
            candidate_boxes=_stack([s.candidate_boxes for s in samples], 0),
            candidate_mask=_mask([len(s.units) for s in samples]),
        )

    def _context(self, page: Page, candidate: Candidate, text: str) -> list[list[int]]:
        line = page.lines[candidate.line].text if candidate.line >= 0 else text
        before = line[: candidate.start][-CONTEXT_CHARACTERS:].strip().lower()
        after = line[candidate.end :][:CONTEXT_CHARACTERS].strip().lower()
        return [self.tokenizer.encode(before)[-MAX_SUBWORDS:], self.tokenizer.encode(after)[:MAX_SUBWORDS]]


def word_key(word: str) -> str:
    """Letters and digits of a word, in lower case: words of one key are copied as one."""
    return "".join(re.findall(r"\w+", word.lower()))


def _printed_words(page: Page) -> list[Word]:
    """The words on a photo in reading order; a word's box is its part of the line's."""
    found: list[tuple[float, TextLine, re.Match[str]]] = []
    for line in page.lines:
        priority = page.text_height(line) * (3 if any(c.isdigit() for c in line.text) else 1)
        found += [(priority, line, match) for match in WORD.finditer(line.text)]
    words = []
    for i in sorted(sorted(range(len(found)), key=lambda i: -found[i][0])[:MAX_PRINTED_WORDS]):
        _, line, match = found[i]
        box = line.span_box(*match.span())
        words.append(Word(match[0], PRINTED, i, box, page.box_features(box, line)))
    return words


def _sent_words(text: str, field: int) -> list[Word]:
    no_box = [0.0] * BOX_SIZE
    return [Word(word, field, i, None, no_box) for i, word in enumerate(text.split()[: MAX_SENT_WORDS[field]])]


def _padded(rows: Sequence[Sequence[int]], length: int) -> np.ndarray:
    """Rows of tokens, cut or padded with 0 to one length."""
    padded = np.zeros((len(rows), length), dtype=np.int64)
    for i, row in enumerate(rows):
        padded[i, : len(row)] = row[:length]
    return padded


def _rows(rows: Sequence[Sequence[float]], size: int) -> np.ndarray:
    return np.array(rows, dtype=np.float32).reshape(-1, size)


def _mask(counts: Sequence[int]) -> Tensor:
    """Bool (B, max count): which places are taken."""
    return torch.arange(max([1, *counts])) < torch.tensor(counts)[:, None]


def _stack(arrays: Sequence[np.ndarray], fill: int, counts: Sequence[int] = ()) -> Tensor:
    """Arrays of different lengths, padded to the longest, one at least, or to the largest of `counts`."""
    length = max([1, *(len(a) for a in arrays), *counts])
    stacked = np.full((len(arrays), length, *arrays[0].shape[1:]), fill, dtype=arrays[0].dtype)
    for row, array in zip(stacked, arrays, strict=True):
        row[: len(array)] = array
    return torch.from_numpy(stacked)


def _trimmed(tokens: Tensor) -> Tensor:
    """Tokens (..., K), padded with 0, without the last places that none of them takes."""
    used = int((tokens != 0).any(dim=0).any(dim=0).sum())
    return tokens[..., : max(1, used)]
