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


def test_counts_shares_and_density() -> None:
    priors = LabelPriors.count(LABELS)
    count, share, density = priors.describe("weight", quantity("500 gram"))
    assert count == pytest.approx(math.log1p(5))
    assert share == pytest.approx(math.log(7 / 9))
    assert density > priors.describe("weight", quantity("0.002 gram"))[2]


def test_the_excluded_label_is_left_out() -> None:
    priors = LabelPriors.count(LABELS)
    assert priors.describe("weight", quantity("500 gram"), quantity("500 gram"))[0] == pytest.approx(math.log1p(4))
    # Two labels less the excluded one are a single one, and single labels are not kept.
    assert priors.describe("weight", quantity("1 kilogram"), quantity("1 kilogram"))[0] == 0
    assert priors.describe("weight", quantity("2 gram"))[0] == 0


def test_groups_have_units_and_sizes_of_their_own() -> None:
    others = [("weight", "rice", quantity("5 kilogram"))] * 6 + [("weight", "salt", quantity("1 gram"))]
    priors = LabelPriors.count([*LABELS, *others])
    in_tea = priors.describe_in_group("weight", "tea", quantity("500 gram"))
    in_rice = priors.describe_in_group("weight", "rice", quantity("500 gram"))
    assert in_tea[0] == pytest.approx(math.log(6.5 / 9))
    assert in_tea[0] > in_rice[0]
    assert abs(in_tea[1]) < 1 < -in_rice[1]
    for unknown in ("salt", "none of these", ""):
        assert priors.describe_in_group("weight", unknown, quantity("500 gram")) == (0, 0, 0)


def test_the_excluded_label_is_left_out_of_its_group() -> None:
    """The statistics are those of the labels without it."""
    label = quantity("2 gram")
    counted, without = LabelPriors.count(LABELS), LabelPriors.count([row for row in LABELS if row[2] != label])
    for text in ("2 gram", "500 gram", "1 kilogram"):
        excluded = counted.describe_in_group("weight", "tea", quantity(text), label)
        assert excluded == pytest.approx(without.describe_in_group("weight", "tea", quantity(text)), abs=1e-6)


def test_unknown_entities_have_no_counts() -> None:
    assert LabelPriors.count(LABELS).describe("height", quantity("500 gram"))[0] == 0


def test_saved_and_loaded(tmp_path: Path) -> None:
    priors = LabelPriors.count(LABELS)
    priors.save(tmp_path / "priors.safetensors")
    loaded = LabelPriors.load(tmp_path / "priors.safetensors")
    for text in ("500 gram", "1 kilogram", "7 gram"):
        assert loaded.describe("weight", quantity(text)) == priors.describe("weight", quantity(text))
        in_group = loaded.describe_in_group("weight", "tea", quantity(text))
        assert in_group == priors.describe_in_group("weight", "tea", quantity(text)) != (0, 0, 0)
