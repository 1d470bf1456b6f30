"""Products as batches of questions with their right answers."""

import os
import random
from collections.abc import Collection, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import Dataset
from tqdm import tqdm

from resformer.model.errors import ResformerError
from resformer.model.images.loading import decode_photo
from resformer.model.images.resize import letterbox
from resformer.model.inference.attribute_inputs import (
    AttributeExample,
    EncodedWords,
    collate_attributes,
    encode_words,
)
from resformer.model.inference.label_tokenizer import LabelTokenizer
from resformer.model.networks.attribute_network import AttributeBatch
from resformer.model.schema.schema import Entity
from resformer.train.attributes.labelled_products import Product
from resformer.train.config import ProductsConfig

__all__ = ["Pictures", "ProductBatches", "ProductTargets", "make_targets", "questions_of"]

POOL = 16  # batches


@dataclass
class ProductTargets:
    """Right answers of Q questions, R of them with a label and the others with a text of at most T tokens.

    Attributes:
        labelled: (R,) their question numbers. label: (R,). rows: of each entity of the tokenizer, which of the R.
        written: (Q - R,) question numbers. tokens: (Q - R, T) decoder input, begins with <bos>. following:
            (Q - R, T) the token to follow each one, padded.
        count: how many products were asked about.
        numbers: (P,) which of the products to train on the pictures are of; empty where nobody asks.
    """

    labelled: Tensor
    label: Tensor
    rows: tuple[Tensor, ...]
    written: Tensor
    tokens: Tensor
    following: Tensor
    count: int
    numbers: Tensor = field(default_factory=lambda: torch.zeros(0, dtype=torch.long))

    def to(self, device: torch.device | str) -> "ProductTargets":
        moved: dict[str, Any] = {k: v.to(device) if isinstance(v, Tensor) else v for k, v in vars(self).items()}
        return ProductTargets(**{**moved, "rows": tuple(rows.to(device) for rows in self.rows)})


class Pictures:
    """Letterboxed photos of products, decoded once and kept on a device.

    Args:
        side: of the letterbox, pixels.

    Raises ValueError: a photo cannot be decoded.
    """

    def __init__(self, products: Sequence[Product], side: int, device: str = "cpu"):
        self._side = side
        pixels = torch.zeros(len(products), 3, side, side, dtype=torch.uint8)
        visible = torch.zeros(len(products), 2)
        with ThreadPoolExecutor(os.cpu_count()) as pool:
            boxed = pool.map(self._boxed, [product.photo for product in products])
            for i, (box, shown) in enumerate(tqdm(boxed, "photos", len(products), leave=False, disable=None)):
                pixels[i], visible[i] = torch.from_numpy(box), torch.tensor(shown)
        self._pixels = pixels.to(device)
        self._visible = visible.to(device)

    def _boxed(self, photo: Path) -> tuple[np.ndarray, tuple[float, float]]:
        try:
            return letterbox(decode_photo(photo.read_bytes()), self._side)
        except ResformerError as error:
            raise ValueError(f"{photo}: {error}") from error

    def __call__(self, numbers: Tensor) -> tuple[Tensor, Tensor]:
        """uint8 (P, 3, side, side) and visible (P, 2) of products, by their numbers on the device."""
        return self._pixels[numbers], self._visible[numbers]


def questions_of(
    product: Product, entities: Sequence[Entity], *, texts: bool, shown: Collection[str] = ()
) -> list[Entity]:
    """What can be asked about a product: its labels and, with `texts`, what it is called, but for the fields shown."""
    return [
        entity
        for entity in entities
        if entity.name in product.labels or (texts and entity.name in product.texts and entity.name not in shown)
    ]


def _text_targets(tokenizer: LabelTokenizer, texts: Sequence[str], most: Sequence[int]) -> tuple[Tensor, Tensor]:
    """Decoder input and what follows it, (rows, T) each, for texts of at most `most` subwords each."""
    rows = [[*tokenizer.encode(text)[:limit], tokenizer.eos_id] for text, limit in zip(texts, most, strict=True)]
    length = max([1, *(len(row) for row in rows)])
    tokens = torch.full((len(rows), length), tokenizer.pad_id)
    following = torch.full((len(rows), length), tokenizer.pad_id)
    for i, row in enumerate(rows):
        following[i, : len(row)] = torch.tensor(row)
        tokens[i, 0] = tokenizer.bos_id
        tokens[i, 1 : len(row)] = torch.tensor(row[:-1])
    return tokens, following


