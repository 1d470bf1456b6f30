"""What stands on products: quantities in all their spellings, words, codes."""

from collections.abc import Callable, Sequence
from decimal import Decimal

import numpy as np

from resformer.model.inference.tokenizer import Tokenizer
from resformer.model.quantities.quantity import Quantity
from resformer.model.quantities.units import UNITS
from resformer.model.schema.schema import Entity, Schema

__all__ = ["Texts"]

# Spellings of which print is made; the others are slips of readers or hardly ever seen.
PRINTED = {
    "millimetre": ("mm", "mm", "MM", "millimeters"),
    "centimetre": ("cm", "cm", "CM", "Cm", "cms", "centimeters"),
    "metre": ("m", "M", "mtr", "meters"),
    "inch": ('"', '"', "in", "IN", "inch", "inches", "Inches", "INCH"),
    "foot": ("ft", "FT", "feet", "'"),
    "gram": ("g", "g", "G", "gm", "gms", "grams", "GRAM"),
    "kilogram": ("kg", "kg", "KG", "Kg", "kgs", "kilograms"),
    "milligram": ("mg", "mg", "MG"),
    "microgram": ("mcg", "µg"),
    "ounce": ("oz", "oz", "OZ", "Oz", "ounces"),
    "pound": ("lb", "lbs", "lbs.", "LB", "LBS", "pounds", "Pounds"),
    "volt": ("V", "V", "v", "VAC", "VDC", "Volts", "volt"),
    "kilovolt": ("kV", "KV"),
    "watt": ("W", "W", "w", "Watt", "Watts", "WATTS"),
    "kilowatt": ("kW", "KW"),
    "millilitre": ("ml", "mL", "ML", "ml"),
    "litre": ("L", "l", "Ltr", "Litre", "liters"),
    "fluid ounce": ("fl oz", "fl. oz.", "FL OZ", "FL. OZ."),
    "gallon": ("gal", "gallon", "Gallons"),
    "cubic foot": ("cu ft", "cu. ft."),
}
LINKS = {"range": ("-", " - ", "~"), "times": (" x ", "x", " X ", " × ", "*")}
MARKS = ("", "", "", "", "Approx. ", "~", "Max. ", "≤", "Ø", "+/-", "(", "W", "H", "L ", "D: ")
OTHER_UNITS = (
    "%",
    "°C",
    "°F",
    "Hz",
    "mAh",
    "A",
    "GB",
    "pcs",
    "kcal",
    "mg/kg",
    "IU",
    "rpm",
    "lm",
    "K",
    "Ah",
    "px",
    "yrs",
)


