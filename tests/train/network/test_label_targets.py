"""Targets of choices and paths."""

from pathlib import Path

import pytest

from resformer.model.schema.schema import Entity, Schema
from resformer.train.network.label_targets import EMPTY_TARGET, target_answers, target_index, target_levels

# `A` is a node above two leaves, and a leaf itself.
SCHEMA = """
entities:
  - {name: kind, kind: path, paths: [A, A > x, A > y, B > z]}
  - {name: colour, kind: choice, labels: [red, blue]}
"""


@pytest.fixture
def kind(tmp_path: Path) -> Entity:
    (tmp_path / "schema.yaml").write_text(SCHEMA)
    return Schema.load(tmp_path / "schema.yaml")["kind"]


@pytest.fixture
def colour(tmp_path: Path, kind: Entity) -> Entity:
    return Schema.load(tmp_path / "schema.yaml")["colour"]


def right(entity: Entity, cell: str, *, exact: bool = False) -> list[str]:
    """The answers that are right for a cell; "" is the empty one."""
    target = target_index(entity, cell, exact=exact)
    assert target is not None
    names = ["", *(entity.labels or (" > ".join(path) for path in entity.paths))]
    return [name for name, is_right in zip(names, target_answers(entity)[target], strict=True) if is_right]


def test_a_label_is_one_answer(colour: Entity) -> None:
    assert right(colour, "blue") == ["blue"]
    assert target_answers(colour)[EMPTY_TARGET].tolist() == [True, False, False]
    with pytest.raises(ValueError, match="colour has no label 'green'; add it to the schema"):
        target_index(colour, "green", exact=False)


def test_a_node_is_any_of_its_leaves_or_exactly_itself(kind: Entity) -> None:
    assert right(kind, "A > x") == right(kind, "x") == ["A > x"]
    assert right(kind, "A > unknown") == right(kind, "A > A") == ["A", "A > x", "A > y"]
    assert right(kind, "A > unknown", exact=True) == ["A"]
    assert right(kind, "B", exact=True) == ["B > z"]
    assert target_index(kind, "Q", exact=False) is None


def test_levels_weigh_the_nodes_on_the_way(kind: Entity) -> None:
    tree = kind.taxonomy
    weights = target_levels(kind, (0.5, 1.0))
    x, a = (1 + tree.index(node) for node in (("A", "x"), ("A",)))
    assert {i: w for i, w in enumerate(weights[x].tolist()) if w} == {a: 0.5, x: 1.0}
    assert {i: w for i, w in enumerate(weights[a].tolist()) if w} == {a: 0.5}
    exactly_a = target_index(kind, "A > unknown", exact=True)
    assert exactly_a is not None
    assert {i: w for i, w in enumerate(weights[exactly_a].tolist()) if w} == {a: 0.5, exactly_a: 1.0}
    assert weights[EMPTY_TARGET].nonzero().flatten().tolist() == [EMPTY_TARGET]
