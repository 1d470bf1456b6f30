"""Scores of attributes, from predictions that are known."""

from pathlib import Path

from resformer.model.prediction import Alternative, Prediction
from resformer.model.schema.schema import Schema
from resformer.train.data.catalogue_table import CatalogueRecord
from resformer.train.evaluation.attribute_predictions import TablePredictions
from resformer.train.evaluation.attribute_scores import attribute_figures, write_label_details
from resformer.train.settings.sources import ProductTable

SCHEMA = Schema.load()


def predicted(*names: str) -> Prediction:
    alternatives = [Alternative(name, 0.5) for name in names]
    return Prediction(names[0], None, None, None, 0.9, None, alternatives)


def table(tmp_path: Path) -> TablePredictions:
    """Two products: of one all is right, of the other only the root of its category and the second guess of its
    colour."""
    source = ProductTable.model_construct(
        table=tmp_path / "shop.csv", image_column="id", label_columns={"baseColour": "colour", "category": "path"}
    )
    shoes, heels = "Footwear > Shoes > Casual Shoes", "Footwear > Shoes > Heels"
    sandals = "Footwear > Sandal > Sandals"
    records = [
        CatalogueRecord("1", tmp_path / "1.jpg", {"colour": "Red", "path": shoes}),
        CatalogueRecord("2", tmp_path / "2.jpg", {"colour": "Blue", "path": shoes}),
    ]
    predictions = [
        {"baseColour": predicted("Red", "Blue"), "category": predicted(shoes, heels)},
        {"baseColour": predicted("Red", "Blue"), "category": predicted(sandals, heels)},
    ]
    return TablePredictions(source, "image", records, predictions)


def test_choices_and_paths_are_scored(tmp_path: Path) -> None:
    scores = {row["entity"]: row["scores"] for row in attribute_figures([table(tmp_path)], SCHEMA)["scores"]}
    assert scores["baseColour"] | {"macro-F1": 0} == {"rows": 2, "accuracy": 0.5, "macro-F1": 0, "top 5": 1.0}
    category = scores["category"]
    assert (category["first 1"], category["first 2"], category["leaf"]) == (1.0, 0.5, 0.5)
    assert category["hierarchical win"] == 0.75
    assert category["stopped at a parent"] == 0


def test_details_have_a_row_and_a_matrix_for_each_choice(tmp_path: Path) -> None:
    write_label_details(tmp_path, [table(tmp_path)], SCHEMA)
    text = (tmp_path / "labels.md").read_text()
    assert "| Red | 1 | 1.000 | 0.500 | 0.667 |" in text
    assert "category" not in text
    assert (tmp_path / "confusion-shop-baseColour-image.png").stat().st_size > 5000
