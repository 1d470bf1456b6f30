"""The ResNet trunk of torchvision."""

from torch import Tensor, nn
from torchvision.models.resnet import Bottleneck, ResNet

from resformer.model.networks.presets import Preset

__all__ = ["ResNetTrunk"]


class ResNetTrunk(ResNet):  # type: ignore[misc]  # torchvision is untyped
    """torchvision's bottleneck ResNet (arXiv 1512.03385) held at stride 16: a fourth layer is dilated."""

    def __init__(self, preset: Preset):
        depths = [*preset.backbone_depths, 1][:4]
        super().__init__(Bottleneck, depths, replace_stride_with_dilation=[False, False, True])
        del self.fc
        if len(preset.backbone_depths) < 4:
            self.layer4 = nn.Identity()

    def forward(self, x: Tensor) -> Tensor:
        """Pixels (B, 3, H, W) to features (B, C, H / 16, W / 16)."""
        x = self.maxpool(self.relu(self.bn1(self.conv1(x))))
        features: Tensor = self.layer4(self.layer3(self.layer2(self.layer1(x))))
        return features
