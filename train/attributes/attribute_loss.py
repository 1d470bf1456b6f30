"""The loss of labels and texts."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from resformer.model.inference.label_tokenizer import LabelTokenizer
from resformer.train.attributes.attribute_targets import AttributeTargets
from resformer.train.attributes.label_likelihood import leaf_mask

__all__ = ["TEXT_TOKENS", "AttributeLoss"]

TEXT_TOKENS = 32  # about the mean length of a title and a description


class AttributeLoss(nn.Module):
    """Negative log likelihood of labels and texts, summed over a sample's questions.

    A label competes with the other labels of its entity. The log frequencies of the training labels are added to the
    logits (logit adjustment, arXiv 2007.07314), so that the network learns evidence for a label and not its frequency.
    A node of a taxonomy has the probability of all leaves below it; every level of a path has its loss, as in the
    hierarchical losses of arXiv 1709.01062. A product that is labelled with a parent has none for the levels below.

    Args:
        log_prior: (vocab_size,), see label_log_priors.
        level_weights: of the levels of a path, root first; deeper levels have the last one's.
        text_weight: of TEXT_TOKENS tokens of a text.
        label_smoothing: fraction of a target that is spread over all labels or tokens (arXiv 1512.00567).
    """

    def __init__(
        self,
        tokenizer: LabelTokenizer,
        log_prior: Tensor,
        *,
        level_weights: Sequence[float],
        text_weight: float,
        label_smoothing: float,
    ):
        super().__init__()
        self._tokenizer = tokenizer
        self._text_weight = text_weight
        self._label_smoothing = label_smoothing
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
                self.register_buffer(f"node_leaves{e}", leaf_mask(entity).float())
                self.register_buffer(f"node_weights{e}", weights)

    def forward(self, labels: Tensor, texts: Tensor | None, targets: AttributeTargets) -> Tensor:
        """The mean loss of a sample.

        Args:
            labels: logits (R, vocab_size) of the questions that a label answers.
            texts: logits (Q - R, T, vocab_size) of those that a text answers; None where there are none.
        """
        total = labels.new_zeros(())
        for e, entity in enumerate(self._tokenizer.entities):
            rows = targets.entity_rows[e]
            if not len(rows):
                continue
            tokens = slice(self._tokenizer.labels(entity).start, self._tokenizer.labels(entity).stop)
            log_probabilities = (labels[rows, tokens] + self._log_prior[tokens]).log_softmax(dim=-1)
            label = targets.label[rows]
            if entity.kind == "choice":
                losses = F.nll_loss(log_probabilities, label, reduction="none")
            else:
                nodes = (log_probabilities.exp() @ getattr(self, f"node_leaves{e}").T).clamp(min=1e-9).log()
                losses = -(nodes * getattr(self, f"node_weights{e}")[label]).sum(dim=1)
            smoothed = (1 - self._label_smoothing) * losses - self._label_smoothing * log_probabilities.mean(dim=1)
            total = total + smoothed.sum()
        if texts is not None:
            losses = F.cross_entropy(
                texts.transpose(1, 2), targets.next_tokens, reduction="none", label_smoothing=self._label_smoothing
            )
            # A sum, not the mean over each text: the ends of short texts would weigh more than the tokens of long
            # ones, and generated texts would become too short.
            is_token = targets.next_tokens != self._tokenizer.pad_id
            total = total + self._text_weight * (losses * is_token).sum() / TEXT_TOKENS
        return total / max(1, targets.num_samples)
