"""An answer never depends on which other entities are named: each alone, in pairs, and all together."""

from collections.abc import Callable, Iterator
from itertools import combinations
from typing import Any

import numpy as np
import pytest

from resformer.model.images.line_segments import find_line_drawing
from resformer.model.prediction import Prediction
from resformer.model.predictor import Predictor
from tests.golden.photos import golden_photos

CONFIDENCE_TOLERANCE = 2e-3  # of sums in batches of other sizes


def once(function: Callable[..., Any]) -> Callable[..., Any]:
    """The function, called once for equal arrays."""
    results: dict[bytes, Any] = {}

    def call(array: np.ndarray) -> Any:
        key = array.tobytes()
        if key not in results:
            results[key] = function(array)
        return results[key]

    return call


@pytest.fixture(scope="module")
def fast() -> Iterator[Predictor]:
    """The shipped weights. What sees the photo alone, and no entity, runs once a photo: it takes most of the time."""
    predictor = Predictor.load(reader="builtin", threads=1)
    reader = predictor.reader_for()
    assert predictor._rows is not None
    encode = predictor._rows._encode
    with pytest.MonkeyPatch.context() as patch:
        read_many = reader.read_many
        read = once(lambda image: read_many([image])[0])
        patch.setattr(reader, "read_many", lambda images, room: [read(image) for image in images])
        patch.setattr(encode, "_features", once(encode._features))
        patch.setattr("resformer.model.predictor.find_line_drawing", once(find_line_drawing))
        yield predictor


@pytest.mark.parametrize(
    ("name", "settings", "sizes"),
    [
        ("drawn/box", {}, (1, 2)),
        ("drawn/lamp", {"min_confidence": 0.3, "assume_present": True}, (1,)),
        ("drawn/ruler", {"min_confidence": 0.0}, (1,)),
    ],
)
def test_singles_pairs_and_all_agree(
    fast: Predictor, name: str, settings: dict[str, Any], sizes: tuple[int, ...]
) -> None:
    """One photo comes with a title and a description."""
    photo = next(photo for photo in golden_photos() if photo.name == name)

    def answers(*names: str) -> dict[str, Prediction]:
        return fast.predict(
            photo.content, names, title=photo.title, description=photo.description, **settings
        ).predictions

    names = [entity.name for entity in fast.entities]
    together = answers(*names)
    for asked in (group for size in sizes for group in combinations(names, size)):
        for entity, answer in answers(*asked).items():
            expected = together[entity]
            assert answer.confidence == pytest.approx(expected.confidence, abs=CONFIDENCE_TOLERANCE), asked
            assert _without_confidence(answer) == _without_confidence(expected), asked


def _without_confidence(prediction: Prediction) -> dict[str, Any]:
    return {key: value for key, value in prediction.as_dict().items() if key != "confidence"}
