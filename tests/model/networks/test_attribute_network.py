"""The attribute network with random weights: the form of its answers, and what they may depend on."""

import numpy as np
import pytest
import torch

from resformer.model.images.resize import letterbox
from resformer.model.inference.attribute_inputs import MAX_WORDS, AttributeExample, collate_attributes, encode_words
from resformer.model.inference.attribute_predictor import MIN_LEVEL_PROBABILITY, AttributePredictor
from resformer.model.inference.generation import GreedyGenerator
from resformer.model.inference.label_tokenizer import LabelTokenizer, hash_words
from resformer.model.inference.tokenizer import Tokenizer
from resformer.model.networks.attribute_network import AttributeBatch, AttributeNetwork
from resformer.model.networks.presets import PRESETS, Preset
from resformer.model.schema.schema import Schema
from resformer.model.schema.taxonomy import SEPARATOR

SCHEMA = Schema.load()
LABELS = LabelTokenizer(SCHEMA, Tokenizer(SCHEMA))
NANO = PRESETS["nano"]
RNG = np.random.default_rng(0)
PHOTO = RNG.integers(0, 255, (120, 90, 3), dtype=np.uint8)
CHOICES = [e for e in SCHEMA.attributes if e.kind != "text"]


def build(sizes: Preset) -> AttributeNetwork:
    return AttributeNetwork(
        sizes,
        vocab_size=LABELS.vocab_size,
        pad_id=LABELS.pad_id,
        num_entities=len(LABELS.entities),
        max_tokens=LABELS.max_tokens,
    )


@pytest.fixture(scope="module")
def network() -> AttributeNetwork:
    torch.manual_seed(0)
    return build(NANO).eval()


@pytest.fixture(scope="module")
def predictor(network: AttributeNetwork) -> AttributePredictor:
    return AttributePredictor(network, LABELS, NANO.image_size, "cpu", 1)


def first_logits(network: AttributeNetwork, batch: AttributeBatch) -> torch.Tensor:
    """(Q, vocab_size) of all questions."""
    with torch.inference_mode():
        memory = network.encode(batch)
        bos = torch.full((len(batch.prompt), 1), LABELS.bos_id)
        return network.decode(bos, memory, network.decoder.init_cache(memory))[:, 0]


def test_tokens_do_not_overlap() -> None:
    ranges = [LABELS.labels(entity) for entity in SCHEMA.attributes]
    tokens = [LABELS.pad_id, LABELS.bos_id, LABELS.eos_id, *LABELS.subwords]
    tokens += [LABELS.prompt(entity) for entity in SCHEMA.attributes] + [t for r in ranges for t in r]
    assert sorted(tokens) == list(range(LABELS.vocab_size))
    assert LABELS.decode(LABELS.encode("Nike Men's Red Tee, 2 x")) == "Nike Men's Red Tee, 2 x"


