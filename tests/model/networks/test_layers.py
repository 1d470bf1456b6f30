"""Attention layers."""

import pytest
import torch

from resformer.model.networks.layers import Attention


@pytest.mark.parametrize("causal", [False, True])
def test_attention_is_the_same_in_training(causal: bool) -> None:
    """Where torch's own kernel is not used."""
    torch.manual_seed(0)
    attention, x = Attention(16, 4), torch.randn(2, 5, 16)
    mask = None if causal else torch.rand(2, 5, 5) > 0.4
    if mask is not None:
        mask[..., 0] = True  # each query has a key
    kv = attention.key_values(x)
    trained = attention(x, kv, mask, causal)
    with torch.inference_mode():
        assert torch.allclose(trained, attention(x, kv, mask, causal), atol=1e-6)
