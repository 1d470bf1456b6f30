from pathlib import Path

import numpy as np
import pytest

from resformer.model.schema.schema import Schema
from resformer.model.schema.taxonomy import Taxonomy, parse_path

TREE = Taxonomy([("A", "x", "1"), ("A", "x", "2"), ("A", "y"), ("B",)])


def test_nodes_come_after_their_parents() -> None:
    assert TREE.nodes == (("A",), ("A", "x"), ("A", "x", "1"), ("A", "x", "2"), ("A", "y"), ("B",))
    assert ("A", "x") in TREE and ("x",) not in TREE


def test_a_node_is_as_likely_as_its_leaves_together() -> None:
    sums = TREE.node_probabilities(np.array([0.1, 0.2, 0.3, 0.4]))
    np.testing.assert_allclose(sums, [0.6, 0.3, 0.1, 0.2, 0.3, 0.4])


def test_expected_levels_add_up_the_probabilities_of_a_path() -> None:
    tree = Taxonomy([("A", "x"), ("A", "y"), ("B", "z")])
    levels = tree.expected_levels(np.array([0.3, 0.3, 0.4]))
    np.testing.assert_allclose(levels, [0.9, 0.9, 0.8])  # the likeliest leaf is not under the likeliest root


def test_nearest_nodes_and_named_leaves() -> None:
    assert TREE.nearest(("A", "x", "3", "deep")) == ("A", "x")
    assert TREE.nearest(("C", "x")) == ()
    assert TREE.leaf("y") == ("A", "y") and TREE.leaf("x") is None
    assert Taxonomy([("A", "1"), ("B", "1")]).leaf("1") is None


def test_files_and_what_is_wrong_with_them(tmp_path: Path) -> None:
    file = tmp_path / "tree.txt"
    file.write_text("# shops\nA > b\n\nC\n")
    assert Taxonomy.load(file).leaves == (("A", "b"), ("C",))
    for text, message in (
        ("A > b\nA > b\n", "listed twice"),
        ("A > b\nA > b > c\n", "A > b is a leaf"),
        ("A >  > b", "empty level"),
    ):
        file.write_text(text)
        with pytest.raises(ValueError, match=message):
            Taxonomy.load(file)
    with pytest.raises(ValueError):
        parse_path("")


def test_shipped_trees_and_the_choice_among_their_leaves() -> None:
    schema = Schema.load()
    category = schema["category"].taxonomy
    assert category.leaf("Tshirts") == ("Apparel", "Topwear", "Tshirts")
    assert schema["articleType"].labels == tuple(path[-1] for path in category.leaves)
    assert len(category.leaves) == 140 and len(schema["retail_category"].taxonomy.leaves) > 50
