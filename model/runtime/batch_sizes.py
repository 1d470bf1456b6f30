"""How much is computed at once where many photos are answered, by the device of the networks."""

from dataclasses import dataclass

import torch

__all__ = ["BatchSizes", "batch_sizes_for"]


@dataclass(frozen=True)
class BatchSizes:
    """The largest batches; 1 computes one after another, as for a photo alone.

    Attributes:
        photos: that are in memory and go through the stages together.
        detector: photos of one size. recognizer: line crops of similar widths. encoder: photos with their questions.
        writer: texts that are written step by step.
    """

    photos: int
    detector: int
    recognizer: int
    encoder: int
    writer: int


# On a CPU a batch pays where the same weights are read once for many rows: a step of 16 texts takes a third of the time
# of 16 steps. It does not where the activations of one input fill the caches already (a photo in the detector 17 ms
# alone, 21 in a batch of four) or where padding costs what it saves (crops, questions). docs/experiments.md, "Speed".
ON_CPU = BatchSizes(photos=16, detector=1, recognizer=1, encoder=1, writer=32)
# On a GPU a small network is as fast for a batch as for one input.
ON_GPU = BatchSizes(photos=64, detector=16, recognizer=64, encoder=16, writer=64)


def batch_sizes_for(device: str) -> BatchSizes:
    """The sizes for a device, as torch names it."""
    return ON_CPU if torch.device(device).type == "cpu" else ON_GPU
