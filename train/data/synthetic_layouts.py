"""Synthetic layouts: text lines of made-up product labels, or made-up titles, with exact answers, without photos.

They are in eight languages, titles in other scripts, too, and state amounts that are no answers: a network learns roles
from them.
"""

import unicodedata
from collections.abc import Sequence
from decimal import Decimal

import numpy as np

from resformer.model.ocr.charset import fold_to_charset
from resformer.model.ocr.text_line import TextLine
from resformer.model.quantities.quantity import Quantity
from resformer.model.quantities.units import UNITS
from resformer.model.schema.schema import Entity, Schema
from resformer.train.data.label_phrases import LANGUAGES, SCRIPTS, Language
from resformer.train.data.quantity_records import Question, Record

__all__ = ["PHRASES", "generate", "label_texts", "role_texts"]

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
    "litre": ("L", " ltr", " l"),
    "centilitre": ("cl", " cl"),
    "fluid ounce": (" fl oz", " FL. OZ."),
    "kilowatt": ("kW", " kW"),
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
PRODUCT_WORDS = (
    *("Basmati rice", "Olive oil", "Ladder", "Kettle", "LED bulb", "Heater", "Coffee beans", "Dog food", "Shampoo"),
    *("Wasserkocher", "Reis", "Regal", "Leiter", "Huile d'olive", "Riz", "Tabouret", "Lampe", "Aceite", "Arroz"),
    *("Escalera", "Riso", "Lampada", "Bollitore", "Azeite", "Rijst", "Lamp", "Czajnik", "Ryż", "Acme", "Premium"),
    *("Pro", "white", "organic", "steel", "bag", "bottle", "set", "extra virgin", "foldable", "ground", "fine"),
)
# Entities whose unit alone says what a value in a title is.
STANDS_ALONE = ("item_weight", "voltage", "wattage", "item_volume")
# Quantities that answer no question.
DISTRACTORS = ("Serving size 30 g", "Cable 2 m", "Protein 12 g", "USB 5V", "Pocket 10 cm")


def generate(count: int, seed: int, schema: Schema, *, titles: float = 0.0) -> list[Record]:
    """Whole rows: layouts with one question per entity of PHRASES, about half of which have no answer.

    The same seed gives the same layouts.

    Args:
        titles: the share of layouts that are a title without text lines.
    """
    rng = np.random.default_rng(seed)
    entities = [e for e in schema.entities if e.name in PHRASES]
    return [_layout(f"synthetic-{seed}-{i}", entities, rng, is_title=i < titles * count) for i in range(count)]


def role_texts(
    entities: list[Entity], rng: np.random.Generator, *, bare: float = 0.0
) -> tuple[list[str], list[Question]]:
    """Texts of a product label in one of LANGUAGES, and a question for every entity.

    Beside values it has amounts in other roles. Lengths are named by words, by letters, or by the legend of a chain. A
    tab separates the two cells of a row of a table.

    Args:
        bare: how often a value of STANDS_ALONE has no phrase that says what it is.
    """
    # English labels are the most frequent.
    language = LANGUAGES[0] if rng.random() < 0.3 else LANGUAGES[int(rng.integers(len(LANGUAGES)))]
    texts: list[str] = []
    answers: dict[str, Quantity] = {}
    if any(entity.is_length for entity in entities) and rng.random() < 0.4:
        answers = _lengths(language, texts, rng)
    for entity in entities:
        if entity.name in language.phrases and rng.random() < 0.35:
            if entity.name in ("item_weight", "item_volume") and rng.random() < 0.15:
                answers[entity.name] = _pack(entity, language, texts, rng)
            else:
                answers[entity.name] = quantity = _value(entity, rng)
                phrase = _pick(language.phrases[entity.name], rng)
                phrase = "{}" if entity.name in STANDS_ALONE and rng.random() < bare else phrase
                phrase = phrase.replace(" {}", "\t{}") if rng.random() < 0.2 else phrase
                texts.append(phrase.format(_spelled(quantity, language, rng)))
        if rng.random() < (0.4 if entity.name in answers else 0.05) and entity.name in language.distractors:
            other = _value(entity, rng)
            texts.append(_pick(language.distractors[entity.name], rng).format(_spelled(other, language, rng)))
    texts += [str(t) for t in rng.choice(SLOGANS, size=rng.integers(1, 3), replace=False)]
    if rng.random() < 0.5:  # as the built-in recognizer reads it
        texts = [fold_to_charset(text) or text for text in texts]
    rng.shuffle(texts)
    return texts, [Question(e, (answers[e.name],) if e.name in answers else ()) for e in entities]


