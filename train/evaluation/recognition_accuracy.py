"""Accuracy of text recognizers on drawn values, by text height.

The values are random and drawn with fonts that training never uses.
"""

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
from tqdm import tqdm

from resformer.model.inference.checkpoint import WEIGHTS_DIR, load_checkpoint
from resformer.model.inference.tokenizer import Tokenizer
from resformer.model.networks.text_recognition import CROP_HEIGHT
from resformer.model.ocr.line_crop import PPOCR_CROP_HEIGHT
from resformer.model.ocr.ppocr_recognizer import PPOCRRecognizer
from resformer.model.ocr.recognizer import BuiltinRecognizer
from resformer.model.ocr.text_line import RecognizedText
from resformer.model.quantities.parser import find_quantities
from resformer.model.quantities.units import UNITS
from resformer.model.schema.schema import Schema
from resformer.train.ocr.synthetic.line_renderer import LineRenderer
from resformer.train.ocr.synthetic.text_generator import TextGenerator

__all__ = ["RECOGNIZERS", "RecognitionScore", "benchmark_recognition", "score_recognizer"]

HEIGHTS = ((6.0, 8.0), (8.0, 12.0), (12.0, 20.0), (20.0, 40.0))  # pixels of the capitals on the photo
SEED = 20261124
NUM_VALUES = 500
RECOGNIZERS = ("builtin", "PP-OCRv6 tiny", "PP-OCRv6 small")

Recognizer = Callable[[np.ndarray], RecognizedText]
"""A line crop, uint8 RGB (height, W, 3), to its text and score."""


@dataclass(frozen=True)
class RecognitionScore:
    """How exactly a recognizer recognises values of one range of heights.

    Attributes:
        recognizer: its name.
        min_height, max_height: of the capitals, pixels on the photo.
        value_accuracy: fraction with the right quantities.
        exact_accuracy: fraction without any error but in case and spaces.
    """

    recognizer: str
    min_height: float
    max_height: float
    value_accuracy: float
    exact_accuracy: float


def score_recognizer(
    name: str,
    recognize: Recognizer,
    text_heights: tuple[float, float],
    count: int,
    *,
    seed: int = SEED,
    crop_height: int = CROP_HEIGHT,
) -> RecognitionScore:
    """Scores a recognizer on drawn values.

    Args:
        name: of the recognizer.
        recognize: takes line crops of `crop_height` pixels.
        text_heights: range of the capitals' height on the photo, pixels.
        count: number of values.
        seed: of the values and their drawing.
        crop_height: pixels.
    """
    texts = TextGenerator(Schema.load())
    renderer = LineRenderer(texts, crop_height, held_out=True, cap_heights=text_heights)
    rng = np.random.default_rng((seed, round(text_heights[0])))
    right = exact = 0
    low, high = text_heights
    for _ in tqdm(range(count), desc=f"{name}, {low:.0f} to {high:.0f} pixels", leave=False, disable=None):
        entity = texts.entities[int(rng.integers(len(texts.entities)))]
        drawn = texts.spell(texts.quantity(entity, rng), rng)
        recognized, _ = recognize(renderer.render(drawn, rng))
        right += _quantities(recognized) == _quantities(drawn)
        exact += recognized.lower().replace(" ", "") == drawn.lower().replace(" ", "")
    return RecognitionScore(name, low, high, right / count, exact / count)


def benchmark_recognition(
    recognizers: Sequence[str] = RECOGNIZERS, *, weights: Path | None = None, limit: int = NUM_VALUES
) -> dict[str, Any]:
    """Scores recognizers by text height.

    Args:
        recognizers: of RECOGNIZERS.
        weights: checkpoint of `builtin`; None: the shipped one.
        limit: number of values of each height.

    Raises:
        ValueError: unknown recognizer, or the checkpoint has none.
        FileNotFoundError: the fonts are not installed.
    """
    if unknown := [name for name in recognizers if name not in RECOGNIZERS]:
        raise ValueError(f"unknown recognizer {unknown[0]!r}; known are {', '.join(RECOGNIZERS)}")
    scores = []
    for name in recognizers:
        recognize, crop_height = _recognizer(name, weights or WEIGHTS_DIR / "small.safetensors")
        scores += [score_recognizer(name, recognize, heights, limit, crop_height=crop_height) for heights in HEIGHTS]
    return {"values_per_height": limit, "scores": [asdict(score) for score in scores]}


def _quantities(text: str) -> list[str]:
    return [str(match.quantity) for match in find_quantities(text, tuple(UNITS))]


def _recognizer(name: str, weights: Path) -> tuple[Recognizer, int]:
    """A recognizer by name, and the height of its line crops."""
    if name == "builtin":
        network = load_checkpoint(weights, Tokenizer(Schema.load())).network
        if network.text_recognizer is None:
            raise ValueError(f"{weights} has no text recognizer; train one with train/configs/text_recognizer.yaml")
        return BuiltinRecognizer(network.text_recognizer, "cpu", threads=2).recognize, CROP_HEIGHT
    size: Literal["tiny", "small"] = "tiny" if name.endswith("tiny") else "small"
    recognizer = PPOCRRecognizer(size)
    # PP-OCR takes BGR.
    return lambda crop: recognizer(np.ascontiguousarray(crop[:, :, ::-1])), PPOCR_CROP_HEIGHT
