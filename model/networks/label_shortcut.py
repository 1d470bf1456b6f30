"""A linear shortcut from a photo's inputs to labels, beside the transformer ("wide and deep", arXiv 1606.07792).

With some thousands of products a linear model of pooled features is more accurate about labels than the transformer,
and its errors differ. So a label's logit is the sum of both.
"""

from typing import Final

import torch
from torch import Tensor, nn

from resformer.model.networks.batch import FIELDS

__all__ = ["DECODER_WEIGHT", "LabelShortcut", "pool_patches"]

DECODER_WEIGHT: Final = 0.5
"""Of the decoder's logits in the sum: it is the surer of the two, and no more often right."""


class LabelShortcut(nn.Module):
    """Logits of labels from a summary of a photo; all zero until it is fitted.

    A summary has the pooled features of the picture, and for each of FIELDS the bag of its words, `width` numbers.

    Args:
        feature_size: F, numbers that describe a patch.

    Attributes:
        picture_mean: (2 F,), the pooled features of a mean picture; a photo without a picture has them.
        linear: a row for each answer.
    """

    def __init__(self, feature_size: int, width: int, num_answers: int):
        super().__init__()
        self.picture_mean: Tensor
        self.register_buffer("picture_mean", torch.zeros(2 * feature_size))
        self.linear = nn.Linear(2 * feature_size + len(FIELDS) * width, num_answers)
        nn.init.zeros_(self.linear.weight)
        nn.init.zeros_(self.linear.bias)

    def forward(self, patches: Tensor, covered: Tensor, words: Tensor, counts: Tensor) -> Tensor:
        """Logits (B, A).

        Args:
            patches: (B, N, F), features of the patches. covered: bool (B, N), which of them are shown.
            words: (B, FIELDS, D), by field, the sum of its subwords' embeddings. counts: (B, FIELDS), of subwords.
        """
        is_shown = covered.any(dim=1, keepdim=True)
        picture = torch.where(is_shown, pool_patches(patches, covered) - self.picture_mean, 0.0)
        bags = words / counts.clamp(min=1)[..., None] ** 0.5
        logits: Tensor = self.linear(torch.cat([picture, bags.flatten(1)], dim=1))
        return logits


def pool_patches(patches: Tensor, covered: Tensor) -> Tensor:
    """Mean and maximum (B, 2 F) of the covered ones of some patches (B, N, F); covered is bool (B, N)."""
    mean = (patches * covered[..., None]).sum(dim=1) / covered.sum(dim=1, keepdim=True).clamp(min=1)
    return torch.cat([mean, patches.masked_fill(~covered[..., None], -1e4).amax(dim=1)], dim=1)
