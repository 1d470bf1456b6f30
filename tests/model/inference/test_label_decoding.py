"""Decoding of choices and paths on given probabilities."""

import numpy as np
import pytest

from resformer.model.inference.label_decoding import LabelAnswer, decode_choice, decode_path, derive_choice
from resformer.model.schema.schema import Entity

LABELS = ["Men", "Women"]
# Shoes is a leaf and has others below it.
PATHS = (("Apparel", "Shirts"), ("Apparel", "Shoes"), ("Apparel", "Shoes", "Heels"), ("Apparel", "Shoes", "Flats"))
CATEGORY = Entity("category", "path", paths=(*PATHS, ("Toys",)))


def choice(*probabilities: float, min_confidence: float = 0.0, top_k: int = 0) -> LabelAnswer:
    return decode_choice(LABELS, np.array(probabilities), min_confidence, top_k)


def path(*probabilities: float, min_confidence: float = 0.0, top_k: int = 0) -> LabelAnswer:
    """Of the empty answer, Shirts, Shoes itself, Heels, Flats and Toys."""
    return decode_path(CATEGORY, np.array(probabilities), min_confidence, top_k)


def test_the_likeliest_label_is_the_answer() -> None:
    assert choice(0.1, 0.3, 0.6) == LabelAnswer("Women", 0.6)
    assert choice(0.7, 0.2, 0.1).text == "Men"  # the best guess


def test_a_label_that_is_not_confident_enough_is_empty() -> None:
    """The confidence is that of the empty answer; the alternatives hold what was withheld."""
    withheld = choice(0.25, 0.3, 0.45, min_confidence=0.5, top_k=2)
    assert withheld == LabelAnswer("", 0.25, alternatives=[("Women", 0.45), ("Men", 0.3)])
    assert choice(0.0, 0.5, 0.5, min_confidence=0.5).text == "Men"


def test_alternatives_name_the_empty_answer_too() -> None:
    assert choice(0.3, 0.1, 0.6, top_k=3).alternatives == [("Women", 0.6), ("", 0.3), ("Men", 0.1)]


def test_a_path_goes_as_deep_as_it_is_probable() -> None:
    probabilities = (0.0, 0.1, 0.0, 0.6, 0.2, 0.1)
    leaf = path(*probabilities, min_confidence=0.5)
    assert (leaf.levels, leaf.text) == (("Apparel", "Shoes", "Heels"), "Apparel > Shoes > Heels")
    assert leaf.probability == pytest.approx(0.6)
    node = path(*probabilities, min_confidence=0.7)
    assert node.levels == ("Apparel", "Shoes") and node.probability == pytest.approx(0.8)
    assert path(*probabilities, min_confidence=0.85).levels == ("Apparel",)


def test_a_path_whose_root_is_not_probable_is_empty() -> None:
    empty = path(0.6, 0.1, 0.0, 0.1, 0.1, 0.1, min_confidence=0.5, top_k=1)
    assert empty == LabelAnswer("", 0.6, alternatives=[("", 0.6)])


def test_a_path_whose_root_is_likelier_wins() -> None:
    """Each leaf of Apparel is less likely than Toys, all of them together are more."""
    assert path(0.0, 0.2, 0.1, 0.2, 0.2, 0.3).levels[0] == "Apparel"


def test_a_path_stops_at_an_inner_leaf_that_is_likelier_than_what_is_below() -> None:
    shoes = path(0.0, 0.0, 0.5, 0.3, 0.1, 0.1)
    assert shoes.levels == ("Apparel", "Shoes") and shoes.probability == pytest.approx(0.9)
    assert path(0.0, 0.0, 0.3, 0.5, 0.1, 0.1).levels == ("Apparel", "Shoes", "Heels")


def test_a_choice_is_derived_from_the_leaves_that_have_its_labels() -> None:
    """A leaf without a label adds to the empty answer, leaves of one label add up."""
    kind = Entity("kind", "choice", labels=("Top", "Foot"), labels_from="category", leaf_labels=(0, None, 1, 1, None))
    derived = derive_choice(kind, np.array([0.1, 0.2, 0.05, 0.3, 0.25, 0.1]))
    assert derived == pytest.approx([0.25, 0.2, 0.55])
