import pytest

from resformer.model.schema.schema import Schema
from resformer.scripts.page.row_view import compare_rows, entity_label, row_view, skeleton

SCHEMA = Schema.load()
EMPTY = {"prediction": "", "value": None, "unit": None, "si": None, "confidence": 0.9, "evidence": None}


def prediction(text: str, confidence: float, **others: object) -> dict[str, object]:
    return {**EMPTY, "prediction": text, "confidence": confidence, **others}


def test_labels_are_words() -> None:
    assert entity_label("maximum_weight_recommendation") == "maximum weight recommendation"
    assert entity_label("masterCategory") == "master category"


def test_every_entity_is_in_the_group_of_its_kind() -> None:
    shown = skeleton(SCHEMA.entities)
    assert {entity["name"] for entity in shown} == set(SCHEMA.names)
    groups = [entity["group"] for entity in shown]
    assert list(dict.fromkeys(groups)) == ["Quantities", "Choices", "Categories", "Texts"]
    assert groups == sorted(groups, key=["Quantities", "Choices", "Categories", "Texts"].index)


def test_a_level_of_a_path_is_as_probable_as_the_leaves_below_it() -> None:
    leaves = [("Food > Rice", 0.4), ("Food > Tea", 0.3), ("", 0.1), ("Foodstuff", 0.1), ("Tools", 0.1)]
    guess = prediction("Food > Rice", 0.4, value=["Food", "Rice"])
    guess["alternatives"] = [{"prediction": name, "confidence": p} for name, p in leaves]
    (answer,) = row_view(SCHEMA.entities, {"category": EMPTY}, {"category": guess})
    assert [level["prediction"] for level in answer["levels"]] == ["Food", "Food > Rice"]
    assert [round(level["confidence"], 3) for level in answer["levels"]] == [0.7, 0.4]
    assert answer["empty_confidence"] == 0.1
    assert len(answer["alternatives"]) == 5
    assert "alternatives" not in answer["guess"]


def test_leaves_without_an_alternative_are_spread_over_the_others() -> None:
    leaves = [("Food > Rice", 0.4), ("Tools", 0.2), ("", 0.1)]
    guess = prediction("Food > Rice", 0.4, value=["Food", "Rice"])
    guess["alternatives"] = [{"prediction": name, "confidence": p} for name, p in leaves]
    (answer,) = row_view(SCHEMA.entities, {"category": EMPTY}, {"category": guess})
    assert answer["levels"][0]["confidence"] == pytest.approx(0.6)


def test_only_what_was_asked_is_shown_in_the_order_of_kinds() -> None:
    rows = {"title": prediction("Tea", 0.5), "width": prediction("5 inch", 0.8)}
    view = row_view(SCHEMA.entities, rows, rows)
    assert [answer["name"] for answer in view] == ["width", "title"]
    assert view[0]["levels"] == []
    assert view[0]["empty_confidence"] == 0.0


def test_rows_differ_where_their_predictions_do() -> None:
    first = {"width": prediction("5 inch", 0.8), "gender": prediction("Men", 0.9)}
    second = {"width": prediction("6 inch", 0.8), "gender": prediction("Men", 0.6)}
    assert [(row["name"], row["differs"]) for row in compare_rows(SCHEMA.entities, first, second)] == [
        ("width", True),
        ("gender", False),
    ]
