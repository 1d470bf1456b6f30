"""Greedy decoding under a grammar."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch

from model.encoder import Memory
from model.grammar import Grammar
from model.network import Resformer
from model.vocabulary import Vocabulary

__all__ = ["Answer", "Crossing", "decode"]

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
    """

    tokens: list[int]
    candidate: int | None
    probability: float


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


@torch.inference_mode()
def decode(
    network: Resformer,
    vocabulary: Vocabulary,
    memory: Memory,
    grammars: Sequence[Grammar],
    strings: Sequence[Sequence[str]],
    *,
    crossing: Sequence[Crossing] = (),
    temperature: float = 1.0,
    empty_margin: float = EMPTY_MARGIN,
) -> list[Answer]:
    """Answers all questions of a memory as one batch.

    The empty answer has to be likelier than another one by `empty_margin`. For a spelled one its probability as a whole
    counts: token by token, many doubtful digits would win over a sound "not shown".

    Args:
        grammars: of each question.
        strings: of each question, the candidates' canonical strings. Equal ones are one answer: their
            probabilities add up.
        crossing: pairs of questions that choose together. Both have candidates.
        temperature: divides the logits, so that a probability says how often such an answer is right.
    """
    size = vocabulary.size
    cache = network.decoder.start(memory)
    states = [grammar.start for grammar in grammars]
    answers = [Answer([], None, 1.0) for _ in grammars]
    none_shown = [0.0] * len(grammars)
    given_up = [False] * len(grammars)
    tokens = torch.full((len(grammars), 1), vocabulary.bos, device=memory.question.device)
    for step in range(network.preset.max_tokens):
        logits = network.decoder(tokens, memory, cache)[:, -1]
        probabilities = (logits.float() / temperature).softmax(dim=-1).cpu()
        chosen = [vocabulary.pad] * len(grammars)
        rows = probabilities.tolist()
        together: dict[int, int] = {}
        if step == 0:
            for q, row in enumerate(rows):
                none_shown[q] = row[vocabulary.empty]
                _pool(row, size, strings[q])
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
                    answers[q], given_up[q] = Answer([], None, none_shown[q]), True
                    chosen[q] = vocabulary.pad
        if not any(token != vocabulary.pad for token in chosen):
            break
        tokens = torch.tensor(chosen, device=tokens.device)[:, None]
    return answers


def _choose_together(pair: Crossing, rows: Sequence[Sequence[float]], vocabulary: Vocabulary) -> dict[int, int]:
    """The likeliest tokens of both questions, one amount for both being ONE_PRINT as likely as it seems."""
    tokens = [vocabulary.empty, *(vocabulary.size + c for c in range(len(pair.amounts)))]
    amounts = np.array([-1, *pair.amounts])
    joint = np.outer(*(np.array([rows[q][token] for token in tokens]) for q in (pair.first, pair.second)))
    joint[(amounts[:, None] == amounts) & (amounts >= 0)] *= ONE_PRINT
    first, second = np.unravel_index(joint.argmax(), joint.shape)
    return {pair.first: tokens[first], pair.second: tokens[second]}


def _pool(row: list[float], size: int, strings: Sequence[str]) -> None:
    """Gives the likeliest of the candidates with one string the probability of all of them."""
    for string in set(strings):
        same = [size + c for c, s in enumerate(strings) if s == string]
        total = sum(row[i] for i in same)
        best = max(same, key=row.__getitem__)
        for i in same:
            row[i] = total if i == best else 0.0
