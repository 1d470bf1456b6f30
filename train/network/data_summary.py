"""What a run must know of all its training items at once, whether they are in memory or in shards."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from resformer.model.inference.tokenizer import Tokenizer
from resformer.train.network.label_frequencies import label_log_priors
from resformer.train.network.labelled_photos import LabelledPhoto
from resformer.train.network.text_targets import generic_words

__all__ = ["DataSummary"]


@dataclass(frozen=True)
class DataSummary:
    """Statistics of training items.

    Attributes:
        num_items: rows; a photo may have several.
        epoch_prior, catalogue_prior: (A,), log frequency of each label, see label_log_priors.
        labelled: names of the entities that have labels.
        learned: names of the entities of which any answer is known.
        generic: by text entity, the words that its texts may spell.
    """

    num_items: int
    epoch_prior: Tensor
    catalogue_prior: Tensor
    labelled: frozenset[str]
    learned: frozenset[str]
    generic: dict[str, frozenset[str]]

    @classmethod
    def of(cls, items: Sequence[LabelledPhoto], tokenizer: Tokenizer, texts: Sequence[str]) -> "DataSummary":
        """The summary of items in memory.

        Args:
            texts: the entities whose generic words are collected.
        """
        labelled = frozenset(name for item in items for name in item.labels)
        known = {name for item in items for name in (*item.texts, *(q.entity.name for q in item.questions))}
        return cls(
            len(items),
            torch.from_numpy(label_log_priors(items, tokenizer, in_catalogue=False)),
            torch.from_numpy(label_log_priors(items, tokenizer, in_catalogue=True)),
            labelled,
            labelled | known,
            {name: generic_words(p.texts[name] for p in items if p.texts.get(name)) for name in texts},
        )
