"""The linear shortcut to labels: it learns them from words and from pictures, and keeps what it shall keep."""

from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor

from resformer.model.images.resize import letterbox
from resformer.model.inference.checkpoint import build_network
from resformer.model.networks.resformer import Resformer
from resformer.model.ocr.page import Page
from resformer.train.network.feature_cache import pool_views
from resformer.train.network.fit_shortcut import fit_shortcut, shortcut_inputs
from resformer.train.network.labelled_photos import LabelledPhoto
from tests.model.conftest import NANO, PREPROCESSOR, SCHEMA, TOKENIZER, text_line

GENDERS = TOKENIZER.answers(SCHEMA["gender"])
SEASONS = TOKENIZER.answers(SCHEMA["season"])
COLOURS = TOKENIZER.answers(SCHEMA["baseColour"])
PICTURES = [np.full((20, 30, 3), colour, dtype=np.uint8) for colour in ((250, 20, 20), (20, 20, 250))]


@pytest.fixture
def network() -> Resformer:
    torch.manual_seed(0)
    network = build_network(NANO, TOKENIZER, ("resformer",)).resformer
    assert network is not None
    return network.eval()


def photos() -> list[LabelledPhoto]:
    """Men's and women's products, by the printed word or the title; colour and season follow the picture alone."""
    found = []
    for i in range(40):
        label = 1 + i % 2
        word = ("men", "women")[i % 2]
        line = text_line(f"{word} {i}", 5, 5) if i % 4 < 2 else text_line(f"size {i}", 5, 5)
        title = "" if i % 4 < 2 else f"{word} shirt"
        labels = {"gender": label, "baseColour": 1 + i // 20, "season": 1 + i // 20}
        found.append(LabelledPhoto(f"{i}", Path(f"{i // 20}.png"), 30, 20, (line,), title=title, labels=labels))
    return found


def fit(network: Resformer, kept: Tensor | None = None) -> None:
    pixels, extent = zip(*(letterbox(picture, NANO.image_size) for picture in PICTURES), strict=True)
    with torch.no_grad():
        features = network.image(torch.from_numpy(np.stack(pixels)))
    pooled = pool_views([features, features], torch.tensor(extent))
    fit_shortcut(
        network,
        shortcut_inputs(network, PREPROCESSOR, photos(), [i // 20 for i in range(40)], pooled),
        TOKENIZER,
        torch.zeros(network.num_answers),
        kept=torch.zeros(network.num_answers, dtype=torch.bool) if kept is None else kept,
        p_drop_image=0.1,
        seed=0,
    )


def logits(network: Resformer, *, line: str = "", title: str = "", picture: int | None = None) -> Tensor:
    page = Page([text_line(line, 5, 5)] if line else [], 30, 20)
    shown = picture is not None
    sample = PREPROCESSOR.sample(page, [SCHEMA["gender"]], title=title, has_image=shown)
    pixels, extent = letterbox(PICTURES[picture or 0], NANO.image_size)
    batch = PREPROCESSOR.batch([sample], pixels[None], [extent])
    with torch.no_grad():
        return network.label_logits(batch, network.image(batch.pixels))[0]


def best(values: Tensor, span: range) -> int:
    return int(values[span.start : span.stop].argmax())


@pytest.mark.parametrize("given", ["line", "title"])
def test_labels_follow_words(network: Resformer, given: str) -> None:
    fit(network)
    for picture in (None, 0, 1):
        assert best(logits(network, **{given: "men"}, picture=picture), GENDERS) == 1
        assert best(logits(network, **{given: "women"}, picture=picture), GENDERS) == 2


def test_labels_follow_the_picture(network: Resformer) -> None:
    fit(network)
    for picture in (0, 1):
        for span in (COLOURS, SEASONS):
            assert best(logits(network, line="size 3", picture=picture), span) == 1 + picture


def test_a_hidden_picture_counts_as_a_mean_one(network: Resformer) -> None:
    fit(network)
    shown = torch.stack([logits(network, line="size 3", picture=picture) for picture in (0, 1)])
    torch.testing.assert_close(logits(network, line="size 3"), shown.mean(dim=0), atol=1e-3, rtol=1e-3)


def test_rows_that_are_kept_stay_as_they_are(network: Resformer) -> None:
    fit(network)
    before = network.shortcut.linear.weight.detach().clone()
    kept = torch.ones(network.num_answers, dtype=torch.bool)
    kept[SEASONS.start : SEASONS.stop] = False
    network.shortcut.linear.weight.data[~kept] = 1.0
    fit(network, kept)
    after = network.shortcut.linear.weight
    assert torch.equal(after[kept], before[kept])
    torch.testing.assert_close(after[~kept], before[~kept], atol=0.05, rtol=0.05)


def test_labels_that_no_photo_has_stay_zero(network: Resformer) -> None:
    fit(network)
    usage = TOKENIZER.answers(SCHEMA["usage"])
    assert not network.shortcut.linear.weight[usage.start : usage.stop].any()
