"""Fitting of member weights."""

import pytest
import torch

from resformer.train.attributes.fit_member_weights import fit_member_weights

LOG_PRIOR = torch.zeros(4)


@pytest.fixture
def rng() -> torch.Generator:
    return torch.Generator().manual_seed(0)


@pytest.fixture
def is_right(rng: torch.Generator) -> torch.Tensor:
    return torch.nn.functional.one_hot(torch.randint(0, 4, (3000,), generator=rng), 4).bool()


def noise(rng: torch.Generator) -> torch.Tensor:
    return torch.randn(3000, 4, generator=rng)


def test_the_weight_of_one_member_is_an_inverse_temperature(is_right: torch.Tensor, rng: torch.Generator) -> None:
    logits = 2.0 * is_right + noise(rng)
    sampled = torch.multinomial(logits.softmax(dim=1), 1, generator=rng)[:, 0]
    (weight,) = fit_member_weights(3 * logits[None], LOG_PRIOR, torch.nn.functional.one_hot(sampled, 4).bool())
    assert weight.item() == pytest.approx(1 / 3, rel=0.1)


def test_members_weigh_by_their_evidence(is_right: torch.Tensor, rng: torch.Generator) -> None:
    one, other = 2.0 * is_right + 2 * noise(rng), 2.0 * is_right + 2 * noise(rng)
    weights = fit_member_weights(torch.stack([one, noise(rng)]), LOG_PRIOR, is_right)
    assert weights[1] < 0.1 * weights[0]
    weights = fit_member_weights(torch.stack([one, other]), LOG_PRIOR, is_right)
    assert weights.min() > 0.5 * weights.max()


def test_several_leaves_may_be_right(is_right: torch.Tensor, rng: torch.Generator) -> None:
    logits = 2.0 * is_right + noise(rng)
    assert torch.isfinite(fit_member_weights(logits[None], LOG_PRIOR, is_right | is_right.roll(1, 1))).all()
