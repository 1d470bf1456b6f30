"""Every text line on a photo, detected and recognized by PP-OCR."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import cv2
import numpy as np

from resformer.model.ocr.boxes import Point
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
MAX_ASPECT = 8
DOUBTFUL_SCORE = 0.95  # below, the small recognizer reads a line again that the tiny one has read
RETRY_SCORE = 0.8  # below, the small one reads a line with a digit once more from a longer crop
MIN_TEXT_SCORE = 0.5  # the package's own threshold
# Fraction of its height by which a crop is lengthened at both ends: tight crops lose a last letter ("8 C" of "8 CM").
EXTRA_LENGTH = 0.1
NO_TEXT = "The text detection result is empty"


class PPOCRReader:
    """PP-OCRv6 on ONNX Runtime: the tiny detector, both recognizers, and the 180-degree classifier.

    The detector of `small` finds no more of the lines that matter and takes twice the time (BENCHMARKS.md). A photo is
    enlarged until its short side has SHORT_SIDE pixels and shrunk to 2,000 for the longest one, which bounds time and
    memory: a photo of 50 megapixels costs as much as one of 2,000 x 2,000.

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
                "Det.limit_side_len": SHORT_SIDE,
                # Lower than the package's own: fainter text, tighter boxes.
                "Det.thresh": 0.2,
                "Det.box_thresh": 0.4,
                "Det.unclip_ratio": 1.4,
            }
        )
        # In one pass over the pixels instead of several in double precision: 8 ms instead of 70 for a megapixel.
        detector = self._engine._load_det_model()
        detector.get_preprocess = lambda: _preprocess
        # The engine has no setting for threads that do not spin.
        detector.session.session = create_session(model, threads)
        self._tiny, self._small = PPOCRRecognizer("tiny"), PPOCRRecognizer("small")
        self._pool = ThreadPoolExecutor(threads)

    def read(self, image: np.ndarray) -> list[TextLine]:
        """All text lines of an upright photo, uint8 RGB (height, width, 3), from top to bottom."""
        from rapidocr.main import RapidOCRError
        from rapidocr.utils.process_img import map_boxes_to_original

        padded = _to_bgr(_pad_narrow(image))
        try:
            with stage("detect"):
                resized, record = self._engine.preprocess_img(padded)
                crops, detected = self._engine.detect_and_crop(resized, record)
        except RapidOCRError as error:
            if str(error) != NO_TEXT:
                raise
            return []
        texts = list(self._pool.map(self._read_first, crops))
        doubtful = [i for i, (text, score) in enumerate(texts) if score < DOUBTFUL_SCORE or has_digit(text)]
        flips = self._upside_down([crops[i] for i in doubtful])
        again = self._pool.map(
            lambda i, flip: self._read_again(resized, crops[i], detected.boxes[i], flip), doubtful, flips
        )
        upside_down = set()
        for i, (recognized, flip) in zip(doubtful, again, strict=True):
            texts[i] = recognized
            if flip:
                upside_down.add(i)
        boxes = map_boxes_to_original(detected.boxes, record, *padded.shape[:2])
        limits = (image.shape[1] - 1.0, image.shape[0] - 1.0)
        lines = []
        for i, (box, (text, score)) in enumerate(zip(boxes, texts, strict=True)):
            if text.strip() and score >= MIN_TEXT_SCORE:
                a, b, c, d = _corners(box, limits)
                lines.append(TextLine((c, d, a, b) if i in upside_down else (a, b, c, d), text, score))
        return lines

    def read_many(self, images: Sequence[np.ndarray]) -> list[list[TextLine]]:
        """The text lines of each of several upright photos, see `read`; the engine takes one at a time."""
        return [self.read(image) for image in images]

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

    def _read_again(
        self, image: np.ndarray, crop: np.ndarray, box: np.ndarray, flip: bool
    ) -> tuple[RecognizedText, bool]:
        """The small recognizer's text of a crop, and whether it stands upside down.

        The classifier errs on short vertical text, which is read both ways. Doubtful text is the better of that and a
        longer crop's.
        """
        from rapidocr.utils.process_img import get_rotate_crop_image

        with stage("recognise"):
            text, score = self._small(_flip(crop, flip))
            if _is_vertical(box):
                other, other_score = self._small(_flip(crop, not flip))
                if other_score > score:
                    text, score, flip = other, other_score, not flip
            # Where no digit was read, a longer crop hardly ever has one.
            if score < RETRY_SCORE and (has_digit(text) or not text):
                longer = get_rotate_crop_image(image, lengthen(box, EXTRA_LENGTH))
                other, other_score = self._small(_flip(longer, flip))
                if other_score > score:
                    text, score = other, other_score
        return (text, score), flip


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


def _preprocess(image: np.ndarray) -> np.ndarray:
    """The input of the detector, float32 (1, 3, H, W) between -1 and 1, from a BGR image."""
    from rapidocr.ch_ppocr_det.utils import DetPreProcess

    resized: Any = DetPreProcess(SHORT_SIDE, "min").resize(image)
    return cv2.dnn.blobFromImage(resized, 1 / 127.5, mean=(127.5, 127.5, 127.5))


def _to_bgr(image: np.ndarray) -> np.ndarray:
    """RGB to BGR, in which the engine takes arrays."""
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
