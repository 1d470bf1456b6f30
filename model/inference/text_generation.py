"""Greedy generation of texts from subwords and from words that were read or sent."""

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields
from typing import Final, cast

import numpy as np
import torch
from torch import Tensor, nn

from resformer.model.inference.inputs import Word, word_key
from resformer.model.inference.photo_encoder import EncodedPhoto
from resformer.model.inference.tokenizer import Tokenizer
from resformer.model.networks.decoder import KVCache
from resformer.model.networks.encoder import PHOTO, Memory
from resformer.model.networks.resformer import Resformer
from resformer.model.runtime.onnx_module import Array, OnnxModule, to_array
from resformer.model.schema.schema import Entity

__all__ = ["GeneratedText", "TextTask", "TextWriter"]

AXES: Final = {
    **{name: {0: "texts"} for name in ("token", "question", "prompt")},
    "position": {},
    **{name: {0: "texts", 1: "memory_tokens"} for name in ("states", "is_token", "questions")},
    "cross": {2: "texts", 4: "memory_tokens"},
    "past": {2: "texts", 4: "past_tokens"},
    "logits": {0: "texts", 1: "outputs"},
    "new_past": {2: "texts", 4: "steps"},
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


@dataclass(frozen=True)
class TextTask:
    """A text to write.

    Attributes:
        photo: that it is about.
        question: its index among the questions of the photo.
        words: of the photo's sample.
        empty_above: the text is empty where that is more probable.
    """

    photo: EncodedPhoto
    question: int
    entity: Entity
    words: Sequence[Word]
    empty_above: float


class TextWriter:
    """Writes texts step by step, the likeliest step each time; a step goes through ONNX Runtime on a CPU.

    No step follows itself, and no three steps occur twice (arXiv 1705.04304): greedy search would repeat itself.

    Args:
        threads: of ONNX Runtime.
        batch_size: how many texts are written at once.
    """

    def __init__(self, network: Resformer, tokenizer: Tokenizer, device: str, threads: int, batch_size: int = 1):
        self._tokenizer = tokenizer
        self._batch_size = batch_size
        self._vocab_size = network.vocab_size
        layers = len(network.decoder.layers)
        heads = network.decoder.heads
        key_values = torch.zeros(layers, 2, 2, heads, 2, network.width // heads)
        examples = {
            "token": torch.full((2, 1), tokenizer.bos_id),
            "question": torch.zeros(2, dtype=torch.long),
            "position": torch.zeros(1, dtype=torch.long),
            "states": torch.zeros(2, 2, network.width),
            "is_token": torch.ones(2, 2, dtype=torch.bool),
            "questions": torch.tensor([[PHOTO, 0]] * 2),
            "prompt": torch.zeros(2, 1, network.width),
            "cross": key_values,
            "past": key_values,
        }
        examples = {name: tensor.to(device) for name, tensor in examples.items()}
        self._step = OnnxModule(
            _Step(network).to(device), examples, AXES, ["logits", "new_past"], device=device, threads=threads
        )

    def __call__(self, tasks: Sequence[TextTask]) -> list[GeneratedText]:
        """The texts of some tasks; those of one call are written together, as many as a batch may have."""
        written: list[GeneratedText] = []
        for first in range(0, len(tasks), self._batch_size):
            batch = tasks[first : first + self._batch_size]
            sources = _stacked(batch)
            drafts = [_Draft(task, self._tokenizer, self._vocab_size, sources.states.shape[1]) for task in batch]
            self._write(drafts, sources)
            written += [draft.text() for draft in drafts]
        return written

    def _write(self, drafts: Sequence["_Draft"], sources: "_Sources") -> None:
        """Takes step after step of all drafts until each has ended."""
        source: list[Array] = [self._step.put(array) for array in sources.arrays()]
        past: Array = self._step.put(np.zeros_like(sources.cross[..., :0, :]))
        rows = list(drafts)
        for position in itertools.count():
            running = [i for i, draft in enumerate(rows) if not draft.ended]
            if not running:
                return
            # Ended texts go along until half of a batch has ended: to take them out copies the others.
            if len(running) <= len(rows) / 2:
                rows = [rows[i] for i in running]
                question, *states, prompt, cross = source
                source = [a[running] for a in (question, *states, prompt)] + [cross[:, :, running]]
                past = past[:, :, running]
            tokens = np.array([[draft.token] for draft in rows])
            question, *others = source
            found, past = self._step.on_device(tokens, question, np.array([position]), *others, past)
            for draft, logits in zip(rows, to_array(found), strict=True):
                if not draft.ended:
                    draft.advance(logits)


@dataclass(frozen=True)
class _Sources:
    """What a batch of texts is written from: T texts, L tokens of which each sees some.

    Attributes:
        question: (T,). states: (T, L, D). is_token, questions: (T, L), see Memory. prompt: (T, 1, D).
        cross: (layers, 2, T, H, L, d).
    """

    question: np.ndarray
    states: np.ndarray
    is_token: np.ndarray
    questions: np.ndarray
    prompt: np.ndarray
    cross: np.ndarray

    def arrays(self) -> Iterator[np.ndarray]:
        """All of them, in the order of the step's inputs."""
        return (getattr(self, f.name) for f in fields(self))


def _stacked(tasks: Sequence[TextTask]) -> _Sources:
    """The tokens that each text may attend to: patches, words and its own prompt, which stands last."""
    first_word = tasks[0].photo.first_word
    length = first_word + max(len(task.words) for task in tasks) + 1
    layers, two, _, heads, _, size = tasks[0].photo.cross.shape
    count, width = len(tasks), tasks[0].photo.states.shape[2]
    questions = np.full((count, length), PHOTO)
    questions[:, -1] = 0
    states = np.zeros((count, length, width), dtype=np.float32)
    is_token = np.zeros((count, length), dtype=bool)
    cross = np.zeros((layers, two, count, heads, length, size), dtype=np.float32)
    for i, task in enumerate(tasks):
        photo, shared = task.photo, first_word + len(task.words)
        for to, taken in ((slice(shared), slice(shared)), (-1, photo.first_prompt + task.question)):
            states[i, to] = photo.states[0, taken]
            is_token[i, to] = photo.is_token[0, taken]
            cross[:, :, i, :, to] = photo.cross[:, :, 0, :, taken]
    return _Sources(np.zeros(count, dtype=np.int64), states, is_token, questions, states[:, -1:], cross)


class _Draft:
    """A text while it is written.

    Attributes:
        token: the last step, or the begin of a text.
        ended: whether there are no more steps.

    Args:
        num_tokens: of the source that it is written from.
    """

    def __init__(self, task: TextTask, tokenizer: Tokenizer, vocab_size: int, num_tokens: int):
        self.token, self.ended = tokenizer.bos_id, False
        self._task, self._tokenizer = task, tokenizer
        self._empty = tokenizer.empty(task.entity)
        self._first_word = vocab_size + task.photo.first_word
        self._outputs = _outputs_by_word(task.words, self._first_word)
        self._repeated = [indices for indices in self._outputs.values() if len(indices) > 1]
        self._grammar = np.full(vocab_size + num_tokens, -np.inf, dtype=np.float32)
        words = range(self._first_word, self._first_word + len(task.words))
        self._grammar[[self._empty, *tokenizer.subwords, *words]] = 0
        self._steps: list[int] = []
        self._log_probabilities: list[float] = []
        self._p_empty = 0.0

    def advance(self, logits: np.ndarray) -> None:
        """Takes the likeliest step, by logits (V + L,) of what follows the last one."""
        grammar, steps, eos = self._grammar, self._steps, self._tokenizer.eos_id
        allowed = logits + grammar
        pooled = _pooled(allowed, self._repeated)
        if not self._log_probabilities:
            self._p_empty = float(np.exp(allowed[self._empty] - np.logaddexp.reduce(allowed)))
            if self._p_empty > self._task.empty_above:
                self.ended = True
                return
            grammar[self._empty] = allowed[self._empty] = pooled[self._empty] = -np.inf
            grammar[eos] = 0  # a text has one step at least
        pooled[_repetitions(steps)] = -np.inf
        self.token = eos if len(steps) == self._task.entity.max_subwords else int(pooled.argmax())
        self._log_probabilities.append(float(pooled[self.token] - np.logaddexp.reduce(allowed)))
        if self.token == eos:
            self.ended = True
            return
        steps.append(self.token)
        if self.token >= self._first_word:
            word = self._task.words[self.token - self._first_word]
            grammar[self._outputs[_key(word)]] = -np.inf  # a word is copied once

    def text(self) -> GeneratedText:
        """What was written."""
        if not self._log_probabilities:
            return GeneratedText("", self._p_empty, self._p_empty, ())
        copied = tuple(step - self._first_word for step in self._steps if step >= self._first_word)
        probability = (1 - self._p_empty) * float(np.exp(np.mean(self._log_probabilities)))
        return GeneratedText(self._spelled(), probability, self._p_empty, copied)

    def _spelled(self) -> str:
        """Copied words and runs of subwords, with spaces between them."""
        parts = []
        for is_copied, run in itertools.groupby(self._steps, lambda step: step >= self._first_word):
            if is_copied:
                parts += [self._task.words[step - self._first_word].text for step in run]
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
    """A step of each of B texts: logits (B, V + L) of the next, and keys and values (layers, 2, B, H, T + 1, d)."""

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
