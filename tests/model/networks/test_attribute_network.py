"""The catalogue part with random weights: what its answers look like and what they may depend on."""

import numpy as np
import pytest
import torch

from resformer.model.images.resize import letterbox
from resformer.model.inference.attribute_inputs import MOST_WORDS, Product, product_inputs, product_words
from resformer.model.inference.attribute_predictor import SURE, Telling
from resformer.model.inference.generation import Writer
from resformer.model.inference.label_tokenizer import LabelVocabulary
from resformer.model.inference.tokenizer import Vocabulary
from resformer.model.networks.attribute_network import Catalogue, ProductInputs
from resformer.model.networks.bag_of_words import word_buckets
from resformer.model.networks.presets import PRESETS, preset
from resformer.model.schema.schema import Schema
from resformer.model.schema.taxonomy import SEPARATOR

SCHEMA = Schema.load()
LABELS = LabelVocabulary(SCHEMA, Vocabulary(SCHEMA))
SHAPE = preset("nano")
RNG = np.random.default_rng(0)
PHOTO = RNG.integers(0, 255, (120, 90, 3), dtype=np.uint8)
CHOICES = [e for e in SCHEMA.catalogue if e.kind != "text"]


@pytest.fixture(scope="module")
def part() -> Catalogue:
    torch.manual_seed(0)
    return Catalogue(SHAPE, LABELS).eval()


@pytest.fixture(scope="module")
def telling(part: Catalogue) -> Telling:
    return Telling(part, LABELS, SHAPE.image_size, "cpu", 1)


def first_logits(part: Catalogue, inputs: ProductInputs) -> torch.Tensor:
    """(Q, vocabulary) of all questions."""
    with torch.inference_mode():
        memory = part.encode(inputs)
        begin = torch.full((len(inputs.prompt), 1), LABELS.bos)
        return part.say(begin, memory, part.decoder.start(memory))[:, 0]


def test_tokens_do_not_overlap() -> None:
    ranges = [LABELS.labels(entity) for entity in SCHEMA.catalogue]
    tokens = [LABELS.pad, LABELS.bos, LABELS.eos, *LABELS.subwords]
    tokens += [LABELS.prompt(entity) for entity in SCHEMA.catalogue] + [t for r in ranges for t in r]
    assert sorted(tokens) == list(range(LABELS.size))
    assert LABELS.decode_text(LABELS.encode_text("Nike Men's Red Tee, 2 x")) == "Nike Men's Red Tee, 2 x"


