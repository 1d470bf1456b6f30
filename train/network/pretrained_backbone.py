"""Initialization of a `mobile` backbone from ImageNet weights."""

from typing import Any, cast

from torch import nn

from resformer.model.networks.backbone import Backbone, InvertedResidual
from resformer.train.network.pretrained_networks import PretrainedName, pretrained_tensors

__all__ = ["load_pretrained_backbone"]


def load_pretrained_backbone(backbone: Backbone, deep_stage: nn.Sequential, name: PretrainedName) -> int:
    """Copies every convolution and normalisation; returns the number of tensors.

    Args:
        backbone: of the preset `small`.
        deep_stage: the blocks above it, which follow it in the pretrained network, too.

    Raises:
        ValueError: the package is not installed, or the backbone has another shape.
    """
    pretrained = pretrained_tensors(name)
    trunk = cast(nn.Sequential, backbone.trunk)
    sources = ["_conv_stem _bn0"]
    modules: list[Any] = [trunk[0]]
    for i, block in enumerate(layer for layer in [*trunk, *deep_stage] if isinstance(layer, InvertedResidual)):
        steps = [
            ("expand", "_expand_conv _bn0"),
            ("depthwise", "_depthwise_conv _bn1"),
            ("project", "_project_conv _bn2"),
        ]
        for step, source in steps:
            module = getattr(block, step)
            if not isinstance(module, nn.Identity):
                modules.append(module)
                sources.append(" ".join(f"_blocks.{i}.{part}" for part in source.split()))
    copied = 0
    for module, source in zip(modules, sources, strict=True):
        for target, prefix in zip((module.conv, module.norm), source.split(), strict=True):
            for key, tensor in target.state_dict().items():
                found = pretrained.get(f"{prefix}.{key}")
                if found is None or found.shape != tensor.shape:
                    raise ValueError(f"{prefix}.{key} of {name} does not fit this backbone; the preset small fits")
                tensor.copy_(found)
                copied += 1
    return copied
