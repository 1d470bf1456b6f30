import math
from pathlib import Path

import pytest

from model.priors import Priors
from model.quantity import Quantity, parse_quantity

UNITS = ("gram", "kilogram")


def quantity(text: str) -> Quantity:
    parsed = parse_quantity(text, UNITS)
    assert parsed is not None
    return parsed


LABELS = [("weight", quantity(t)) for t in ["500 gram"] * 5 + ["2 gram", "1 kilogram", "1 kilogram"]]


def test_counts_shares_and_density() -> None:
    priors = Priors.count(LABELS)
    count, share, density = priors.describe("weight", quantity("500 gram"))
    assert count == pytest.approx(math.log1p(5))
    assert share == pytest.approx(math.log(7 / 9))
    assert density > priors.describe("weight", quantity("0.002 gram"))[2]


def test_own_label_is_left_out() -> None:
    priors = Priors.count(LABELS)
    assert priors.describe("weight", quantity("500 gram"), own_label=True)[0] == pytest.approx(math.log1p(4))
    # Two labels less one's own is a single one, and single labels are not kept.
    assert priors.describe("weight", quantity("1 kilogram"), own_label=True)[0] == 0
    assert priors.describe("weight", quantity("2 gram"))[0] == 0


def test_unknown_entities_have_no_counts() -> None:
    assert Priors.count(LABELS).describe("height", quantity("500 gram"))[0] == 0


def test_saved_and_loaded(tmp_path: Path) -> None:
    priors = Priors.count(LABELS)
    priors.save(tmp_path / "priors.safetensors")
    loaded = Priors.load(tmp_path / "priors.safetensors")
    for text in ("500 gram", "1 kilogram", "7 gram"):
        assert loaded.describe("weight", quantity(text)) == priors.describe("weight", quantity(text))
