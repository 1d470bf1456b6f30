"""Every text line on a photo, detected and recognized by PP-OCR."""

import math
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import Any

import cv2
import numpy as np

from resformer.model.ocr.boxes import Point
from resformer.model.ocr.line_limits import likeliest
from resformer.model.ocr.ppocr_engine import make_engine
from resformer.model.ocr.ppocr_recognizer import (
    ENGINE_SETTINGS,
    PPOCRRecognizer,
    bundled_model_path,
    has_digit,
    thread_setting,
)
from resformer.model.ocr.text_line import VERTICAL_ASPECT, RecognizedText, TextLine
from resformer.model.runtime.onnx_module import create_session
from resformer.model.runtime.stage_times import stage

__all__ = ["PPOCRReader", "lengthen"]

MIN_SIDE = 32
SHORT_SIDE = 640  # pixels; the package's own 736 finds no more of the values that matter
LONG_SIDE = 2000
MAX_DETECTOR_PIXELS = LONG_SIDE**2  # of all parts of a photo
SIDE_MULTIPLE = 32  # of the detector's input
MAX_ASPECT = 8
DOUBTFUL_SCORE = 0.95  # below, the small recognizer reads a line again that the tiny one has read
RETRY_SCORE = 0.8  # below, the small one reads a line with a digit once more from a longer crop
MIN_TEXT_SCORE = 0.5  # the package's own threshold
# Fraction of its height by which a crop is lengthened at both ends: tight crops lose a last letter ("8 C" of "8 CM").
EXTRA_LENGTH = 0.1
# Of the lines that the small recognizer reads, and of those that it reads once more, the sum of lengths in their own
# heights: only crowded catalogue photos have more, one in a thousand above 509.
MAX_SECOND_ASPECT, MAX_RETRY_ASPECT = 320.0, 64.0

_LineAt = tuple[int, int]  # a part of a photo, and a line on it


