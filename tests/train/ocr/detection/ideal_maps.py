"""True maps in the form of a network's answer."""

from collections.abc import Sequence

import numpy as np

from resformer.model.networks.text_detection import CUE, DIGIT, HEIGHT, NUM_MAPS, ORIENTATION, TEXT
from resformer.model.ocr.text_line import TextLine
from resformer.train.ocr.detection.score_map_targets import TURN, map_targets

SURE = 8.0  # a logit


def as_maps(lines: Sequence[TextLine], side: int) -> np.ndarray:
    """What a network that makes no mistake says of a photo that is as large as its input."""
    truth = map_targets(lines, np.eye(2, 3), side)
    maps = np.zeros((NUM_MAPS, *truth.shape[1:]), np.float32)
    for channel in (TEXT, DIGIT, CUE):
        maps[channel] = SURE * (2 * truth[channel] - 1)
    maps[HEIGHT] = truth[HEIGHT]
    for turn in range(4):
        maps[ORIENTATION][turn] = SURE * (truth[TURN] == turn)
    return maps
