"""Sizes of the presets, and the quantity network with random weights: shapes and independence of questions."""

import pytest
import torch

from resformer.model.inference.checkpoint import build_network
from resformer.model.inference.quantity_decoding import decode_quantities
from resformer.model.inference.quantity_inputs import QuantityPreprocessor
from resformer.model.inference.tokenizer import Tokenizer
from resformer.model.networks.backbone import Backbone
from resformer.model.networks.decoder import FIRST_CANDIDATE
from resformer.model.networks.presets import PRESETS, preset
from resformer.model.networks.resformer import Resformer
from resformer.model.networks.text_detection import TextDetectorBackbone
from resformer.model.ocr.page import BOX_SIZE, Page
from resformer.model.ocr.text_line import TextLine
from resformer.model.quantities.candidate_features import feature_count
from resformer.model.quantities.label_priors import LabelPriors
from resformer.model.schema.schema import Schema

SCHEMA = Schema.load()
TOKENIZER = Tokenizer(SCHEMA)


def line(text: str, x: float, y: float) -> TextLine:
    return TextLine(((x, y), (x + 100, y), (x + 100, y + 20), (x, y + 20)), text, 0.9)


LINES = [line("Net Wt 500 g (17.6 oz)", 10, 10), line("Max load 20 kg", 10, 60), line("Shampoo", 30, 200)]


@pytest.fixture(scope="module")
def network() -> Resformer:
    torch.manual_seed(0)
    return build_network(preset("nano"), TOKENIZER).eval()


@pytest.fixture(scope="module")
def preprocessor() -> QuantityPreprocessor:
    return QuantityPreprocessor(SCHEMA, TOKENIZER, LabelPriors.count([]))


@pytest.mark.parametrize(
    ("name", "millions"),
    [("nano", (2.5, 4.5)), ("tiny", (8, 10)), ("small", (14, 17)), ("base", (50, 62)), ("original", (700, 900))],
)
def test_presets_have_their_size(name: str, millions: tuple[float, float]) -> None:
    with torch.device("meta"):
        network = build_network(PRESETS[name], TOKENIZER, ("attributes",))
    count = sum(p.numel() for p in network.parameters()) / 1e6
    assert millions[0] < count < millions[1]


@pytest.mark.parametrize("name", PRESETS)
def test_backbones_end_at_stride_16(name: str) -> None:
    sizes = PRESETS[name]
    with torch.device("meta"):
        backbone = Backbone(sizes)
        features = backbone(torch.zeros(1, 3, sizes.image_size, sizes.image_size))
    assert features.shape == (1, backbone.out_channels, sizes.image_size // 16, sizes.image_size // 16)


def test_the_text_detector_backbone_ends_at_stride_4() -> None:
    with torch.device("meta"):
        backbone = TextDetectorBackbone()
        assert backbone(torch.zeros(1, 3, 96, 160)).shape == (1, backbone.out_channels, 24, 40)


def test_original_is_the_paper_size() -> None:
    sizes = PRESETS["original"]
    assert (sizes.attribute_width, sizes.attribute_heads, sizes.image_size) == (2048, 16, 400)
    assert (sizes.image_size // sizes.stride) ** 2 == 625


def test_unknown_preset_names_the_known() -> None:
    with pytest.raises(ValueError, match="nano, tiny, small, base, original"):
        preset("huge")


@pytest.mark.parametrize("with_words", [True, False])
def test_words_are_optional(network: Resformer, preprocessor: QuantityPreprocessor, with_words: bool) -> None:
    example = preprocessor.example(Page(LINES if with_words else [], 300, 400), SCHEMA.quantities)
    batch = preprocessor.batch([example])
    assert batch.features.shape[2] == feature_count()
    assert batch.candidate_boxes.shape[2] == BOX_SIZE
    logits = network.quantities(batch)
    assert logits.shape == (len(SCHEMA.quantities), FIRST_CANDIDATE + batch.features.shape[1])
    assert torch.isfinite(logits[:, :FIRST_CANDIDATE]).all()
    assert torch.equal(torch.isfinite(logits[:, FIRST_CANDIDATE:]), batch.candidate_mask)


def test_an_answer_does_not_depend_on_what_else_is_asked_or_batched(
    network: Resformer, preprocessor: QuantityPreprocessor
) -> None:
    weight = SCHEMA["item_weight"]
    alone = preprocessor.batch([preprocessor.example(Page(LINES, 300, 400), [weight])])
    other = preprocessor.example(Page(LINES * 3, 500, 200), SCHEMA.quantities)
    among = preprocessor.batch([other, preprocessor.example(Page(LINES, 300, 400), SCHEMA.quantities)])
    row = len(SCHEMA.quantities) + SCHEMA.quantities.index(weight)
    one = network.quantities(alone)[0]
    many = network.quantities(among)[row]
    torch.testing.assert_close(one, many[: len(one)], atol=1e-4, rtol=1e-4)
    assert torch.isneginf(many[len(one) :]).all()


def test_answers_are_candidates_or_empty(network: Resformer, preprocessor: QuantityPreprocessor) -> None:
    entities = list(SCHEMA.quantities)
    example = preprocessor.example(Page(LINES, 300, 400), entities)
    strings = [[str(c.quantity) for c in found] for found in example.candidates]
    with torch.inference_mode():
        answers = decode_quantities(network.quantities(preprocessor.batch([example])), strings)
    for answer, found in zip(answers, example.candidates, strict=True):
        assert 0 <= answer.probability <= 1
        assert answer.candidate in [None, *range(len(found))]
