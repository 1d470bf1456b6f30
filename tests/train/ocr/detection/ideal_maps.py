"""Targets in the form of a network's output."""

from collections.abc import Sequence

import numpy as np

from resformer.model.networks.text_detection import CUE, DIGIT, HEIGHT, NUM_MAPS, ORIENTATION, TEXT
from resformer.model.ocr.text_line import TextLine
from resformer.model.schema.schema import Schema
from resformer.train.ocr.detection.score_map_targets import QUARTER_TURNS, cue_pattern, score_map_targets

LOGIT = 8.0
CUES = cue_pattern(Schema.load())


def as_maps(lines: Sequence[TextLine], side: int) -> np.ndarray:
    """The score maps of a network without errors, of a square photo that is as large as its input."""
    targets = score_map_targets(lines, np.eye(2, 3), side, CUES)
    maps = np.zeros((NUM_MAPS, *targets.shape[1:]), np.float32)
    for channel in (TEXT, DIGIT, CUE):
        maps[channel] = LOGIT * (2 * targets[channel] - 1)
    maps[HEIGHT] = targets[HEIGHT]
    for turns in range(4):
        maps[ORIENTATION][turns] = LOGIT * (targets[QUARTER_TURNS] == turns)
    return maps
