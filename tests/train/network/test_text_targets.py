"""Texts as words that are copied and subwords that are spelled."""

from collections.abc import Collection

from resformer.model.inference.inputs import Preprocessor
from resformer.model.ocr.page import Page
from resformer.train.network.text_targets import TextTarget, generic_words, text_target
from tests.train.network.conftest import text_line


def target(
    preprocessor: Preprocessor, text: str, lines: Collection[str], generic: Collection[str] | None = None
) -> TextTarget:
    title = preprocessor.schema["title"]
    sample = preprocessor.sample(Page([text_line(line) for line in lines], 100, 100), [title])
    return text_target(preprocessor.tokenizer, text, title, sample.words, generic)


def test_words_of_the_source_are_copied_from_any_of_their_places(preprocessor: Preprocessor) -> None:
    tokenizer = preprocessor.tokenizer
    found = target(preprocessor, "Acme tea", ["ACME, green", "acme"])
    spelled = tokenizer.encode(" tea")
    assert found.right == [[-1, -3], *([token] for token in spelled), [tokenizer.eos_id]]
    assert found.steps == [tokenizer.bos_id, -1, *spelled]


def test_names_that_the_source_lacks_are_left_out(preprocessor: Preprocessor) -> None:
    tokenizer, title = preprocessor.tokenizer, preprocessor.schema["title"]
    found = target(preprocessor, "Acme green tea", ["Tea"], generic={"green"})
    assert found.right == [*([token] for token in tokenizer.encode(" green")), [-1], [tokenizer.eos_id]]
    empty = TextTarget([tokenizer.bos_id], [[tokenizer.empty(title)]])
    assert target(preprocessor, "Acme", ["Tea"], generic=()) == target(preprocessor, " ", ["Tea"]) == empty


def test_long_texts_end_early(preprocessor: Preprocessor) -> None:
    found = target(preprocessor, "a b c d e f g h i j k l", [])
    limit = preprocessor.schema["title"].max_subwords
    assert len(found.steps) == len(found.right) == limit + 1
    assert found.right[-1] == [preprocessor.tokenizer.eos_id]


def test_generic_words_are_no_names() -> None:
    brands = ["Acme", "Globex", "Initech", "Umbrella", "Hooli"]
    texts = [f"{brand} {brand}ware Shirt with stripes 12" for brand in brands]
    assert generic_words(texts) == {"shirt", "with", "stripes"}
