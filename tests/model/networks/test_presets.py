"""Sizes of the presets, and the shapes of what they build."""

import pytest
import torch

from resformer.model.inference.checkpoint import build_network
from resformer.model.networks.backbone import Backbone
from resformer.model.networks.image_features import ImageFeatures
from resformer.model.networks.presets import PRESETS, Preset, preset
from resformer.model.networks.text_detection import TextDetectorBackbone
from tests.model.conftest import PAGE, PREPROCESSOR, SCHEMA, TOKENIZER


@pytest.mark.parametrize(
    ("name", "millions"),
    [
        *[("nano", (1.5, 2.1)), ("tiny", (6, 9)), ("small", (14, 18))],
        *[("resnet50", (45, 60)), ("base", (40, 60)), ("original", (500, 900))],
    ],
)
def test_presets_have_their_size(name: str, millions: tuple[float, float]) -> None:
    with torch.device("meta"):
        network = build_network(PRESETS[name], TOKENIZER, ["resformer"])
    count = sum(p.numel() for p in network.parameters()) / 1e6
    assert millions[0] < count < millions[1]


@pytest.mark.parametrize("name", PRESETS)
def test_backbones_end_at_stride_16(name: str) -> None:
    sizes = PRESETS[name]
    with torch.device("meta"):
        backbone = Backbone(sizes)
        features = backbone(torch.zeros(1, 3, sizes.image_size, sizes.image_size))
    assert features.shape == (1, backbone.out_channels, sizes.image_size // 16, sizes.image_size // 16)


@pytest.mark.parametrize("name", PRESETS)
def test_every_patch_has_its_features(name: str) -> None:
    sizes = PRESETS[name]
    with torch.device("meta"):
        image = ImageFeatures(sizes)
        features = image(torch.zeros(2, 3, sizes.image_size, sizes.image_size, dtype=torch.uint8))
    assert features.shape == (2, (sizes.image_size // sizes.stride) ** 2, image.size)


@pytest.mark.parametrize("name", ["nano", "tiny", "original"])
def test_every_token_of_a_source_can_be_pointed_at(name: str) -> None:
    sizes = PRESETS[name]
    batch = PREPROCESSOR.batch([PREPROCESSOR.sample(PAGE, TOKENIZER.entities)])
    with torch.device("meta"):
        network = build_network(sizes, TOKENIZER, ["resformer"]).eval().resformer
        assert network is not None
        patches = (sizes.image_size // sizes.stride) ** 2
        memory = network.encode(batch.to("meta"), torch.zeros(1, patches, network.image.size))
        logits = network.answer(memory, network.decoder.init_cache(memory))
    length = patches + batch.words.shape[1] + batch.prompts.shape[1] + batch.features.shape[1]
    assert memory.states.shape == (1, length, sizes.width)
    assert logits.shape == (1, len(TOKENIZER.entities), TOKENIZER.num_answers + length)
    assert len(TOKENIZER.entities) == len([e for e in SCHEMA.entities if not e.labels_from])


def test_the_text_detector_backbone_ends_at_stride_4() -> None:
    with torch.device("meta"):
        backbone = TextDetectorBackbone()
        assert backbone(torch.zeros(1, 3, 96, 160)).shape == (1, backbone.out_channels, 24, 40)


def test_original_is_the_paper_size() -> None:
    sizes = PRESETS["original"]
    assert (sizes.width, sizes.heads, sizes.image_size) == (2048, 16, 400)
    assert (sizes.image_size // sizes.stride) ** 2 == 625


def test_unknown_preset_names_the_known() -> None:
    with pytest.raises(ValueError, match="nano, tiny, small, resnet50, base, original"):
        preset("huge")


@pytest.mark.parametrize(
    ("sizes", "message"),
    [
        ({"width": 90}, "width 90 must be a multiple of 4 x 4 heads"),
        ({"image_size": 100}, "image_size 100 must be a multiple of 32"),
        ({"backbone_depths": (1,)}, "differ in length"),
    ],
)
def test_sizes_that_do_not_fit_are_refused(sizes: dict[str, int], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Preset(**{**vars(PRESETS["nano"]), **sizes})
