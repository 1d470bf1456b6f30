"""How far answers about products are from right."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from model.labels import LabelVocabulary
from train.products.batches import ProductTargets

__all__ = ["TOKENS", "ProductLoss"]

TOKENS = 32  # about what a title and a description have on average


class ProductLoss(nn.Module):
    """Negative log likelihood of labels and texts, summed over a product's questions.

    Labels are scored against the other labels of their entity, with the log shares of the training products added to
    the logits (logit adjustment, arXiv 2007.07314): the network learns what speaks for a label, not how frequent it is.
    A node of a taxonomy is as likely as its leaves together; each level of a path is asked for, as in the hierarchical
    losses of arXiv 1709.01062. A product whose label is a parent says nothing about the levels below.

    Args:
        log_prior: (vocabulary,), see train.products.records.log_priors.
        level_weights: of the levels of a path, root first; deeper levels have the last one's.
        text_weight: of TOKENS tokens of a text.
        smoothing: share of a target that is spread over all labels or tokens (arXiv 1512.00567).
        teacher_weight: share of a label's loss that a teacher's judgement has, where there is one.
    """

    def __init__(
        self,
        vocabulary: LabelVocabulary,
        log_prior: Tensor,
        *,
        level_weights: Sequence[float],
        text_weight: float,
        smoothing: float,
        teacher_weight: float = 0.0,
    ):
        super().__init__()
        self._vocabulary = vocabulary
        self._text_weight = text_weight
        self._smoothing = smoothing
        self._teacher_weight = teacher_weight
        self._log_prior: Tensor
        self.register_buffer("_log_prior", log_prior)
        for e, entity in enumerate(vocabulary.entities):
            if entity.kind == "path":
                tree = entity.taxonomy
                weights = torch.zeros(len(tree.nodes), len(tree.nodes))
                for i, node in enumerate(tree.nodes):
                    for depth in range(1, len(node) + 1):
                        level = level_weights[min(depth, len(level_weights)) - 1]
                        weights[i, tree.place(node[:depth])] = level
                self.register_buffer(f"members{e}", torch.from_numpy(tree.members).float())
                self.register_buffer(f"levels{e}", weights)

    def forward(
        self, labels: Tensor, texts: Tensor | None, targets: ProductTargets, taught: Tensor | None = None
    ) -> Tensor:
        """The loss of a product.

        Args:
            labels: logits (R, vocabulary) of the labelled questions.
            texts: logits (Q - R, T, vocabulary) of the written ones; None where there are none.
            taught: (R, widest), how likely a teacher finds each label or leaf; zeros where it was not asked.
        """
        total = labels.new_zeros(())
        for e, entity in enumerate(self._vocabulary.entities):
            rows = targets.entity == e
            if entity.kind == "text" or not rows.any():
                continue
            tokens = self._vocabulary.labels(entity)
            logits = labels[rows, tokens.start : tokens.stop] + self._log_prior[tokens.start : tokens.stop]
            label = targets.label[rows]
            logp = logits.log_softmax(dim=-1)
            if entity.kind == "choice":
                right = F.nll_loss(logp, label, reduction="none")
            else:
                nodes = (logp.exp() @ getattr(self, f"members{e}").T).clamp(min=1e-9).log()
                right = -(nodes * getattr(self, f"levels{e}")[label]).sum(dim=1)
            each = (1 - self._smoothing) * right - self._smoothing * logp.mean(dim=1)
            if taught is not None:
                judged = taught[rows, : logp.shape[1]]
                weight = self._teacher_weight * judged.sum(dim=1)
                each = (1 - weight) * each - self._teacher_weight * (judged * logp).sum(dim=1)
            total = total + each.sum()
        if texts is not None:
            present = targets.following != self._vocabulary.pad
            each = F.cross_entropy(
                texts.transpose(1, 2), targets.following, reduction="none", label_smoothing=self._smoothing
            )
            # Not a mean over each text: the ends of short texts would count for more than what goes on in long ones,
            # and whoever learns that says too little.
            total = total + self._text_weight * (each * present).sum() / TOKENS
        return total / max(1, targets.count)
