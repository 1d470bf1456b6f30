"""The first token of every answer about one photo, computed where that is fastest."""

from typing import Final

import torch
from torch import Tensor, nn

from model.graphs import Graph
from model.network import Inputs, Resformer

__all__ = ["FirstStep"]

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


class FirstStep:
    """Logits of what the network would say first of a photo that it knows the words of.

    Nearly all answers end with it: they point to a candidate, or say that nothing is shown. ONNX Runtime takes a
    fifth of torch's time for it.

    Args:
        network: on a processor.
        begin: the token that every answer begins with.
        example: any inputs with words and candidates.
    """

    def __init__(self, network: Resformer, begin: int, example: Inputs, threads: int):
        examples = {name: getattr(example, name) for name in AXES}
        axes = {**AXES, LOGITS: {0: "questions", 1: "tokens"}}
        self._logits = Graph(_First(network, begin), examples, axes, [LOGITS], device="cpu", threads=threads)

    def __call__(self, inputs: Inputs) -> Tensor:
        """Logits (Q, spelled + C). `inputs` are of one photo, on a processor."""
        (logits,) = self._logits(*(getattr(inputs, name).numpy() for name in AXES))
        return torch.from_numpy(logits)


class _First(nn.Module):
    def __init__(self, network: Resformer, begin: int):
        super().__init__()
        self.network = network
        self.begin = begin

    def forward(self, *tensors: Tensor) -> Tensor:
        given = dict(zip(AXES, tensors, strict=True))
        owner = torch.zeros_like(given["prompt"])
        inputs = Inputs(owner=owner, **given)
        memory = self.network.encode(inputs)
        tokens = torch.full_like(owner, self.begin)[:, None]
        return self.network.decoder(tokens, memory, self.network.decoder.start(memory))[:, -1]
