"""Photos that are answered together get the answers that they get alone."""

import io
import logging
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from resformer.model.errors import BadRequest, CorruptImage, UnknownEntity, UnsupportedImage
from resformer.model.inference.row_predictor import AskedPage
from resformer.model.photo_query import Query
from resformer.model.prediction import Prediction, Result
from resformer.model.predictor import MAX_BATCH_PIXELS, Predictor
from resformer.model.runtime.batch_sizes import BatchSizes
from tests.golden.photos import golden_photos

TOLERANCE = 1e-3  # of confidences: sums in batches are rounded in another order
DRAWN = {photo.name.removeprefix("drawn/"): photo for photo in golden_photos() if photo.name.startswith("drawn/")}
LONG_PAGE = np.full((2400, 400, 3), 255, np.uint8)
Outcome = Result | Exception


def pixels(name: str) -> np.ndarray:
    return np.array(Image.open(io.BytesIO(DRAWN[name].content)).convert("RGB"))


def long_page() -> np.ndarray:
    """Two photos above each other, which readers read in tiles."""
    small = [np.array(Image.fromarray(pixels(name)).resize((400, 400))) for name in ("pack", "box")]
    return np.concatenate([*small, LONG_PAGE])


QUERIES: tuple[Query, ...] = (
    *(Query(photo.content, title=photo.title, description=photo.description) for photo in DRAWN.values()),
    Query(DRAWN["pack"].content, ["item_weight"], reader="crops", top_k=3),
    Query(b"no photo at all"),
    Query(pixels("bottle")[200:500], ["item_volume", "title", "item_volume"], min_confidence=0.0),
    Query(DRAWN["lamp"].content, ["colour"]),
    Query(DRAWN["charger"].content, ["voltage", "wattage"], reader="ppocr", assume_present=True),
    Query(DRAWN["pack"].content[:900], ["gender"]),
    Query(long_page(), ["item_weight", "width", "height", "depth"]),
    Query(DRAWN["blank"].content, ["title"], title="A title that was sent"),
    Query(Path("no such photo.jpg")),
    Query(np.rot90(pixels("ruler")), ["width", "height", "depth"], reader="crops", group_id="459516"),
    Query(DRAWN["shoe"].content, reader="tesseract"),
    Query(Image.open(io.BytesIO(DRAWN["shirt"].content)), ["category", "articleType", "baseColour"], top_k=2),
    Query(DRAWN["shoe"].content, min_confidence=7.0),
)
FAILURES = (UnsupportedImage, UnknownEntity, CorruptImage, FileNotFoundError, BadRequest, BadRequest)


@pytest.fixture(scope="module")
def builtin() -> Predictor:
    return Predictor.load(reader="builtin", threads=1)


@pytest.fixture(scope="module")
def alone(builtin: Predictor) -> list[Outcome]:
    """The outcome of each query by itself."""

    def ask(query: Query) -> Outcome:
        try:
            return builtin.predict(**vars(query))
        except (ValueError, OSError) as error:
            return error

    return [ask(query) for query in QUERIES]


def check_same(found: Sequence[Outcome], expected: Sequence[Outcome]) -> None:
    for one, other in zip(found, expected, strict=True):
        if isinstance(one, Exception) or isinstance(other, Exception):
            assert (type(one), str(one)) == (type(other), str(other))
            continue
        assert (one.width, one.height) == (other.width, other.height)
        assert one.predictions.keys() == other.predictions.keys()
        for name, answer in one.predictions.items():
            check_prediction(answer, other.predictions[name])


def check_prediction(found: Prediction, expected: Prediction) -> None:
    assert found.confidence == pytest.approx(expected.confidence, abs=TOLERANCE)
    assert replace(found, confidence=0, alternatives=None) == replace(expected, confidence=0, alternatives=None)
    assert len(found.alternatives or ()) == len(expected.alternatives or ())
    for one, other in zip(found.alternatives or (), expected.alternatives or (), strict=True):
        assert one.prediction == other.prediction
        assert one.confidence == pytest.approx(other.confidence, abs=TOLERANCE)


def test_the_queries_have_all_outcomes(alone: list[Outcome]) -> None:
    assert tuple(type(outcome) for outcome in alone if isinstance(outcome, Exception)) == FAILURES
    answered = [outcome for outcome in alone if isinstance(outcome, Result)]
    assert sum(bool(p.prediction) for result in answered for p in result.predictions.values()) > 40
    assert any(p.evidence for result in answered for p in result.predictions.values())


