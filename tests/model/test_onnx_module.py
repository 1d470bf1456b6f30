"""Modules as they are called: by ONNX Runtime on a CPU, by torch on another device."""

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from resformer.model.runtime.onnx_module import OnnxModule


class Halves(nn.Module):
    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        return x.half() / 2, x > 1


@pytest.mark.parametrize("by_torch", [False, True])
def test_outputs_keep_their_kind(by_torch: bool) -> None:
    """Masks stay masks; numbers come as float32 from torch."""
    module = OnnxModule(Halves(), {"x": torch.ones(2)}, {}, ["half", "large"], device="cpu", threads=1)
    if by_torch:
        module._session = None  # as on a GPU
    half, large = module(np.array([1.0, 3.0], dtype=np.float32))
    assert half.tolist() == [0.5, 1.5] and (half.dtype == np.float32 or not by_torch)
    assert large.dtype == bool and large.tolist() == [False, True]
