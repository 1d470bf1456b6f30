"""What tests keep of exports is that of the same module alone."""

import numpy as np
import torch
from torch import Tensor, nn

from resformer.model.runtime.onnx_module import Array, OnnxModule


class Scaled(nn.Module):
    def __init__(self, factor: float, weight: float):
        super().__init__()
        self.factor = factor
        self.weight = nn.Parameter(torch.tensor([weight]))

    def forward(self, x: Tensor) -> Tensor:
        return x * self.factor * self.weight


def test_modules_that_differ_in_one_thing_are_not_confused() -> None:
    def answer(module: nn.Module, length: int = 2) -> tuple[object, list[float]]:
        exported = OnnxModule(module, {"x": torch.ones(length)}, {}, ["y"], device="cpu", threads=1)
        value: Array = np.ones(length, np.float32)
        return exported._session, exported(value)[0].tolist()

    first, values = answer(Scaled(2.0, 3.0))
    assert values == [6.0, 6.0]
    assert answer(Scaled(2.0, 3.0)) == (first, [6.0, 6.0])
    assert answer(Scaled(3.0, 3.0))[1] == [9.0, 9.0]
    assert answer(Scaled(2.0, 4.0))[1] == [8.0, 8.0]
    assert answer(Scaled(2.0, 3.0), 3)[1] == [6.0, 6.0, 6.0]
