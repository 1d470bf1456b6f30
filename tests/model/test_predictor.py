"""From photos to answers, with a random network and with the shipped weights."""

import hashlib
import io
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image, ImageDraw, ImageFont

from resformer import __version__
from resformer.model.errors import BadRequest, UnknownEntity, UnsupportedImage
from resformer.model.images.line_segments import LineDrawing, find_line_drawing
from resformer.model.inference.checkpoint import WEIGHTS_DIR, build_network, load_checkpoint, save_checkpoint
from resformer.model.inference.quantity_inputs import MAX_CALLER_WORDS, MAX_WORDS
from resformer.model.inference.tokenizer import Tokenizer
from resformer.model.networks.presets import preset
from resformer.model.ocr.page import Page
from resformer.model.ocr.readers import READERS
from resformer.model.ocr.text_line import TextLine
from resformer.model.prediction import Prediction
from resformer.model.predictor import FALLBACK_READER, Predictor, weights_version
from resformer.model.quantities.parser import parse_quantity
from resformer.model.schema.schema import SCHEMA_FILE, Schema
from resformer.model.schema.taxonomy import SEPARATOR

SCHEMA = Schema.load()
TOKENIZER = Tokenizer(SCHEMA)


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
def random_weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    torch.manual_seed(3)
    path = tmp_path_factory.mktemp("weights") / "nano.safetensors"
    network = build_network(preset("nano"), TOKENIZER)
    save_checkpoint(path, network, TOKENIZER, temperature=1.0)
    return path


def test_answers_have_their_form(random_weights: Path) -> None:
    predictor = Predictor.load(random_weights, reader="builtin")
    result = predictor.predict(pack("NET WT 500 g"), title="Rice 5 kg", description="Output 20 W")
    assert (result.width, result.height) == (640, 480)
    assert tuple(result.predictions) == tuple(entity.name for entity in SCHEMA.quantities)
    for name, p in result.predictions.items():
        assert 0 <= p.confidence <= 1
        if p.prediction:
            quantity = parse_quantity(p.prediction, SCHEMA[name].units)
            assert quantity is not None
            assert (p.value, p.unit, p.si) == (quantity.value, quantity.unit, quantity.si())
        else:
            assert (p.value, p.unit, p.si, p.evidence) == (None, None, None, None)
    assert set(result.as_dict()["predictions"]["voltage"]) == {
        *("prediction", "value", "unit", "si", "confidence", "evidence")
    }


def test_bad_requests_are_named(random_weights: Path) -> None:
    predictor = Predictor.load(random_weights, reader="builtin")
    with pytest.raises(UnknownEntity, match="item_weight"):
        predictor.predict(pack(), ["weight of item"])
    with pytest.raises(UnsupportedImage):
        predictor.predict(b"hello, not a photo")
    with pytest.raises(BadRequest):
        predictor.predict(pack(), reader="tesseract")
    with pytest.raises(BadRequest, match="do not answer gender"):
        predictor.predict(pack(), ["width", "gender"])
    with pytest.raises(BadRequest, match="from 0 to 1"):
        predictor.predict(pack(), min_confidence=80)


def test_weights_of_another_schema_are_refused(random_weights: Path, tmp_path: Path) -> None:
    entities = SCHEMA_FILE.read_text().replace("taxonomies/", f"{SCHEMA_FILE.parent}/taxonomies/")
    wider = tmp_path / "entities.yaml"
    wider.write_text(f"{entities}\n  - name: runtime_power\n    kind: quantity\n    units: [watt]\n")
    with pytest.raises(ValueError, match="runtime_power"):
        load_checkpoint(random_weights, Tokenizer(Schema.load(wider)))
    with pytest.raises(FileNotFoundError, match="resformer train"):
        load_checkpoint(tmp_path / "none.safetensors", TOKENIZER)


@pytest.mark.parametrize("reader", READERS)
def test_shipped_weights_read_a_pack(shipped: Predictor, reader: str) -> None:
    result = shipped.predict(pack("GOLDEN RICE", "NET WT 500 g (17.6 oz)"), ["item_weight"], reader=reader)
    weight = result.predictions["item_weight"]
    assert weight.prediction in ("500 gram", "17.6 ounce")
    x0, y0, x1, y1 = weight.evidence or (0, 0, 0, 0)
    assert 60 < (x0 + x1) / 2 < 640
    assert 155 < y0 < y1 < 220


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
    # Nothing on the pack can be a length or a volume.
    found = {name for name, guess in guesses.items() if guess.prediction}
    assert found == set(SCHEMA.names) - {"width", "height", "depth", "item_volume"}
    assert all(guesses[e.name].prediction in map(SEPARATOR.join, e.paths) for e in SCHEMA.entities if e.paths)


