"""Greedy decoding under a grammar."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np
import torch
from torch import Tensor

from model.decoder import Cache
from model.encoder import Memory
from model.grammar import Grammar
from model.network import Resformer
from model.vocabulary import Vocabulary

__all__ = ["Answer", "Crossing", "Steps", "decode"]

# A wrong answer costs F1 as much as a missed one does, where something is shown; where nothing is, only the answer
# costs. With F1 at F, an answer of probability p is worth giving if p_empty < p (2 - F) / F: here F is 0.85.
EMPTY_MARGIN = 1.35
# What one print as the answer to both of two crossing questions counts of its probability: seldom is a product as wide
# as it is high. Boosted trees scored best with 0.1 to 0.7 on training photos that they had not seen.
ONE_PRINT = 0.3


@dataclass
class Answer:
    """What was decoded for one question.

    Attributes:
        tokens: spelled answer without closing token; empty for the empty answer and for a candidate.
        candidate: index of the candidate that the answer points to, or None.
        probability: product of the token probabilities. They are those of the network before the grammar's
            mask: what it would rather have answered lowers the confidence.
        others: the likeliest candidates, None for the empty answer, each with its probability, likeliest first.
    """

    tokens: list[int]
    candidate: int | None
    probability: float
    others: list[tuple[int | None, float]] = field(default_factory=list)


@dataclass(frozen=True)
class Crossing:
    """Two questions about the same candidates, whose answers are measured across each other.

    Attributes:
        first, second: numbers of the questions.
        amounts: of each candidate, a number that those share which give the same amount, in whatever unit.
    """

    first: int
    second: int
    amounts: Sequence[int]


class Steps:
    """A network's logits for all questions of a batch, one token after the other.

    Args:
        begin: the token that every answer begins with.
        questions: how many there are.
        remember: what the network knows of the photos; asked for when it is needed.
        first: logits of the first step (Q, spelled + C), where they are known.
    """

    def __init__(
        self,
        network: Resformer,
        begin: int,
        questions: int,
        remember: Callable[[], Memory],
        first: Tensor | None = None,
    ):
        self.most = network.preset.max_tokens
        self._network = network
        self._remember = remember
        self._first = first
        self._memory: Memory | None = None
        self._cache: Cache | None = None
        self._said = torch.full((questions, 1), begin)

    def first(self) -> Tensor:
        """Logits (Q, spelled + C) of the first tokens."""
        return self._logits(self._said) if self._first is None else self._first

    def next(self, tokens: Sequence[int]) -> Tensor:
        """Logits after each question's next token."""
        new = torch.tensor(tokens)[:, None]
        self._said = torch.cat([self._said, new], dim=1)
        return self._logits(new if self._cache else self._said)

    def _logits(self, tokens: Tensor) -> Tensor:
        if self._memory is None or self._cache is None:
            self._memory = self._remember()
            self._cache = self._network.decoder.start(self._memory)
        return self._network.decoder(tokens.to(self._memory.question.device), self._memory, self._cache)[:, -1]


@torch.inference_mode()
def decode(
    steps: Steps,
    vocabulary: Vocabulary,
    grammars: Sequence[Grammar],
    strings: Sequence[Sequence[str]],
    *,
    crossing: Sequence[Crossing] = (),
    temperature: float = 1.0,
    empty_margin: float = EMPTY_MARGIN,
    top: int = 0,
) -> list[Answer]:
    """Answers all questions of a batch.

    The empty answer has to be likelier than another one by `empty_margin`. For a spelled one its probability as a whole
    counts: token by token, many doubtful digits would win over a sound "not shown".

    Args:
        grammars: of each question.
        strings: of each question, the candidates' canonical strings. Equal ones are one answer: their
            probabilities add up.
        crossing: pairs of questions that choose together. Both have candidates.
        temperature: divides the logits, so that a probability says how often such an answer is right.
        top: how many of the likeliest candidates are told.
    """
    size = vocabulary.spelled
    states = [grammar.start for grammar in grammars]
    answers = [Answer([], None, 1.0) for _ in grammars]
    none_shown = [0.0] * len(grammars)
    given_up = [False] * len(grammars)
    logits = steps.first()
    for step in range(steps.most):
        probabilities = (logits.float() / temperature).softmax(dim=-1).cpu()
        chosen = [vocabulary.pad] * len(grammars)
        rows = probabilities.tolist()
        together: dict[int, int] = {}
        if step == 0:
            for q, row in enumerate(rows):
                none_shown[q] = row[vocabulary.empty]
                _pool(row, size, strings[q])
                answers[q].others = _likeliest(row, vocabulary, len(strings[q]), top)
                row[vocabulary.empty] /= empty_margin
            for pair in crossing:
                together.update(_choose_together(pair, rows, vocabulary))
        for q, grammar in enumerate(grammars):
            allowed = list(grammar.allowed(states[q]))
            if not allowed or given_up[q]:
                continue
            row = rows[q]
            token = together.get(q) if step == 0 else None
            if token is None:
                token = max(allowed, key=row.__getitem__)
            states[q] = grammar.step(states[q], token)
            if token == vocabulary.eos:
                continue  # it follows by the grammar alone
            answers[q].probability *= none_shown[q] if token == vocabulary.empty else row[token]
            if token >= size:
                answers[q].candidate = token - size
            elif token != vocabulary.empty:
                answers[q].tokens.append(token)
                chosen[q] = token
                # More tokens only make it less probable.
                if answers[q].probability < none_shown[q] / empty_margin:
                    answers[q], given_up[q] = Answer([], None, none_shown[q], answers[q].others), True
                    chosen[q] = vocabulary.pad
        if not any(token != vocabulary.pad for token in chosen):
            break
        logits = steps.next(chosen)
    return answers


def _choose_together(pair: Crossing, rows: Sequence[Sequence[float]], vocabulary: Vocabulary) -> dict[int, int]:
    """The likeliest tokens of both questions, one amount for both being ONE_PRINT as likely as it seems."""
    tokens = [vocabulary.empty, *(vocabulary.spelled + c for c in range(len(pair.amounts)))]
    amounts = np.array([-1, *pair.amounts])
    joint = np.outer(*(np.array([rows[q][token] for token in tokens]) for q in (pair.first, pair.second)))
    joint[(amounts[:, None] == amounts) & (amounts >= 0)] *= ONE_PRINT
    first, second = np.unravel_index(joint.argmax(), joint.shape)
    return {pair.first: tokens[first], pair.second: tokens[second]}


def _likeliest(
    row: Sequence[float], vocabulary: Vocabulary, candidates: int, top: int
) -> list[tuple[int | None, float]]:
    """The empty answer and the candidates, pooled, of which those without a probability are left out."""
    chances = [(None, row[vocabulary.empty]), *((c, row[vocabulary.spelled + c]) for c in range(candidates))]
    return sorted((pair for pair in chances if pair[1] > 0), key=lambda pair: -pair[1])[:top]


def _pool(row: list[float], size: int, strings: Sequence[str]) -> None:
    """Gives the likeliest of the candidates with one string the probability of all of them."""
    for string in set(strings):
        same = [size + c for c, s in enumerate(strings) if s == string]
        total = sum(row[i] for i in same)
        best = max(same, key=row.__getitem__)
        for i in same:
            row[i] = total if i == best else 0.0
