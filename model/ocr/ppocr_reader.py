"""Every line on a photo, found and read by PP-OCR."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import cv2
import numpy as np

from resformer.model.inference.onnx_module import session_of
from resformer.model.ocr.ppocr_recognizer import COMMON, Recogniser, Text, bundled_model, has_digit, threads_of
from resformer.model.ocr.text_line import Line, Point

__all__ = ["PpOcrReader", "longer"]

MIN_SIDE = 32
SHORT_SIDE = 640  # pixels; the package's own 736 finds no more of the values that matter
MAX_ASPECT = 8
SURE = 0.95  # what the tiny recogniser reads with a lower score is read again by the small one
DOUBTFUL = 0.8  # below, the small one reads a line with a digit once more from a longer cut
LEAST_SCORE = 0.5  # the package's own threshold
# A line with digits that is read doubtfully is cut out again, longer by this share of its height at both ends: tight
# cuts lose a last letter ("8 C" of "8 CM").
LONGER = 0.1


class PpOcrReader:
    """PP-OCRv6 on ONNX Runtime: the tiny finder, both recognisers, and the 180-degree classifier.

    The finder of `small` finds no more of the lines that matter and takes twice the time (BENCHMARKS.md). A photo is
    enlarged until its short side has SHORT_SIDE pixels and shrunk to 2,000 for the longest one, which bounds time and
    memory: a photo of 50 megapixels costs as much as one of 2,000 x 2,000.

    Args:
        threads: How many threads one photo is read with.
    """

    def __init__(self, threads: int):
        # Takes about a second, which those who read nothing need not wait.
        from rapidocr import RapidOCR

        model = bundled_model("tiny/det/det.onnx")
        self._finder: Any = RapidOCR(
            params={
                **COMMON,
                **threads_of(threads),
                "Det.model_path": str(model),
                "Det.limit_side_len": SHORT_SIDE,
                # Lower than the package's own: fainter print, closer cuts.
                "Det.thresh": 0.2,
                "Det.box_thresh": 0.4,
                "Det.unclip_ratio": 1.4,
            }
        )
        # In one pass over the pixels instead of several in double precision: 8 ms instead of 70 for a megapixel.
        finder = self._finder._load_det_model()
        finder.get_preprocess = lambda: _prepared
        # The engine has no setting for threads that do not spin.
        finder.session.session = session_of(model, threads)
        self._tiny, self._small = Recogniser("tiny"), Recogniser("small")
        self._pool = ThreadPoolExecutor(threads)

    def read(self, image: np.ndarray) -> list[Line]:
        from rapidocr.main import RapidOCRError
        from rapidocr.utils.process_img import map_boxes_to_original

        padded = _blue_first(_padded(image))
        try:
            sized, record = self._finder.preprocess_img(padded)
            strips, found = self._finder.detect_and_crop(sized, record)
        except RapidOCRError:  # its way to say that there is no print
            return []
        texts = list(self._pool.map(self._tiny, strips))
        doubtful = [i for i, (text, score) in enumerate(texts) if score < SURE or has_digit(text)]
        turned = self._turned([strips[i] for i in doubtful])
        again = self._pool.map(lambda i, flip: self._closely(sized, strips[i], found.boxes[i], flip), doubtful, turned)
        for i, closely in zip(doubtful, again, strict=True):
            texts[i] = closely
        upside_down = {i for i, flip in zip(doubtful, turned, strict=True) if flip}
        boxes = map_boxes_to_original(found.boxes, record, *padded.shape[:2])
        limits = (image.shape[1] - 1.0, image.shape[0] - 1.0)
        lines = []
        for i, (box, (text, score)) in enumerate(zip(boxes, texts, strict=True)):
            if text.strip() and score >= LEAST_SCORE:
                a, b, c, d = _corners(box, limits)
                lines.append(Line((c, d, a, b) if i in upside_down else (a, b, c, d), text, score))
        return lines

    def _turned(self, strips: Sequence[np.ndarray]) -> list[bool]:
        """Which strips stand upside down."""
        if not strips:
            return []
        _, found = self._finder.cls_and_rotate(list(strips))
        least = self._finder.text_cls.cls_thresh
        return [label == "180" and certainty > least for label, certainty in found.cls_res]

    def _closely(self, image: np.ndarray, strip: np.ndarray, box: np.ndarray, flip: bool) -> Text:
        """Text and score of a strip, which is cut out of the image once more if the first reading is doubtful."""
        from rapidocr.utils.process_img import get_rotate_crop_image

        text, score = self._small(_flipped(strip, flip))
        # Where there is not a digit, a second reading hardly ever finds one.
        if score < DOUBTFUL and (has_digit(text) or not text):
            cut = get_rotate_crop_image(image, longer(box, LONGER))
            other, better = self._small(_flipped(cut, flip))
            if better > score:
                return other, better
        return text, score


def _flipped(strip: np.ndarray, flip: bool) -> np.ndarray:
    return np.rot90(strip, 2) if flip else strip


def longer(box: np.ndarray, share: float) -> np.ndarray:
    """A line's four corners, float32, with both of its ends moved outward by a share of its height."""
    a, b, c, d = box.astype(np.float32)
    along, down = (b - a + c - d) / 2, (d - a + c - b) / 2
    if np.linalg.norm(down) > np.linalg.norm(along):  # it runs downward
        step = share * down * np.linalg.norm(along) / max(float(np.linalg.norm(down)), 1.0)
        return np.array([a - step, b - step, c + step, d + step])
    step = share * along * np.linalg.norm(down) / max(float(np.linalg.norm(along)), 1.0)
    return np.array([a - step, b + step, c + step, d - step])


def _prepared(image: np.ndarray) -> np.ndarray:
    """What the finder takes, float32 (1, 3, H, W) between -1 and 1, of an image in the engine's channel order."""
    from rapidocr.ch_ppocr_det.utils import DetPreProcess

    sized: Any = DetPreProcess(SHORT_SIDE, "min").resize(image)
    return cv2.dnn.blobFromImage(sized, 1 / 127.5, mean=(127.5, 127.5, 127.5))


def _blue_first(image: np.ndarray) -> np.ndarray:
    """RGB to the channel order in which the engine takes arrays."""
    return np.ascontiguousarray(image[:, :, ::-1])


def _padded(image: np.ndarray) -> np.ndarray:
    """The photo with black below and to the right where it is narrow or tiny.

    The engine enlarges the short side to SHORT_SIDE, so a strip of 30 x 2,000 would become 27 megapixels; and it
    fails on the thinnest ones. A strip is padded to a quarter of its length, the engine's own habit for wide ones.
    """
    height, width = image.shape[:2]
    longest = max(height, width)
    least = max(MIN_SIDE, longest // 4 if longest > MAX_ASPECT * min(height, width) else 0)
    below, right = max(0, least - height), max(0, least - width)
    return np.pad(image, ((0, below), (0, right), (0, 0))) if below or right else image


def _corners(box: np.ndarray, limits: Point) -> tuple[Point, Point, Point, Point]:
    """Four corners as floats inside the photo, without the padding."""
    a, b, c, d = ((min(float(x), limits[0]), min(float(y), limits[1])) for x, y in box)
    return (a, b, c, d)
