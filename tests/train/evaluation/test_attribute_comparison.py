"""Baselines of attributes on a catalogue made for the tests."""

from pathlib import Path

import pytest

from resformer.model.schema.schema import Schema
from resformer.train.evaluation.attribute_comparison import benchmark_attribute_baselines
from resformer.train.settings.sources import ProductTable

SCHEMA = Schema.load()


def test_baselines_are_right_on_the_table_that_they_learned(shop: Path) -> None:
    train = ProductTable(
        table=shop / "table.csv",
        photos=shop / "photos",
        image_column="id",
        label_columns={"category": "kind"},
        title_column="name",
    )
    labels = {"baseColour": "colour", "category": "kind", "articleType": "kind", "description": "blurb"}
    val = train.model_copy(update={"label_columns": labels})
    scores = {
        (row["entity"], row["system"]): row["scores"]
        for row in benchmark_attribute_baselines([train], [val], SCHEMA)["scores"]
    }
    classified = [(name, "text alone") for name in ("baseColour", "category", "articleType")]
    similar = ["text of the nearest photo", "Resformer with a catalogue of texts"]
    assert set(scores) == {*classified, *(("description", system) for system in similar)}
    assert scores["baseColour", "text alone"]["accuracy"] == 1
    assert set(scores["category", "text alone"].values()) == {1.0}
    assert scores["description", "text of the nearest photo"]["SacreBLEU"] > 95  # equal photos have different texts


def test_a_table_without_another_one_to_learn_from_is_refused(shop: Path) -> None:
    val = ProductTable(
        table=shop / "table.csv", photos=shop / "photos", image_column="id", label_columns={"category": "kind"}
    )
    with pytest.raises(ValueError, match="has no table to learn from"):
        benchmark_attribute_baselines([], [val], SCHEMA)