@pytest.mark.parametrize("name", PRESETS)
def test_every_preset_embeds_its_patches(name: str) -> None:
    sizes = PRESETS[name]
    with torch.device("meta"):
        patches = build(sizes).embed_image(torch.zeros(1, 3, sizes.image_size, sizes.image_size))
    assert patches.shape == (1, (sizes.image_size // sizes.stride) ** 2, sizes.attribute_width)


def test_letterbox_fills_from_the_top_left() -> None:
    square, extent = letterbox(np.full((100, 200, 3), 250, dtype=np.uint8), 64)
    assert square.shape == (3, 64, 64)
    assert extent == (1.0, 0.5)
    assert (square[:, :32] == 250).all()
    assert (square[:, 32:] == 127).all()


def test_words_are_lower_case_and_bounded_and_have_their_field() -> None:
    words = encode_words(LABELS, "Red Shoe", "a " * 500)
    assert [(field, position) for _, field, position in words[:3]] == [(0, 0), (0, 1), (1, 0)]
    assert len(words) == 2 + MAX_WORDS["description"]
    assert LABELS.decode(words[0][0]) == "red"


def test_an_answer_does_not_depend_on_what_else_is_asked_or_batched(network: AttributeNetwork) -> None:
    pixels, extent = letterbox(PHOTO, NANO.image_size)
    other, other_extent = letterbox(PHOTO[:50], NANO.image_size)
    title = encode_words(LABELS, "Red Shoe", "")
    long = encode_words(LABELS, "", "many more words " * 20)
    alone = collate_attributes(LABELS, pixels[None], [extent], [AttributeExample(0, True, title, CHOICES[:1])])
    among = collate_attributes(
        LABELS,
        np.stack([other, pixels]),
        [other_extent, extent],
        [AttributeExample(0, True, long, CHOICES), AttributeExample(1, True, title, CHOICES)],
    )
    one, many = first_logits(network, alone)[0], first_logits(network, among)[len(CHOICES)]
    torch.testing.assert_close(one, many, atol=1e-4, rtol=1e-4)


def test_a_hidden_picture_changes_nothing(network: AttributeNetwork) -> None:
    answers = []
    for photo in (PHOTO, 255 - PHOTO):
        pixels, extent = letterbox(photo, NANO.image_size)
        words = encode_words(LABELS, "Red Shoe", "")
        batch = collate_attributes(LABELS, pixels[None], [extent], [AttributeExample(0, False, words, CHOICES)])
        answers.append(first_logits(network, batch))
    torch.testing.assert_close(*answers)


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


def test_a_text_ends_at_its_limit(network: AttributeNetwork) -> None:
    (dress,) = LABELS.encode(" dress")
    texts = [SCHEMA["title"], SCHEMA["description"]]
    try:
        network.decoder.bias.data[dress] = 50.0
        answers = AttributePredictor(network, LABELS, NANO.image_size, "cpu", 1)(PHOTO, texts)
        for entity in texts:
            assert answers[entity.name].text.split() == ["dress"] * entity.max_subwords
        network.decoder.bias.data[LABELS.eos_id] = 100.0
        assert AttributePredictor(network, LABELS, NANO.image_size, "cpu", 1)(PHOTO, texts)["title"].text == ""
    finally:
        network.decoder.bias.data.zero_()


def test_texts_take_the_likeliest_token_each_time(network: AttributeNetwork) -> None:
    """As the decoder does without a cache, for two texts that are generated in one batch."""
    pixels, extent = letterbox(PHOTO, NANO.image_size)
    texts = [SCHEMA["title"], SCHEMA["description"]]
    batch = collate_attributes(LABELS, pixels[None], [extent], [AttributeExample(0, True, [], texts)])
    with torch.inference_mode():
        memory = network.encode(batch)
        generated = GreedyGenerator(network.decoder, LABELS, "cpu", 1)(memory, [5, 9])
        for question, (limit, (text, probability)) in enumerate(zip([5, 9], generated, strict=True)):
            selected, tokens = memory.select(torch.tensor([question])), [LABELS.bos_id]
            log_probabilities: list[float] = []
            while len(log_probabilities) <= limit:
                logits = network.decode(torch.tensor([tokens]), selected, network.decoder.init_cache(selected))[0, -1]
                allowed = [LABELS.eos_id, *LABELS.subwords]
                likeliest, index = logits[allowed].log_softmax(dim=0).max(dim=0)
                log_probabilities.append(float(likeliest))
                tokens.append(allowed[index])
                if tokens[-1] == LABELS.eos_id:
                    break
            assert text == LABELS.decode(tokens[1 : limit + 1]).strip()
            assert probability == pytest.approx(np.exp(np.mean(log_probabilities)), rel=1e-3)


def test_a_path_stops_where_it_is_no_longer_probable(network: AttributeNetwork, predictor: AttributePredictor) -> None:
    category = SCHEMA["category"]
    tokens = LABELS.labels(category)
    leaves = [i for i, path in enumerate(category.paths) if path[:2] == ("Apparel", "Topwear")]
    row = LABELS.entities.index(category)
    before = network.member_weights[row].clone()
    try:
        network.member_weights[row] = 0.01  # the picture hardly counts
        network.decoder.bias.data[[tokens[i] for i in leaves]] = 3000.0
        answer = predictor(PHOTO, [category])["category"]
        # All of these leaves are about as likely, so their parent is probable and none of them is.
        assert (
            answer.levels == ("Apparel", "Topwear")
            and answer.probability > 0.9
            and answer.leaf[1] < MIN_LEVEL_PROBABILITY
        )
        network.decoder.bias.data[tokens[leaves[0]]] = 6000.0
        assert predictor(PHOTO, [category])["category"].levels == category.paths[leaves[0]]
    finally:
        network.decoder.bias.data.zero_()
        network.member_weights[row] = before


def test_frequent_labels_win_by_their_prior(network: AttributeNetwork, predictor: AttributePredictor) -> None:
    gender = SCHEMA["gender"]
    try:
        network.log_prior[LABELS.labels(gender)[2]] = 50.0
        assert predictor(PHOTO, [gender])["gender"].text == gender.labels[2]
    finally:
        network.log_prior.zero_()


def test_members_count_by_their_weights(network: AttributeNetwork, predictor: AttributePredictor) -> None:
    gender = SCHEMA["gender"]
    row = LABELS.entities.index(gender)
    before = network.member_weights[row].clone()
    dark = np.zeros_like(PHOTO)

    def probability(photo: np.ndarray, title: str) -> float:
        return predictor(photo, [gender], title=title)["gender"].probability

    try:
        network.member_weights[row] = torch.tensor([0.0, 1.0, 0.0, 0.0])  # text alone
        assert probability(PHOTO, "red shoe") == pytest.approx(probability(dark, "red shoe"), rel=1e-5)
        assert probability(PHOTO, "red shoe") != pytest.approx(probability(PHOTO, "blue shirt"), rel=1e-5)
        assert probability(PHOTO, " ") == pytest.approx(1 / len(gender.labels), rel=1e-5)  # no text
        network.member_weights[row] = torch.tensor([0.0, 0.0, 1.0, 0.0])  # both together
        assert probability(PHOTO, "red shoe") != pytest.approx(probability(dark, "red shoe"), rel=1e-5)
        assert probability(PHOTO, "red shoe") != pytest.approx(probability(PHOTO, "blue shirt"), rel=1e-5)
    finally:
        network.member_weights[row] = before


def test_the_bag_of_words_answers_by_itself(network: AttributeNetwork, predictor: AttributePredictor) -> None:
    gender, bag_of_words = SCHEMA["gender"], network.bag_of_words
    row, label = LABELS.entities.index(gender), 3
    before = network.member_weights[row].clone()
    (red,) = hash_words("", "red")
    try:
        bag_of_words.idf[red] = 2.0
        bag_of_words.index[0] = int(red) * LABELS.vocab_size + LABELS.labels(gender)[label]
        bag_of_words.weight[0] = 9.0
        network.member_weights[row] = torch.tensor([0.0, 0.0, 0.0, 1.0])
        answer = predictor(PHOTO, [gender], title="Shoe", description="in Red.")["gender"]
        others = len(gender.labels) - 1
        assert answer.text == gender.labels[label]
        assert answer.probability == pytest.approx(1 / (1 + others * np.exp(-9)), rel=1e-5)
        assert predictor(PHOTO, [gender], title="Shoe")["gender"].probability == pytest.approx(1 / (1 + others))
    finally:
        network.member_weights[row] = before
        for tensor in bag_of_words.state_dict().values():
            tensor.zero_()


def test_a_path_whose_root_is_likelier_wins(network: AttributeNetwork, predictor: AttributePredictor) -> None:
    category = SCHEMA["category"]
    tokens, paths = LABELS.labels(category), category.paths
    apparel = [i for i, path in enumerate(paths) if path[0] == "Apparel"]
    footwear = next(i for i, path in enumerate(paths) if path[0] == "Footwear")
    row = LABELS.entities.index(category)
    before = network.member_weights[row].clone()
    try:
        network.member_weights[row] = 0.0
        network.log_prior[tokens.start : tokens.stop] = -50.0
        network.log_prior[[tokens[i] for i in apparel]] = 0.0
        network.log_prior[tokens[footwear]] = 1.0
        answer = predictor(PHOTO, [category], top_k=3)["category"]
        assert answer.levels[0] == "Apparel" and answer.alternatives[0][0].endswith(answer.leaf[0])
        assert answer.alternatives[1][0] == SEPARATOR.join(paths[footwear])
    finally:
        network.member_weights[row] = before
        network.log_prior.zero_()


def test_a_text_is_generated_without_itself(predictor: AttributePredictor) -> None:
    title, season = SCHEMA["title"], SCHEMA["season"]
    alone = predictor(PHOTO, [title, season])
    given = predictor(PHOTO, [title, season], title="Red Shoe")
    assert alone["title"].text == given["title"].text
    assert alone["title"].probability == pytest.approx(given["title"].probability, rel=1e-4)
    assert alone["season"].probability != given["season"].probability
    described = predictor(PHOTO, [title], description="Red Shoe")["title"].probability
    assert described != pytest.approx(alone["title"].probability, rel=1e-4)


def test_steps_of_a_text_equal_one_pass(network: AttributeNetwork) -> None:
    pixels, extent = letterbox(PHOTO, NANO.image_size)
    batch = collate_attributes(LABELS, pixels[None], [extent], [AttributeExample(0, True, [], [SCHEMA["title"]])])
    tokens = torch.tensor([[LABELS.bos_id, 9, 10, 11]])
    with torch.inference_mode():
        memory = network.encode(batch)
        at_once = network.decode(tokens, memory, network.decoder.init_cache(memory))
        cache = network.decoder.init_cache(memory)
        steps = [network.decode(tokens[:, i : i + 1], memory, cache) for i in range(4)]
    torch.testing.assert_close(torch.cat(steps, dim=1), at_once, atol=1e-4, rtol=1e-4)
