"""The quantity network on one photo, through ONNX Runtime."""

from typing import Final

import torch
from torch import Tensor, nn

from resformer.model.networks.quantity_network import QuantityBatch, QuantityNetwork
from resformer.model.runtime.onnx_module import OnnxModule

__all__ = ["QuantityRanker"]

# The fields of QuantityBatch that one photo has, with their axes of any size.
WORDS: Final = {1: "words"}
QUESTIONS: Final = {0: "questions"}
CANDIDATES: Final = {0: "questions", 1: "candidates"}
AXES: Final = {
    **dict.fromkeys(("words", "word_boxes", "word_mask"), WORDS),
    **dict.fromkeys(("prompt", "assume_present"), QUESTIONS),
    **dict.fromkeys(("features", "units", "numbers", "context"), CANDIDATES),
    **dict.fromkeys(("candidate_boxes", "candidate_mask"), CANDIDATES),
}
LOGITS: Final = "logits"


class QuantityRanker:
    """Logits of the questions about one photo, in a fifth of torch's time.

    Args:
        network: on a CPU.
        example: any batch with words and candidates.
    """

    def __init__(self, network: QuantityNetwork, example: QuantityBatch, threads: int):
        examples = {name: getattr(example, name) for name in AXES}
        axes = {**AXES, LOGITS: {0: "questions", 1: "answers"}}
        self._module = OnnxModule(_OnePhoto(network), examples, axes, [LOGITS], device="cpu", threads=threads)

    def __call__(self, batch: QuantityBatch) -> Tensor:
        """Logits (Q, FIRST_CANDIDATE + C) for a batch of one photo on a CPU."""
        (logits,) = self._module(*(getattr(batch, name).numpy() for name in AXES))
        return torch.from_numpy(logits)


class _OnePhoto(nn.Module):
    def __init__(self, network: QuantityNetwork):
        super().__init__()
        self.network = network

    def forward(self, *tensors: Tensor) -> Tensor:
        fields = dict(zip(AXES, tensors, strict=True))
        logits: Tensor = self.network(QuantityBatch(sample_index=torch.zeros_like(fields["prompt"]), **fields))
        return logits
