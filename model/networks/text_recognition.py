"""Text recognition: line crops to character logits, trained by connectionist temporal classification."""

from typing import Final

from torch import Tensor, nn

from resformer.model.networks.lcnet_blocks import Downsample, LCNetBlock

__all__ = ["CROP_HEIGHT", "STEP_WIDTH", "RecognitionNetwork"]

CROP_HEIGHT: Final = 32  # pixels
STEP_WIDTH: Final = 4  # pixels of a crop's width that one step of the logits stands for
STEM_CHANNELS = 24
STAGES = ((48, 2), (96, 3), (160, 4))  # channels and blocks at vertical strides 4, 8 and 16
CONTEXT_STEPS = 5  # steps that the convolution along the line covers


class RecognitionNetwork(nn.Module):
    """LCNet blocks that reduce a line crop to one row, then a convolution along it.

    Laid out as the recognizer of PP-OCRv6 tiny (arXiv 2606.13108), so that its pretrained weights fit. That one takes
    crops 48 pixels high and has a step every 8 pixels; at 32 and 4 this one costs half as much, and its steps are finer
    relative to the height of the text.

    Args:
        num_classes: characters and the CTC blank.
    """

    def __init__(self, num_classes: int):
        super().__init__()
        channels = STAGES[0][0]
        self.stem = nn.Sequential(
            nn.Conv2d(3, STEM_CHANNELS, 3, 2, 1), nn.GELU(), nn.Conv2d(STEM_CHANNELS, channels, 3, 2, 1)
        )
        self.blocks = nn.ModuleList()
        for i, (out_channels, depth) in enumerate(STAGES):
            downsample: list[nn.Module] = [Downsample(channels, out_channels, (2, 1))] if i else []
            # The first block after a change of channels reweights them.
            blocks = [LCNetBlock(out_channels, squeeze_excite=not j) for j in range(depth - len(downsample))]
            self.blocks += [*downsample, *blocks]
            channels = out_channels
        self.context = nn.Sequential(
            nn.Conv1d(channels, channels, CONTEXT_STEPS, padding=CONTEXT_STEPS // 2, groups=channels),
            nn.Hardswish(),
            nn.Conv1d(channels, channels, 1),
            nn.Hardswish(),
        )
        self.head = nn.Linear(channels, num_classes)

    def forward(self, crops: Tensor, mask: Tensor | None = None) -> Tensor:
        """Logits (B, W / STEP_WIDTH, num_classes) of line crops (B, 3, CROP_HEIGHT, W), 0 to 255.

        Args:
            crops: W is a multiple of STEP_WIDTH.
            mask: bool (B, W / STEP_WIDTH), False where a crop is padded; what stands there changes nothing.
        """
        x = self.stem((crops.to(self.head.weight.dtype) - 127) / 128)
        valid = None if mask is None else mask[:, None, None].to(x.dtype)
        column_weights = None if valid is None else valid / valid.sum(dim=3, keepdim=True)
        for block in self.blocks:
            x = x if valid is None else x * valid
            x = block(x, column_weights) if isinstance(block, LCNetBlock) else block(x)
        x = x.mean(dim=2)
        x = x if valid is None else x * valid[:, :, 0]
        logits: Tensor = self.head(self.context(x).transpose(1, 2))
        return logits
