"""Shapes and the promises that the streams make; networks here have random weights."""

import pytest
import torch

from resformer.model.inference.checkpoint import build_network
from resformer.model.inference.decoding import decode
from resformer.model.inference.quantity_inputs import Preprocessor
from resformer.model.inference.tokenizer import Vocabulary
from resformer.model.networks.backbone import Stem
from resformer.model.networks.decoder import READ
from resformer.model.networks.presets import PRESETS, preset
from resformer.model.networks.text_detector_backbone import PrintStem
from resformer.model.ocr.page import GEOMETRY, Page
from resformer.model.ocr.text_line import Line
from resformer.model.quantities.candidate_features import feature_count
from resformer.model.quantities.label_priors import Priors
from resformer.model.schema.schema import Schema

SCHEMA = Schema.load()
VOCABULARY = Vocabulary(SCHEMA)
SHAPE = preset("nano")


def line(text: str, x: float, y: float) -> Line:
    return Line(((x, y), (x + 100, y), (x + 100, y + 20), (x, y + 20)), text, 0.9)


LINES = [line("Net Wt 500 g (17.6 oz)", 10, 10), line("Max load 20 kg", 10, 60), line("Shampoo", 30, 200)]


@pytest.fixture(scope="module")
def network() -> torch.nn.Module:
    torch.manual_seed(0)
    return build_network(SHAPE, VOCABULARY).eval()


@pytest.fixture(scope="module")
def preprocessor() -> Preprocessor:
    return Preprocessor(SCHEMA, VOCABULARY, Priors.count([]))


@pytest.mark.parametrize(
    ("name", "millions"), [("nano", (2.5, 4.5)), ("small", (14, 17)), ("base", (50, 62)), ("original", (700, 900))]
)
def test_presets_have_their_size(name: str, millions: tuple[float, float]) -> None:
    with torch.device("meta"):
        network = build_network(PRESETS[name], VOCABULARY, ("catalogue",))
    count = sum(p.numel() for p in network.parameters()) / 1e6
    assert millions[0] < count < millions[1]


@pytest.mark.parametrize("name", PRESETS)
def test_stems_end_at_stride_16(name: str) -> None:
    shape = PRESETS[name]
    with torch.device("meta"):
        stem = Stem(shape)
        photo = torch.zeros(1, 3, shape.image_size, shape.image_size)
        maps = stem(photo)
    assert maps.shape == (1, stem.channels, shape.image_size // 16, shape.image_size // 16)


def test_print_stem_ends_at_stride_4() -> None:
    with torch.device("meta"):
        stem = PrintStem()
        photo = torch.zeros(1, 3, 96, 160)
        assert stem(photo).shape == (1, stem.channels, 24, 40)


def test_original_is_the_paper_size() -> None:
    shape = PRESETS["original"]
    assert (shape.catalogue_width, shape.catalogue_heads, shape.image_size) == (2048, 16, 400)
    assert (shape.image_size // shape.stride) ** 2 == 625


def test_unknown_preset_names_the_known() -> None:
    with pytest.raises(ValueError, match="nano, small, teacher, base, original"):
        preset("huge")


@pytest.mark.parametrize("with_words", [True, False])
def test_words_are_optional(network, preprocessor, with_words: bool) -> None:
    example = preprocessor.example(Page(LINES if with_words else [], 300, 400), SCHEMA.quantities)
    inputs = preprocessor.batch([example])
    assert inputs.features.shape[2] == feature_count()
    assert inputs.candidate_geometry.shape[2] == GEOMETRY
    logits = network(inputs)
    assert logits.shape == (len(SCHEMA.quantities), READ + inputs.features.shape[1])
    assert torch.isfinite(logits[:, :READ]).all()
    assert torch.equal(torch.isfinite(logits[:, READ:]), inputs.candidate_mask)


def test_an_answer_does_not_depend_on_what_else_is_asked_or_batched(network, preprocessor) -> None:
    weight = SCHEMA["item_weight"]
    alone = preprocessor.batch([preprocessor.example(Page(LINES, 300, 400), [weight])])
    other = preprocessor.example(Page(LINES * 3, 500, 200), SCHEMA.quantities)
    among = preprocessor.batch([other, preprocessor.example(Page(LINES, 300, 400), SCHEMA.quantities)])
    row = len(SCHEMA.quantities) + SCHEMA.quantities.index(weight)
    one = network(alone)[0]
    many = network(among)[row]
    torch.testing.assert_close(one, many[: len(one)], atol=1e-4, rtol=1e-4)
    assert torch.isneginf(many[len(one) :]).all()


def test_answers_are_candidates_or_empty(network, preprocessor) -> None:
    entities = list(SCHEMA.quantities)
    example = preprocessor.example(Page(LINES, 300, 400), entities)
    strings = [[str(c.quantity) for c in found] for found in example.candidates]
    with torch.inference_mode():
        answers = decode(network(preprocessor.batch([example])), strings)
    for answer, found in zip(answers, example.candidates, strict=True):
        assert 0 <= answer.probability <= 1
        assert answer.candidate in [None, *range(len(found))]
