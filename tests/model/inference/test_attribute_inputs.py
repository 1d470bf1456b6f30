"""The caller's text as words of the attribute network."""

from resformer.model.inference.attribute_inputs import MAX_WORDS, encode_words
from tests.model.attribute_setup import LABELS


def test_words_are_lower_case_and_bounded_and_have_their_field() -> None:
    words = encode_words(LABELS, "Red Shoe", "a " * 500)
    assert [(field, position) for _, field, position in words[:3]] == [(0, 0), (0, 1), (1, 0)]
    assert len(words) == 2 + MAX_WORDS["description"]
    assert LABELS.decode(words[0][0]) == "red"
