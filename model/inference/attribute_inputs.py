"""From a photo and a caller's text to the tensors of the catalogue part: one path for training and serving."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch

from resformer.model.inference.label_tokenizer import LabelVocabulary
from resformer.model.networks.attribute_network import FIELDS, SUBWORDS, ProductInputs
from resformer.model.schema.schema import Entity

__all__ = ["Product", "Words", "product_inputs", "product_words"]

# Of each field; what comes later in a description is terms of sale.
MOST_WORDS = {"title": 24, "description": 96}

Words = list[tuple[list[int], int, int]]
"""Subwords, number of the field and place there of each word."""


@dataclass(frozen=True)
class Product:
    """A product that is asked about: the number of its picture, whether that is seen, its words and the questions."""

    picture: int
    seen: bool
    words: Words
    entities: Sequence[Entity]


def product_words(vocabulary: LabelVocabulary, title: str, description: str) -> Words:
    """The words of a caller's text."""
    words: Words = []
    for number, (field, text) in enumerate(zip(FIELDS, (title, description), strict=True)):
        for place, word in enumerate(text.lower().split()[: MOST_WORDS[field]]):
            words.append((vocabulary.encode_text(word)[:SUBWORDS], number, place))
    return words


def product_inputs(
    vocabulary: LabelVocabulary,
    pixels: np.ndarray | torch.Tensor,
    visible: Sequence[tuple[float, float]],
    products: Sequence[Product],
) -> ProductInputs:
    """Pads products to one batch.

    Args:
        pixels: (P, 3, S, S), letterboxed pictures.
        visible: of each picture, see letterbox.
    """
    most = max([1, *(len(p.words) for p in products)])
    words = torch.full((len(products), most, SUBWORDS), vocabulary.pad)
    fields = torch.zeros(len(products), most, dtype=torch.long)
    order = torch.zeros(len(products), most, dtype=torch.long)
    mask = torch.zeros(len(products), most, dtype=torch.bool)
    for b, product in enumerate(products):
        for i, (subwords, field, place) in enumerate(product.words):
            words[b, i, : len(subwords)] = torch.tensor(subwords)
            fields[b, i], order[b, i] = field, place
        # Attention needs one key at least: who shows neither picture nor words shows one empty word.
        mask[b, : len(product.words) or int(not product.seen)] = True
    questions = [(b, entity) for b, product in enumerate(products) for entity in product.entities]
    return ProductInputs(
        pixels=torch.as_tensor(pixels),
        visible=torch.tensor(list(visible)),
        picture=torch.tensor([p.picture for p in products], dtype=torch.long),
        seen=torch.tensor([p.seen for p in products], dtype=torch.bool),
        words=words,
        fields=fields,
        order=order,
        word_mask=mask,
        owner=torch.tensor([b for b, _ in questions], dtype=torch.long),
        prompt=torch.tensor([vocabulary.prompt(entity) for _, entity in questions], dtype=torch.long),
    )
