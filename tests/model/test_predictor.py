"""From photos to answers, with a random network and with the shipped weights."""

import hashlib
import io
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFont

from resformer import __version__
from resformer.model.errors import BadRequest, UnknownEntity, UnsupportedImage
from resformer.model.images.line_segments import LineDrawing, find_line_drawing
from resformer.model.inference.checkpoint import WEIGHTS_DIR, build_network, save_checkpoint
from resformer.model.networks.parts import Parts
from resformer.model.ocr.page import Page
from resformer.model.ocr.readers import READERS
from resformer.model.ocr.text_line import TextLine
from resformer.model.prediction import Prediction
from resformer.model.predictor import FALLBACK_READER, Predictor, weights_version
from resformer.model.schema.taxonomy import SEPARATOR
from tests.model.conftest import NANO, SCHEMA, TOKENIZER
from tests.servers import check_reply


def pack(*texts: str) -> bytes:
    """A photo of a white pack with text lines."""
    image = Image.new("RGB", (640, 480), "white")
    draw = ImageDraw.Draw(image)
    for i, text in enumerate(texts):
        draw.text((60, 60 + 100 * i), text, "black", ImageFont.load_default(44))
    buffer = io.BytesIO()
    image.save(buffer, "PNG")
    return buffer.getvalue()


@pytest.fixture(scope="module")
def random_weights(tmp_path_factory: pytest.TempPathFactory, nano: Parts) -> Path:
    path = tmp_path_factory.mktemp("weights") / "nano.safetensors"
    save_checkpoint(path, nano, TOKENIZER)
    return path


@pytest.fixture(scope="module")
def random_predictor(random_weights: Path) -> Predictor:
    return Predictor.load(random_weights, reader="builtin")


def test_answers_have_their_form(random_predictor: Predictor) -> None:
    result = random_predictor.predict(pack("NET WT 500 g"), title="Rice 5 kg", description="Output 20 W")
    assert (result.width, result.height) == (640, 480)
    assert tuple(result.predictions) == SCHEMA.names == tuple(e.name for e in random_predictor.entities)
    keys = {"prediction", "value", "unit", "si", "confidence", "evidence"}
    assert all(answer.keys() == keys for answer in result.as_dict()["predictions"].values())


def test_the_frame_that_was_read_is_named(random_predictor: Predictor) -> None:
    frames = [
        Image.new("RGB", (640, 480), "white"),
        Image.open(io.BytesIO(pack("NET WT 500 g"))),
        Image.new("RGB", (9, 9)),
    ]
    buffer = io.BytesIO()
    frames[0].save(buffer, "TIFF", save_all=True, append_images=frames[1:])
    image = random_predictor.predict(buffer.getvalue(), ["gender"]).as_dict()["image"]
    assert image == {"width": 640, "height": 480, "frame": 2, "frames": 3}
    check_reply(200, {"model": "resformer", "version": "1.0", "image": image, "predictions": {}})
    assert random_predictor.predict(pack(), ["gender"]).as_dict()["image"] == {"width": 640, "height": 480}


def test_a_sent_title_is_the_answer(random_predictor: Predictor) -> None:
    answers = random_predictor.predict(pack(), ["gender", "title"], title="Rice 5 kg", top_k=2).predictions
    assert answers["title"] == Prediction("Rice 5 kg", None, None, None, 1.0, None, [])


def test_bad_requests_are_named(random_predictor: Predictor) -> None:
    with pytest.raises(UnknownEntity, match="item_weight"):
        random_predictor.predict(pack(), ["weight of item"])
    with pytest.raises(UnsupportedImage):
        random_predictor.predict(b"hello, not a photo")
    with pytest.raises(BadRequest):
        random_predictor.predict(pack(), reader="tesseract")
    with pytest.raises(BadRequest, match="from 0 to 1"):
        random_predictor.predict(pack(), min_confidence=80)
    with pytest.raises(BadRequest, match="characters"):
        random_predictor.predict(pack(), title="x" * 10_001)


@pytest.mark.parametrize("names", [None, ["gender", "width"]])
def test_weights_without_a_resformer_refuse_every_question(tmp_path: Path, names: list[str] | None) -> None:
    weights = tmp_path / "detector.safetensors"
    save_checkpoint(weights, build_network(NANO, TOKENIZER, ["text_detector"]), TOKENIZER)
    predictor = Predictor.load(weights, reader="ppocr")
    assert predictor.entities == ()
    with pytest.raises(BadRequest, match=f"do not answer {names[0] if names else 'width'}: they hold no Resformer"):
        predictor.predict(pack(), names)


