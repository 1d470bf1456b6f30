"""Greedy generation of texts."""

from collections.abc import Sequence
from typing import Final, cast

import numpy as np
import torch
from torch import Tensor, nn

from resformer.model.inference.label_tokenizer import LabelTokenizer
from resformer.model.networks.decoder import CausalDecoder, KVCache
from resformer.model.networks.encoder import Memory
from resformer.model.runtime.onnx_module import OnnxModule

__all__ = ["GreedyGenerator"]

QUESTIONS: Final = {0: "questions"}
AXES: Final = {
    "token": QUESTIONS,
    "prompt": QUESTIONS,
    "mask": QUESTIONS | {1: "keys"},
    "cross": {2: "questions", 4: "keys"},
    "past": {2: "questions", 4: "past_tokens"},
    "logits": QUESTIONS,
    "new_past": {2: "questions", 4: "tokens"},
}


class GreedyGenerator:
    """Writes texts with a decoder, the likeliest token each time; a step goes through ONNX Runtime on a CPU.

    Args:
        threads: of ONNX Runtime.
    """

    def __init__(self, decoder: CausalDecoder, tokenizer: LabelTokenizer, device: str, threads: int):
        self._decoder = decoder
        self._tokenizer = tokenizer
        layers, heads, width = len(decoder.layers), decoder.heads, decoder.embedding.embedding_dim
        self._no_past = np.zeros((layers, 2, 1, heads, 0, width // heads), dtype=np.float32)
        key_values = torch.zeros(layers, 2, 1, heads, 2, width // heads)
        examples = {
            "token": torch.full((1, 1), tokenizer.bos_id),
            "position": torch.zeros(1, dtype=torch.long),
            "prompt": torch.zeros(1, 1, width),
            "mask": torch.ones(1, 2, dtype=torch.bool),
            "cross": key_values,
            "past": key_values,
        }
        examples = {name: tensor.to(device) for name, tensor in examples.items()}
        self._step = OnnxModule(_Step(decoder), examples, AXES, ["logits", "new_past"], device=device, threads=threads)

    def __call__(self, memory: Memory, max_subwords: Sequence[int]) -> list[tuple[str, float]]:
        """The text of each question, and the geometric mean of its tokens' probabilities.

        Args:
            max_subwords: of each text.
        """
        tokenizer, count = self._tokenizer, len(max_subwords)
        cross = torch.stack([torch.stack(pair) for pair in self._decoder.init_cache(memory).cross]).cpu().numpy()
        prompt, mask = memory.question[:, :1].cpu().numpy(), memory.mask.cpu().numpy()
        past = np.repeat(self._no_past, count, axis=2)
        token = np.full((count, 1), tokenizer.bos_id)
        grammar = np.full(tokenizer.vocab_size, -np.inf, dtype=np.float32)
        grammar[[tokenizer.eos_id, *tokenizer.subwords]] = 0
        texts: list[list[int]] = [[] for _ in max_subwords]
        log_probabilities: list[list[float]] = [[] for _ in max_subwords]
        unfinished = set(range(count))
        for position in range(max(max_subwords) + 1):
            logits, past = self._step(token, np.array([position]), prompt, mask, cross, past)
            logits = logits + grammar
            token = logits.argmax(axis=1)[:, None]
            for row in list(unfinished):
                likeliest = logits[row, token[row, 0]]
                log_probabilities[row].append(float(likeliest - np.logaddexp.reduce(logits[row])))
                if token[row, 0] == tokenizer.eos_id or len(texts[row]) == max_subwords[row]:
                    unfinished.remove(row)
                else:
                    texts[row].append(int(token[row, 0]))
            if not unfinished:
                break
        return [
            (tokenizer.decode(tokens).strip(), float(np.exp(np.mean(logs))))
            for tokens, logs in zip(texts, log_probabilities, strict=True)
        ]


class _Step(nn.Module):
    """One token of Q questions.

    Takes token (Q, 1), position (1,), prompt (Q, 1, D), mask (Q, M), and keys and values of L layers: (L, 2, Q, H, M,
    d) of the memory and (L, 2, Q, H, T, d) of the tokens before. Returns logits (Q, V) and (L, 2, Q, H, T + 1, d).
    """

    def __init__(self, decoder: CausalDecoder):
        super().__init__()
        self.decoder = decoder

    def forward(
        self, token: Tensor, position: Tensor, prompt: Tensor, mask: Tensor, cross: Tensor, past: Tensor
    ) -> tuple[Tensor, Tensor]:
        layers = range(len(self.decoder.layers))
        cache = KVCache([(cross[i, 0], cross[i, 1]) for i in layers], [(past[i, 0], past[i, 1]) for i in layers])
        state = self.decoder.step(token, position, prompt, mask, cache)
        new_past = torch.stack([torch.stack(cast(tuple[Tensor, Tensor], pair)) for pair in cache.past])
        return self.decoder.logits(state[:, 0]), new_past
