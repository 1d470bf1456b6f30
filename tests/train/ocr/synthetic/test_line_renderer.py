"""Rendered line crops."""

import numpy as np

from resformer.model.schema.schema import Schema
from resformer.train.ocr.synthetic.fonts import Fonts
from resformer.train.ocr.synthetic.line_renderer import LineRenderer
from resformer.train.ocr.synthetic.text_generator import TextGenerator


def test_crops_depend_on_text_and_seed_alone(fonts: Fonts) -> None:
    renderer = LineRenderer(TextGenerator(Schema.load()), 32)

    def render(text: str, seed: int) -> np.ndarray:
        return renderer.render(text, np.random.default_rng(seed))

    assert np.array_equal(render("500 g", 1), render("500 g", 1))
    assert not np.array_equal(render("500 g", 1), render("500 g", 2))
    for seed in range(30):
        crop = render("Net Wt. 500 g", seed)
        assert crop.dtype == np.uint8
        assert crop.shape[0] == 32 and crop.shape[2] == 3
        assert np.ptp(crop) > 30
        assert render("Net Wt. 500 g (17.6 oz)", seed).shape[1] > crop.shape[1]