@pytest.mark.parametrize("reader", READERS)
def test_shipped_weights_read_a_pack(shipped: Predictor, reader: str) -> None:
    result = shipped.predict(pack("GOLDEN RICE", "NET WT 500 g (17.6 oz)"), ["item_weight"], reader=reader)
    weight = result.predictions["item_weight"]
    assert weight.prediction in ("500 gram", "17.6 ounce")
    x0, y0, x1, y1 = weight.evidence or (0, 0, 0, 0)
    assert 60 < (x0 + x1) / 2 < 640
    assert 155 < y0 < y1 < 220


SMALL_TEXTS = (
    *("Net weight 450 g", "Peso neto 1,5 kg", "Leistung 1800 W", "Input 230 V", "Contenuto 750 ml", "Hauteur 61 cm"),
    *("Width 24 in", "Breite 120 mm", "Volume 1.5 L", "Netto 500 g", "Max load 80 kg", "Peso neto 2 kg"),
)


@pytest.mark.parametrize("reader", READERS)
@pytest.mark.parametrize(("width", "height"), [(790, 9000), (970, 6000), (1464, 5000), (6000, 500), (9000, 900)])
def test_text_of_12_pixels_on_long_pages_and_banners(shipped: Predictor, reader: str, width: int, height: int) -> None:
    image = Image.new("RGB", (width, height), (240, 235, 225))
    for i, text in enumerate(SMALL_TEXTS):
        across, along = (0.1 + 0.17 * (i % 4), (i + 0.3) / len(SMALL_TEXTS))
        at = (width * across, height * along) if height > width else (width * along, height * across)
        ImageDraw.Draw(image).text(at, text, (40, 40, 40), ImageFont.load_default(12))
    lines = shipped.reader_for(reader).read(np.array(image))
    texts = [line.text.lower().replace(" ", "") for line in lines]
    assert len(texts) == len(SMALL_TEXTS)
    if reader == "ppocr":  # the other recognizers misread some text of this size on photos of every shape
        assert set(texts) == {text.lower().replace(" ", "") for text in SMALL_TEXTS}


def test_one_entity_and_many_give_the_same_answer(shipped: Predictor) -> None:
    photo = pack("INPUT 220-240V~", "Power 60 W", "Weight 1,5 kg")
    together = shipped.predict(photo, SCHEMA.names).predictions
    assert tuple(shipped.predict(photo).predictions) == SCHEMA.names
    for name in SCHEMA.names:
        alone = shipped.predict(photo, [name]).predictions[name]
        assert alone.prediction == together[name].prediction
        assert alone.confidence == pytest.approx(together[name].confidence, abs=2e-3)


KETTLE = pack("INPUT 220-240V~", "Power 60 W", "Weight 1,5 kg")


def answers_about_kettle(predictor: Predictor, **options: Any) -> dict[str, Prediction]:
    return predictor.predict(KETTLE, title="Kettle", top_k=100, **options).predictions


def test_without_a_min_confidence_to_reach_every_best_guess_is_given(shipped: Predictor) -> None:
    guesses = answers_about_kettle(shipped, min_confidence=0)
    # Nothing on the pack can be a length or a volume, and a text may end at once.
    empty = {name for name, guess in guesses.items() if not guess.prediction}
    assert empty - {"description"} == {"width", "height", "depth", "item_volume"}
    assert guesses["category"].prediction in map(SEPARATOR.join, SCHEMA["category"].paths)


@pytest.mark.parametrize("assume_present", [False, True])
def test_answers_are_withheld_by_their_confidence(shipped: Predictor, assume_present: bool) -> None:
    guesses = answers_about_kettle(shipped, min_confidence=0, assume_present=assume_present)
    answers = answers_about_kettle(shipped, min_confidence=0.5, assume_present=assume_present)
    for entity in SCHEMA.entities:
        guess, answer = guesses[entity.name], answers[entity.name]
        if entity.kind == "text":
            assert answer.confidence >= 0.5 or not answer.prediction
            continue
        assert answer.alternatives == guess.alternatives
        if guess.confidence >= 0.5 or not guess.prediction:
            assert answer == guess
        elif entity.kind != "path":
            empty = next(a.confidence for a in answer.alternatives or () if not a.prediction)
            assert answer == Prediction("", None, None, None, empty, None, answer.alternatives)
    assert answers["voltage"].prediction and not answers["maximum_weight_recommendation"].prediction