@pytest.mark.parametrize("name", PRESETS)
def test_every_preset_has_such_a_part(name: str) -> None:
    shape = PRESETS[name]
    with torch.device("meta"):
        patches = Catalogue(shape, LABELS).look(torch.zeros(1, 3, shape.image_size, shape.image_size))
    assert patches.shape == (1, (shape.image_size // shape.stride) ** 2, shape.catalogue_width)


def test_letterbox_fills_from_the_top_left() -> None:
    square, visible = letterbox(np.full((100, 200, 3), 250, dtype=np.uint8), 64)
    assert square.shape == (3, 64, 64)
    assert visible == (1.0, 0.5)
    assert (square[:, :32] == 250).all()
    assert (square[:, 32:] == 127).all()


def test_words_are_lower_case_bounded_and_know_their_field() -> None:
    words = product_words(LABELS, "Red Shoe", "a " * 500)
    assert [(field, place) for _, field, place in words[:3]] == [(0, 0), (0, 1), (1, 0)]
    assert len(words) == 2 + MOST_WORDS["description"]
    assert LABELS.decode_text(words[0][0]) == "red"


def test_an_answer_does_not_depend_on_what_else_is_asked_or_batched(part: Catalogue) -> None:
    pixels, visible = letterbox(PHOTO, SHAPE.image_size)
    other, seen = letterbox(PHOTO[:50], SHAPE.image_size)
    title = product_words(LABELS, "Red Shoe", "")
    long = product_words(LABELS, "", "many more words " * 20)
    alone = product_inputs(LABELS, pixels[None], [visible], [Product(0, True, title, CHOICES[:1])])
    among = product_inputs(
        LABELS,
        np.stack([other, pixels]),
        [seen, visible],
        [Product(0, True, long, CHOICES), Product(1, True, title, CHOICES)],
    )
    one, many = first_logits(part, alone)[0], first_logits(part, among)[len(CHOICES)]
    torch.testing.assert_close(one, many, atol=1e-4, rtol=1e-4)


def test_a_hidden_picture_tells_nothing(part: Catalogue) -> None:
    answers = []
    for photo in (PHOTO, 255 - PHOTO):
        pixels, visible = letterbox(photo, SHAPE.image_size)
        words = product_words(LABELS, "Red Shoe", "")
        inputs = product_inputs(LABELS, pixels[None], [visible], [Product(0, False, words, CHOICES)])
        answers.append(first_logits(part, inputs))
    torch.testing.assert_close(*answers)


def test_answers_are_of_the_schema(telling: Telling) -> None:
    told = telling(PHOTO, SCHEMA.catalogue, top=3)
    assert set(told) == {entity.name for entity in SCHEMA.catalogue}
    for entity in SCHEMA.catalogue:
        answer = told[entity.name]
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


def test_a_text_ends_at_its_limit(part: Catalogue) -> None:
    (dress,) = LABELS.encode_text(" dress")
    texts = [SCHEMA["title"], SCHEMA["description"]]
    try:
        part.decoder.bias.data[dress] = 50.0
        told = Telling(part, LABELS, SHAPE.image_size, "cpu", 1)(PHOTO, texts)
        for entity in texts:
            assert told[entity.name].text.split() == ["dress"] * entity.max_subwords
        part.decoder.bias.data[LABELS.eos] = 100.0
        assert Telling(part, LABELS, SHAPE.image_size, "cpu", 1)(PHOTO, texts)["title"].text == ""
    finally:
        part.decoder.bias.data.zero_()


def test_texts_take_the_likeliest_token_each_time(part: Catalogue) -> None:
    """As the decoder itself would, without a cache, on texts of one batch that are told together."""
    pixels, visible = letterbox(PHOTO, SHAPE.image_size)
    texts = [SCHEMA["title"], SCHEMA["description"]]
    inputs = product_inputs(LABELS, pixels[None], [visible], [Product(0, True, [], texts)])
    with torch.inference_mode():
        memory = part.encode(inputs)
        written = Writer(part.decoder, LABELS, "cpu", 1)(memory, [5, 9])
        for question, (most, (text, chance)) in enumerate(zip([5, 9], written, strict=True)):
            asked, tokens, logp = memory.some(torch.tensor([question])), [LABELS.bos], []
            while len(logp) <= most:
                row = part.say(torch.tensor([tokens]), asked, part.decoder.start(asked))[0, -1]
                sayable = [LABELS.eos, *LABELS.subwords]
                likeliest, place = row[sayable].log_softmax(dim=0).max(dim=0)
                logp.append(float(likeliest))
                tokens.append(sayable[place])
                if tokens[-1] == LABELS.eos:
                    break
            assert text == LABELS.decode_text(tokens[1 : most + 1]).strip()
            assert chance == pytest.approx(np.exp(np.mean(logp)), rel=1e-3)


def test_a_path_stops_where_it_is_no_longer_sure(part: Catalogue, telling: Telling) -> None:
    category = SCHEMA["category"]
    tokens = LABELS.labels(category)
    leaves = [i for i, path in enumerate(category.paths) if path[:2] == ("Apparel", "Topwear")]
    hot = LABELS.entities.index(category)
    before = part.trust[hot].clone()
    try:
        part.trust[hot] = 0.01  # what the picture says hardly counts
        part.decoder.bias.data[[tokens[i] for i in leaves]] = 3000.0
        answer = telling(PHOTO, [category])["category"]
        # All of these are about as likely, so the parent is sure and none of them is.
        assert answer.levels == ("Apparel", "Topwear") and answer.probability > 0.9 and answer.leaf[1] < SURE
        part.decoder.bias.data[tokens[leaves[0]]] = 6000.0
        assert telling(PHOTO, [category])["category"].levels == category.paths[leaves[0]]
    finally:
        part.decoder.bias.data.zero_()
        part.trust[hot] = before


def test_frequent_labels_win_where_the_picture_says_nothing(part: Catalogue, telling: Telling) -> None:
    gender = SCHEMA["gender"]
    try:
        part.log_prior[LABELS.labels(gender)[2]] = 50.0
        assert telling(PHOTO, [gender])["gender"].text == gender.labels[2]
    finally:
        part.log_prior.zero_()


def test_words_and_picture_count_as_far_as_they_are_trusted(part: Catalogue, telling: Telling) -> None:
    gender = SCHEMA["gender"]
    e = LABELS.entities.index(gender)
    before = part.trust[e].clone()
    dark = np.zeros_like(PHOTO)

    def chance(photo: np.ndarray, title: str) -> float:
        return telling(photo, [gender], title=title)["gender"].probability

    try:
        part.trust[e] = torch.tensor([0.0, 1.0, 0.0, 0.0])  # words alone
        assert chance(PHOTO, "red shoe") == pytest.approx(chance(dark, "red shoe"), rel=1e-5)
        assert chance(PHOTO, "red shoe") != pytest.approx(chance(PHOTO, "blue shirt"), rel=1e-5)
        assert chance(PHOTO, " ") == pytest.approx(1 / len(gender.labels), rel=1e-5)  # there are none
        part.trust[e] = torch.tensor([0.0, 0.0, 1.0, 0.0])  # both together
        assert chance(PHOTO, "red shoe") != pytest.approx(chance(dark, "red shoe"), rel=1e-5)
        assert chance(PHOTO, "red shoe") != pytest.approx(chance(PHOTO, "blue shirt"), rel=1e-5)
    finally:
        part.trust[e] = before


def test_words_vote_by_themselves(part: Catalogue, telling: Telling) -> None:
    gender, lexicon = SCHEMA["gender"], part.lexicon
    e, label = LABELS.entities.index(gender), 3
    before = part.trust[e].clone()
    (red,) = word_buckets("", "red")
    try:
        lexicon.rarity[red] = 2.0
        lexicon.place[0], lexicon.vote[0] = int(red) * LABELS.size + LABELS.labels(gender)[label], 9.0
        part.trust[e] = torch.tensor([0.0, 0.0, 0.0, 1.0])
        told = telling(PHOTO, [gender], title="Shoe", description="in Red.")["gender"]
        others = len(gender.labels) - 1
        assert told.text == gender.labels[label]
        assert told.probability == pytest.approx(1 / (1 + others * np.exp(-9)), rel=1e-5)
        assert telling(PHOTO, [gender], title="Shoe")["gender"].probability == pytest.approx(1 / (1 + others))
    finally:
        part.trust[e] = before
        for tensor in lexicon.state_dict().values():
            tensor.zero_()


def test_a_path_whose_root_is_likelier_wins(part: Catalogue, telling: Telling) -> None:
    category = SCHEMA["category"]
    tokens, paths = LABELS.labels(category), category.paths
    many = [i for i, path in enumerate(paths) if path[0] == "Apparel"]
    lone = next(i for i, path in enumerate(paths) if path[0] == "Footwear")
    e = LABELS.entities.index(category)
    before = part.trust[e].clone()
    try:
        part.trust[e] = 0.0
        part.log_prior[tokens.start : tokens.stop] = -50.0
        part.log_prior[[tokens[i] for i in many]] = 0.0
        part.log_prior[tokens[lone]] = 1.0
        told = telling(PHOTO, [category], top=3)["category"]
        assert told.levels[0] == "Apparel" and told.alternatives[0][0].endswith(told.leaf[0])
        assert told.alternatives[1][0] == SEPARATOR.join(paths[lone])
    finally:
        part.trust[e] = before
        part.log_prior.zero_()


def test_a_text_is_told_without_itself(telling: Telling) -> None:
    title, season = SCHEMA["title"], SCHEMA["season"]
    alone = telling(PHOTO, [title, season])
    given = telling(PHOTO, [title, season], title="Red Shoe")
    assert alone["title"].text == given["title"].text
    assert alone["title"].probability == pytest.approx(given["title"].probability, rel=1e-4)
    assert alone["season"].probability != given["season"].probability
    described = telling(PHOTO, [title], description="Red Shoe")["title"].probability
    assert described != pytest.approx(alone["title"].probability, rel=1e-4)


def test_steps_of_a_text_equal_one_pass(part: Catalogue) -> None:
    pixels, visible = letterbox(PHOTO, SHAPE.image_size)
    inputs = product_inputs(LABELS, pixels[None], [visible], [Product(0, True, [], [SCHEMA["title"]])])
    tokens = torch.tensor([[LABELS.bos, 9, 10, 11]])
    with torch.inference_mode():
        memory = part.encode(inputs)
        at_once = part.say(tokens, memory, part.decoder.start(memory))
        cache = part.decoder.start(memory)
        steps = [part.say(tokens[:, i : i + 1], memory, cache) for i in range(4)]
    torch.testing.assert_close(torch.cat(steps, dim=1), at_once, atol=1e-4, rtol=1e-4)
