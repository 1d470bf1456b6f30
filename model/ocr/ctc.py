"""Greedy read-out of a recogniser that was trained by connectionist temporal classification."""

import numpy as np

from resformer.model.networks.text_recognizer import BLANK
from resformer.model.ocr.charset import CHARACTERS

__all__ = ["read_out"]


def read_out(logits: np.ndarray) -> tuple[str, float]:
    """The likeliest text of a strip's logits (T, CHARACTERS + 1), read greedily, and its characters' mean
    probability; 0 for no text."""
    shifted = logits - logits.max(axis=1, keepdims=True)
    likely = 1 / np.exp(shifted).sum(axis=1)
    best = logits.argmax(axis=1)
    first = np.ones(len(best), bool)
    first[1:] = best[1:] != best[:-1]
    steps = np.flatnonzero(first & (best != BLANK))
    text = "".join(CHARACTERS[i] for i in best[steps]).strip()
    return text, float(likely[steps].mean()) if len(steps) else 0.0
