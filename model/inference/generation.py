"""Texts, token by token, the likeliest each time."""

from collections.abc import Sequence
from typing import Final, cast

import numpy as np
import torch
from torch import Tensor, nn

from resformer.model.inference.label_tokenizer import LabelVocabulary
from resformer.model.inference.onnx_module import Graph
from resformer.model.networks.decoder import Cache, TiedDecoder
from resformer.model.networks.encoder import Memory

__all__ = ["Writer"]

QUESTIONS: Final = {0: "questions"}
AXES: Final = {
    "token": QUESTIONS,
    "prompt": QUESTIONS,
    "mask": QUESTIONS | {1: "keys"},
    "cross": {2: "questions", 4: "keys"},
    "own": {2: "questions", 4: "said"},
    "logits": QUESTIONS,
    "grown": {2: "questions", 4: "saying"},
}


class Writer:
    """Writes texts with a decoder, whose step ONNX Runtime computes on a processor.

    Args:
        threads: of ONNX Runtime.
    """

    def __init__(self, decoder: TiedDecoder, vocabulary: LabelVocabulary, device: str, threads: int):
        self._decoder = decoder
        self._vocabulary = vocabulary
        layers, heads, width = len(decoder.layers), decoder.heads, decoder.embedding.embedding_dim
        self._nothing = np.zeros((layers, 2, 1, heads, 0, width // heads), dtype=np.float32)
        keys = torch.zeros(layers, 2, 1, heads, 2, width // heads)
        examples = {
            "token": torch.full((1, 1), vocabulary.bos),
            "place": torch.zeros(1, dtype=torch.long),
            "prompt": torch.zeros(1, 1, width),
            "mask": torch.ones(1, 2, dtype=torch.bool),
            "cross": keys,
            "own": keys,
        }
        examples = {name: tensor.to(device) for name, tensor in examples.items()}
        self._step = Graph(_Step(decoder), examples, AXES, ["logits", "grown"], device=device, threads=threads)

    def __call__(self, memory: Memory, most: Sequence[int]) -> list[tuple[str, float]]:
        """The text of each question and the geometric mean of its tokens' probabilities.

        Args:
            most: subwords of each text.
        """
        vocabulary, count = self._vocabulary, len(most)
        cross = torch.stack([torch.stack(pair) for pair in self._decoder.start(memory).cross]).cpu().numpy()
        prompt, mask = memory.question[:, :1].cpu().numpy(), memory.mask.cpu().numpy()
        own = np.repeat(self._nothing, count, axis=2)
        token = np.full((count, 1), vocabulary.bos)
        allowed = np.full(vocabulary.size, -np.inf, dtype=np.float32)
        allowed[[vocabulary.eos, *vocabulary.subwords]] = 0
        said: list[list[int]] = [[] for _ in most]
        chances: list[list[float]] = [[] for _ in most]
        unfinished = set(range(count))
        for place in range(max(most) + 1):
            logits, own = self._step(token, np.array([place]), prompt, mask, cross, own)
            logits = logits + allowed
            token = logits.argmax(axis=1)[:, None]
            for row in list(unfinished):
                likeliest = logits[row, token[row, 0]]
                chances[row].append(float(likeliest - np.logaddexp.reduce(logits[row])))
                if token[row, 0] == vocabulary.eos or len(said[row]) == most[row]:
                    unfinished.remove(row)
                else:
                    said[row].append(int(token[row, 0]))
            if not unfinished:
                break
        return [
            (vocabulary.decode_text(tokens).strip(), float(np.exp(np.mean(chance))))
            for tokens, chance in zip(said, chances, strict=True)
        ]


class _Step(nn.Module):
    """One token of Q questions.

    Takes token (Q, 1), place (1,), prompt (Q, 1, D), mask (Q, M), and of L layers keys and values (L, 2, Q, H, M, d)
    of the memory and (L, 2, Q, H, T, d) of the tokens before. Gives logits (Q, V) and (L, 2, Q, H, T + 1, d).
    """

    def __init__(self, decoder: TiedDecoder):
        super().__init__()
        self.decoder = decoder

    def forward(
        self, token: Tensor, place: Tensor, prompt: Tensor, mask: Tensor, cross: Tensor, own: Tensor
    ) -> tuple[Tensor, Tensor]:
        layers = range(len(self.decoder.layers))
        cache = Cache([(cross[i, 0], cross[i, 1]) for i in layers], [(own[i, 0], own[i, 1]) for i in layers])
        state = self.decoder.through(token, place, prompt, mask, cache)
        grown = torch.stack([torch.stack(cast(tuple[Tensor, Tensor], pair)) for pair in cache.own])
        return self.decoder.read_out(state[:, 0]), grown
