"""The loss of every kind of question."""

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from resformer.model.inference.tokenizer import Tokenizer
from resformer.model.networks.encoder import Memory
from resformer.train.network.label_targets import target_answers, target_levels
from resformer.train.network.targets import Targets

__all__ = ["TEXT_TOKENS", "RowLoss", "quantity_logits"]

TEXT_TOKENS = 32  # about the mean length of a title and a description


class RowLoss(nn.Module):
    """Negative log likelihood of the right answers, summed over a sample's questions.

    An answer competes with the others that the grammar of its entity allows. Several may be right: their probabilities
    add up. The log frequencies of the training labels are added to the logits (logit adjustment, arXiv
    2007.07314), so that the network learns evidence for a label and not its frequency. A node of a taxonomy has the
    probability of all leaves below it; every level of a path has its loss, as in the hierarchical losses of arXiv
    1709.01062.

    Args:
        log_prior: (A,), log frequency of each label in an epoch.
        level_weights: of the levels of a path, root first; deeper levels have the last one's.
        quantity_weight: of a question about a quantity. text_weight: of TEXT_TOKENS steps of a text.
        label_smoothing: fraction of a target that is spread over all labels (arXiv 1512.00567).
        entity_weights: of labels, by entity; 1 for those that are not named.
    """

    def __init__(
        self,
        tokenizer: Tokenizer,
        log_prior: Tensor,
        *,
        level_weights: Sequence[float],
        quantity_weight: float,
        text_weight: float,
        label_smoothing: float,
        entity_weights: Mapping[str, float],
    ):
        super().__init__()
        self._tokenizer = tokenizer
        self._quantity_weight = quantity_weight
        self._text_weight = text_weight
        self._label_smoothing = label_smoothing
        self._entity_weights = entity_weights
        self._entities = {e.name: e for e in tokenizer.entities if e.kind in ("choice", "path")}
        self._log_prior: Tensor
        self.register_buffer("_log_prior", log_prior)
        for name, entity in self._entities.items():
            self.register_buffer(f"answers_{name}", target_answers(entity).float())
            self.register_buffer(f"levels_{name}", target_levels(entity, tuple(level_weights)))

    def forward(self, answers: Tensor, texts: Tensor | None, memory: Memory, targets: Targets) -> Tensor:
        """The mean loss of a sample: the sum of `parts`."""
        return torch.stack(list(self.parts(answers, texts, memory, targets).values())).sum()

    def parts(self, answers: Tensor, texts: Tensor | None, memory: Memory, targets: Targets) -> dict[str, Tensor]:
        """What the questions about quantities, labels and texts add to the mean loss of a sample.

        Args:
            answers: logits (B, Q, A + L) of first steps. texts: (T, S, V + L) of what follows each step of the texts;
                None where there are none.
        """
        sums = {
            "quantities": self._quantity_loss(answers, memory, targets),
            "labels": self._label_loss(answers, targets),
        }
        if texts is not None:
            sums["texts"] = self._text_weight * self.text_loss(texts, memory, targets) / TEXT_TOKENS
        return {name: total / max(1, targets.num_samples) for name, total in sums.items()}

    def _quantity_loss(self, answers: Tensor, memory: Memory, targets: Targets) -> Tensor:
        if not len(targets.quantities):
            return answers.new_zeros(())
        log_probabilities = quantity_logits(self._tokenizer, answers, memory, targets).log_softmax(dim=-1)
        losses = -log_probabilities.masked_fill(~targets.right, float("-inf")).logsumexp(dim=1)
        return self._quantity_weight * (losses * targets.weight).sum()

    def _label_loss(self, answers: Tensor, targets: Targets) -> Tensor:
        total = answers.new_zeros(())
        for name, rows in targets.labels.items():
            sample, question, target = rows.T
            tokens = self._tokenizer.answers(self._entities[name])
            span = slice(tokens.start, tokens.stop)
            logits = answers[sample, question, span].float() + self._log_prior[span]
            log_probabilities = logits.log_softmax(dim=-1)
            if self._entities[name].kind == "choice":
                losses = F.nll_loss(log_probabilities, target, reduction="none")
            else:
                nodes = (log_probabilities.exp() @ getattr(self, f"answers_{name}").T).clamp(min=1e-9).log()
                losses = -(nodes * getattr(self, f"levels_{name}")[target]).sum(dim=1)
            smoothed = (1 - self._label_smoothing) * losses - self._label_smoothing * log_probabilities.mean(dim=1)
            total = total + self._entity_weights.get(name, 1.0) * smoothed.sum()
        return total

    def text_loss(self, texts: Tensor, memory: Memory, targets: Targets) -> Tensor:
        """Of steps, summed.

        Not the mean of each text: the ends of short texts would weigh too much.
        """
        allowed = self._text_answers(texts, memory, targets)
        log_probabilities = texts.float().masked_fill(~allowed, float("-inf")).log_softmax(dim=-1)
        is_step = targets.right_steps != Targets.no_step
        vocab_size = self._tokenizer.vocab_size
        words = vocab_size + memory.words.start - 1 - targets.right_steps
        index = torch.where(targets.right_steps < 0, words, targets.right_steps).masked_fill(~is_step, 0)
        right = log_probabilities.gather(2, index).masked_fill(~is_step, float("-inf"))
        has_answer = is_step.any(dim=-1)
        nll = -torch.where(has_answer[..., None], right, torch.zeros_like(right)).logsumexp(dim=-1)
        return (nll * has_answer).sum()

    def _text_answers(self, texts: Tensor, memory: Memory, targets: Targets) -> Tensor:
        """Bool (T, 1, V + L): subwords, EOS, empty answers and pointers to words of the sample."""
        tokens = torch.zeros(self._tokenizer.vocab_size, dtype=torch.bool, device=texts.device)
        tokens[self._tokenizer.num_answers :] = True
        tokens[self._tokenizer.eos_id] = True
        tokens[[self._tokenizer.empty(e) for e in self._tokenizer.entities if e.kind == "text"]] = True
        pointers = torch.zeros_like(memory.is_token)
        pointers[:, memory.words] = memory.is_token[:, memory.words]
        samples = targets.texts[:, 0]
        return torch.cat([tokens.expand(len(samples), -1), pointers[samples]], dim=1)[:, None]


def quantity_logits(tokenizer: Tokenizer, answers: Tensor, memory: Memory, targets: Targets) -> Tensor:
    """Logits (R, 2 + M) of the empty answer, of UNREAD, and of the sample's candidates, -inf for other questions'."""
    sample, question = targets.quantities.T
    logits = answers[sample, question].float()
    offset = tokenizer.num_answers
    pointers = logits[:, offset + memory.candidates.start : offset + memory.candidates.stop]
    own = memory.question[sample, memory.candidates] == question[:, None]
    own &= memory.is_token[sample, memory.candidates]
    empty = logits.gather(1, targets.empty_tokens[:, None])
    unread = logits[:, tokenizer.unread_id, None]
    return torch.cat([empty, unread, pointers.masked_fill(~own, float("-inf"))], dim=1)
