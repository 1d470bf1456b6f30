"""Whether the answers about a photo stay the same when it is saved again."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tqdm import tqdm

from resformer.model.images.loading import load_photo
from resformer.model.predictor import Predictor
from resformer.train.data.photo_copies import PHOTO_COPIES
from resformer.train.evaluation.product_scores import mean_with_interval

__all__ = ["changed_by_copies"]


def changed_by_copies(predictor: Predictor, photos: Sequence[Path]) -> dict[str, dict[str, Any]]:
    """The fraction of the quantities of a photo that another answer is given to about a copy, by kind of copy.

    Raises:
        OSError: a photo cannot be read.
        ResformerError: it cannot be decoded.
    """
    changed: dict[str, list[float]] = {name: [] for name in PHOTO_COPIES}
    for path in tqdm(photos, desc="copies", disable=None):
        photo = load_photo(path)
        answers = _quantities(predictor, photo)
        for name, make_copy in PHOTO_COPIES.items():
            others = _quantities(predictor, make_copy(photo))
            changed[name].append(sum(a != b for a, b in zip(answers, others, strict=True)) / len(answers))
    return {name: mean_with_interval(fractions) for name, fractions in changed.items()}


def _quantities(predictor: Predictor, photo: Any) -> list[str]:
    quantities = [entity.name for entity in predictor.schema.quantities]
    predictions = predictor.predict(photo, quantities).predictions
    return [predictions[name].prediction for name in quantities]