class PPOCRReader:
    """PP-OCRv6 on ONNX Runtime: the tiny detector, both recognizers, and the 180-degree classifier.

    The detector of `small` finds no more of the lines that matter and takes twice the time (BENCHMARKS.md). For it a photo
    is shrunk until its long side has LONG_SIDE pixels, or enlarged until its short side has SHORT_SIDE, and all parts of
    a photo are shrunk to MAX_DETECTOR_PIXELS together, which bounds time and memory. Lines are cut out of the photo as it
    was.

    Args:
        threads: of one photo.
    """

    def __init__(self, threads: int):
        model = bundled_model_path("tiny/det/det.onnx")
        self._engine = make_engine(
            {
                **ENGINE_SETTINGS,
                **thread_setting(threads),
                "Det.model_path": str(model),
                # Lower than the package's own: fainter text, tighter boxes.
                "Det.thresh": 0.2,
                "Det.box_thresh": 0.4,
                "Det.unclip_ratio": 1.4,
            }
        )
        self._detector = self._engine._load_det_model()
        # The engine has no setting for threads that do not spin.
        self._detector.session.session = create_session(model, threads)
        self._tiny, self._small = PPOCRRecognizer("tiny"), PPOCRRecognizer("small")
        self._pool = ThreadPoolExecutor(threads)

    def read(self, image: np.ndarray) -> list[TextLine]:
        """The text lines of an upright photo, uint8 RGB (height, width, 3), from top to bottom."""
        return self.read_parts([image])[0]

    def read_many(self, images: Sequence[np.ndarray], room: float = 1.0) -> list[list[TextLine]]:
        """The text lines of each of several upright photos, see BatchReader; the engine takes one at a time."""
        return [self.read_parts([image], room)[0] for image in images]

    def read_parts(self, images: Sequence[np.ndarray], room: float = 1.0) -> list[list[TextLine]]:
        """The text lines of each part of one photo: together they have as many as a photo may have."""
        with stage("detect"):
            padded = [_pad_narrow(image) for image in images]
            scales = _detector_scales([image.shape[:2] for image in padded])
            found = [self._detect(*part) for part in zip(padded, scales, strict=True)]
        kept = likeliest([d.heights for d in found], [d.aspects for d in found], room=room, shared=True)
        parts = [d.only(indices) for d, indices in zip(found, kept, strict=True)]
        flat = [(p, i) for p, part in enumerate(parts) for i in range(len(part.crops))]
        read = list(self._pool.map(lambda at: self._read_first(parts[at[0]].crops[at[1]]), flat))
        texts = dict(zip(flat, read, strict=True))
        again = self._doubtful(parts, texts, room)
        flips = self._upside_down([parts[p].crops[i] for p, i in again])
        directed = list(self._pool.map(lambda at, flip: self._read_again(parts[at[0]], at[1], flip), again, flips))
        upside_down = {at for at, (_, flip) in zip(again, directed, strict=True) if flip}
        texts |= {at: text for at, (text, _) in zip(again, directed, strict=True)}
        longer = self._worth_a_longer_crop(parts, {at: texts[at] for at in again}, room)
        retried = self._pool.map(lambda at: self._read_longer(parts[at[0]], at[1], at in upside_down), longer)
        texts |= {at: max(texts[at], text, key=lambda read: read[1]) for at, text in zip(longer, retried, strict=True)}
        return [
            _text_lines(image, part, [(*texts[p, i], (p, i) in upside_down) for i in range(len(part.crops))])
            for p, (image, part) in enumerate(zip(images, parts, strict=True))
        ]

    def _detect(self, image: np.ndarray, scale: float) -> "_Detected":
        """The lines of a photo, found on a copy `scale` times as large."""
        from rapidocr.utils.process_img import get_rotate_crop_image

        size = [max(1, round(side * scale / SIDE_MULTIPLE)) * SIDE_MULTIPLE for side in image.shape[1::-1]]
        resized = cv2.resize(image, size, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR)
        # In one pass over the pixels instead of the package's several in double precision: 8 ms instead of 70 for a
        # megapixel. Values between -1 and 1, BGR.
        pixels = cv2.dnn.blobFromImage(resized, 1 / 127.5, mean=(127.5, 127.5, 127.5), swapRB=True)
        boxes, _ = self._detector.postprocess_op(self._detector.session(pixels), image.shape[:2])
        if not len(boxes):
            return _Detected(image, np.zeros((0, 4, 2), np.float32), [])
        boxes = self._detector.sorted_boxes(boxes).astype(np.float32)
        return _Detected(image, boxes, [_to_bgr(get_rotate_crop_image(image, box)) for box in boxes])

    def _doubtful(
        self, parts: Sequence["_Detected"], texts: Mapping[_LineAt, RecognizedText], room: float
    ) -> list[_LineAt]:
        """The lines that the small recognizer reads: the largest of those with a digit and of doubtful ones."""
        wanted = [at for at, (text, score) in texts.items() if score < DOUBTFUL_SCORE or has_digit(text)]
        return _largest(parts, wanted, room * MAX_SECOND_ASPECT)

    def _worth_a_longer_crop(
        self, parts: Sequence["_Detected"], texts: Mapping[_LineAt, RecognizedText], room: float
    ) -> list[_LineAt]:
        """The lines that it reads once more: where no digit was read, a longer crop hardly ever has one."""
        wanted = [at for at, (text, score) in texts.items() if score < RETRY_SCORE and (has_digit(text) or not text)]
        return _largest(parts, wanted, room * MAX_RETRY_ASPECT)

    def _upside_down(self, crops: Sequence[np.ndarray]) -> list[bool]:
        """Which crops stand upside down."""
        if not crops:
            return []
        with stage("recognise"):
            _, classified = self._engine.cls_and_rotate(list(crops))
        threshold = self._engine.text_cls.cls_thresh
        return [label == "180" and score > threshold for label, score in classified.cls_res]

    def _read_first(self, crop: np.ndarray) -> RecognizedText:
        with stage("recognise"):
            return self._tiny(crop)

    def _read_again(self, part: "_Detected", i: int, flip: bool) -> tuple[RecognizedText, bool]:
        """The small recognizer's text of a crop, and whether it stands upside down.

        The classifier errs on short vertical text, which is read both ways.
        """
        crop = part.crops[i]
        with stage("recognise"):
            text, score = self._small(_flip(crop, flip))
            if _is_vertical(part.boxes[i]):
                other, other_score = self._small(_flip(crop, not flip))
                if other_score > score:
                    text, score, flip = other, other_score, not flip
        return (text, score), flip

    def _read_longer(self, part: "_Detected", i: int, flip: bool) -> RecognizedText:
        """Its text of a crop that is longer than the line."""
        from rapidocr.utils.process_img import get_rotate_crop_image

        with stage("recognise"):
            longer = get_rotate_crop_image(part.image, lengthen(part.boxes[i], EXTRA_LENGTH))
            return self._small(_flip(_to_bgr(longer), flip))


