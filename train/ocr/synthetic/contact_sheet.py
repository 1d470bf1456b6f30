"""A contact sheet of rendered line crops, to compare them with real ones by eye."""

from pathlib import Path

import cv2
import numpy as np

from resformer.model.ocr.line_crop import PPOCR_CROP_HEIGHT
from resformer.model.schema.schema import Schema
from resformer.train.ocr.synthetic.line_renderer import LineRenderer
from resformer.train.ocr.synthetic.text_generator import TextGenerator

__all__ = ["draw_contact_sheet"]

WIDTH, GAP = 1280, 4  # pixels
NUM_ROWS = 30
MAX_CHARACTERS = 40  # of a line


def draw_contact_sheet(out: Path, *, held_out: bool = False, seed: int = 0) -> None:
    """Writes a sheet of rendered line crops.

    Args:
        out: PNG file; its folder is made.
        held_out: with the held-out fonts.

    Raises:
        FileNotFoundError: fonts are missing; the message says how to install them.
    """
    texts = TextGenerator(Schema.load())
    renderer = LineRenderer(texts, PPOCR_CROP_HEIGHT, held_out=held_out)
    rng = np.random.default_rng(seed)
    sheet = np.full((NUM_ROWS * (PPOCR_CROP_HEIGHT + GAP), WIDTH, 3), 255, np.uint8)
    x = row = 0
    while True:
        crop = renderer.render(texts.line(rng)[:MAX_CHARACTERS].strip(), rng)[:, :WIDTH]
        if x + crop.shape[1] > WIDTH:
            x, row = 0, row + 1
        if row == NUM_ROWS:
            break
        y = row * (PPOCR_CROP_HEIGHT + GAP)
        sheet[y : y + PPOCR_CROP_HEIGHT, x : x + crop.shape[1]] = crop
        x += crop.shape[1] + GAP
    out.parent.mkdir(parents=True, exist_ok=True)
    cv2.imwrite(str(out), sheet[:, :, ::-1])
