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
    assert Taxonomy([("A", "1"), ("A", "1", "1")]).leaf("1") == ("A", "1", "1")


def test_files_and_what_is_wrong_with_them(tmp_path: Path) -> None:
    file = tmp_path / "tree.txt"
    file.write_text("# shops\nA > b\n\nC\n")
    assert Taxonomy.load(file).leaves == (("A", "b"), ("C",))
    for text, message in (
        ("A > b\nA > b\n", "'A > b' is listed twice"),
        ("A > b c\n A  >  b\u00a0 c \n", "'A > b c' is listed twice"),
        ("B\nA >  > b", "line 2: 'A >  > b' has an empty level"),
        ("A > ", "line 1: 'A >' has an empty level"),
        ("A\n#1 Gifts > Mugs\n", "line 2: '#1 Gifts > Mugs' may be a comment or a category"),
        ("#A > b\n", "line 1: '#A > b' may be a comment or a category"),
    ):
        file.write_text(text)
        with pytest.raises(ValueError, match=message):
            Taxonomy.load(file)
    file.write_bytes("Größe".encode("latin-1"))
    with pytest.raises(ValueError, match="is not UTF-8"):
        Taxonomy.load(file)
    with pytest.raises(ValueError):
        parse_path("")


def test_names_with_a_number_sign_and_spaces(tmp_path: Path) -> None:
    file = tmp_path / "tree.txt"
    file.write_text("\ufeff#\n## shops\n# A > x\n\\#1 Gifts > Mugs\n Home  Textiles >\u00a0C# >  #2 \nA\\#b\n")
    assert Taxonomy.load(file).leaves == (("#1 Gifts", "Mugs"), ("Home Textiles", "C#", "#2"), ("A\\#b",))
    schema = tmp_path / "entities.yaml"
    schema.write_text(
        "entities:\n  - {name: own, kind: path, paths: ['#1 Gifts > Mugs', ' Home > Pans  ']}\n"
        "  - {name: colour, kind: choice, labels: ['Navy  Blue ', '#2']}\n"
    )
    assert Schema.load(schema)["own"].paths == (("#1 Gifts", "Mugs"), ("Home", "Pans"))
    assert Schema.load(schema)["colour"].labels == ("Navy Blue", "#2")
    schema.write_text("entities:\n  - {name: colour, kind: choice, labels: [Blue, 'Blue ']}\n")
    with pytest.raises(ValueError, match="repeats Blue"):
        Schema.load(schema)


def test_a_leaf_may_have_others_below_it() -> None:
    tree = Taxonomy([("A",), ("A", "x"), ("A", "x", "1"), ("B",)])
    assert tree.inner_leaves == {("A",), ("A", "x")} and not TREE.inner_leaves
    np.testing.assert_allclose(tree.node_probabilities(np.array([0.1, 0.2, 0.3, 0.4])), [0.6, 0.5, 0.3, 0.4])


def test_shipped_trees() -> None:
    category = Schema.load()["category"].taxonomy
    assert category.leaf("Tshirts") == ("Apparel & Accessories", "Clothing", "Tshirts")
    assert len(category.leaves) == 234 and {len(leaf) for leaf in category.leaves} == {2, 3}
    assert ("Apparel & Accessories", "Clothing") in category.inner_leaves
