"""Baselines of attributes on a catalogue made for the tests."""

from pathlib import Path

import pytest

from resformer.model.schema.schema import Schema
from resformer.train.evaluation.attribute_comparison import benchmark_attribute_baselines
from resformer.train.settings.sources import ProductTable


def test_baselines_are_right_on_the_table_that_they_learned(shop: Path) -> None:
    labels = {"baseColour": "colour", "category": "kind", "description": "blurb"}
    train = ProductTable(
        table=shop / "table.csv",
        photos=shop / "photos",
        image_column="id",
        label_columns=labels,
        title_column="name",
    )
    # Labels from another column than in training: the category is left out.
    val = train.model_copy(update={"label_columns": labels | {"category": "kind > colour"}})
    scores = {
        (row["entity"], row["system"]): row["scores"]
        for row in benchmark_attribute_baselines([train], [val], Schema.load())["scores"]
    }
    assert set(scores) == {("baseColour", "text alone"), ("description", "text of the nearest photo")}
    assert scores["baseColour", "text alone"]["accuracy"] == 1
    assert scores["description", "text of the nearest photo"]["SacreBLEU"] > 95  # equal photos have different texts
    with pytest.raises(ValueError, match="1 tables to learn from and 0 to predict"):
        benchmark_attribute_baselines([train], [], Schema.load())
