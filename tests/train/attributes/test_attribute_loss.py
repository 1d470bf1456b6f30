"""The loss of labels and texts."""

import numpy as np
import pytest
import torch

from resformer.model.inference.label_tokenizer import LabelTokenizer
from resformer.train.attributes.attribute_loss import TEXT_TOKENS, AttributeLoss
from resformer.train.attributes.attribute_targets import AttributeTargets

NO_INDEX = torch.zeros(0, dtype=torch.long)


def make_loss(tokenizer: LabelTokenizer, log_prior: torch.Tensor | None = None, **changes: object) -> AttributeLoss:
    settings = {"level_weights": (0.5, 1.0), "text_weight": 1.0, "label_smoothing": 0.0} | changes
    prior = torch.zeros(tokenizer.vocab_size) if log_prior is None else log_prior
    return AttributeLoss(tokenizer, prior, **settings)  # type: ignore[arg-type]


def label_target(entity: int, label: int) -> AttributeTargets:
    return AttributeTargets(
        classified=torch.tensor([0]),
        label=torch.tensor([label]),
        entity_rows=tuple(torch.arange(int(e == entity)) for e in range(3)),
        generated=NO_INDEX,
        tokens=torch.zeros(0, 1, dtype=torch.long),
        next_tokens=torch.zeros(0, 1, dtype=torch.long),
        num_samples=1,
    )


def test_every_level_of_a_path_has_its_loss(small_tokenizer: LabelTokenizer) -> None:
    loss = make_loss(small_tokenizer)
    kind = small_tokenizer.entities[0]
    leaves = small_tokenizer.labels(kind)
    logits = torch.zeros(1, small_tokenizer.vocab_size)
    logits[0, leaves.start : leaves.stop] = torch.tensor([0.5, 0.2, 0.3]).log()
    leaf, parent = (kind.taxonomy.index(node) for node in (("A", "x"), ("B",)))
    leaf_loss = loss(logits, None, label_target(0, leaf)).item()
    assert leaf_loss == pytest.approx(-0.5 * np.log(0.7) - np.log(0.5), rel=1e-5)
    # A label that is a parent has no loss for the levels below.
    assert loss(logits, None, label_target(0, parent)).item() == pytest.approx(-0.5 * np.log(0.3), rel=1e-5)
    # The prior explains frequent labels, so the network need not.
    prior = torch.zeros(small_tokenizer.vocab_size)
    prior[leaves.start] = 2.0
    assert make_loss(small_tokenizer, prior)(logits, None, label_target(0, leaf)).item() < leaf_loss


def test_labels_of_other_entities_do_not_compete(small_tokenizer: LabelTokenizer) -> None:
    loss = make_loss(small_tokenizer)
    logits = torch.randn(1, small_tokenizer.vocab_size, generator=torch.Generator().manual_seed(0))
    before = loss(logits, None, label_target(1, 1)).item()
    logits[0, : small_tokenizer.labels(small_tokenizer.entities[1]).start] += 9
    assert loss(logits, None, label_target(1, 1)).item() == pytest.approx(before)


def test_a_token_weighs_the_same_in_every_text(small_tokenizer: LabelTokenizer) -> None:
    eos, pad = small_tokenizer.eos_id, small_tokenizer.pad_id
    next_tokens = torch.tensor([[eos, pad, pad], [5, 6, eos]])
    targets = AttributeTargets(
        NO_INDEX, NO_INDEX, (NO_INDEX,) * 3, torch.arange(2), torch.zeros(2, 3, dtype=torch.long), next_tokens, 2
    )
    vocab_size = small_tokenizer.vocab_size
    texts = torch.zeros(2, 3, vocab_size, requires_grad=True)
    loss = make_loss(small_tokenizer, text_weight=3.0)(torch.zeros(0, vocab_size), texts, targets)
    assert loss.item() == pytest.approx(3.0 * 4 / TEXT_TOKENS * np.log(vocab_size) / 2, rel=1e-5)
    loss.backward()
    assert texts.grad is not None
    gradient = texts.grad.gather(2, next_tokens[..., None])[..., 0]
    assert gradient[0, 0] == gradient[1, 2] and not gradient[0, 1:].any()
