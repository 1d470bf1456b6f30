"""How far answers about products are from right."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from resformer.model.inference.label_tokenizer import LabelTokenizer
from resformer.train.attributes.attribute_batches import ProductTargets

__all__ = ["TOKENS", "Judgement", "ProductLoss"]

TOKENS = 32  # about what a title and a description have on average


@dataclass(frozen=True)
class Judgement:
    """What teachers find of the questions of a batch, which tells more than the one answer that a catalogue gives
    (distillation, arXiv 1503.02531).

    Attributes:
        labels: (R, vocab_size), how likely each label or leaf is among its entity's.
        texts: (Q - R, T, vocab_size), how likely each token is to follow; None where nothing is written.
        label_share: (R,), the share that it has of a label's loss. text_share: (Q - R,), of a text's.
    """

    labels: Tensor
    texts: Tensor | None
    label_share: Tensor
    text_share: Tensor


class ProductLoss(nn.Module):
    """Negative log likelihood of labels and texts, summed over a product's questions.

    Labels are scored against the other labels of their entity, with the log shares of the training products added to
    the logits (logit adjustment, arXiv 2007.07314): the network learns what speaks for a label, not how frequent it is.
    A node of a taxonomy is as likely as its leaves together; each level of a path is asked for, as in the hierarchical
    losses of arXiv 1709.01062. A product whose label is a parent says nothing about the levels below.

    Args:
        log_prior: (vocab_size,), see train.attributes.labelled_products.log_priors.
        level_weights: of the levels of a path, root first; deeper levels have the last one's.
        text_weight: of TOKENS tokens of a text.
        smoothing: share of a target that is spread over all labels or tokens (arXiv 1512.00567).
    """

    def __init__(
        self,
        tokenizer: LabelTokenizer,
        log_prior: Tensor,
        *,
        level_weights: Sequence[float],
        text_weight: float,
        smoothing: float,
    ):
        super().__init__()
        self._tokenizer = tokenizer
        self._text_weight = text_weight
        self._smoothing = smoothing
        self._log_prior: Tensor
        self.register_buffer("_log_prior", log_prior)
        for e, entity in enumerate(tokenizer.entities):
            if entity.kind == "path":
                tree = entity.taxonomy
                weights = torch.zeros(len(tree.nodes), len(tree.nodes))
                for i, node in enumerate(tree.nodes):
                    for depth in range(1, len(node) + 1):
                        level = level_weights[min(depth, len(level_weights)) - 1]
                        weights[i, tree.index(node[:depth])] = level
                self.register_buffer(f"members{e}", torch.from_numpy(tree.members).float())
                self.register_buffer(f"levels{e}", weights)

    def chances(self, labels: Tensor, targets: ProductTargets) -> Tensor:
        """How likely each label is among its entity's, (R, vocab_size), by logits as `forward` takes them."""
        chances = torch.zeros_like(labels)
        for entity, rows in zip(self._tokenizer.entities, targets.rows, strict=True):
            tokens = slice(self._tokenizer.labels(entity).start, self._tokenizer.labels(entity).stop)
            chances[rows, tokens] = (labels[rows, tokens] + self._log_prior[tokens]).softmax(dim=-1)
        return chances

    def forward(
        self, labels: Tensor, texts: Tensor | None, targets: ProductTargets, judgement: Judgement | None = None
    ) -> Tensor:
        """The loss of a product.

        Args:
            labels: logits (R, vocab_size) of the labelled questions.
            texts: logits (Q - R, T, vocab_size) of the written ones; None where there are none.
        """
        total = labels.new_zeros(())
        for e, entity in enumerate(self._tokenizer.entities):
            rows = targets.rows[e]
            if not len(rows):
                continue
            tokens = slice(self._tokenizer.labels(entity).start, self._tokenizer.labels(entity).stop)
            logits = labels[rows, tokens] + self._log_prior[tokens]
            label = targets.label[rows]
            logp = logits.log_softmax(dim=-1)
            if entity.kind == "choice":
                right = F.nll_loss(logp, label, reduction="none")
            else:
                nodes = (logp.exp() @ getattr(self, f"members{e}").T).clamp(min=1e-9).log()
                right = -(nodes * getattr(self, f"levels{e}")[label]).sum(dim=1)
            each = (1 - self._smoothing) * right - self._smoothing * logp.mean(dim=1)
            if judgement:
                taught = -(judgement.labels[rows, tokens] * logp).sum(dim=1)
                each = each.lerp(taught, judgement.label_share[rows])
            total = total + each.sum()
        if texts is not None:
            present = targets.following != self._tokenizer.pad_id
            each = F.cross_entropy(
                texts.transpose(1, 2), targets.following, reduction="none", label_smoothing=self._smoothing
            )
            if judgement and judgement.texts is not None:
                taught = -(judgement.texts * texts.log_softmax(dim=-1)).sum(dim=-1)
                each = each.lerp(taught, judgement.text_share[:, None])
            # Not a mean over each text: the ends of short texts would count for more than what goes on in long ones,
            # and whoever learns that says too little.
            total = total + self._text_weight * (each * present).sum() / TOKENS
        return total / max(1, targets.count)
