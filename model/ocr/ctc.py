"""Greedy decoding of connectionist temporal classification."""

import numpy as np

from resformer.model.ocr.charset import CHARSET
from resformer.model.ocr.text_line import RecognizedText

__all__ = ["BLANK", "ctc_decode"]

BLANK = len(CHARSET)
"""Class of the CTC blank, after those of the characters."""


def ctc_decode(logits: np.ndarray) -> RecognizedText:
    """The likeliest text of a crop, and the mean probability of its characters, 0 for no text.

    Args:
        logits: float (T, len(CHARSET) + 1).
    """
    shifted = logits - logits.max(axis=1, keepdims=True)
    probability = 1 / np.exp(shifted).sum(axis=1)
    best = logits.argmax(axis=1)
    first = np.ones(len(best), bool)
    first[1:] = best[1:] != best[:-1]
    steps = np.flatnonzero(first & (best != BLANK))
    text = "".join(CHARSET[i] for i in best[steps]).strip()
    return text, float(probability[steps].mean()) if len(steps) else 0.0
