"""Masks of text."""

import cv2
import numpy as np
import pytest

from resformer.train.ocr.synthetic import text_mask
from resformer.train.ocr.synthetic.fonts import Fonts
from resformer.train.ocr.synthetic.text_mask import draw_text_mask


@pytest.mark.parametrize("cap_height", [8, 20, 40])
def test_masks_are_as_high_as_asked_for(fonts: Fonts, cap_height: float) -> None:
    for seed in range(10):
        rng = np.random.default_rng(seed)
        mask = draw_text_mask("H0", fonts.pick("H0 1", rng), cap_height, rng, plain=True)
        assert mask.shape[0] == pytest.approx(cap_height, abs=1.5)
        assert mask.min() >= 0 and 0.59 < mask.max() <= 1


def test_spaced_letters_do_not_touch(fonts: Fonts, monkeypatch: pytest.MonkeyPatch) -> None:
    font = next(f for i in range(99) if not (f := fonts.pick("500 g", np.random.default_rng(i))).digits_only)
    monkeypatch.setattr(text_mask, "P_DOTTED", 0)
    monkeypatch.setattr(text_mask, "P_CURVED", 0)

    def mean_width_and_letters(p_spaced: float) -> tuple[float, float]:
        monkeypatch.setattr(text_mask, "P_SPACED", p_spaced)
        masks = [draw_text_mask("HHHH", font, 30, np.random.default_rng(seed)) for seed in range(20)]
        letters = [cv2.connectedComponents((mask > 0.3).astype(np.uint8))[0] - 1 for mask in masks]
        return float(np.mean([mask.shape[1] for mask in masks])), float(np.mean(letters))

    (close, _), (wide, letters) = mean_width_and_letters(0), mean_width_and_letters(1)
    assert wide > 1.1 * close
    assert letters == pytest.approx(4, abs=0.3)
