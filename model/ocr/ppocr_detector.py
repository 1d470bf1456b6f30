"""PP-OCR's text detector: the parts of a photo to text lines."""

import math
from collections.abc import Sequence

import cv2
import numpy as np

from resformer.model.ocr.line_shape import LineShape
from resformer.model.ocr.ppocr_engine import ENGINE_SETTINGS, bundled_model_path, make_engine, thread_setting
from resformer.model.ocr.text_line import VERTICAL_ASPECT
from resformer.model.runtime.onnx_module import create_session

__all__ = ["PPOCRDetector"]

MIN_SIDE = 32
MAX_ASPECT = 8
SHORT_SIDE = 640  # pixels; the package's own 736 finds no more of the values that matter
LONG_SIDE = 2000
MAX_INPUT_PIXELS = LONG_SIDE**2  # of all parts of a photo
SIDE_MULTIPLE = 32  # of the network's input


class PPOCRDetector:
    """The tiny detector of PP-OCRv6 on ONNX Runtime.

    That of `small` finds no more of the lines that matter and takes twice the time (BENCHMARKS.md). A photo is shrunk
    until its long side has LONG_SIDE pixels, or enlarged until its short side has SHORT_SIDE, and all parts of a photo
    are shrunk to MAX_INPUT_PIXELS together, which bounds time and memory: a page of 50 megapixels takes no longer than
    a photo of 2,000 x 2,000.

    Args:
        threads: of one photo.
    """

    def __init__(self, threads: int):
        model = bundled_model_path("tiny/det/det.onnx")
        engine = make_engine(
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
        self._detector = engine._load_det_model()
        # The engine has no setting for threads that do not spin.
        self._detector.session.session = create_session(model, threads)

    def detect(self, images: Sequence[np.ndarray]) -> list[list[LineShape]]:
        """The lines on each part of one photo, from top to bottom.

        Args:
            images: uint8 RGB (H, W, 3).
        """
        sizes = [_padded_size(*image.shape[:2]) for image in images]
        return [self._detect(*part) for part in zip(images, sizes, _scales(sizes), strict=True)]

    def _detect(self, image: np.ndarray, padded: tuple[int, int], scale: float) -> list[LineShape]:
        """The lines of a photo that has black below or to the right, up to a size, on a copy `scale` times as large."""
        resized = _padded_copy(image, padded, scale)
        # BGR between -1 and 1. In one pass over the pixels instead of the package's several in double precision: 8 ms
        # instead of 70 for a megapixel.
        pixels = cv2.dnn.blobFromImage(resized, 1 / 127.5, mean=(127.5, 127.5, 127.5), swapRB=True)
        boxes, _ = self._detector.postprocess_op(self._detector.session(pixels), padded)
        return [_line_shape(box) for box in self._detector.sorted_boxes(boxes)] if len(boxes) else []


def _padded_size(height: int, width: int) -> tuple[int, int]:
    """Height and width with black below or to the right where a photo is narrow or tiny.

    The network's input is enlarged by its short side, so a photo of 30 x 2,000 would become 27 megapixels.
    """
    long_side = max(height, width)
    min_side = max(MIN_SIDE, long_side // 4 if long_side > MAX_ASPECT * min(height, width) else 0)
    return max(height, min_side), max(width, min_side)


def _padded_copy(image: np.ndarray, padded: tuple[int, int], scale: float) -> np.ndarray:
    """The photo, resized and only then padded: a padded photo may be a thousand times as large as the photo."""
    height, width = (max(1, round(side * scale / SIDE_MULTIPLE)) * SIDE_MULTIPLE for side in padded)
    size = (
        max(1, round(width * image.shape[1] / padded[1])),
        max(1, round(height * image.shape[0] / padded[0])),
    )
    resized = cv2.resize(image, size, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR)
    if size == (width, height):
        return resized
    canvas = np.zeros((height, width, 3), np.uint8)
    canvas[: size[1], : size[0]] = resized
    return canvas


def _scales(sizes: Sequence[tuple[int, ...]]) -> list[float]:
    """How many times as large as each part of a photo the network's input is, from their heights and widths."""
    scales = [max(min(1.0, LONG_SIDE / max(size)), SHORT_SIDE / min(size)) for size in sizes]
    pixels = sum(scale**2 * math.prod(size) for scale, size in zip(scales, sizes, strict=True))
    shrink = min(1.0, math.sqrt(MAX_INPUT_PIXELS / pixels))
    return [shrink * scale for scale in scales]


def _line_shape(box: np.ndarray) -> LineShape:
    """A line from its corners on the photo, int (4, 2), clockwise from the top left; a high one is read downwards."""
    a, b, c, d = box.astype(np.float32)
    is_high = np.linalg.norm(d - a) >= VERTICAL_ASPECT * np.linalg.norm(b - a)
    return LineShape(np.stack([b, c, d, a] if is_high else [a, b, c, d]))
