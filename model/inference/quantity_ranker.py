"""The choice among what was read on one photo, computed where that is fastest."""

from typing import Final

import torch
from torch import Tensor, nn

from resformer.model.inference.onnx_module import Graph
from resformer.model.networks.resformer import Inputs, Resformer

__all__ = ["Choosing"]

# Of Inputs, what there is with one photo; with the axes that are of any size.
WORDS: Final = {1: "words"}
QUESTIONS: Final = {0: "questions"}
CANDIDATES: Final = {0: "questions", 1: "candidates"}
AXES: Final = {
    **dict.fromkeys(("words", "word_geometry", "word_mask"), WORDS),
    **dict.fromkeys(("prompt", "presumption"), QUESTIONS),
    **dict.fromkeys(("features", "units", "spelling", "context"), CANDIDATES),
    **dict.fromkeys(("candidate_geometry", "candidate_mask"), CANDIDATES),
}
LOGITS: Final = "logits"


class Choosing:
    """The network's logits for the questions about one photo, by ONNX Runtime in a fifth of torch's time.

    Args:
        network: on a processor.
        example: any inputs with words and candidates.
    """

    def __init__(self, network: Resformer, example: Inputs, threads: int):
        examples = {name: getattr(example, name) for name in AXES}
        axes = {**AXES, LOGITS: {0: "questions", 1: "answers"}}
        self._logits = Graph(_Choosing(network), examples, axes, [LOGITS], device="cpu", threads=threads)

    def __call__(self, inputs: Inputs) -> Tensor:
        """Logits (Q, READ + C). `inputs` are of one photo, on a processor."""
        (logits,) = self._logits(*(getattr(inputs, name).numpy() for name in AXES))
        return torch.from_numpy(logits)


class _Choosing(nn.Module):
    def __init__(self, network: Resformer):
        super().__init__()
        self.network = network

    def forward(self, *tensors: Tensor) -> Tensor:
        given = dict(zip(AXES, tensors, strict=True))
        logits: Tensor = self.network(Inputs(owner=torch.zeros_like(given["prompt"]), **given))
        return logits
