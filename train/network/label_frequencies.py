"""How frequent labels are: among training products, in the catalogue, and in an epoch."""

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from resformer.model.files.tables import read_table
from resformer.model.inference.tokenizer import Tokenizer
from resformer.model.schema.schema import Entity
from resformer.train.network.label_targets import target_answers, target_index
from resformer.train.network.labelled_photos import LabelledPhoto

__all__ = ["balance_labels", "label_log_priors", "read_label_counts"]


def read_label_counts(file: Path, entity: Entity) -> dict[int, float]:
    """How many products of the whole catalogue have each label, from a CSV with the columns `label` and `count`.

    Raises:
        ValueError: a column is missing, a label is unknown, or a count is no number.
    """
    counts: dict[int, float] = {}
    for row in read_table(file, "label", "count", needs_rows=True):
        try:
            label = target_index(entity, row["label"].strip(), exact=False)
        except ValueError as error:
            raise ValueError(f"{row.where('label')}: {error}") from error
        try:
            count = float(row["count"])
        except ValueError:
            count = -1.0
        if not 0 <= count < math.inf:
            raise ValueError(f"{row.where('count')}: {row['count']!r} is no number of products")
        if label in counts:
            raise ValueError(f"{row.where('label')}: {row['label']!r} is there twice; delete one of the two rows")
        if label is not None:
            counts[label] = count
    return counts


def balance_labels(
    photos: Sequence[LabelledPhoto],
    entity: Entity,
    catalogue_counts: Mapping[int, float],
    *,
    min_count: float,
    max_factor: float,
) -> list[LabelledPhoto]:
    """The products of one table with sampling weights that favour rare labels, and with their natural weights.

    A label with n < `min_count` products is shown sqrt(min_count / n) times as often, at most `max_factor` times
    (repeat factor sampling, arXiv 1908.03195). The natural weights of the table have the same sum.

    Args:
        catalogue_counts: by label, how many products the whole catalogue has, where that is known.
    """
    counts = Counter(label for p in photos if (label := p.labels.get(entity.name)) is not None)

    def repeats(photo: LabelledPhoto) -> float:
        label = photo.labels.get(entity.name)
        return 1.0 if label is None else min(max_factor, max(1.0, (min_count / counts[label]) ** 0.5))

    def frequency(photo: LabelledPhoto) -> float:
        label = photo.labels.get(entity.name)
        return 1.0 if label is None else max(1.0, catalogue_counts.get(label, 0.0) / counts[label])

    sampled = [photo.sampling_weight * repeats(photo) for photo in photos]
    natural = [frequency(photo) for photo in photos]
    scale = sum(sampled) / max(1e-9, sum(natural))
    return [
        replace(photo, sampling_weight=weight, natural_weight=scale * count)
        for photo, weight, count in zip(photos, sampled, natural, strict=True)
    ]


def label_log_priors(photos: Sequence[LabelledPhoto], tokenizer: Tokenizer, *, in_catalogue: bool) -> np.ndarray:
    """Log frequency of each answer among those of its choice or path: (A,), 0 for other tokens.

    Args:
        in_catalogue: count photos as in the whole catalogue; else as an epoch shows them.
    """
    priors = np.zeros(tokenizer.num_answers, dtype=np.float32)
    for entity in tokenizer.entities:
        if entity.kind not in ("choice", "path"):
            continue
        targets = target_answers(entity).numpy()
        counts = np.full(targets.shape[1], 0.5)
        for photo in photos:
            if (target := photo.labels.get(entity.name)) is not None:
                natural = photo.natural_weight if in_catalogue else None
                weight = photo.sampling_weight if natural is None else natural
                # A photo that is labelled with a parent may be any of its leaves.
                counts[targets[target]] += weight / targets[target].sum()
        tokens = tokenizer.answers(entity)
        priors[tokens.start : tokens.stop] = np.log(counts / counts.sum())
    return priors