class Texts:
    """Draws texts; all that is random comes from the generator that is passed.

    Words are made of pieces of the vocabulary, so that nothing is learned of which follow each other.
    """

    def __init__(self, schema: Schema):
        tokenizer = Tokenizer(schema)
        pieces = (tokenizer.decode([t]) for t in range(tokenizer.first_subword, tokenizer.first_prompt))
        self._pieces = [p.strip() for p in pieces if p.strip().isascii() and p.strip().isalpha()]
        self.entities = [e for e in schema.entities if e.kind == "quantity"]
        self._drawn: Sequence[tuple[float, Callable[[np.random.Generator], str]]] = (
            (0.30, lambda rng: self.spelled(self.quantity(self._entity(rng), rng), rng)),
            (0.15, self.introduced),
            (0.08, self.sizes),
            (0.12, self.row),
            (0.10, self.code),
            (0.25, self.words),
        )

    def line(self, rng: np.random.Generator) -> str:
        """Any line that may be found on a product."""
        shares = [share for share, _ in self._drawn]
        return self._drawn[int(rng.choice(len(shares), p=shares))][1](rng)

    def quantity(self, entity: Entity, rng: np.random.Generator) -> Quantity:
        """A value that the entity may have."""
        unit = _one([u for u in entity.units if u in PRINTED] or list(entity.units), rng)
        value = self.number(rng)
        if entity.ranges and rng.random() < 0.15:
            return Quantity((value, value * 2 + 10), unit)
        return Quantity((value,), unit)

    def number(self, rng: np.random.Generator) -> Decimal:
        """Above zero and below ten thousand, all lengths about equally often; one in three has decimals."""
        digits = int(rng.choice([1, 2, 3, 4], p=[0.3, 0.35, 0.25, 0.1]))
        whole = Decimal(int(rng.integers(10 ** (digits - 1), 10**digits)))
        if rng.random() < 0.35:
            places = int(rng.choice([1, 2], p=[0.7, 0.3]))
            return whole + Decimal(int(rng.integers(10**places))).scaleb(-places)
        return whole

    def spelled(self, quantity: Quantity, rng: np.random.Generator) -> str:
        """The quantity as one of the ways to print it."""
        unit = _one(PRINTED.get(quantity.unit) or UNITS[quantity.unit].aliases[:2], rng)
        numbers = [f"{value.normalize():f}" if rng.random() < 0.8 else f"{value:f}" for value in quantity.values]
        if rng.random() < 0.06:
            numbers = [number.replace(".", ",") for number in numbers]
        gap = "" if unit in "\"'" else _one(("", "", " ", " ", "-" if len(unit) > 2 else ""), rng)
        return _one(LINKS["range"], rng).join(numbers) + gap + unit

    def introduced(self, rng: np.random.Generator) -> str:
        """A quantity with what it is: `Net Wt. 12 oz (340 g)`."""
        entity = self._entity(rng)
        quantity = self.quantity(entity, rng)
        text = self.spelled(quantity, rng)
        cue = _cased(_one(entity.cues, rng), rng) if entity.cues else _one(self._pieces, rng)
        if rng.random() < 0.25:
            other = self.spelled(self.quantity(entity, rng), rng)
            text += _one((f" ({other})", f" / {other}", f" {other}"), rng)
        return _one((f"{cue} {text}", f"{cue}: {text}", f"{cue} {text}", f"{text} {cue}", f"{cue}:{text}"), rng)

    def sizes(self, rng: np.random.Generator) -> str:
        """`10 x 20 x 30 cm`, with marks of the axes or without."""
        unit = _one(PRINTED[_one(("centimetre", "inch", "millimetre", "foot"), rng)], rng)
        numbers = [f"{self.number(rng).normalize():f}" for _ in range(int(rng.integers(2, 4)))]
        if rng.random() < 0.4:
            numbers = [n + unit for n in numbers]
            unit = ""
        if rng.random() < 0.25:
            numbers = [n + axis for n, axis in zip(numbers, "LWH", strict=False)]
        return _one(LINKS["times"], rng).join(numbers) + (f" {unit}" if rng.random() < 0.5 else unit)

    def row(self, rng: np.random.Generator) -> str:
        """A number that is no answer: of a table, a battery, a lamp; or with a fraction or a mark before it."""
        number = f"{self.number(rng).normalize():f}"
        kind = rng.random()
        if kind < 0.4:
            return _one(("", self.words(rng, 1) + " "), rng) + number + _one(("", " "), rng) + _one(OTHER_UNITS, rng)
        unit = _one(PRINTED[_one(list(PRINTED), rng)], rng)
        if kind < 0.65:
            bottom = int(rng.choice([2, 4, 8, 16]))
            fraction = _one(("½", "¼", "¾", f"{int(rng.integers(1, bottom))}/{bottom}"), rng)
            whole = _one(("", f"{int(rng.integers(1, 60))}", f"{int(rng.integers(1, 60))}"), rng)
            return f"{whole}{_one((' ', '-', ' '), rng) if whole and '/' in fraction else ''}{fraction}{unit}"
        return f"{_one(MARKS, rng)}{number}{unit}{_one(('', '', ')', ' e', '*', '+', '.'), rng)}"

    def code(self, rng: np.random.Generator) -> str:
        """A date, a bar code, a model, a bare number."""
        number = "".join(map(str, rng.integers(0, 10, int(rng.integers(1, 9)))))
        date = f"{rng.integers(1, 29):02d}-{rng.integers(1, 13):02d}-20{rng.integers(10, 30)}"
        date = date.replace("-", _one("/.-", rng))
        model = f"{self.words(rng, 1)[:3].upper()}{_one(('-', '', ' '), rng)}{number[:4]}"
        return _one((number, number, date, model, f"{number[:1]} {number[1:]}"), rng)

    def words(self, rng: np.random.Generator, count: int = 0) -> str:
        """Made-up words; as many as asked for, or one to four."""
        made = []
        for _ in range(count or int(rng.integers(1, 5))):
            made.append("".join(_one(self._pieces, rng) for _ in range(int(rng.choice([1, 2, 3], p=[0.4, 0.4, 0.2])))))
        text = " ".join(made)
        if not count and rng.random() < 0.2:
            text += _one((".", ",", ":", "!", "?", ")", "%", "*"), rng)
        return _cased(text, rng)

    def _entity(self, rng: np.random.Generator) -> Entity:
        return self.entities[int(rng.integers(len(self.entities)))]


def _cased(text: str, rng: np.random.Generator) -> str:
    kind = rng.random()
    return text.lower() if kind < 0.35 else text.upper() if kind < 0.65 else text.title()


def _one(options: Sequence[str], rng: np.random.Generator) -> str:
    return options[int(rng.integers(len(options)))]
