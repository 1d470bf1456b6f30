"""Texts as products have them."""

import numpy as np

from resformer.model.ocr.charset import fold_to_charset
from resformer.model.quantities.parser import find_quantities
from resformer.model.schema.schema import Schema
from resformer.train.ocr.synthetic.text_generator import PRINTED_UNITS, TextGenerator

TEXTS = TextGenerator(Schema.load())


def test_every_spelling_is_parsed() -> None:
    rng = np.random.default_rng(0)
    for entity in TEXTS.entities:
        for _ in range(60):
            quantity = TEXTS.quantity(entity, rng)
            text = TEXTS.spell(quantity, rng)
            if "," in text:
                continue  # a comma stands for a point or for thousands
            parsed = {str(match.quantity) for match in find_quantities(text, entity.units)}
            assert str(quantity) in parsed, (entity.name, text)


def test_printed_units_are_those_of_the_schema() -> None:
    assert set(PRINTED_UNITS) <= {unit for entity in TEXTS.entities for unit in entity.units}


def test_lines_vary_and_lie_in_the_charset() -> None:
    rng = np.random.default_rng(0)
    lines = [TEXTS.line(rng) for _ in range(400)]
    assert len(set(lines)) > 300
    assert sum(fold_to_charset(line) is not None for line in lines) > 0.9 * len(lines)
    assert 0.4 < sum(any(c.isdigit() for c in line) for line in lines) / len(lines) < 0.9


def test_lines_depend_on_the_seed_alone() -> None:
    def lines(seed: int) -> list[str]:
        rng = np.random.default_rng(seed)
        return [TEXTS.line(rng) for _ in range(5)]

    assert lines(5) == lines(5) != lines(6)