@pytest.mark.parametrize("assume_present", [False, True])
def test_answers_are_withheld_by_their_confidence(shipped: Predictor, assume_present: bool) -> None:
    guesses = answers_about_kettle(shipped, min_confidence=0, assume_present=assume_present)
    answers = answers_about_kettle(shipped, min_confidence=0.5, assume_present=assume_present)
    for entity in SCHEMA.entities:
        guess, answer = guesses[entity.name], answers[entity.name]
        assert answer.alternatives == guess.alternatives
        if guess.confidence >= 0.5 or not guess.prediction:
            assert answer == guess
        elif entity.kind == "quantity":
            empty = next(a.confidence for a in answer.alternatives or () if not a.prediction)
            assert answer == Prediction("", None, None, None, empty, None, answer.alternatives)
        elif entity.kind != "path":
            assert answer == Prediction("", None, None, None, 0.0, None, answer.alternatives)
    assert answers["voltage"].prediction and not answers["maximum_weight_recommendation"].prediction


def test_a_path_stops_above_a_level_that_is_less_confident_than_asked_for(shipped: Predictor) -> None:
    def category(min_confidence: float | None) -> Prediction:
        return shipped.predict(pack(), ["category"], min_confidence=min_confidence).predictions["category"]

    leaf = category(0.0)
    root = category(leaf.confidence + 1e-3)
    assert isinstance(leaf.value, list) and isinstance(root.value, list)
    assert 0 < len(root.value) < len(leaf.value) and root.value == leaf.value[: len(root.value)]
    assert root.confidence > leaf.confidence


def test_line_segments_are_found_where_a_length_is_asked(shipped: Predictor, monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[np.ndarray] = []

    def find(image: np.ndarray) -> LineDrawing:
        calls.append(image)
        return find_line_drawing(image)

    monkeypatch.setattr("resformer.model.predictor.find_line_drawing", find)
    for names, times in ((["item_weight", "voltage"], 0), (["depth"], 1), (None, 2)):
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


def test_none_is_another_name_of_the_builtin_reader(random_weights: Path) -> None:
    predictor = Predictor.load(random_weights, reader="ppocr")
    photo = pack("NET WT 500 g")
    assert predictor.predict(photo, reader="none") == predictor.predict(photo, reader="builtin")


def test_lines_of_the_callers_text_are_not_joined(random_weights: Path) -> None:
    predictor = Predictor.load(random_weights, reader="builtin")
    for title, description in (("Nike Air 12", "V-neck shirt"), ("Nike Air 12\nV-neck shirt", "")):
        answer = predictor.predict(pack(), ["voltage"], title=title, description=description)
        assert answer.predictions["voltage"].prediction != "12 volt"
    with pytest.raises(BadRequest, match="characters"):
        predictor.predict(pack(), title="x" * 10_001)


def test_a_crowded_page_with_text_is_answered(random_weights: Path) -> None:
    predictor = Predictor.load(random_weights, reader="builtin")
    lines = [TextLine(((0, i), (90, i), (90, i + 5), (0, i + 5)), f"weighs {i + 1} g today", 0.9) for i in range(90)]
    weight = SCHEMA["item_weight"]
    example = predictor._preprocessor.example(Page(lines, 100, 100), [weight], text="net weight 5 kg " * 50)
    with_box = [features for features in example.word_boxes if features[-1]]
    assert len(example.words) == MAX_WORDS
    assert len(with_box) == MAX_WORDS - MAX_CALLER_WORDS
    assert any(c.line == -1 for c in example.candidates[0])
    predictor.predict_page(Page(lines, 100, 100), [weight])


def test_shipped_weights_stay_within_their_size() -> None:
    assert (WEIGHTS_DIR / "small.safetensors").stat().st_size <= 32 * 2**20


def test_onnx_runtime_gives_the_logits_of_the_network(shipped: Predictor) -> None:
    asked = shipped.schema.quantities
    for texts in ((), ("Net Wt 500 g", "5 x 10 cm"), ("Golden",)):
        lines = [TextLine(((9, y), (99, y), (99, y + 9), (9, y + 9)), text, 0.9) for y, text in enumerate(texts)]
        example = shipped._preprocessor.example(Page(lines, 300, 400), asked)
        batch = shipped._preprocessor.batch([example])
        with torch.inference_mode():
            expected = shipped._network.quantities(batch)
        torch.testing.assert_close(shipped._logits(batch), expected, atol=1e-3, rtol=1e-3)


def test_weights_without_a_text_detector_have_another_default_reader(random_weights: Path) -> None:
    assert Predictor.load(random_weights).reader == FALLBACK_READER


def test_other_weights_have_a_version_of_their_own(random_weights: Path, shipped: Predictor) -> None:
    digest = hashlib.sha256(random_weights.read_bytes()).hexdigest()
    assert Predictor.load(random_weights, reader="builtin").version == digest[:8]
    assert shipped.version == weights_version(WEIGHTS_DIR / "small.safetensors") == __version__
