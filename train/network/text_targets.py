"""A text as steps of the decoder: words that are copied from the source, and subwords of the others."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass

from resformer.model.inference.inputs import Word, word_key
from resformer.model.inference.tokenizer import Tokenizer
from resformer.model.schema.schema import Entity

__all__ = ["TextTarget", "generic_words", "text_target"]

MAX_COPIES = 6  # of one word in the source that count as right
MIN_CONTEXTS = 5  # different first words of the texts in which a generic word stands
MIN_LETTERS = 3  # of a generic word; shorter ones are units of numbers that were not read


@dataclass(frozen=True)
class TextTarget:
    """What the decoder is given, and what may follow each step: tokens, or -1 - w for the word w of the source."""

    steps: list[int]
    right: list[list[int]]


def generic_words(texts: Iterable[str]) -> frozenset[str]:
    """Words that are no names: kinds, colours, materials.

    Those that are written in lower case, or stand behind many different first words, as no brand or model does.
    """
    contexts: dict[str, set[str]] = defaultdict(set)
    lower = set()
    for text in texts:
        first, *others = text.split() or [""]
        for word in others:
            contexts[word_key(word)].add(word_key(first))
            if word.islower():
                lower.add(word_key(word))
    frequent = {word for word, firsts in contexts.items() if len(firsts) >= MIN_CONTEXTS}
    return frozenset(word for word in lower | frequent if word.isalpha() and len(word) >= MIN_LETTERS)


def text_target(
    tokenizer: Tokenizer, text: str, entity: Entity, words: Sequence[Word], generic: Collection[str] | None = None
) -> TextTarget:
    """The steps of a text.

    A word of the text that the source has is copied, from whichever of its places; its spelling is no right answer.

    Args:
        text: "" is the empty answer.
        words: the source, in the order of the sample.
        generic: the words that may be spelled, see generic_words; others that the source does not have are left out.
            None: all words.
    """
    if not text.strip():
        return TextTarget([tokenizer.bos_id], [[tokenizer.empty(entity)]])
    places: dict[str, list[int]] = {}
    for w, in_source in enumerate(words):
        if key := word_key(in_source.text):
            places.setdefault(key, []).append(-1 - w)
    steps: list[list[int]] = []
    for word in text.split():
        if copies := places.get(word_key(word)):
            steps.append(copies[:MAX_COPIES])
        elif generic is None or word_key(word) in generic:
            steps += [[token] for token in tokenizer.encode(f" {word}")]
    if not steps:
        return TextTarget([tokenizer.bos_id], [[tokenizer.empty(entity)]])
    steps = [*steps[: entity.max_subwords], [tokenizer.eos_id]]
    return TextTarget([tokenizer.bos_id, *(step[0] for step in steps[:-1])], steps)