def test_a_path_stops_above_a_level_that_is_less_confident_than_asked_for(shipped: Predictor) -> None:
    def category(min_confidence: float | None) -> Prediction:
        return shipped.predict(pack(), ["category"], min_confidence=min_confidence).predictions["category"]

    leaf = category(0.0)
    node = category(leaf.confidence + 1e-3)
    assert isinstance(leaf.value, list) and leaf.prediction != node.prediction
    assert leaf.prediction.startswith(node.prediction)
    assert node.confidence > leaf.confidence or not node.prediction


def test_every_photo_is_read_and_its_lines_are_sought(shipped: Predictor, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever is asked: an answer must not depend on it."""
    calls: list[np.ndarray] = []

    def find(image: np.ndarray) -> LineDrawing:
        calls.append(image)
        return find_line_drawing(image)

    monkeypatch.setattr("resformer.model.predictor.find_line_drawing", find)
    for times, names in enumerate((["gender"], ["depth"], None), 1):
        shipped.predict(pack("12 cm 500 g"), names, reader="crops")
        assert len(calls) == times


def test_exclusive_pairs_do_not_depend_on_what_else_is_asked(shipped: Predictor) -> None:
    """Width and height are chosen jointly, also when one of them is asked alone."""
    below = TextLine(((300, 820), (420, 820), (420, 850), (300, 850)), "30 cm", 0.99)
    beside = TextLine(((40, 400), (140, 400), (140, 430), (40, 430)), "42 cm", 0.99)
    page = Page((below, beside), 800, 900)

    def answers(*names: str) -> dict[str, str]:
        asked = [SCHEMA[name] for name in names]
        return {name: p.prediction for name, p in shipped.predict_page(page, asked).predictions.items()}

    both = answers("width", "height")
    assert set(both) == {"width", "height"}
    assert set(both.values()) == {"30 centimetre", "42 centimetre"}
    assert answers("width") == {"width": both["width"]}
    assert answers("height") == {"height": both["height"]}
    assert {name: v for name, v in answers(*(e.name for e in SCHEMA.quantities)).items() if name in both} == both


def test_a_title_alone_can_answer(shipped: Predictor) -> None:
    answer = shipped.predict(pack(), ["item_weight"], title="Basmati rice, net weight 5 kg", reader="builtin")
    weight = answer.predictions["item_weight"]
    assert weight.prediction == "5 kilogram"
    assert weight.evidence is None


def test_none_is_another_name_of_the_builtin_reader(random_predictor: Predictor) -> None:
    photo = pack("NET WT 500 g")
    assert random_predictor.predict(photo, reader="none") == random_predictor.predict(photo, reader="builtin")


def test_a_crowded_page_with_text_is_answered(random_predictor: Predictor) -> None:
    lines = [TextLine(((0, i), (90, i), (90, i + 5), (0, i + 5)), f"weighs {i + 1} g today", 0.9) for i in range(90)]
    weight = SCHEMA["item_weight"]
    result = random_predictor.predict_page(Page(lines, 100, 100), [weight], title="net weight 5 kg " * 50, top_k=100)
    strings = {a.prediction for a in result.predictions["item_weight"].alternatives or ()}
    assert "5 kilogram" in strings and len(strings) > 10


def test_shipped_weights_stay_within_their_size() -> None:
    assert (WEIGHTS_DIR / "small.safetensors").stat().st_size <= 32 * 2**20


def test_weights_without_a_text_detector_have_another_default_reader(random_weights: Path) -> None:
    predictor = Predictor.load(random_weights)
    assert predictor.reader == FALLBACK_READER and "crops" not in predictor.readers


def test_other_weights_have_a_version_of_their_own(random_weights: Path, shipped: Predictor) -> None:
    digest = hashlib.sha256(random_weights.read_bytes()).hexdigest()
    assert weights_version(random_weights) == digest[:8]
    assert shipped.version == weights_version(WEIGHTS_DIR / "small.safetensors") == __version__
