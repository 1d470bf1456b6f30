"""Answers for attributes, with random weights."""

import numpy as np
import pytest
import torch

from resformer.model.inference.attribute_decoding import MIN_LEVEL_PROBABILITY
from resformer.model.inference.attribute_predictor import AttributePredictor
from resformer.model.inference.label_tokenizer import hash_words
from resformer.model.networks.attribute_network import AttributeNetwork
from resformer.model.schema.taxonomy import SEPARATOR
from tests.model.attribute_setup import LABELS, NANO, PHOTO, SCHEMA


@pytest.fixture(scope="module")
def predictor(attribute_network: AttributeNetwork) -> AttributePredictor:
    return AttributePredictor(attribute_network, LABELS, NANO.image_size, "cpu", 1)


def test_answers_fit_the_schema(predictor: AttributePredictor) -> None:
    answers = predictor(PHOTO, SCHEMA.attributes, top_k=3)
    assert set(answers) == {entity.name for entity in SCHEMA.attributes}
    for entity in SCHEMA.attributes:
        answer = answers[entity.name]
        assert 0 <= answer.probability <= 1
        if entity.kind == "choice":
            assert answer.text in entity.labels
            assert answer.alternatives[0] == (answer.text, answer.probability) and len(answer.alternatives) == 3
        elif entity.kind == "path":
            assert answer.levels in entity.taxonomy and answer.text == " > ".join(answer.levels)
            assert answer.alternatives[0][0].startswith(answer.text)
            assert answer.leaf[1] <= answer.probability + 1e-6
        else:
            assert answer.levels == () and answer.alternatives == []


def test_a_path_stops_where_it_is_no_longer_probable(
    attribute_network: AttributeNetwork, predictor: AttributePredictor
) -> None:
    category = SCHEMA["category"]
    tokens = LABELS.labels(category)
    leaves = [i for i, path in enumerate(category.paths) if path[:2] == ("Apparel", "Topwear")]
    row = LABELS.entities.index(category)
    before = attribute_network.member_weights[row].clone()
    try:
        attribute_network.member_weights[row] = 0.01  # the picture hardly counts
        attribute_network.decoder.bias.data[[tokens[i] for i in leaves]] = 3000.0
        answer = predictor(PHOTO, [category])["category"]
        # All of these leaves are about as likely, so their parent is probable and none of them is.
        assert (
            answer.levels == ("Apparel", "Topwear")
            and answer.probability > 0.9
            and answer.leaf[1] < MIN_LEVEL_PROBABILITY
        )
        attribute_network.decoder.bias.data[tokens[leaves[0]]] = 6000.0
        assert predictor(PHOTO, [category])["category"].levels == category.paths[leaves[0]]
    finally:
        attribute_network.decoder.bias.data.zero_()
        attribute_network.member_weights[row] = before


def test_a_path_whose_root_is_likelier_wins(attribute_network: AttributeNetwork, predictor: AttributePredictor) -> None:
    category = SCHEMA["category"]
    tokens, paths = LABELS.labels(category), category.paths
    apparel = [i for i, path in enumerate(paths) if path[0] == "Apparel"]
    footwear = next(i for i, path in enumerate(paths) if path[0] == "Footwear")
    row = LABELS.entities.index(category)
    before = attribute_network.member_weights[row].clone()
    try:
        attribute_network.member_weights[row] = 0.0
        attribute_network.log_prior[tokens.start : tokens.stop] = -50.0
        attribute_network.log_prior[[tokens[i] for i in apparel]] = 0.0
        attribute_network.log_prior[tokens[footwear]] = 1.0
        answer = predictor(PHOTO, [category], top_k=3)["category"]
        assert answer.levels[0] == "Apparel" and answer.alternatives[0][0].endswith(answer.leaf[0])
        assert answer.alternatives[1][0] == SEPARATOR.join(paths[footwear])
    finally:
        attribute_network.member_weights[row] = before
        attribute_network.log_prior.zero_()


def test_frequent_labels_win_by_their_prior(attribute_network: AttributeNetwork, predictor: AttributePredictor) -> None:
    gender = SCHEMA["gender"]
    try:
        attribute_network.log_prior[LABELS.labels(gender)[2]] = 50.0
        assert predictor(PHOTO, [gender])["gender"].text == gender.labels[2]
    finally:
        attribute_network.log_prior.zero_()


def test_members_count_by_their_weights(attribute_network: AttributeNetwork, predictor: AttributePredictor) -> None:
    gender = SCHEMA["gender"]
    row = LABELS.entities.index(gender)
    before = attribute_network.member_weights[row].clone()
    dark = np.zeros_like(PHOTO)

    def probability(photo: np.ndarray, title: str) -> float:
        return predictor(photo, [gender], title=title)["gender"].probability

    try:
        attribute_network.member_weights[row] = torch.tensor([0.0, 1.0, 0.0, 0.0])  # text alone
        assert probability(PHOTO, "red shoe") == pytest.approx(probability(dark, "red shoe"), rel=1e-5)
        assert probability(PHOTO, "red shoe") != pytest.approx(probability(PHOTO, "blue shirt"), rel=1e-5)
        assert probability(PHOTO, " ") == pytest.approx(1 / len(gender.labels), rel=1e-5)  # no text
        attribute_network.member_weights[row] = torch.tensor([0.0, 0.0, 1.0, 0.0])  # both together
        assert probability(PHOTO, "red shoe") != pytest.approx(probability(dark, "red shoe"), rel=1e-5)
        assert probability(PHOTO, "red shoe") != pytest.approx(probability(PHOTO, "blue shirt"), rel=1e-5)
    finally:
        attribute_network.member_weights[row] = before


def test_the_bag_of_words_alone_may_answer(attribute_network: AttributeNetwork, predictor: AttributePredictor) -> None:
    gender, bag_of_words = SCHEMA["gender"], attribute_network.bag_of_words
    row, label = LABELS.entities.index(gender), 3
    before = attribute_network.member_weights[row].clone()
    (red,) = hash_words("", "red")
    try:
        bag_of_words.idf[red] = 2.0
        bag_of_words.index[0] = int(red) * LABELS.vocab_size + LABELS.labels(gender)[label]
        bag_of_words.weight[0] = 9.0
        attribute_network.member_weights[row] = torch.tensor([0.0, 0.0, 0.0, 1.0])
        answer = predictor(PHOTO, [gender], title="Shoe", description="in Red.")["gender"]
        others = len(gender.labels) - 1
        assert answer.text == gender.labels[label]
        assert answer.probability == pytest.approx(1 / (1 + others * np.exp(-9)), rel=1e-5)
        assert predictor(PHOTO, [gender], title="Shoe")["gender"].probability == pytest.approx(1 / (1 + others))
    finally:
        attribute_network.member_weights[row] = before
        for tensor in bag_of_words.state_dict().values():
            tensor.zero_()


def test_a_text_is_generated_without_itself(predictor: AttributePredictor) -> None:
    title, season = SCHEMA["title"], SCHEMA["season"]
    alone = predictor(PHOTO, [title, season])
    given = predictor(PHOTO, [title, season], title="Red Shoe")
    assert alone["title"].text == given["title"].text
    assert alone["title"].probability == pytest.approx(given["title"].probability, rel=1e-4)
    assert alone["season"].probability != given["season"].probability
    described = predictor(PHOTO, [title], description="Red Shoe")["title"].probability
    assert described != pytest.approx(alone["title"].probability, rel=1e-4)