# Of role_texts: the units of each entity with the range of its values, in which they are spread by their logarithms.
_RANGES: dict[str, tuple[tuple[str, float, float], ...]] = {
    "item_weight": (("gram", 20, 5000), ("kilogram", 0.2, 50), ("ounce", 1, 64), ("pound", 0.5, 60)),
    "maximum_weight_recommendation": (("kilogram", 5, 500), ("pound", 20, 900)),
    "voltage": (("volt", 3, 400),),
    "wattage": (("watt", 3, 3500), ("kilowatt", 1, 9)),
    "item_volume": (("millilitre", 10, 5000), ("litre", 0.5, 60), ("centilitre", 10, 100), ("fluid ounce", 1, 64)),
    "width": (("centimetre", 3, 250), ("millimetre", 20, 3000), ("inch", 2, 90)),
}


def _value(entity: Entity, rng: np.random.Generator) -> Quantity:
    ranges = [of_unit for of_unit in _RANGES[entity.name] if of_unit[0] in entity.units]
    unit, low, high = ranges[int(rng.integers(len(ranges)))]
    return _amount(unit, low, high, rng)


def _amount(unit: str, low: float, high: float, rng: np.random.Generator) -> Quantity:
    value = float(np.exp(rng.uniform(np.log(low), np.log(high))))
    digits = 1 if value < 20 and rng.random() < 0.6 else 0
    step = 10 ** max(0, int(np.log10(value)) - 1) if rng.random() < 0.6 else 1  # round numbers are frequent
    number = Decimal(f"{value:.{digits}f}") if digits else Decimal(max(1, round(value / step) * step))
    return Quantity((max(number, Decimal("0.1")),), unit)


def _pack(entity: Entity, language: Language, texts: list[str], rng: np.random.Generator) -> Quantity:
    """Adds the text of a multi-pack; returns its total where it prints that, too, and the size of one elsewhere."""
    size, count = _value(entity, rng), int(rng.integers(2, 25))
    spelled = str(rng.choice(UNIT_SPELLINGS[size.unit]))
    text = _pick(language.packs, rng).format(count=count, size=_number(size, language, rng) + spelled)
    if rng.random() < 0.4:
        texts.append(text)
        return size
    total = Quantity((size.values[0] * count,), size.unit)
    printed = _number(total, language, rng) + spelled
    form = int(rng.integers(4))
    texts += [[f"{text} ({printed})"], [f"{text} = {printed}"], [f"{printed} ({text})"], [text, printed]][form]
    return total


def _spelled(quantity: Quantity, language: Language, rng: np.random.Generator) -> str:
    return _number(quantity, language, rng) + str(rng.choice(UNIT_SPELLINGS[quantity.unit]))


def _number(quantity: Quantity, language: Language, rng: np.random.Generator) -> str:
    (value,) = quantity.values
    grouped = f"{value:,}" if rng.random() < 0.7 else f"{value}"
    return grouped.translate(str.maketrans(",.", language.thousands + language.point))


def _lengths(language: Language, texts: list[str], rng: np.random.Generator) -> dict[str, Quantity]:
    """Adds texts that name the axes of some lengths; returns what they answer."""
    unit, low, high = _RANGES["width"][int(rng.integers(3))]
    names = ["width", "depth", "height"]
    # Depth is seldom alone.
    chosen = [names, names, ["width", "height"], ["height"]][int(rng.integers(4))]
    answers = {name: _amount(unit, low, high, rng) for name in chosen}
    order = [str(name) for name in rng.permutation(chosen)]
    numbers = [_number(answers[name], language, rng) for name in order]
    spelled = str(rng.choice(UNIT_SPELLINGS[unit]))
    tolerance = " ±1" if rng.random() < 0.1 else ""
    words = [_pick(language.axes[names.index(name)], rng) for name in order]
    letters = [_pick(language.letters[names.index(name)], rng) for name in order] if language.letters else words
    form = int(rng.integers(4 if len(order) > 1 else 1))
    if form == 0:
        space = "\t" if rng.random() < 0.3 else " "
        texts += [f"{word}:{space}{number}{tolerance}{spelled}" for word, number in zip(words, numbers, strict=True)]
    elif form == 1:
        texts.append(", ".join(f"{word} {number}{spelled}" for word, number in zip(words, numbers, strict=True)))
    elif form == 2:
        cross = str(rng.choice([" x ", "x", " × "])) if language.letters else " x "
        patterns = ("{a}{n}", "({a}){n}", "{n}{unit}{a}" if spelled == '"' else "{n}{unit} {a}", "{n}{unit} ({a})")
        pattern = _pick(patterns if language.letters else ("{a} {n}",), rng)
        parts = [pattern.format(a=a, n=number, unit=spelled) for a, number in zip(letters, numbers, strict=True)]
        texts.append(cross.join(parts) + ("" if "unit" in pattern else spelled))
    else:
        cross = _pick((" x ", " x ", "/"), rng)
        legend, chain = cross.join(letters), cross.join(numbers) + spelled
        texts.append(f"{legend}: {chain}" if rng.random() < 0.5 else f"{chain} ({legend})")
    return answers


