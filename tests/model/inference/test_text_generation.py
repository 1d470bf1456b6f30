"""Greedy generation of texts: by given logits, and by a network with random weights."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch

from resformer.model.images.resize import letterbox
from resformer.model.inference.inputs import Word
from resformer.model.inference.photo_encoder import EncodedPhoto, PhotoEncoder
from resformer.model.inference.text_generation import GeneratedText, TextTask, TextWriter
from resformer.model.networks.batch import PRINTED
from resformer.model.networks.resformer import Resformer
from resformer.model.ocr.page import BOX_SIZE, Page
from tests.model.conftest import NANO, PAGE, PHOTO, PREPROCESSOR, SCHEMA, TOKENIZER

TEXTS = (SCHEMA["title"], SCHEMA["description"])
FIRST_WORD = 4  # among the tokens of the photo
EMPTY, EOS = TOKENIZER.empty(SCHEMA["title"]), TOKENIZER.eos_id
(DRESS,) = TOKENIZER.encode(" dress")
UNLIKELY = -30.0

Logits = dict[int, float]
Write = Callable[..., GeneratedText]


def words_of(*texts: str) -> list[Word]:
    return [Word(text, PRINTED, i, None, [0.0] * BOX_SIZE) for i, text in enumerate(texts)]


def repeats(steps: list[int]) -> bool:
    """Whether the last step follows itself, or the last three occurred before."""
    triples = [steps[i : i + 3] for i in range(len(steps) - 2)]
    return steps[-2:-1] == steps[-1:] or steps[-3:] in triples[:-1]


def copy_of(word: int) -> int:
    """The step that copies a word."""
    return TOKENIZER.vocab_size + FIRST_WORD + word


@pytest.fixture(scope="module")
def writer(network: Resformer) -> TextWriter:
    return TextWriter(network, TOKENIZER, "cpu", 1, batch_size=8)


@pytest.fixture
def write(writer: TextWriter, monkeypatch: pytest.MonkeyPatch) -> Write:
    """Writes a title by given logits of each step, the last of them repeated."""

    def call(words: Sequence[str], *steps: Logits, empty_above: float = 0.5) -> GeneratedText:
        length = FIRST_WORD + len(words) + 1
        states = np.zeros((1, length, NANO.width), dtype=np.float32)
        zeros = np.zeros((1, length))
        cross = np.zeros((1, 2, 1, 1, length, 1))
        is_token = np.ones((1, length), dtype=bool)
        photo = EncodedPhoto(zeros, zeros[0], states, is_token, zeros, cross, FIRST_WORD, length - 1, length, zeros)

        def step(_token: Any, _question: Any, position: np.ndarray, *others: Any) -> list[np.ndarray]:
            logits = np.full((1, TOKENIZER.vocab_size + length), UNLIKELY, dtype=np.float32)
            for output, logit in steps[min(int(position[0]), len(steps) - 1)].items():
                logits[0, output] = logit
            return [logits, others[-1]]

        monkeypatch.setattr(writer._step, "on_device", step)
        return writer([TextTask(photo, 0, SCHEMA["title"], words_of(*words), empty_above)])[0]

    return call


def test_words_are_copied_as_they_are_printed(write: Write) -> None:
    text = write(["NET", "McVitie's", "500g"], {copy_of(1): 9}, {copy_of(2): 9}, {EOS: 9})
    assert (text.text, text.copied) == ("McVitie's 500g", (1, 2))
    assert text.probability == pytest.approx(1, abs=1e-3) and text.p_empty == pytest.approx(0, abs=1e-3)


def test_copied_words_and_subwords_mix(write: Write) -> None:
    run, ner = TOKENIZER.encode(" run")[0], TOKENIZER.encode("ner")[0]
    steps = [{DRESS: 9}, {copy_of(0): 9}, {run: 9}, {ner: 9}, {EOS: 9}]
    assert write(["Nike"], *steps).text == f"dress Nike {TOKENIZER.decode([run, ner]).strip()}"


def test_a_word_is_copied_once_wherever_it_stands(write: Write) -> None:
    again = {copy_of(0): 9, copy_of(2): 8, copy_of(1): 7}
    text = write(["Oats", "Rolled", "OATS"], again, again, again | {EOS: 5})
    assert (text.text, text.copied) == ("Oats Rolled", (0, 1))


def test_occurrences_of_a_word_add_up(write: Write) -> None:
    """Twice "Oats" wins over one "Rolled" that is likelier than either."""
    first = {copy_of(0): 1.0, copy_of(1): 1.5, copy_of(2): 1.2}
    text = write(["oats", "Rolled", "Oats"], first, {EOS: 9})
    assert (text.text, text.copied) == ("Oats", (2,))
    odds = np.exp([1.0, 1.5, 1.2])
    assert text.probability == pytest.approx(np.sqrt((odds[0] + odds[2]) / odds.sum()), abs=1e-3)


def test_the_empty_answer_wins_where_it_is_likeliest_and_allowed(write: Write) -> None:
    first = {EMPTY: 2.0, copy_of(0): 1.0}
    p_empty = 1 / (1 + np.exp(-1.0))
    empty = write(["Oats"], first, {EOS: 9})
    assert (empty.text, empty.copied) == ("", ())
    assert empty.probability == empty.p_empty == pytest.approx(p_empty, abs=1e-3)
    guess = write(["Oats"], first, {EOS: 9}, empty_above=1.0)
    assert guess.text == "Oats" and guess.p_empty == pytest.approx(p_empty, abs=1e-3)
    assert guess.probability == pytest.approx(1 - p_empty, abs=1e-3)


def test_the_empty_answer_is_a_first_step_alone(write: Write) -> None:
    text = write(["Oats"], {copy_of(0): 9}, {EMPTY: 9, EOS: 5})
    assert text.text == "Oats"


def test_nothing_but_the_words_of_the_source_and_subwords_is_written(write: Write) -> None:
    """Neither patches, prompts nor labels."""
    label, patch, prompt = TOKENIZER.answers(SCHEMA["gender"])[2], copy_of(-1), copy_of(1)
    text = write(["Oats"], {label: 9, patch: 9, prompt: 9, copy_of(0): 1}, {label: 9, EOS: 1})
    assert text.text == "Oats"


def test_a_text_has_a_step(write: Write) -> None:
    assert write(["Oats"], {EOS: 9, copy_of(0): 1}, {EOS: 9}).text == "Oats"


def test_spellings_of_a_word_are_one_word(write: Write) -> None:
    again = {copy_of(0): 9, copy_of(1): 8, copy_of(2): 7}
    text = write(["Oats,", "OATS®", "-"], again, again, again | {EOS: 5})
    assert (text.text, text.copied) == ("Oats, -", (0, 2))


def test_a_text_ends_at_its_limit(write: Write) -> None:
    words = [f"w{i}" for i in range(SCHEMA["title"].max_subwords + 1)]
    assert write(words, {copy_of(i): 9 for i in range(len(words))}).copied == tuple(range(len(words) - 1))


def test_a_text_does_not_repeat_itself(write: Write) -> None:
    """No step follows itself, and no three steps occur twice."""
    red, blue = (TOKENIZER.encode(f" {word}")[0] for word in ("red", "blue"))
    assert write([], *[{DRESS: 9, red: 8, blue: 7}] * 6, {EOS: 9}).text == "dress red dress red blue dress"


def test_the_network_takes_the_likeliest_step_each_time(network: Resformer, writer: TextWriter) -> None:
    """As the decoder does without a cache."""
    title = SCHEMA["title"]
    sample = PREPROCESSOR.sample(PAGE, [SCHEMA["item_weight"], title])
    pixels, extent = letterbox(PHOTO, NANO.image_size)
    batch = PREPROCESSOR.batch([sample], pixels[None], [extent])
    (photo,) = PhotoEncoder(network, batch, NANO.image_size, "cpu", 1)(batch)
    (written,) = writer([TextTask(photo, 1, title, sample.words, 1.0)])
    with torch.inference_mode():
        memory = network.encode(batch, network.image(batch.pixels))
        first_word = network.vocab_size + memory.words.start
        grammar = torch.full((network.vocab_size + memory.states.shape[1],), -torch.inf)
        grammar[[*TOKENIZER.subwords, *range(first_word, first_word + len(sample.words))]] = 0
        steps = [TOKENIZER.bos_id]
        log_probabilities: list[float] = []
        while steps[-1] != EOS and len(log_probabilities) <= title.max_subwords:
            cache = network.decoder.init_cache(memory)
            found = network.write(torch.tensor([steps]), torch.tensor([1]), memory, cache)[0, -1]
            logits = found + grammar
            if len(steps) == 1:
                p_empty = float(torch.sigmoid(found[EMPTY] - logits.logsumexp(dim=0)))
                grammar[EOS] = 0
            ranked = logits.argsort(descending=True, stable=True).tolist()
            step = EOS if len(steps) > title.max_subwords else next(s for s in ranked if not repeats([*steps[1:], s]))
            log_probabilities.append(float(logits.log_softmax(dim=0)[step]))
            steps.append(step)
            if step >= first_word:
                grammar[step] = -torch.inf
    copied = [step - first_word for step in steps[1 : title.max_subwords + 1] if step >= first_word]
    assert written.copied == tuple(copied)
    probability = (1 - p_empty) * np.exp(np.mean(log_probabilities))
    assert written.probability == pytest.approx(probability, rel=1e-3)


def test_texts_are_written_together_as_alone(network: Resformer, writer: TextWriter) -> None:
    """Of photos with many, few and no words; some are empty at once."""
    pages = [PAGE, Page([], 300, 400), replace(PAGE, lines=PAGE.lines[1:])]
    samples = [
        PREPROCESSOR.sample(page, [SCHEMA["item_weight"], *TEXTS], title="Oats " * i) for i, page in enumerate(pages)
    ]
    pixels, extent = letterbox(PHOTO, NANO.image_size)
    batches = [PREPROCESSOR.batch([sample], pixels[None], [extent]) for sample in samples]
    encode = PhotoEncoder(network, batches[0], NANO.image_size, "cpu", 1)
    tasks = [
        TextTask(photo, q, entity, sample.words, empty_above)
        for sample, batch in zip(samples, batches, strict=True)
        for photo in encode(batch)
        for q, entity in enumerate(sample.entities)
        if entity in TEXTS
        for empty_above in (0.0, 1.0)
    ]
    alone = [text for task in tasks for text in writer([task])]
    assert {text.text == "" for text in alone} == {True, False}
    for order in (range(len(tasks)), reversed(range(len(tasks)))):
        indices = list(order)
        for i, text in zip(indices, writer([tasks[i] for i in indices]), strict=True):
            assert (text.text, text.copied) == (alone[i].text, alone[i].copied)
            assert text.probability == pytest.approx(alone[i].probability, rel=1e-3)
