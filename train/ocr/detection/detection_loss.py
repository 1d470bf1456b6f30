"""How far maps are from what they should be."""

import torch
from torch import Tensor
from torch.nn import functional as F

from resformer.model.networks.text_detection import CUE, DIGIT, HEIGHT, ORIENTATION, TEXT
from resformer.train.ocr.detection.score_map_targets import TURN, VALID

__all__ = ["map_loss"]

HARD = 3  # places without print that count for one with print: those most mistaken for it
FEWEST = 2000  # such places of a batch, where it has hardly any print


def map_loss(maps: Tensor, truth: Tensor) -> Tensor:
    """Cross entropy and Dice of the print (DB's recipe, arXiv 1911.08947), and on print that of all the rest.

    Args:
        maps: (B, NUM_MAPS, H, W). truth: (B, TRUTHS, H, W).
    """
    maps = maps.float()
    on, valid = truth[:, TEXT], truth[:, VALID]
    each = F.binary_cross_entropy_with_logits(maps[:, TEXT], on, reduction="none") * valid
    count = on.sum().clamp(min=1)
    hardest = min(int(HARD * count.item()) + FEWEST, each.numel())
    mistaken = (each * (1 - on)).flatten().topk(hardest).values.sum()
    found = ((each * on).sum() + mistaken) / (count + hardest)
    likely = maps[:, TEXT].sigmoid() * valid
    dice = 1 - 2 * (likely * on).sum() / (likely.square().sum() + on.sum() + 1)

    def on_print(losses: Tensor) -> Tensor:
        return (losses * on).sum() / count

    kinds = sum(
        on_print(F.binary_cross_entropy_with_logits(maps[:, c], truth[:, c], reduction="none")) for c in (DIGIT, CUE)
    )
    height = on_print((maps[:, HEIGHT] - truth[:, HEIGHT]).abs())
    turn = on_print(F.cross_entropy(maps[:, ORIENTATION], truth[:, TURN].long(), reduction="none"))
    return 2 * found + dice + torch.as_tensor(kinds) + height + 0.5 * turn
