"""The loss of score maps."""

import torch
from torch import Tensor
from torch.nn import functional as F

from resformer.model.networks.text_detection import CUE, DIGIT, HEIGHT, ORIENTATION, TEXT
from resformer.train.ocr.detection.score_map_targets import LOSS_MASK, QUARTER_TURNS

__all__ = ["detection_loss"]

NEGATIVES_PER_POSITIVE = 3  # map pixels without text that count, for one with text: those with the highest loss
MIN_NEGATIVES = 2000  # in a batch with hardly any text


def detection_loss(maps: Tensor, targets: Tensor) -> Tensor:
    """The sum of the losses of all maps; all but the first are averaged over map pixels with text.

    Text: cross entropy with hard negative mining, and Dice, as DB combines them (arXiv 1911.08947). Digits and cues:
    cross entropy. Height: absolute error of its logarithm. Orientation: cross entropy.

    Args:
        maps: (B, NUM_MAPS, H, W).
        targets: (B, NUM_TARGETS, H, W), see score_map_targets.
    """
    maps = maps.float()
    has_text, loss_mask = targets[:, TEXT], targets[:, LOSS_MASK]
    num_text = has_text.sum().clamp(min=1)
    losses = F.binary_cross_entropy_with_logits(maps[:, TEXT], has_text, reduction="none") * loss_mask
    num_negatives = min(int(NEGATIVES_PER_POSITIVE * num_text.item()) + MIN_NEGATIVES, losses.numel())
    negatives = (losses * (1 - has_text)).flatten().topk(num_negatives).values
    cross_entropy = ((losses * has_text).sum() + negatives.sum()) / (num_text + num_negatives)
    probability = maps[:, TEXT].sigmoid() * loss_mask
    dice = 1 - 2 * (probability * has_text).sum() / (probability.square().sum() + has_text.sum() + 1)

    def mean_on_text(losses: Tensor) -> Tensor:
        return (losses * has_text).sum() / num_text

    digit, cue = (
        mean_on_text(F.binary_cross_entropy_with_logits(maps[:, channel], targets[:, channel], reduction="none"))
        for channel in (DIGIT, CUE)
    )
    height = mean_on_text((maps[:, HEIGHT] - targets[:, HEIGHT]).abs())
    orientation = mean_on_text(
        F.cross_entropy(maps[:, ORIENTATION], targets[:, QUARTER_TURNS].long(), reduction="none")
    )
    return torch.as_tensor(2 * cross_entropy + dice + digit + cue + height + 0.5 * orientation)
