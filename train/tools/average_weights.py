"""The weighted mean of two checkpoints, of which one was trained from the other (model soups, arXiv 2203.05482)."""

from pathlib import Path

import torch
from safetensors.torch import save_file
from torch import Tensor

from resformer.model.files.whole_file import saved_whole
from resformer.model.inference.checkpoint import read_checkpoint

__all__ = ["average_weights"]


def average_weights(first: Path, second: Path, out: Path, *, weight: float = 0.5) -> None:
    """Writes (1 - weight) x the first checkpoint + weight x the second.

    Integer scalars (counters) and the metadata are the first one's.

    Args:
        weight: of the second, 0 to 1.

    Raises:
        ValueError: the tensors differ in shape or in what they index, or the weight is out of range.
        OSError: a file cannot be read.
    """
    if not 0 <= weight <= 1:
        raise ValueError(f"weight {weight} is not between 0 and 1")
    (ours, metadata), (theirs, _) = read_checkpoint(first), read_checkpoint(second)
    if differing := sorted(n for n in ours.keys() | theirs.keys() if _shape(ours.get(n)) != _shape(theirs.get(n))):
        raise ValueError(f"{second} does not fit {first}: {differing[0]} differs in shape or is missing")
    for name, tensor in ours.items():
        if tensor.is_floating_point():
            ours[name] = tensor.float().lerp(theirs[name].float(), weight).to(tensor.dtype)
        elif tensor.ndim and not torch.equal(tensor, theirs[name]):
            raise ValueError(f"{second} does not fit {first}: the integers of {name} differ")
    with saved_whole(out) as part:
        save_file(ours, part, metadata=metadata)


def _shape(tensor: Tensor | None) -> torch.Size | None:
    return None if tensor is None else tensor.shape