def _pick(options: Sequence[str], rng: np.random.Generator) -> str:
    return options[int(rng.integers(len(options)))]


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


def _layout(name: str, entities: list[Entity], rng: np.random.Generator, *, is_title: bool) -> Record:
    width, height = (int(v) for v in rng.integers(400, 1200, size=2))
    if is_title:
        texts, questions = _foreign_texts(entities, rng) if rng.random() < 0.2 else role_texts(entities, rng, bare=0.6)
        product = " ".join(str(word) for word in rng.choice(PRODUCT_WORDS, size=rng.integers(1, 4)))
        texts.insert(int(rng.random() < 0.2) * len(texts), product)
        title = _pick((" ", " ", ", ", " - "), rng).join(texts).replace("\t", " ")
        return Record(name, None, width, height, (), tuple(questions), title=title, assume_present=False)
    texts, questions = role_texts(entities, rng)
    lines = tuple(_rows(texts, width, height, rng))
    return Record(name, None, width, height, lines, tuple(questions), assume_present=False)


def _foreign_texts(entities: list[Entity], rng: np.random.Generator) -> tuple[list[str], list[Question]]:
    """Texts of a title in one of SCRIPTS, and a question for every entity: values stand without phrases."""
    script = _pick(tuple(SCRIPTS), rng)
    texts = [str(word) for word in rng.choice(SCRIPTS[script], size=2)]
    answers: dict[str, Quantity] = {}
    for entity in entities:
        if entity.name in STANDS_ALONE and rng.random() < 0.35:
            quantity = _value(entity, rng)
            if spellings := [a for a in UNITS[quantity.unit].aliases if _first_script(a) == script]:
                answers[entity.name] = quantity
                texts.append(f"{quantity.values[0]}{_pick(('', ' '), rng)}{_pick(spellings, rng)}")
    rng.shuffle(texts)
    return texts, [Question(e, (answers[e.name],) if e.name in answers else ()) for e in entities]


def _first_script(word: str) -> str:
    return unicodedata.name(word[0], "").split(" ")[0]


def _quantity(entity: Entity, rng: np.random.Generator) -> Quantity:
    unit = str(rng.choice([u for u in entity.units if u in UNIT_SPELLINGS]))
    value = Decimal(int(rng.integers(1, 1000)))
    if rng.random() < 0.3:
        value = value / 10
    return Quantity((value,), unit)


def _rows(texts: list[str], width: int, height: int, rng: np.random.Generator) -> list[TextLine]:
    """One text below the other, each of its own size, within the photo; cells are lines of their own."""
    lines = []
    pitch = height / (len(texts) + 1)
    for i, text in enumerate(texts):
        text_height = pitch * float(rng.uniform(0.3, 0.8))
        cells = text.split("\t")
        lengths = [min(0.5 * text_height * len(cell), 0.9 * width / len(cells)) for cell in cells]
        between = float(rng.uniform(0.5, 1)) * min(8 * text_height, width - sum(lengths)) * (len(cells) - 1)
        x = float(rng.uniform(0, width - sum(lengths) - between))
        y = pitch * (i + 0.5)
        for cell, length in zip(cells, lengths, strict=True):
            corners = ((x, y), (x + length, y), (x + length, y + text_height), (x, y + text_height))
            lines.append(TextLine(corners, cell, float(rng.uniform(0.8, 1.0))))
            x += length + between
    return lines
