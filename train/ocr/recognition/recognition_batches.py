"""Batches of strips, cut from photos and drawn."""

from collections.abc import Sequence

import cv2
import numpy as np
import torch
from torch import Tensor
from torch.utils.data import Dataset

from resformer.model.networks.text_recognition import CROP_HEIGHT, STEP_WIDTH
from resformer.model.ocr.charset import CHARSET, fold_to_charset
from resformer.model.ocr.ctc import BLANK
from resformer.model.ocr.line_crop import crop_line
from resformer.train.ocr.color_augment import recoloured
from resformer.train.ocr.recognition.labelled_lines import CutLine
from resformer.train.ocr.synthetic.camera import photographed
from resformer.train.ocr.synthetic.drawn_lines import StripPress, jittered
from resformer.train.ocr.synthetic.repaint import repainted

__all__ = ["Batch", "StripBatches", "pack"]

Batch = tuple[Tensor, Tensor, Tensor, Tensor]
"""Strips, uint8 (B, 3, CROP_HEIGHT, W); their widths in columns (B,); what they say, int (B, L), padded with BLANK;
and the lengths of it (B,)."""

LENGTHS = (4, 8, 14, 24, 40)  # characters; lines of a batch are about equally long, so that few pixels are padding
MIDDLE = 14  # a batch of such lines has `batch_size` of them, one of shorter lines more
DIGITS_FIRST = 3.0  # times as often as other lines, those with a digit are drawn from photos
SMALLER = 0.3  # share of lines from photos that are made smaller before they are cut
NARROWEST = 6  # pixels for a character


class StripBatches(Dataset[Batch]):
    """The batches of one epoch, each made from (seed, epoch, its number) alone."""

    def __init__(
        self,
        lines: Sequence[CutLine],
        press: StripPress,
        *,
        drawn_share: float,
        repainted_share: float,
        count: int,
        batch_size: int,
        seed: int,
        epoch: int,
    ):
        self._lines = lines
        self._press = press
        self._drawn_share = drawn_share if lines else 1.0
        self._repainted_share = repainted_share if lines else 0.0
        self._count = count
        self._batch_size = batch_size
        self._seed = (seed, epoch)
        weights = np.array([DIGITS_FIRST if any(c.isdigit() for c in line.text) else 1.0 for line in lines])
        kind = np.searchsorted(LENGTHS, [len(line.text) for line in lines])
        self._of_kind = [np.flatnonzero(kind == k) for k in range(len(LENGTHS))]
        self._weights = weights
        shares = np.array([weights[of].sum() for of in self._of_kind]) if lines else np.ones(len(LENGTHS))
        # A batch of short lines holds more of them.
        sizes = np.array([self._size(k) for k in range(len(LENGTHS))])
        self._shares = shares / sizes / (shares / sizes).sum()

    def __len__(self) -> int:
        return self._count

    def __getitem__(self, number: int) -> Batch:
        rng = np.random.default_rng((*self._seed, number))
        kind = int(rng.choice(len(LENGTHS), p=self._shares))
        made: list[tuple[np.ndarray, str]] = []
        while len(made) < self._size(kind):
            strip, text = self._made(kind, rng)
            made.append((_fitted(strip, text, widest(LENGTHS[kind])), text))
        return pack(made)

    def _size(self, kind: int) -> int:
        return max(1, round(self._batch_size * widest(MIDDLE) / widest(LENGTHS[kind])))

    def _made(self, kind: int, rng: np.random.Generator) -> tuple[np.ndarray, str]:
        share = rng.random()
        if share < self._drawn_share:
            printed, text = self._printed(kind, rng)
            return self._press.strip_of(printed, rng).pixels, text
        line = self._chosen(kind, rng)
        if share < self._drawn_share + self._repainted_share:
            printed, text = self._printed(kind, rng)
            if made := repainted(*line.open(), printed, self._press.fonts, rng):
                return self._cut(*made, rng), text
        return self._cut(*line.open(), rng), line.text

    def _printed(self, kind: int, rng: np.random.Generator) -> tuple[str, str]:
        """A text of this kind's length to draw, and what the network reads of it."""
        least = LENGTHS[kind - 1] if kind else 0
        while True:
            printed = self._press.texts.line(rng).strip()
            text = fold_to_charset(printed)
            if text and least < len(text) <= LENGTHS[kind]:
                return printed, text

    def _chosen(self, kind: int, rng: np.random.Generator) -> CutLine:
        weights = self._weights[self._of_kind[kind]]
        return self._lines[int(rng.choice(self._of_kind[kind], p=weights / weights.sum()))]

    def _cut(self, pixels: np.ndarray, corners: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        if rng.random() < SMALLER and len(pixels) > 24:
            scale = rng.uniform(18 / len(pixels), 1.0)
            pixels = cv2.resize(pixels, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
            corners = corners * scale
        strip = recoloured(crop_line(np.ascontiguousarray(pixels), jittered(corners, rng), CROP_HEIGHT), rng)
        return photographed(strip.astype(np.float32), rng) if rng.random() < 0.3 else strip


def widest(characters: int) -> int:
    """Pixels that a strip of so many characters may be wide; a multiple of STEP_WIDTH."""
    return 14 * characters // STEP_WIDTH * STEP_WIDTH + 40


def pack(strips: Sequence[tuple[np.ndarray, str]]) -> Batch:
    """Strips (CROP_HEIGHT, W, 3) of any widths and what they say, as one batch."""
    widths = [-(-strip.shape[1] // STEP_WIDTH) for strip, _ in strips]
    pixels = np.zeros((len(strips), CROP_HEIGHT, max(widths) * STEP_WIDTH, 3), np.uint8)
    texts = np.full((len(strips), max(1, *(len(text) for _, text in strips))), BLANK)
    for i, (strip, text) in enumerate(strips):
        width = strip.shape[1]
        pixels[i, :, :width] = strip
        pixels[i, :, width:] = strip[:, -1:]
        texts[i, : len(text)] = [CHARSET.index(c) for c in text]
    lengths = torch.tensor([len(text) for _, text in strips])
    return torch.from_numpy(pixels.transpose(0, 3, 1, 2)), torch.tensor(widths), torch.from_numpy(texts), lengths


def _fitted(strip: np.ndarray, text: str, most: int) -> np.ndarray:
    """The strip not wider than `most`, and wide enough to be read."""
    width = min(max(strip.shape[1], NARROWEST * len(text)), most)
    return strip if width == strip.shape[1] else cv2.resize(strip, (width, CROP_HEIGHT))