class ProductBatches(Dataset[tuple[AttributeBatch, ProductTargets]]):
    """The batches of one epoch, each made from (seed, epoch, its number) alone; without pictures, see Pictures.

    A picture is shown once and asked about twice: as if it came alone, and with the text that came with it.
    """

    def __init__(
        self,
        products: Sequence[Product],
        tokenizer: LabelTokenizer,
        config: ProductsConfig,
        epoch: int,
    ):
        self._products = products
        self._tokenizer = tokenizer
        self._config = config
        self._seed = (config.seed, epoch)
        rng = np.random.default_rng(self._seed)
        shown = np.array([p.repeat for p in products])
        times = np.floor(shown + rng.random(len(products))).astype(int)
        order = rng.permutation(np.repeat(np.arange(len(products)), times))
        size = config.batch_size
        # As many batches in every epoch, whatever was drawn: a schedule counts on it.
        self._batches = np.resize(order, (max(1, round(shown.sum() / size)), size))
        if config.patch_views:
            self._batches = _alike(self._batches, np.array([_letters(p) for p in products]), rng)

    def __len__(self) -> int:
        return len(self._batches)

    def __getitem__(self, number: int) -> tuple[AttributeBatch, ProductTargets]:
        config, tokenizer = self._config, self._tokenizer
        rng = random.Random(repr((*self._seed, number)))
        chosen = [self._products[i] for i in self._batches[number]]
        asked: list[AttributeExample] = []
        owners: list[Product] = []
        for i, product in enumerate(chosen):
            views: list[tuple[bool, EncodedWords, Collection[str]]] = [(True, [], ())]
            if product.title or product.description:
                views += [self._with_text(product, rng) for _ in range(config.text_views)]
            for seen, words, shown in views:
                texts = rng.random() < config.text_share
                if entities := questions_of(product, tokenizer.entities, texts=texts, shown=shown):
                    asked.append(AttributeExample(i, seen, words, entities))
                    owners.append(product)
        nothing = torch.zeros(len(chosen), 3, 0, 0, dtype=torch.uint8)
        inputs = collate_attributes(tokenizer, nothing, [(0.0, 0.0)] * len(chosen), asked)
        targets = make_targets(tokenizer, asked, owners)
        return inputs, replace(targets, numbers=torch.from_numpy(self._batches[number]))

    def _with_text(self, product: Product, rng: random.Random) -> tuple[bool, EncodedWords, Collection[str]]:
        """A view with some of the text: is the picture seen, which words, of which fields."""
        config = self._config
        texts = {"title": product.title, "description": product.description}
        given = {f: t for f, t in texts.items() if t and rng.random() >= config.hide_field_share}
        if not given:
            given = {f: t for f, t in texts.items() if t}
        words = encode_words(self._tokenizer, given.get("title", ""), given.get("description", ""))
        kept = [word for word in words if rng.random() >= config.hide_word_share]
        seen = rng.random() >= config.hide_picture_share
        return seen, kept or words, given.keys()


def _letters(product: Product) -> int:
    """How much there is to read and to write."""
    return sum(map(len, (product.title, product.description, *product.texts.values())))


def _alike(batches: np.ndarray, letters: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Batches of products with about as many letters: where words are all that is computed, padding costs most.

    Args:
        batches: (count, size) numbers of products, in random order; each is sorted among its POOL neighbours alone.
    """
    pooled = []
    for start in range(0, len(batches), POOL):
        pool = batches[start : start + POOL]
        longest_last = pool.flatten()[np.argsort(letters[pool.flatten()], kind="stable")]
        pooled.append(longest_last.reshape(pool.shape))
    alike = np.concatenate(pooled)
    return alike[rng.permutation(len(alike))]


def make_targets(
    tokenizer: LabelTokenizer, asked: Sequence[AttributeExample], products: Sequence[Product]
) -> ProductTargets:
    """Targets of the questions, in the order of collate_attributes."""
    questions = [(product, e) for a, product in zip(asked, products, strict=True) for e in a.entities]
    labelled = [q for q, (_, e) in enumerate(questions) if e.kind != "text"]
    written = [q for q, (_, e) in enumerate(questions) if e.kind == "text"]
    tokens, following = _text_targets(
        tokenizer,
        [questions[q][0].texts[questions[q][1].name] for q in written],
        [questions[q][1].max_subwords for q in written],
    )
    rows: dict[Entity, list[int]] = {entity: [] for entity in tokenizer.entities}
    for row, q in enumerate(labelled):
        rows[questions[q][1]].append(row)
    return ProductTargets(
        labelled=torch.tensor(labelled, dtype=torch.long),
        label=torch.tensor([questions[q][0].labels[questions[q][1].name] for q in labelled], dtype=torch.long),
        rows=tuple(torch.tensor(numbers, dtype=torch.long) for numbers in rows.values()),
        written=torch.tensor(written, dtype=torch.long),
        tokens=tokens,
        following=following,
        count=len(asked),
    )
