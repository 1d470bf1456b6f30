"""Tokens of labels, text and prompts."""

from tests.model.attribute_setup import LABELS, SCHEMA


def test_tokens_do_not_overlap() -> None:
    ranges = [LABELS.labels(entity) for entity in SCHEMA.attributes]
    tokens = [LABELS.pad_id, LABELS.bos_id, LABELS.eos_id, *LABELS.subwords]
    tokens += [LABELS.prompt(entity) for entity in SCHEMA.attributes] + [t for r in ranges for t in r]
    assert sorted(tokens) == list(range(LABELS.vocab_size))
    assert LABELS.decode(LABELS.encode("Nike Men's Red Tee, 2 x")) == "Nike Men's Red Tee, 2 x"
