"""Greedy CTC decoding."""

import numpy as np

from resformer.model.ocr.charset import CHARSET
from resformer.model.ocr.ctc import BLANK, ctc_decode


def test_ctc_decoding_is_greedy() -> None:
    five, zero = (CHARSET.index(c) for c in "50")
    steps = [BLANK, five, five, BLANK, zero, BLANK, zero, CHARSET.index(" ")]
    logits = np.full((len(steps), len(CHARSET) + 1), -9.0)
    logits[np.arange(len(steps)), steps] = 9.0
    text, score = ctc_decode(logits)
    assert text == "500"
    assert score > 0.99
    logits[:, BLANK] = 20
    assert ctc_decode(logits) == ("", 0.0)
