"""PP-OCRv6's recognizers on ONNX Runtime: line crops to text."""

from typing import Any, Literal

import cv2
import numpy as np

from resformer.model.ocr.line_limits import MAX_LINE_ASPECT
from resformer.model.ocr.ppocr_engine import ENGINE_SETTINGS, bundled_model_path, make_engine, thread_setting
from resformer.model.ocr.text_line import RecognizedText

__all__ = ["PPOCRRecognizer", "has_digit"]

MIN_WIDTH = 64  # pixels, of a crop 48 high


class PPOCRRecognizer:
    """The recognizer of PP-OCRv6 `tiny` or `small`, with one thread: crops are read side by side.

    That of `tiny` alone loses one value in ten (BENCHMARKS.md), but hardly ever takes other text for a number; `small`
    takes four times as long. Crops are read one by one, no wider than they are, in a third less time than in batches,
    which are as wide as their widest crop and never narrower than 320 pixels.
    """

    def __init__(self, size: Literal["tiny", "small"]):
        settings: dict[str, Any] = {**ENGINE_SETTINGS, **thread_setting(1), "Rec.rec_batch_num": 1}
        settings["Rec.rec_img_shape"] = [3, 48, MIN_WIDTH]
        if size == "tiny":
            settings |= {
                "Rec.model_path": str(bundled_model_path("tiny/rec/rec.onnx")),
                "Rec.rec_keys_path": str(bundled_model_path("ppocrv6_tiny_dict.txt")),
            }
        self._engine = make_engine(settings)

    def __call__(self, crop: np.ndarray) -> RecognizedText:
        """The text of a crop, uint8 BGR (H, W, 3); one longer than MAX_LINE_ASPECT is squeezed."""
        height, longest = crop.shape[0], round(MAX_LINE_ASPECT * crop.shape[0])
        if crop.shape[1] > longest:
            crop = cv2.resize(crop, (longest, height), interpolation=cv2.INTER_AREA)
        result = self._engine.recognize_txt([crop])
        return result.txts[0], float(result.scores[0])


def has_digit(text: str) -> bool:
    """Whether a text holds a digit."""
    return any(c.isdigit() for c in text)
