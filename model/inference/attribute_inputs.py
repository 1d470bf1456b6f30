"""From a caller's text and the questions to a batch of the attribute network: one path for training and serving."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch

from resformer.model.inference.label_tokenizer import LabelTokenizer
from resformer.model.networks.attribute_network import MAX_SUBWORDS, TEXT_FIELDS, AttributeBatch
from resformer.model.schema.schema import Entity

__all__ = ["AttributeExample", "EncodedWords", "collate_attributes", "encode_words"]

# Of each field; what comes later in a description is terms of sale.
MAX_WORDS = {"title": 24, "description": 96}

EncodedWords = list[tuple[list[int], int, int]]
"""Subwords, index of the field and position there of each word."""


@dataclass(frozen=True)
class AttributeExample:
    """A product with the questions about it: the index of its picture, whether that is visible, and its words."""

    image_index: int
    has_image: bool
    words: EncodedWords
    entities: Sequence[Entity]


def encode_words(tokenizer: LabelTokenizer, title: str, description: str) -> EncodedWords:
    """The words of a caller's text."""
    words: EncodedWords = []
    for field_index, (field, text) in enumerate(zip(TEXT_FIELDS, (title, description), strict=True)):
        for position, word in enumerate(text.lower().split()[: MAX_WORDS[field]]):
            words.append((tokenizer.encode(word)[:MAX_SUBWORDS], field_index, position))
    return words


def collate_attributes(
    tokenizer: LabelTokenizer,
    pixels: np.ndarray | torch.Tensor,
    extent: Sequence[tuple[float, float]],
    examples: Sequence[AttributeExample],
) -> AttributeBatch:
    """Pads examples to one batch.

    Args:
        pixels: uint8 (P, 3, S, S), letterboxed pictures. extent: of each picture, see letterbox.
    """
    length = max([1, *(len(example.words) for example in examples)])
    words = torch.full((len(examples), length, MAX_SUBWORDS), tokenizer.pad_id)
    field_index = torch.zeros(len(examples), length, dtype=torch.long)
    word_position = torch.zeros(len(examples), length, dtype=torch.long)
    mask = torch.zeros(len(examples), length, dtype=torch.bool)
    for b, example in enumerate(examples):
        for i, (subwords, field, position) in enumerate(example.words):
            words[b, i, : len(subwords)] = torch.tensor(subwords)
            field_index[b, i], word_position[b, i] = field, position
        # Attention needs one key at least: a sample with neither picture nor words has one empty word.
        mask[b, : len(example.words) or int(not example.has_image)] = True
    questions = [(b, entity) for b, example in enumerate(examples) for entity in example.entities]
    return AttributeBatch(
        pixels=torch.as_tensor(pixels),
        extent=torch.tensor(list(extent)),
        image_index=torch.tensor([example.image_index for example in examples], dtype=torch.long),
        has_image=torch.tensor([example.has_image for example in examples], dtype=torch.bool),
        words=words,
        field_index=field_index,
        word_position=word_position,
        word_mask=mask,
        sample_index=torch.tensor([b for b, _ in questions], dtype=torch.long),
        prompt=torch.tensor([tokenizer.prompt(entity) for _, entity in questions], dtype=torch.long),
    )
