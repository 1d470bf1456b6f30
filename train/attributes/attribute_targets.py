"""Right answers of a batch's questions."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor

from resformer.model.inference.attribute_inputs import AttributeExample
from resformer.model.inference.label_tokenizer import LabelTokenizer
from resformer.model.schema.schema import Entity
from resformer.train.attributes.labelled_products import LabelledProduct

__all__ = ["AttributeTargets", "make_targets"]


@dataclass
class AttributeTargets:
    """Right answers of Q questions about B samples: R labels, and Q - R texts of at most T tokens.

    Attributes:
        classified: (R,), indices of the questions that a label answers.
        label: (R,), the right ones.
        entity_rows: for each entity of the tokenizer, which of the R rows ask for it.
        generated: (Q - R,), indices of the questions that a text answers.
        tokens: (Q - R, T), input of the decoder, from BOS on.
        next_tokens: (Q - R, T), what follows each of them; padded.
        num_samples: B.
        product_index: (P,), the training product of each picture; empty outside of training.
    """

    classified: Tensor
    label: Tensor
    entity_rows: tuple[Tensor, ...]
    generated: Tensor
    tokens: Tensor
    next_tokens: Tensor
    num_samples: int
    product_index: Tensor = field(default_factory=lambda: torch.zeros(0, dtype=torch.long))

    def to(self, device: torch.device | str) -> "AttributeTargets":
        """The targets on a device."""
        moved: dict[str, Any] = {k: v.to(device) if isinstance(v, Tensor) else v for k, v in vars(self).items()}
        return AttributeTargets(**{**moved, "entity_rows": tuple(rows.to(device) for rows in self.entity_rows)})


def make_targets(
    tokenizer: LabelTokenizer, examples: Sequence[AttributeExample], products: Sequence[LabelledProduct]
) -> AttributeTargets:
    """The targets of examples, in the order of collate_attributes.

    Args:
        products: of each example.
    """
    questions = [(product, e) for example, product in zip(examples, products, strict=True) for e in example.entities]
    classified = [q for q, (_, entity) in enumerate(questions) if entity.kind != "text"]
    generated = [q for q, (_, entity) in enumerate(questions) if entity.kind == "text"]
    entity_rows: dict[Entity, list[int]] = {entity: [] for entity in tokenizer.entities}
    labels = []
    for row, q in enumerate(classified):
        product, entity = questions[q]
        entity_rows[entity].append(row)
        labels.append(product.labels[entity.name])
    texts = [(product.texts[entity.name], entity.max_subwords) for product, entity in (questions[q] for q in generated)]
    tokens, next_tokens = _text_targets(tokenizer, texts)
    return AttributeTargets(
        classified=torch.tensor(classified, dtype=torch.long),
        label=torch.tensor(labels, dtype=torch.long),
        entity_rows=tuple(torch.tensor(rows, dtype=torch.long) for rows in entity_rows.values()),
        generated=torch.tensor(generated, dtype=torch.long),
        tokens=tokens,
        next_tokens=next_tokens,
        num_samples=len(examples),
    )


def _text_targets(tokenizer: LabelTokenizer, texts: Sequence[tuple[str, int]]) -> tuple[Tensor, Tensor]:
    """Input of the decoder and what follows it, (texts, T) each.

    Args:
        texts: with the number of subwords that each is cut to.
    """
    rows = [[*tokenizer.encode(text)[:max_subwords], tokenizer.eos_id] for text, max_subwords in texts]
    length = max([1, *(len(row) for row in rows)])
    tokens = torch.full((len(rows), length), tokenizer.pad_id)
    next_tokens = torch.full((len(rows), length), tokenizer.pad_id)
    for i, row in enumerate(rows):
        next_tokens[i, : len(row)] = torch.tensor(row)
        tokens[i, 0] = tokenizer.bos_id
        tokens[i, 1 : len(row)] = torch.tensor(row[:-1])
    return tokens, next_tokens
