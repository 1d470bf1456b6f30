"""How exactly the network reads values that it has never seen, by the height of their print.

    python -m train.evaluation.recognition_accuracy
    python -m train.evaluation.recognition_accuracy --weights runs/reading/weights.safetensors
    python -m train.evaluation.recognition_accuracy --recogniser small                                  PP-OCR's instead

Strips are drawn with fonts that training never sees. A value is right if the same quantities are found in what was read
as in what was printed.
"""

import argparse
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Literal

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
from resformer.train.ocr.synthetic.drawn_lines import StripPress
from resformer.train.ocr.synthetic.texts import Texts

__all__ = ["copy_accuracy", "main"]

HEIGHTS = ((6.0, 8.0), (8.0, 12.0), (12.0, 20.0), (20.0, 40.0))  # pixels of the capitals on the photo
SEED = 20261124
COUNT = 500


def copy_accuracy(
    read_strip: Callable[[np.ndarray], RecognizedText],
    glyphs: tuple[float, float],
    count: int,
    seed: int,
    height: int = CROP_HEIGHT,
) -> tuple[float, float]:
    """Shares of drawn values that are read with the right quantities, and of those read without any mistake but in
    case and spaces.

    Args:
        read_strip: takes strips of this height, uint8 (height, W, 3).
        glyphs: range of the capitals' height on the photo, pixels.
    """
    texts = Texts(Schema.load())
    press = StripPress(texts, height, held_out=True, glyphs=glyphs)
    rng = np.random.default_rng((seed, round(glyphs[0])))
    right = exact = 0
    for _ in tqdm(range(count), desc=f"{glyphs[0]:.0f} to {glyphs[1]:.0f} pixels", leave=False, disable=None):
        entity = texts.entities[int(rng.integers(len(texts.entities)))]
        printed = texts.spelled(texts.quantity(entity, rng), rng)
        read, _ = read_strip(press.strip_of(printed, rng).pixels)
        right += _quantities(read) == _quantities(printed)
        exact += read.lower().replace(" ", "") == printed.lower().replace(" ", "")
    return right / count, exact / count


def _quantities(text: str) -> list[str]:
    return [str(match.quantity) for match in find_quantities(text, tuple(UNITS))]


def _own(weights: Path) -> tuple[Callable[[np.ndarray], RecognizedText], int]:
    """The network's reading, and how high it takes strips."""
    network = load_checkpoint(weights, Tokenizer(Schema.load())).network
    if network.text_recognizer is None:
        raise ValueError(f"{weights} cannot read; train it with `python -m train.run --reading`")
    return BuiltinRecognizer(network.text_recognizer, "cpu", threads=2).recognize, CROP_HEIGHT


def _packaged(size: Literal["tiny", "small"]) -> tuple[Callable[[np.ndarray], RecognizedText], int]:
    """PP-OCR's recogniser, which takes strips blue first, and how high."""
    recogniser = PPOCRRecognizer(size)
    return lambda strip: recogniser(np.ascontiguousarray(strip[:, :, ::-1])), PPOCR_CROP_HEIGHT


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--weights", type=Path, default=WEIGHTS_DIR / "small.safetensors")
    parser.add_argument("--recogniser", choices=("own", "tiny", "small"), default="own", help="tiny, small: PP-OCRv6's")
    parser.add_argument("--count", type=int, default=COUNT, help=f"strips of each height (default: {COUNT})")
    args = parser.parse_args(arguments)
    try:
        read_strip, height = _own(args.weights) if args.recogniser == "own" else _packaged(args.recogniser)
        print("| height of the capitals, pixels | value right | without any mistake |\n|---|---|---|")
        for low, high in HEIGHTS:
            right, exact = copy_accuracy(read_strip, (low, high), args.count, SEED, height)
            print(f"| {low:.0f} to {high:.0f} | {right:.3f} | {exact:.3f} |")
    except (ValueError, FileNotFoundError) as error:
        print(error, file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
