"""Products as batches of questions with their right answers."""

import random
from collections.abc import Collection, Sequence
from dataclasses import replace

import numpy as np
import torch
from torch.utils.data import Dataset

from resformer.model.inference.attribute_inputs import (
    AttributeExample,
    EncodedWords,
    collate_attributes,
    encode_words,
)
from resformer.model.inference.label_tokenizer import LabelTokenizer
from resformer.model.networks.attribute_network import AttributeBatch
from resformer.model.schema.schema import Entity
from resformer.train.attributes.attribute_targets import AttributeTargets, make_targets
from resformer.train.attributes.labelled_products import LabelledProduct
from resformer.train.settings.run_settings import AttributeConfig

__all__ = ["AttributeBatches", "answerable_entities"]

BATCHES_PER_POOL = 16  # among which products are sorted by length


def answerable_entities(
    product: LabelledProduct,
    entities: Sequence[Entity],
    *,
    with_texts: bool,
    visible_fields: Collection[str] = (),
) -> list[Entity]:
    """The entities whose right answer is known for a product.

    Args:
        with_texts: whether texts are among them.
        visible_fields: parts of the caller's text that are shown, which are not asked for.
    """
    return [
        entity
        for entity in entities
        if entity.name in product.labels
        or (with_texts and entity.name in product.texts and entity.name not in visible_fields)
    ]


class AttributeBatches(Dataset[tuple[AttributeBatch, AttributeTargets]]):
    """The batches of one epoch, each made from (seed, epoch, its index) alone; without pixels, see PictureCache.

    Every picture is asked about as if it came alone, and again with the text that came with it.
    """

    def __init__(
        self,
        products: Sequence[LabelledProduct],
        tokenizer: LabelTokenizer,
        config: AttributeConfig,
        epoch: int,
    ):
        if not products:
            raise ValueError("there are no products to train on; lower val_fraction or add rows to the tables")
        self._products = products
        self._tokenizer = tokenizer
        self._config = config
        self._seed = (config.seed, epoch)
        rng = np.random.default_rng(self._seed)
        weights = np.array([product.sampling_weight for product in products])
        repeats = np.floor(weights + rng.random(len(products))).astype(int)
        order = rng.permutation(np.repeat(np.arange(len(products)), repeats))
        size = config.batch_size
        # Every epoch has as many batches, whatever was drawn: the learning rate schedule counts on it.
        self._batches = np.resize(order, (max(1, round(weights.sum() / size)), size))
        if config.cached_views:
            self._batches = _group_by_length(self._batches, np.array([_text_length(p) for p in products]), rng)

    def __len__(self) -> int:
        return len(self._batches)

    def __getitem__(self, index: int) -> tuple[AttributeBatch, AttributeTargets]:
        config, tokenizer = self._config, self._tokenizer
        rng = random.Random(repr((*self._seed, index)))
        pictured = [self._products[i] for i in self._batches[index]]
        examples: list[AttributeExample] = []
        products: list[LabelledProduct] = []
        for i, product in enumerate(pictured):
            views: list[tuple[bool, EncodedWords, Collection[str]]] = [(True, [], ())]
            if product.title or product.description:
                views += [self._text_view(product, rng) for _ in range(config.text_views)]
            for has_image, words, fields in views:
                with_texts = rng.random() < config.p_text
                entities = answerable_entities(
                    product, tokenizer.entities, with_texts=with_texts, visible_fields=fields
                )
                if entities:
                    examples.append(AttributeExample(i, has_image, words, entities))
                    products.append(product)
        no_pixels = torch.zeros(len(pictured), 3, 0, 0, dtype=torch.uint8)
        inputs = collate_attributes(tokenizer, no_pixels, [(0.0, 0.0)] * len(pictured), examples)
        targets = make_targets(tokenizer, examples, products)
        return inputs, replace(targets, product_index=torch.from_numpy(self._batches[index]))

    def _text_view(self, product: LabelledProduct, rng: random.Random) -> tuple[bool, EncodedWords, Collection[str]]:
        """A view with some of the text: whether the picture is visible, the words, and the fields they are from."""
        config = self._config
        texts = {"title": product.title, "description": product.description}
        texts = {name: text for name, text in texts.items() if text}
        texts = {name: text for name, text in texts.items() if rng.random() >= config.p_drop_field} or texts
        words = encode_words(self._tokenizer, texts.get("title", ""), texts.get("description", ""))
        kept = [word for word in words if rng.random() >= config.p_drop_word]
        has_image = rng.random() >= config.p_drop_image
        return has_image, kept or words, texts.keys()


def _text_length(product: LabelledProduct) -> int:
    """Characters to encode and to generate."""
    return sum(map(len, (product.title, product.description, *product.texts.values())))


def _group_by_length(batches: np.ndarray, lengths: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Batches of products with texts of similar length: with cached patches, padding costs most of the time.

    Args:
        batches: (count, size) indices of products, in random order; each is sorted among BATCHES_PER_POOL neighbours.
    """
    pools = []
    for start in range(0, len(batches), BATCHES_PER_POOL):
        pool = batches[start : start + BATCHES_PER_POOL]
        by_length = pool.flatten()[np.argsort(lengths[pool.flatten()], kind="stable")]
        pools.append(by_length.reshape(pool.shape))
    grouped = np.concatenate(pools)
    return grouped[rng.permutation(len(grouped))]
