"""A contact sheet of what is drawn, to be looked at beside real photos; prints how fast it is drawn.

python -m train.ocr.synthetic.contact_sheet build/drawn.png
python -m train.ocr.synthetic.contact_sheet build/drawn.png --held-out
"""

import argparse
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TypeVar

import cv2
import numpy as np

from resformer.model.ocr.line_crop import PPOCR_CROP_HEIGHT
from resformer.model.schema.schema import Schema
from resformer.train.ocr.synthetic.drawn_lines import StripPress
from resformer.train.ocr.synthetic.texts import Texts

__all__ = ["main"]

SHEET = 1280  # pixels
GAP = 4
LINES = 30  # of strips

T = TypeVar("T")


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("out", type=Path, help="PNG file")
    parser.add_argument("--held-out", action="store_true", help="with the fonts that training never sees")
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args(arguments)
    rng = np.random.default_rng(args.seed)
    cv2.setNumThreads(1)
    schema = Schema.load()
    try:
        press = StripPress(Texts(schema), PPOCR_CROP_HEIGHT, held_out=args.held_out)
        strips, seconds = _timed(lambda: press.strip(rng), 400)
        sheet, count = _rows([strip.pixels for strip in strips]), len(strips)
    except FileNotFoundError as error:
        print(error, file=sys.stderr)
        return 2
    args.out.parent.mkdir(parents=True, exist_ok=True)
    cv2.imwrite(str(args.out), sheet[:, :, ::-1])
    print(f"{args.out}: {count} drawn, {count / seconds:.0f} a second on one core")
    return 0


def _timed(draw: Callable[[], T], count: int) -> tuple[list[T], float]:
    """What was drawn, and the processor's seconds; fonts are opened before."""
    for _ in range(count):
        draw()
    start = time.process_time()
    drawn = [draw() for _ in range(count)]
    return drawn, time.process_time() - start


def _rows(strips: Sequence[np.ndarray]) -> np.ndarray:
    """Strips beside each other in rows that are as wide as the sheet, as many as fill LINES."""
    sheet = np.full((LINES * (PPOCR_CROP_HEIGHT + GAP), SHEET, 3), 255, np.uint8)
    x = row = 0
    for strip in strips:
        if x and x + strip.shape[1] > SHEET:
            x, row = 0, row + 1
        if row == LINES:
            break
        part = strip[:, : SHEET - x]
        y = row * (PPOCR_CROP_HEIGHT + GAP)
        sheet[y : y + PPOCR_CROP_HEIGHT, x : x + part.shape[1]] = part
        x += part.shape[1] + GAP
    return sheet


if __name__ == "__main__":
    sys.exit(main())