@pytest.mark.parametrize(("size", "backwards"), [(2, False), (5, True), (64, False), (64, True)])
def test_answers_are_those_of_one_by_one(
    builtin: Predictor, alone: list[Outcome], monkeypatch: pytest.MonkeyPatch, size: int, backwards: bool
) -> None:
    monkeypatch.setattr(builtin, "_sizes", replace(builtin._sizes, photos=size))
    step = -1 if backwards else 1
    check_same(list(builtin.predict_many(QUERIES[::step])), alone[::step])


@pytest.mark.parametrize("engine", ["onnxruntime", "torch"])
def test_every_stage_may_be_a_batch(alone: list[Outcome], monkeypatch: pytest.MonkeyPatch, engine: str) -> None:
    """As on a GPU, where torch computes."""
    if engine == "torch":
        monkeypatch.setattr("resformer.model.runtime.onnx_module._export", lambda *_: None)
    predictor = Predictor.load(reader="builtin", threads=1, sizes=BatchSizes(32, 4, 8, 4, 8))
    # Torch takes several times as long on a CPU.
    step = 2 if engine == "torch" else 1
    check_same(list(predictor.predict_many(QUERIES[::step])), alone[::step])


def test_one_set_of_options_is_for_all_photos_that_are_no_queries(builtin: Predictor) -> None:
    photos: list[bytes | Query] = [
        DRAWN["pack"].content,
        Query(DRAWN["bottle"].content, ["item_volume"]),
        DRAWN["box"].content,
    ]
    first, second, third = builtin.predict_many(photos, ["item_weight"], top_k=1)
    assert isinstance(first, Result) and isinstance(second, Result) and isinstance(third, Result)
    assert [list(result.predictions) for result in (first, second, third)] == [
        ["item_weight"],
        ["item_volume"],
        ["item_weight"],
    ]
    assert first.predictions["item_weight"].alternatives and second.predictions["item_volume"].alternatives is None


def test_a_single_photo_is_refused(builtin: Predictor) -> None:
    with pytest.raises(TypeError, match="several photos"):
        builtin.predict_many("photo.jpg")
    assert list(builtin.predict_many([])) == []


def test_a_photo_that_breaks_a_batch_fails_alone(
    builtin: Predictor, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    rows = builtin._rows
    assert rows is not None

    def fail(pages: Sequence[AskedPage]) -> list[dict[str, Prediction]]:
        if any(asked.title == "breaks" for asked in pages):
            raise MemoryError("no room")
        return rows(pages)

    monkeypatch.setattr(builtin, "_rows", fail)
    queries = [Query(DRAWN["pack"].content, ["item_weight"], title=title) for title in ("", "breaks", "")]
    with caplog.at_level(logging.WARNING):
        first, second, third = builtin.predict_many(queries)
    assert isinstance(second, MemoryError) and str(second) == "no room"
    assert isinstance(first, Result) and first == third
    assert first.predictions["item_weight"].prediction == "500 gram"
    assert "a batch of 3 photos failed" in caplog.text


def test_photos_are_drawn_as_they_are_answered(builtin: Predictor, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(builtin, "_sizes", replace(builtin._sizes, photos=2))
    drawn = []

    def photos() -> Iterator[Query]:
        for i in range(20):
            drawn.append(i)
            yield Query(b"", ["gender"])

    for answered, outcome in enumerate(builtin.predict_many(photos()), 1):
        assert isinstance(outcome, BadRequest)
        assert len(drawn) <= answered + 2 + builtin._threads
    assert answered == len(drawn) == 20


def test_a_batch_has_no_more_pixels_than_its_limit(builtin: Predictor, monkeypatch: pytest.MonkeyPatch) -> None:
    assert MAX_BATCH_PIXELS >= 50_000_000
    monkeypatch.setattr("resformer.model.predictor.MAX_BATCH_PIXELS", 50_000)
    sides = (100, 200, 120, 120, 120, 300, 60, 60)
    batches = builtin._batches(Query(np.zeros((side, side, 3), np.uint8), ["gender"]) for side in sides)
    shapes = [[one.photo.pixels.shape[0] for one in batch if not isinstance(one, Exception)] for batch in batches]
    assert shapes == [[100, 200], [120, 120, 120], [300], [60, 60]]