@dataclass(frozen=True)
class _Detected:
    """A photo after the engine's detector.

    Attributes:
        image: uint8 RGB (H, W, 3), the photo, padded where it is narrow.
        boxes: float32 (N, 4, 2), corners of the lines in pixels.
        crops: of the lines, uint8 BGR.
    """

    image: np.ndarray
    boxes: np.ndarray
    crops: list[np.ndarray]

    @property
    def heights(self) -> list[float]:
        """Of the lines, across the direction of reading, in pixels."""
        return [crop.shape[0] for crop in self.crops]

    @property
    def aspects(self) -> list[float]:
        """Length of each line in its own heights."""
        return [crop.shape[1] / max(1, crop.shape[0]) for crop in self.crops]

    def only(self, indices: Sequence[int]) -> "_Detected":
        """The photo with these lines alone."""
        return replace(self, boxes=self.boxes[list(indices)], crops=[self.crops[i] for i in indices])


def _largest(parts: Sequence[_Detected], lines: Sequence[_LineAt], max_total: float) -> list[_LineAt]:
    """The largest of some lines, as many as fit, in their order; a vertical one is read both ways."""
    heights = [parts[p].heights[i] for p, i in lines]
    aspects = [parts[p].aspects[i] * (2 if _is_vertical(parts[p].boxes[i]) else 1) for p, i in lines]
    (kept,) = likeliest([heights], [aspects], max_total=max_total)
    return [lines[n] for n in kept]


def _text_lines(image: np.ndarray, part: _Detected, texts: Sequence[tuple[str, float, bool]]) -> list[TextLine]:
    """The lines of a photo, by the text and the score of each and whether it stands upside down."""
    limits = (image.shape[1] - 1.0, image.shape[0] - 1.0)
    lines = []
    for box, (text, score, upside_down) in zip(part.boxes, texts, strict=True):
        if text.strip() and score >= MIN_TEXT_SCORE:
            a, b, c, d = _corners(box, limits)
            lines.append(TextLine((c, d, a, b) if upside_down else (a, b, c, d), text, score))
    return lines


def _is_vertical(box: np.ndarray) -> bool:
    """Whether a line's four corners, (4, 2), are so much higher than wide that the engine turns its crop."""
    a, b, _, d = box
    return bool(np.linalg.norm(d - a) >= VERTICAL_ASPECT * np.linalg.norm(b - a))


def _flip(crop: np.ndarray, flip: bool) -> np.ndarray:
    return np.rot90(crop, 2) if flip else crop


def lengthen(box: np.ndarray, fraction: float) -> np.ndarray:
    """A line's four corners, float32 (4, 2), with both of its ends moved outward by a fraction of its height."""
    a, b, c, d = box.astype(np.float32)
    along, down = (b - a + c - d) / 2, (d - a + c - b) / 2
    if np.linalg.norm(down) > np.linalg.norm(along):  # it runs downward
        step = fraction * down * np.linalg.norm(along) / max(float(np.linalg.norm(down)), 1.0)
        return np.array([a - step, b - step, c + step, d + step])
    step = fraction * along * np.linalg.norm(down) / max(float(np.linalg.norm(along)), 1.0)
    return np.array([a - step, b + step, c + step, d - step])


def _detector_scales(sizes: Sequence[tuple[int, ...]]) -> list[float]:
    """How many times as large as each part of a photo the detector's input is, from their heights and widths."""
    scales = [max(min(1.0, LONG_SIDE / max(size)), SHORT_SIDE / min(size)) for size in sizes]
    pixels = sum(scale**2 * math.prod(size) for scale, size in zip(scales, sizes, strict=True))
    shrink = min(1.0, math.sqrt(MAX_DETECTOR_PIXELS / pixels))
    return [shrink * scale for scale in scales]


def _to_bgr(image: np.ndarray) -> np.ndarray:
    """RGB to BGR, in which the engine takes crops."""
    return np.ascontiguousarray(image[:, :, ::-1])


def _pad_narrow(image: np.ndarray) -> np.ndarray:
    """The photo with black below and to the right where it is narrow or tiny.

    The engine enlarges the short side to SHORT_SIDE, so a photo of 30 x 2,000 would become 27 megapixels; and it
    fails on the narrowest ones. The padded side is a quarter of the other, as the engine pads wide photos itself.
    """
    height, width = image.shape[:2]
    long_side = max(height, width)
    min_side = max(MIN_SIDE, long_side // 4 if long_side > MAX_ASPECT * min(height, width) else 0)
    below, right = max(0, min_side - height), max(0, min_side - width)
    return np.pad(image, ((0, below), (0, right), (0, 0))) if below or right else image


def _corners(box: np.ndarray, limits: Point) -> tuple[Point, Point, Point, Point]:
    """Four corners as floats inside the photo, without the padding."""
    a, b, c, d = ((min(float(x), limits[0]), min(float(y), limits[1])) for x, y in box)
    return (a, b, c, d)
