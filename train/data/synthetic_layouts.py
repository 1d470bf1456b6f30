"""Synthetic layouts: text lines of made-up product labels with exact answers, without photos."""

from decimal import Decimal

import numpy as np

from resformer.model.ocr.text_line import TextLine
from resformer.model.quantities.quantity import Quantity
from resformer.model.schema.schema import Entity, Schema
from resformer.train.data.quantity_records import Question, Record

__all__ = ["PHRASES", "generate", "label_texts"]

# How labels introduce and spell the values of each entity.
PHRASES = {
    "width": ("Width {}", "W: {}", "{} wide"),
    "depth": ("Depth {}", "Length {}", "D: {}"),
    "height": ("Height {}", "H: {}", "{} tall"),
    "item_weight": ("Net Wt {}", "NET WEIGHT {}", "Weight: {}", "{} e"),
    "maximum_weight_recommendation": ("Max load {}", "Supports up to {}", "Capacity: {}"),
    "voltage": ("Input: {}", "Voltage {}", "AC {}"),
    "wattage": ("Power {}", "Rated power: {}", "{} LED"),
    "item_volume": ("Volume {}", "Net contents {}", "{} bottle"),
}
UNIT_SPELLINGS = {
    "centimetre": ("cm", " cm"),
    "inch": ('"', " in", " inches"),
    "millimetre": ("mm", " mm"),
    "gram": ("g", " g", " gms"),
    "kilogram": ("kg", " KG"),
    "ounce": ("oz", " OZ"),
    "pound": ("lb", " lbs"),
    "volt": ("V", " Volts"),
    "watt": ("W", " Watts"),
    "millilitre": ("ml", " mL"),
    "litre": ("L", " ltr"),
}
SLOGANS = (
    "Brand new",
    "Best quality",
    "100% natural",
    "Model X-200",
    "Since 1987",
    "Made for you",
    "Pack of 2",
)
# Quantities that answer no question.
DISTRACTORS = ("Serving size 30 g", "Cable 2 m", "Protein 12 g", "USB 5V", "Pocket 10 cm")


def generate(count: int, seed: int, schema: Schema) -> list[Record]:
    """Layouts with one question per entity of PHRASES; about half of the questions have no answer.

    The same seed gives the same layouts.
    """
    rng = np.random.default_rng(seed)
    entities = [e for e in schema.entities if e.name in PHRASES]
    return [_layout(f"synthetic-{seed}-{i}", entities, rng) for i in range(count)]


def label_texts(entities: list[Entity], rng: np.random.Generator) -> tuple[list[str], list[Question]]:
    """Texts of a product label that shows about half of the entities' values, and a question for every entity."""
    shown = [e for e in entities if rng.random() < 0.5]
    texts, questions = [], []
    for entity in entities:
        if entity not in shown:
            questions.append(Question(entity, ()))
            continue
        quantity = _quantity(entity, rng)
        number = str(quantity)[: -len(quantity.unit) - 1]
        phrase = str(rng.choice(PHRASES[entity.name]))
        texts.append(phrase.format(number + str(rng.choice(UNIT_SPELLINGS[quantity.unit]))))
        questions.append(Question(entity, (quantity,)))
    texts += [str(t) for t in rng.choice(SLOGANS, size=rng.integers(1, 4), replace=False)]
    if rng.random() < 0.5:
        texts.append(str(rng.choice(DISTRACTORS)))
    rng.shuffle(texts)
    return texts, questions


def _layout(name: str, entities: list[Entity], rng: np.random.Generator) -> Record:
    width, height = (int(v) for v in rng.integers(400, 1200, size=2))
    texts, questions = label_texts(entities, rng)
    return Record(name, None, width, height, tuple(_rows(texts, width, height, rng)), tuple(questions))


def _quantity(entity: Entity, rng: np.random.Generator) -> Quantity:
    unit = str(rng.choice([u for u in entity.units if u in UNIT_SPELLINGS]))
    value = Decimal(int(rng.integers(1, 1000)))
    if rng.random() < 0.3:
        value = value / 10
    return Quantity((value,), unit)


def _rows(texts: list[str], width: int, height: int, rng: np.random.Generator) -> list[TextLine]:
    """One text below the other, each of its own size, within the photo."""
    lines = []
    pitch = height / (len(texts) + 1)
    for i, text in enumerate(texts):
        text_height = pitch * float(rng.uniform(0.3, 0.8))
        length = min(0.5 * text_height * len(text), 0.9 * width)
        x = float(rng.uniform(0, width - length))
        y = pitch * (i + 0.5)
        corners = ((x, y), (x + length, y), (x + length, y + text_height), (x, y + text_height))
        lines.append(TextLine(corners, text, float(rng.uniform(0.8, 1.0))))
    return lines
