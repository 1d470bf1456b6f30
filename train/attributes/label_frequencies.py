"""How frequent labels are: among training products, in the catalogue, and in an epoch."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from resformer.model.inference.label_tokenizer import LabelTokenizer
from resformer.model.schema.schema import Entity
from resformer.train.attributes.labelled_products import LabelledProduct, label_index
from resformer.train.data.quantity_records import label_rows

__all__ = ["balance_labels", "label_log_priors", "read_label_counts"]


def read_label_counts(file: Path, entity: Entity) -> dict[int, float]:
    """How many products of the whole catalogue have each label, from a CSV with the columns `label` and `count`.

    Raises:
        ValueError: a column is missing, a label is unknown, or a count is no number.
    """
    try:
        rows = [(label_index(entity, row["label"]), float(row["count"])) for row in label_rows(file, "label", "count")]
    except ValueError as error:
        raise ValueError(f"{file} needs the columns label and count, a label of {entity.name} each: {error}") from error
    return {label: count for label, count in rows if label is not None}


def balance_labels(
    products: Sequence[LabelledProduct],
    entity: Entity,
    catalogue_counts: Mapping[int, float],
    *,
    min_count: float,
    max_factor: float,
) -> list[LabelledProduct]:
    """The products of one table with sampling weights that favour rare labels, and with their catalogue counts.

    A label with n < `min_count` products is shown sqrt(min_count / n) times as often, at most `max_factor` times
    (repeat factor sampling, arXiv 1908.03195).

    Args:
        catalogue_counts: by label, how many products the whole catalogue has, where that is known.
    """
    counts = Counter(label for p in products if (label := p.labels.get(entity.name)) is not None)

    def balance(product: LabelledProduct) -> LabelledProduct:
        label = product.labels.get(entity.name)
        if label is None:
            return product
        factor = min(max_factor, max(1.0, (min_count / counts[label]) ** 0.5))
        return replace(
            product,
            sampling_weight=product.sampling_weight * factor,
            catalogue_count=max(1.0, catalogue_counts.get(label, 0.0) / counts[label]),
        )

    return [balance(product) for product in products]


def label_log_priors(
    products: Sequence[LabelledProduct], tokenizer: LabelTokenizer, *, in_catalogue: bool
) -> np.ndarray:
    """Log frequency of each label among those of its entity: (vocab_size,), 0 for tokens that are no labels.

    Args:
        in_catalogue: count products as in the whole catalogue; else as an epoch shows them.
    """
    priors = np.zeros(tokenizer.vocab_size, dtype=np.float32)
    for entity in tokenizer.entities:
        tokens = tokenizer.labels(entity)
        if not len(tokens):
            continue
        counts = np.full(len(tokens), 0.5)
        for product in products:
            label = product.labels.get(entity.name)
            if label is None:
                continue
            weight = product.catalogue_count if in_catalogue else product.sampling_weight
            if entity.kind == "choice":
                counts[label] += weight
            else:  # a product that is labelled with a parent may be any of its leaves
                leaves = entity.taxonomy.members[label]
                counts[leaves] += weight / leaves.sum()
        priors[tokens.start : tokens.stop] = np.log(counts / counts.sum())
    return priors
