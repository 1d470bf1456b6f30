"""Scores of attributes, from predictions that are known."""

from dataclasses import replace
from pathlib import Path

import pytest

from resformer.model.inference.checkpoint import build_network, save_checkpoint
from resformer.model.inference.tokenizer import Tokenizer
from resformer.model.networks.presets import preset
from resformer.model.prediction import Alternative, Prediction
from resformer.model.predictor import Predictor
from resformer.model.schema.schema import Schema
from resformer.train.evaluation.attribute_predictions import TablePredictions, predict_table
from resformer.train.evaluation.attribute_scores import attribute_figures, score_table, write_label_details
from resformer.train.network.label_targets import target_index
from resformer.train.network.labelled_photos import LabelledPhoto
from resformer.train.settings.sources import ProductTable

SCHEMA = Schema.load()
SHOES = "Apparel & Accessories > Shoes"


def predicted(*names: str) -> Prediction:
    alternatives = [Alternative(name, 0.5) for name in names]
    return Prediction(next(filter(None, names)), None, None, None, 0.9, None, alternatives)


def labelled(name: str, **labels: str) -> LabelledPhoto:
    targets = {entity: target_index(SCHEMA[entity], label, exact=False) for entity, label in labels.items()}
    return LabelledPhoto(name, None, labels={e: t for e, t in targets.items() if t is not None})


def table(tmp_path: Path) -> TablePredictions:
    """Three products: of one all is right, of one only the root of its category and the second guess of its colour; of
    the last one nothing is known but that it has no colour."""
    source = ProductTable.model_construct(
        table=tmp_path / "shop.csv",
        image_column="id",
        label_columns={"baseColour": "colour", "gender": "sex", "category": "path"},
    )
    products = [
        labelled("1", baseColour="Red", gender="Men", category=f"{SHOES} > Heels"),
        labelled("2", baseColour="Blue", gender="Men", category=SHOES),
        replace(labelled("3"), labels={"baseColour": 0}),
    ]
    colour, gender = predicted("", "Red", "Blue"), predicted("Men", "Women")
    heels, clutches = f"{SHOES} > Heels", "Apparel & Accessories > Bags, Wallets & Luggage > Clutches"
    predictions = [
        {"baseColour": colour, "gender": gender, "category": predicted(heels, "", clutches)},
        {"baseColour": colour, "gender": gender, "category": predicted("", clutches, heels)},
        {"baseColour": colour, "gender": gender, "category": predicted(heels, clutches)},
    ]
    return TablePredictions(source, "image", products, predictions)


def test_choices_and_paths_are_scored_where_they_have_a_label(tmp_path: Path) -> None:
    scores = {row["entity"]: row["scores"] for row in attribute_figures([table(tmp_path)], SCHEMA)["scores"]}
    assert scores["baseColour"] | {"macro-F1": 0} == {"rows": 2, "accuracy": 0.5, "macro-F1": 0, "top 5": 1.0}
    assert scores["mean of 2"] == {"accuracy": 0.75}
    category = scores["category"]
    assert category["rows"] == 2
    assert (category["first 1"], category["first 2"], category["leaf"]) == (1.0, 0.5, 0.5)
    assert category["hierarchical win"] == 0.75


def test_details_have_a_row_and_a_matrix_for_each_choice(tmp_path: Path) -> None:
    write_label_details(tmp_path, [table(tmp_path)], SCHEMA)
    text = (tmp_path / "labels.md").read_text()
    assert "| Red | 1 | 1.000 | 0.500 | 0.667 |" in text
    assert "category" not in text
    (matrix,) = tmp_path.glob("confusion-baseColour-*-shop-image.png")
    assert matrix.stat().st_size > 5000


@pytest.fixture(scope="module")
def predictor(tmp_path_factory: pytest.TempPathFactory) -> Predictor:
    """A small network with random weights."""
    weights = tmp_path_factory.mktemp("network") / "nano.safetensors"
    tokenizer = Tokenizer(SCHEMA)
    save_checkpoint(weights, build_network(preset("nano"), tokenizer, ("resformer",)), tokenizer)
    return Predictor.load(weights)


@pytest.mark.parametrize(("inputs", "names"), [("image", {"title"}), ("image and text", set())])
def test_every_label_is_compared_with_a_best_guess(
    predictor: Predictor, shop: Path, inputs: str, names: set[str]
) -> None:
    """A title that is sent is no answer."""
    labels = {"category": "kind", "articleType": "kind", "baseColour": "colour", "title": "name"}
    source = ProductTable(
        table=shop / "table.csv", photos=shop / "photos", image_column="id", label_columns=labels, title_column="name"
    )
    found = predict_table(predictor, source, inputs, 2)
    scores = score_table(found, SCHEMA)
    assert set(scores) == {"category", "articleType", "baseColour", "mean of 2"} | names
    assert scores["category"]["rows"] == 2
    assert all(answers["category"].value and answers["baseColour"].prediction for answers in found.predictions)
