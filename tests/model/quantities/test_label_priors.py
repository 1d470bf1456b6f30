import math
from pathlib import Path

import pytest

from resformer.model.quantities.label_priors import LabelPriors
from resformer.model.quantities.parser import parse_quantity
from resformer.model.quantities.quantity import Quantity

UNITS = ("gram", "kilogram")


def quantity(text: str) -> Quantity:
    parsed = parse_quantity(text, UNITS)
    assert parsed is not None
    return parsed


LABELS = [("weight", "tea", quantity(t)) for t in ["500 gram"] * 5 + ["2 gram", "1 kilogram", "1 kilogram"]]


def test_counts_fractions_and_density() -> None:
    priors = LabelPriors.count(LABELS)
    count, fraction, density = priors.features("weight", quantity("500 gram"))
    assert count == pytest.approx(math.log1p(5))
    assert fraction == pytest.approx(math.log(7 / 9))
    assert density > priors.features("weight", quantity("0.002 gram"))[2]


@pytest.mark.parametrize("label", ["500 gram", "2 gram", "1 kilogram"])
def test_an_excluded_label_is_as_if_it_were_not_counted(label: str) -> None:
    """In the counts, the units, the density and the group."""
    excluded = quantity(label)
    labels = [("weight", "tea", quantity(t)) for t in ["500 gram"] * 5 + ["2 gram", "1 kilogram", "1 kilogram"]]
    counted = LabelPriors.count(labels)
    labels.remove(("weight", "tea", excluded))
    without = LabelPriors.count(labels)
    for text in ("500 gram", "2 gram", "1 kilogram", "520 gram", "7 gram"):
        value = quantity(text)
        assert counted.features("weight", value, excluded) == pytest.approx(without.features("weight", value))
        in_group = counted.group_features("weight", "tea", value, excluded)
        assert in_group == pytest.approx(without.group_features("weight", "tea", value), abs=1e-6)


def test_a_group_that_is_too_small_without_the_excluded_label() -> None:
    label = quantity("5 kilogram")
    priors = LabelPriors.count([("weight", "rice", label)] * 5)
    assert priors.group_features("weight", "rice", label)[2] == pytest.approx(math.log1p(5))
    assert priors.group_features("weight", "rice", label, label) == (0, 0, 0)


def test_groups_have_units_and_sizes_of_their_own() -> None:
    others = [("weight", "rice", quantity("5 kilogram"))] * 6 + [("weight", "salt", quantity("1 gram"))]
    priors = LabelPriors.count([*LABELS, *others])
    in_tea = priors.group_features("weight", "tea", quantity("500 gram"))
    in_rice = priors.group_features("weight", "rice", quantity("500 gram"))
    assert in_tea[0] == pytest.approx(math.log(6.5 / 9))
    assert in_tea[0] > in_rice[0]
    assert abs(in_tea[1]) < 1 < -in_rice[1]
    for unknown in ("salt", "none of these", ""):
        assert priors.group_features("weight", unknown, quantity("500 gram")) == (0, 0, 0)


def test_unknown_entities_have_no_counts() -> None:
    assert LabelPriors.count(LABELS).features("height", quantity("500 gram"))[0] == 0


def test_saved_and_loaded(tmp_path: Path) -> None:
    priors = LabelPriors.count(LABELS)
    priors.save(tmp_path / "priors.safetensors")
    loaded = LabelPriors.load(tmp_path / "priors.safetensors")
    for text in ("500 gram", "1 kilogram", "7 gram"):
        assert loaded.features("weight", quantity(text)) == priors.features("weight", quantity(text))
        in_group = loaded.group_features("weight", "tea", quantity(text))
        assert in_group == priors.group_features("weight", "tea", quantity(text)) != (0, 0, 0)


@pytest.mark.parametrize("group", ["748919", "748919.0", "748919.00", "748919.", "7.48919e+05", "7.48919E5"])
def test_a_group_may_be_written_as_a_float(group: str) -> None:
    label = quantity("5 kilogram")
    for counted in ("748919", "748919.0"):
        priors = LabelPriors.count([("weight", counted, label)] * 5)
        assert priors.group_features("weight", group, label)[2] == pytest.approx(math.log1p(5))
        assert priors.group_features("weight", "748918", label) == (0, 0, 0)
