"""Everything that is asked about a photo, by a network with random weights and by given logits."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from resformer.model.inference.calibration import Calibration
from resformer.model.inference.inputs import Sample
from resformer.model.inference.photo_encoder import EncodedPhoto
from resformer.model.inference.row_predictor import AskedPage, RowPredictor
from resformer.model.inference.text_catalogue import TextCatalogue
from resformer.model.inference.text_generation import GeneratedText
from resformer.model.networks.batch import Batch
from resformer.model.networks.label_shortcut import DECODER_WEIGHT
from resformer.model.networks.resformer import Resformer
from resformer.model.ocr.page import Page
from resformer.model.prediction import Alternative, Prediction
from resformer.model.quantities.parser import parse_quantity
from resformer.model.runtime.batch_sizes import batch_sizes_for
from resformer.model.schema.taxonomy import SEPARATOR
from tests.model.conftest import NANO, PAGE, PHOTO, PREPROCESSOR, SCHEMA, TOKENIZER

CALIBRATIONS = {kind: Calibration(1.0, 0.5) for kind in ("quantity", "choice", "path", "text")}
GENDER, WEIGHT, CATEGORY = (SCHEMA[name] for name in ("gender", "item_weight", "category"))


@pytest.fixture(scope="module")
def shared_row(network: Resformer) -> RowPredictor:
    return RowPredictor(network, PREPROCESSOR, CALIBRATIONS, NANO.image_size, "cpu", 1, batch_sizes_for("cpu"))


@pytest.fixture
def row(shared_row: RowPredictor) -> Iterator[RowPredictor]:
    """Restored after a test that changes it."""
    before = dict(vars(shared_row))
    yield shared_row
    vars(shared_row).update(before)


def force(row: RowPredictor, name: str, probabilities: Mapping[int, float]) -> None:
    """Gives the first step of an entity's answer these probabilities: of its answers (0 is empty) or candidates."""
    encode, entity = row._encode, SCHEMA[name]
    prompt = TOKENIZER.prompt(entity)

    def forced(batch: Batch) -> list[EncodedPhoto]:
        (photo,) = encode(batch)
        logits = photo.logits.copy()
        question = batch.prompts[0].tolist().index(prompt)
        logits[question] = -50
        # The candidates of other questions stand before those of this one.
        first = photo.first_candidate + batch.candidate_question[0].tolist().index(question) if entity.units else 0
        for answer, probability in probabilities.items():
            at = (
                TOKENIZER.num_answers + first + answer - 1
                if entity.units and answer
                else TOKENIZER.empty(entity) + answer
            )
            # The shortcut of a network that was not fitted adds nothing.
            logits[question, at] = np.log(probability) / (1 if entity.units else DECODER_WEIGHT)
        return [replace(photo, logits=logits)]

    row._encode = forced  # type: ignore[assignment]


def ask(row: RowPredictor, *names: str, page: Page = PAGE, **options: Any) -> dict[str, Prediction]:
    return row([AskedPage(PHOTO, page, [SCHEMA[name] for name in names], **options)])[0]


@pytest.mark.parametrize("min_confidence", [0.0, None, 1.0])
def test_answers_fit_the_schema(row: RowPredictor, min_confidence: float | None) -> None:
    answers = ask(row, *SCHEMA.names, min_confidence=min_confidence, top_k=3)
    assert tuple(answers) == SCHEMA.names
    for name, answer in answers.items():
        entity = SCHEMA[name]
        assert 0 <= answer.confidence <= 1
        if not answer.prediction:
            assert (answer.value, answer.unit, answer.si, answer.evidence) == (None, None, None, None)
        elif entity.kind == "quantity":
            quantity = parse_quantity(answer.prediction, entity.units)
            assert quantity is not None and (answer.value, answer.unit) == (quantity.value, quantity.unit)
        elif entity.kind == "choice":
            assert answer.prediction in entity.labels
        elif entity.kind == "path":
            assert answer.value == answer.prediction.split(SEPARATOR)
            assert tuple(answer.prediction.split(SEPARATOR)) in entity.taxonomy
        if min_confidence == 0:
            assert answer.prediction or entity.kind in ("quantity", "text")
        if min_confidence == 1:
            assert not answer.prediction


def test_an_answer_does_not_depend_on_what_else_is_asked(row: RowPredictor) -> None:
    together = ask(row, *SCHEMA.names)
    for name in SCHEMA.names:
        alone = ask(row, name)[name]
        assert alone.prediction == together[name].prediction
        assert alone.confidence == pytest.approx(together[name].confidence, abs=2e-3)


