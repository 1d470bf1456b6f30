"""Starts a `mobile` stem from ImageNet weights that a package carries."""

from typing import Any, cast

from torch import nn

from resformer.model.networks.backbone import Backbone, InvertedResidual
from resformer.train.attributes.pretrained_networks import packaged_tensors

__all__ = ["start_from_packaged"]


def start_from_packaged(stem: Backbone, deep: nn.Sequential, package: str) -> int:
    """Copies every convolution and norm and returns the number of tensors copied.

    Args:
        stem: as built for the preset `small`.
        deep: the blocks above it, which go on where it ends.
        package: one of train.attributes.pretrained_networks.PACKAGED.

    Raises ValueError: the package is not installed, or the stem has another shape.
    """
    packaged = packaged_tensors(package)
    trunk = cast(nn.Sequential, stem.trunk)
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
                start = packaged.get(f"{prefix}.{name}")
                if start is None or start.shape != tensor.shape:
                    raise ValueError(f"{prefix}.{name} does not fit this stem; a stem of the shape of {package} does")
                tensor.copy_(start)
                copied += 1
    return copied
