"""The shipped weights keep the accuracy that BENCHMARKS.md states; needs the labelled photos beside the checkout."""

import pytest

from resformer.model.predictor import Predictor
from resformer.train.evaluation.attribute_predictions import predict_table
from resformer.train.evaluation.attribute_scores import score_table
from resformer.train.evaluation.labelled_rows import of_first_photos, read_rows
from resformer.train.evaluation.quantity_scores import predict_rows, predict_rows_from_ocr, score_rows
from resformer.train.evaluation.record_answers import answer_record
from resformer.train.evaluation.row_scores import score_photo_rows
from resformer.train.evaluation.validation_sets import read_row_records
from resformer.train.settings.sources import ProductTable, ProductTables
from resformer.train.settings.yaml_settings import load_yaml, validate
from tests.paths import CONFIGS, DATA, labelled


@pytest.mark.parametrize(
    ("labels", "ocr", "photos", "floor"),
    [
        ("amazon/labels_val.csv", "amazon/words_val.jsonl.gz", "amazon/val", 0.80),
        ("hand/labels_hand_val.csv", "hand/words_val.jsonl.gz", "hand/val", 0.865),
    ],
)
def test_f1_with_ocr_caches(labels: str, ocr: str, photos: str, floor: float) -> None:
    table = labelled(labels)
    predictor = Predictor.load(reader="builtin", threads=1)
    rows = read_rows(table, predictor.schema)
    answers = predict_rows_from_ocr(rows, predictor, DATA / ocr, DATA / photos)
    result = score_rows(rows, [answer.prediction for answer in answers])
    assert result.micro.f1 > floor, result.table()


@pytest.mark.parametrize(("reader", "floor"), [("crops", 0.77), ("builtin", 0.72)])
def test_f1_of_readers_with_our_detector(reader: str, floor: float) -> None:
    """On the first hand-labelled photos."""
    labels = labelled("hand/labels_hand_val.csv")
    predictor = Predictor.load(reader=reader, threads=1)
    rows = of_first_photos(read_rows(labels, predictor.schema), 40)
    answers = predict_rows(rows, predictor, DATA / "hand" / "val")
    result = score_rows(rows, [answer.prediction for answer in answers])
    assert result.micro.f1 > floor, result.table()


def test_strict_f1_of_whole_rows_with_ocr_caches() -> None:
    labelled("rows")
    predictor = Predictor.load(reader="builtin", threads=1)
    records = read_row_records(DATA, "val", predictor.schema)
    answers = [answer_record(predictor, record) for record in records]
    score = score_photo_rows(records, [{name: a.prediction for name, a in of_row.items()} for of_row in answers])
    assert score.as_dict()["f1"] > 0.82, score.as_dict()


@pytest.mark.parametrize(
    ("inputs", "floors"),
    [
        ("image", {"articleType": 0.82, "baseColour": 0.58, "gender": 0.87, "season": 0.66, "usage": 0.86}),
        ("image and text", {"articleType": 0.94, "baseColour": 0.86, "gender": 0.98}),
    ],
)
def test_choices_on_the_first_fashion_photos(inputs: str, floors: dict[str, float]) -> None:
    predictor = Predictor.load(reader="builtin", threads=1)
    scores = score_table(predict_table(predictor, products_of("fashion"), inputs, 250), predictor.schema)
    assert all(scores[name]["accuracy"] > floor for name, floor in floors.items()), scores


@pytest.mark.parametrize(
    ("folder", "inputs", "floors"), [("flipkart", "image and text", (0.86, 0.76)), ("rows", "image", (0.5, 0.3))]
)
def test_categories(folder: str, inputs: str, floors: tuple[float, float]) -> None:
    """Of what is sold in shops, from image, name and description; of the challenge's products, from the photo."""
    predictor = Predictor.load(reader="builtin", threads=1)
    scores = score_table(predict_table(predictor, products_of(folder), inputs, 150), predictor.schema)["category"]
    assert scores["first 1"] > floors[0] and scores["first 2"] > floors[1], scores


def products_of(folder: str) -> ProductTable:
    """The validation products of a folder; skips where it is not there."""
    labelled(folder)
    config = CONFIGS / "products-val.yaml"
    tables = validate(load_yaml(config), ProductTables, config)
    (source,) = (s for s in tables.sources if s.table.parent.name == folder)
    # Texts take most of the time and have no floor.
    labels = {name: column for name, column in source.label_columns.items() if name not in ("title", "description")}
    return source.model_copy(update={"label_columns": labels})