def test_a_calibration_decides_unless_a_request_does(row: RowPredictor) -> None:
    force(row, "gender", {0: 0.3, 1: 0.4, 2: 0.3})
    assert ask(row, "gender")["gender"] == Prediction("", None, None, None, 0.3, None)
    assert ask(row, "gender", min_confidence=0.4 - 1e-6)["gender"].prediction == GENDER.labels[0]
    row._calibrations = {"choice": Calibration(1.0, 0.2)}
    assert ask(row, "gender")["gender"].prediction == GENDER.labels[0]


def test_the_shortcut_adds_its_logits_to_labels(row: RowPredictor) -> None:
    force(row, "gender", {1: 0.8, 2: 0.2})
    encode, second = row._encode, TOKENIZER.empty(GENDER) + 2

    def shifted(batch: Batch) -> list[EncodedPhoto]:
        (photo,) = encode(batch)
        return [replace(photo, label_logits=np.log(16) * (np.arange(len(photo.label_logits)) == second))]

    row._encode = shifted  # type: ignore[assignment]
    answer = ask(row, "gender")["gender"]
    assert (answer.prediction, answer.confidence) == (GENDER.labels[1], pytest.approx(0.8, abs=1e-3))


@pytest.mark.parametrize(("name", "kind"), [("gender", "choice"), ("category", "path"), ("item_weight", "quantity")])
def test_a_temperature_softens_the_confidence(row: RowPredictor, name: str, kind: str) -> None:
    force(row, name, {0: 0.1, 1: 0.9})
    assert ask(row, name)[name].confidence == pytest.approx(0.9, abs=1e-3)
    row._calibrations = {kind: Calibration(2.0, 0.5)}
    assert ask(row, name)[name].confidence == pytest.approx(0.75, abs=1e-3)  # odds of nine to one become three to one


def test_a_quantity_has_its_evidence(row: RowPredictor) -> None:
    force(row, "item_weight", {0: 0.2, 1: 0.8})
    weight = ask(row, "item_weight", "voltage", top_k=2)["item_weight"]
    assert weight.prediction == "500 gram" and weight.si == {"value": 0.5, "unit": "kilogram"}
    assert weight.evidence is not None and 10 < weight.evidence[0] < weight.evidence[2] < 110
    assert weight.alternatives is not None
    assert [(a.prediction, a.confidence) for a in weight.alternatives] == [("500 gram", 0.8), ("", 0.2)]


def test_where_the_value_is_presumed_the_empty_answer_has_to_be_much_likelier(row: RowPredictor) -> None:
    force(row, "item_weight", {0: 0.55, 1: 0.45})
    assert ask(row, "item_weight")["item_weight"].prediction == ""
    assert ask(row, "item_weight", assume_present=True)["item_weight"].prediction == "500 gram"
    force(row, "item_weight", {0: 0.8, 1: 0.2})
    assert ask(row, "item_weight", assume_present=True)["item_weight"].prediction == ""
    assert ask(row, "item_weight", assume_present=True, min_confidence=0.0)["item_weight"].prediction == "500 gram"


@pytest.mark.parametrize(("p_empty", "presumed"), [(0.8, GENDER.labels[0]), (0.95, "")])
def test_a_label_that_is_presumed_is_empty_where_that_is_nearly_certain(
    row: RowPredictor, p_empty: float, presumed: str
) -> None:
    row._calibrations = {}
    force(row, "gender", {0: p_empty, 1: 1 - p_empty})
    assert ask(row, "gender")["gender"].prediction == ""
    assert ask(row, "gender", assume_present=True)["gender"].prediction == presumed


def test_a_path_that_is_presumed_goes_no_deeper(row: RowPredictor) -> None:
    row._calibrations = {}
    leaves = {1 + i: 0.9 / len(CATEGORY.paths) for i in range(len(CATEGORY.paths))}
    force(row, "category", {0: 0.1, **leaves})
    depths = [
        ask(row, "category", **options)["category"].prediction.count(SEPARATOR)
        for options in ({}, {"assume_present": True}, {"min_confidence": 0.0})
    ]
    assert depths[0] == depths[1] < depths[2]


def test_width_alone_is_chosen_jointly_with_height(row: RowPredictor) -> None:
    sizes = replace(PAGE, lines=[replace(PAGE.lines[0], text="12 cm"), replace(PAGE.lines[1], text="30 cm")])
    force(row, "width", {1: 0.6, 2: 0.4})
    force(row, "height", {1: 0.9, 2: 0.1})
    (height,) = ask(row, "height", page=sizes, min_confidence=0.0).values()
    (width,) = ask(row, "width", page=sizes, min_confidence=0.0).values()
    assert (width.prediction, height.prediction) == ("30 centimetre", "12 centimetre")


