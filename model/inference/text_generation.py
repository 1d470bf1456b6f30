"""Greedy generation of texts from subwords and from words that were read or sent."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Final, cast

import numpy as np
import torch
from torch import Tensor, nn

from resformer.model.inference.inputs import Word, word_key
from resformer.model.inference.photo_encoder import EncodedPhoto
from resformer.model.inference.tokenizer import Tokenizer
from resformer.model.networks.decoder import KVCache
from resformer.model.networks.encoder import Memory
from resformer.model.networks.resformer import Resformer
from resformer.model.runtime.onnx_module import OnnxModule
from resformer.model.schema.schema import Entity

__all__ = ["GeneratedText", "TextWriter"]

AXES: Final = {
    "token": {},
    "question": {},
    "position": {},
    "states": {1: "memory_tokens"},
    "is_token": {1: "memory_tokens"},
    "questions": {1: "memory_tokens"},
    "prompt": {},
    "cross": {4: "memory_tokens"},
    "past": {4: "past_tokens"},
    "logits": {1: "outputs"},
    "new_past": {4: "steps"},
}


@dataclass(frozen=True)
class GeneratedText:
    """A text that was written.

    Attributes:
        text: "" where the empty answer is likely enough.
        probability: that there is a text, times the geometric mean of its steps'; of an empty one, of the empty answer.
        p_empty: probability of the empty answer.
        copied: the words of the source that it has, by their indices.
    """

    text: str
    probability: float
    p_empty: float
    copied: tuple[int, ...]


class TextWriter:
    """Writes texts step by step, the likeliest step each time; a step goes through ONNX Runtime on a CPU.

    No step follows itself, and no three steps occur twice (arXiv 1705.04304): greedy search would repeat itself.

    Args:
        threads: of ONNX Runtime.
    """

    def __init__(self, network: Resformer, tokenizer: Tokenizer, device: str, threads: int):
        self._tokenizer = tokenizer
        self._vocab_size = network.vocab_size
        layers = len(network.decoder.layers)
        heads = network.decoder.heads
        shape = (layers, 2, 1, heads, 0, network.width // heads)
        self._no_past = np.zeros(shape, dtype=np.float32)
        key_values = torch.zeros(*shape[:4], 2, shape[5])
        examples = {
            "token": torch.full((1, 1), tokenizer.bos_id),
            "question": torch.zeros(1, dtype=torch.long),
            "position": torch.zeros(1, dtype=torch.long),
            "states": torch.zeros(1, 2, network.width),
            "is_token": torch.ones(1, 2, dtype=torch.bool),
            "questions": torch.tensor([[-1, 0]]),
            "prompt": torch.zeros(1, 1, network.width),
            "cross": key_values,
            "past": key_values,
        }
        examples = {name: tensor.to(device) for name, tensor in examples.items()}
        self._step = OnnxModule(
            _Step(network).to(device), examples, AXES, ["logits", "new_past"], device=device, threads=threads
        )

    def __call__(
        self, photo: EncodedPhoto, question: int, entity: Entity, words: Sequence[Word], *, empty_above: float
    ) -> GeneratedText:
        """The text that answers a question.

        Args:
            question: its index among the questions of the photo.
            words: of the photo's sample.
            empty_above: the text is empty where that is more probable.
        """
        tokenizer = self._tokenizer
        empty = tokenizer.empty(entity)
        first_word = self._vocab_size + photo.first_word
        outputs = _outputs_by_word(words, first_word)
        repeated = [indices for indices in outputs.values() if len(indices) > 1]
        grammar = np.full(self._vocab_size + photo.states.shape[1], -np.inf, dtype=np.float32)
        grammar[[empty, *tokenizer.subwords, *range(first_word, first_word + len(words))]] = 0
        past, token = self._no_past, tokenizer.bos_id
        steps: list[int] = []
        log_probabilities: list[float] = []
        p_empty = 0.0
        for position in range(entity.max_subwords + 1):
            logits, past = self._next(photo, question, position, token, past)
            allowed = logits + grammar
            pooled = _pooled(allowed, repeated)
            if position == 0:
                p_empty = float(np.exp(allowed[empty] - np.logaddexp.reduce(allowed)))
                if p_empty > empty_above:
                    return GeneratedText("", p_empty, p_empty, ())
                grammar[empty] = allowed[empty] = pooled[empty] = -np.inf
                grammar[tokenizer.eos_id] = 0  # a text has one step at least
            pooled[_repetitions(steps)] = -np.inf
            token = tokenizer.eos_id if len(steps) == entity.max_subwords else int(pooled.argmax())
            log_probabilities.append(float(pooled[token] - np.logaddexp.reduce(allowed)))
            if token == tokenizer.eos_id:
                break
            steps.append(token)
            if token >= first_word:
                grammar[outputs[_key(words[token - first_word])]] = -np.inf  # a word is copied once
        copied = tuple(step - first_word for step in steps if step >= first_word)
        text = self._text(steps, words, first_word)
        probability = (1 - p_empty) * float(np.exp(np.mean(log_probabilities)))
        return GeneratedText(text, probability, p_empty, copied)

    def _next(
        self, photo: EncodedPhoto, question: int, position: int, token: int, past: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        """Logits (V + L,) of what follows a step, and the keys and values of the steps so far."""
        prompt = photo.states[:, photo.first_prompt + question, None]
        indices = np.array([[token]]), np.array([question]), np.array([position])
        source = photo.states, photo.is_token, photo.question, prompt, photo.cross
        logits, past = self._step(*indices, *source, past)
        return logits[0], past

    def _text(self, steps: Sequence[int], words: Sequence[Word], first_word: int) -> str:
        """Copied words and runs of subwords, with spaces between them."""
        parts = []
        for is_copied, run in groupby(steps, lambda step: step >= first_word):
            if is_copied:
                parts += [words[step - first_word].text for step in run]
            else:
                parts.append(self._tokenizer.decode(list(run)).strip())
        return " ".join(part for part in parts if part)


def _key(word: Word) -> str:
    return word_key(word.text) or word.text


def _outputs_by_word(words: Sequence[Word], first_word: int) -> dict[str, list[int]]:
    """The outputs that copy each word: as many as there are occurrences of it."""
    outputs: dict[str, list[int]] = {}
    for output, word in enumerate(words, first_word):
        outputs.setdefault(_key(word), []).append(output)
    return outputs


def _repetitions(steps: Sequence[int]) -> list[int]:
    """The steps that may not come next: the last one, and those that would make three steps occur twice."""
    return [*steps[-1:], *(c for a, b, c in zip(steps, steps[1:], steps[2:], strict=False) if [a, b] == steps[-2:])]


def _pooled(logits: np.ndarray, repeated: Sequence[list[int]]) -> np.ndarray:
    """Logits in which the likeliest occurrence of a word has the probability of all of them.

    Args:
        repeated: the outputs of each word that occurs several times.
    """
    pooled = logits.copy()
    for outputs in repeated:
        pooled[outputs] = -np.inf
        pooled[max(outputs, key=logits.__getitem__)] = np.logaddexp.reduce(logits[outputs])
    return pooled


class _Step(nn.Module):
    """One step of one text: logits (1, V + L) of the next, and keys and values (layers, 2, 1, H, T + 1, d)."""

    def __init__(self, network: Resformer):
        super().__init__()
        self.network = network

    def forward(
        self,
        token: Tensor,
        question: Tensor,
        position: Tensor,
        states: Tensor,
        is_token: Tensor,
        questions: Tensor,
        prompt: Tensor,
        cross: Tensor,
        past: Tensor,
    ) -> tuple[Tensor, Tensor]:
        layers = range(len(self.network.decoder.layers))
        cache = KVCache([(cross[i, 0], cross[i, 1]) for i in layers], [(past[i, 0], past[i, 1]) for i in layers])
        nowhere = slice(0, 0)
        memory = Memory(states, is_token, questions, nowhere, nowhere, nowhere)
        logits = self.network.step(token, question, position, prompt, memory, cache)
        new_past = torch.stack([torch.stack(cast(tuple[Tensor, Tensor], pair)) for pair in cache.past])
        return logits[:, 0], new_past
