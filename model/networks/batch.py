"""The inputs of the Resformer: photos with their words, the questions about them, and candidates for the answers."""

from dataclasses import dataclass

import torch
from torch import Tensor

__all__ = ["DESCRIPTION", "FIELDS", "MAX_NUMBER_TOKENS", "MAX_SUBWORDS", "PRINTED", "TITLE", "Batch"]

MAX_SUBWORDS = 8  # of a word, and of each side of a candidate's context
MAX_NUMBER_TOKENS = 12  # digits and other symbols of a candidate's number
FIELDS = ("printed", "title", "description")
"""Where a word stands: on the photo, or in a field of the caller's text."""
PRINTED, TITLE, DESCRIPTION = range(3)


@dataclass
class Batch:
    """B samples, each a photo with N words of at most K subwords, Q questions and M candidates of F features.

    Boxes are G numbers, the centre first, in units of the photo's longer side; padding is all zero.

    Attributes:
        pixels: uint8 (P, 3, S, S), letterboxed to the top left; P is 0 where the features of the pictures are known.
        extent: (P, 2), width and height of the photo within the letterbox, as fractions of S.
        image_index: (B,), the picture of each sample; several samples may share one.
        has_image: bool (B,), False where the picture is hidden.
        words: (B, N, K) subword tokens. word_boxes: (B, N, G). word_field: (B, N), index into FIELDS.
        word_position: (B, N), a word's position in its field. word_mask: bool (B, N), True where there is a word.
        prompts: (B, Q) prompt tokens. prompt_mask: bool (B, Q).
        assume_present: (B, Q), 1 where it is presumed that the product has the value, else 0.
        candidate_question: (B, M), the question that a candidate may answer, as an index into Q.
        features: (B, M, F). units: (B, M) unit tokens. numbers: (B, M, MAX_NUMBER_TOKENS) number tokens.
        context: (B, M, 2, K) subwords before and after the candidate in its line.
        candidate_boxes: (B, M, G). candidate_mask: bool (B, M).
    """

    pixels: Tensor
    extent: Tensor
    image_index: Tensor
    has_image: Tensor
    words: Tensor
    word_boxes: Tensor
    word_field: Tensor
    word_position: Tensor
    word_mask: Tensor
    prompts: Tensor
    prompt_mask: Tensor
    assume_present: Tensor
    candidate_question: Tensor
    features: Tensor
    units: Tensor
    numbers: Tensor
    context: Tensor
    candidate_boxes: Tensor
    candidate_mask: Tensor

    def to(self, device: torch.device | str) -> "Batch":
        """The batch on a device."""
        return Batch(**{name: tensor.to(device) for name, tensor in vars(self).items()})