def test_choices_follow_from_the_leaf(row: RowPredictor) -> None:
    heels = CATEGORY.paths.index(("Apparel & Accessories", "Shoes", "Heels"))
    force(row, "category", {1 + heels: 0.9, 0: 0.1})
    answers = ask(row, "articleType", "category", "masterCategory", "subCategory")
    assert {name: answer.prediction for name, answer in answers.items()} == {
        "articleType": "Heels",
        "category": "Apparel & Accessories > Shoes > Heels",
        "masterCategory": "Footwear",
        "subCategory": "Shoes",
    }
    assert {answer.confidence for answer in answers.values()} == {0.9}


def test_a_product_that_is_no_fashion_article_has_a_category_alone(row: RowPredictor) -> None:
    food = CATEGORY.paths.index(("Animals & Pet Supplies", "Pet Food & Treats"))
    force(row, "category", {1 + food: 0.9, 0: 0.1})
    answers = ask(row, "category", "articleType", "masterCategory")
    assert answers.pop("category").value == ["Animals & Pet Supplies", "Pet Food & Treats"]
    assert [(a.prediction, a.confidence) for a in answers.values()] == [("", 1.0), ("", 1.0)]


def test_frequent_labels_win_by_their_prior(row: RowPredictor) -> None:
    row._log_prior = row._log_prior.copy()
    row._log_prior[TOKENIZER.answers(GENDER)[3]] = 50.0
    assert ask(row, "gender")["gender"].prediction == GENDER.labels[2]


def test_a_text_has_the_place_of_its_copied_words(row: RowPredictor) -> None:
    row._write = lambda tasks: [GeneratedText("Net Shampoo", 0.8, 0.1, (0, 10))] * len(tasks)  # type: ignore[assignment]
    title = ask(row, "title")["title"]
    assert (title.prediction, title.confidence) == ("Net Shampoo", 0.8)
    assert title.evidence == pytest.approx([10.0, 10.0, 130.0, 220.0])


def test_a_text_that_is_not_confident_enough_is_empty(row: RowPredictor) -> None:
    row._write = lambda tasks: [GeneratedText("Shampoo", 0.4, 0.3, ())] * len(tasks)  # type: ignore[assignment]
    withheld = ask(row, "title", top_k=2)["title"]
    assert withheld == Prediction("", None, None, None, 0.3, None, [Alternative("Shampoo", 0.4), Alternative("", 0.3)])
    assert ask(row, "title", min_confidence=0.4)["title"].prediction == "Shampoo"


def test_texts_of_similar_pictures_answer(row: RowPredictor) -> None:
    row._write = lambda tasks: [GeneratedText("draft", 0.5, 0.1, (0,))] * len(tasks)  # type: ignore[assignment]
    texts = ["a red mug of clay", "a red mug"]
    row._catalogue = TextCatalogue(np.stack([row.picture_features(PHOTO)] * 2), {"description": texts}, "1.0")
    answers = ask(row, "title", "description", min_confidence=0.1)
    assert answers["title"].prediction == "draft"  # of which the catalogue has no texts
    assert answers["description"].prediction in texts and answers["description"].evidence is None
    assert row([AskedPage(None, PAGE, [SCHEMA["description"]])])[0]["description"].prediction == "draft"
    row._write = lambda tasks: [GeneratedText("", 0.9, 0.9, ())] * len(tasks)  # type: ignore[assignment]
    assert ask(row, "description", min_confidence=0.1)["description"].prediction == ""


@pytest.mark.parametrize("sent", ["title", "description"])
def test_a_text_that_is_sent_is_the_answer(row: RowPredictor, sent: str) -> None:
    options: dict[str, Any] = {sent: " Dove Shampoo 250 ml ", "min_confidence": 1.0}
    answers = ask(row, "title", "description", **options)
    assert answers[sent] == Prediction("Dove Shampoo 250 ml", None, None, None, 1.0, None)
    (other,) = {"title", "description"} - {sent}
    assert answers[other].prediction == ""


def test_words_alone_can_be_asked(row: RowPredictor) -> None:
    (answers,) = row([AskedPage(None, PAGE, [WEIGHT, GENDER], min_confidence=0.0)])
    assert answers["item_weight"].prediction and answers["gender"].prediction
    assert answers["gender"].confidence != ask(row, "gender", min_confidence=0.0)["gender"].confidence


def test_samples_are_asked_what_has_an_answer_of_its_own(row: RowPredictor, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[list[str]] = []
    sample = PREPROCESSOR.sample

    def recorded(*arguments: object, **options: object) -> Sample:
        made = sample(*arguments, **options)  # type: ignore[arg-type]
        asked.append([entity.name for entity in made.entities])
        return made

    monkeypatch.setattr(row._preprocessor, "sample", recorded)
    ask(row, "articleType", "masterCategory", "width")
    assert asked == [["category", "width", "height"]]
