"""Random texts as products have them: quantities in all spellings, words, codes."""

from collections.abc import Callable, Sequence
from decimal import Decimal

import numpy as np

from resformer.model.inference.tokenizer import Tokenizer
from resformer.model.quantities.quantity import Quantity
from resformer.model.quantities.units import UNITS
from resformer.model.schema.schema import Entity, Schema

__all__ = ["TextGenerator"]

# Spellings that are printed on products; other aliases of a unit are OCR confusions, or rare.
PRINTED_UNITS = {
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
RANGE_SIGNS = ("-", " - ", "~")
TIMES_SIGNS = (" x ", "x", " X ", " × ", "*")
PREFIXES = ("", "", "", "", "Approx. ", "~", "Max. ", "≤", "Ø", "+/-", "(", "W", "H", "L ", "D: ")
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


class TextGenerator:
    """Makes texts, each from the numbers of a generator alone.

    Words are random sequences of subwords, so that a recognizer cannot learn a language model.

    Attributes:
        entities: the quantities of the schema.
    """

    def __init__(self, schema: Schema):
        tokenizer = Tokenizer(schema)
        subwords = (tokenizer.decode([t]).strip() for t in tokenizer.subwords)
        self._subwords = [s for s in subwords if s.isascii() and s.isalpha()]
        self.entities = schema.quantities
        if not self.entities:
            raise ValueError("text is generated from the quantities of the schema, and it has none")
        self._kinds: Sequence[tuple[float, Callable[[np.random.Generator], str]]] = (
            (0.30, lambda rng: self.spell(self.quantity(self._entity(rng), rng), rng)),
            (0.15, self.named_quantity),
            (0.08, self.dimensions),
            (0.12, self.distractor),
            (0.10, self.code),
            (0.25, self.words),
        )

    def line(self, rng: np.random.Generator) -> str:
        """Any text line of a product."""
        probabilities = [probability for probability, _ in self._kinds]
        return self._kinds[int(rng.choice(len(probabilities), p=probabilities))][1](rng)

    def quantity(self, entity: Entity, rng: np.random.Generator) -> Quantity:
        """A value that the entity may have."""
        unit = _pick([u for u in entity.units if u in PRINTED_UNITS] or list(entity.units), rng)
        value = self.number(rng)
        if entity.ranges and rng.random() < 0.15:
            return Quantity((value, value * 2 + 10), unit)
        return Quantity((value,), unit)

    def number(self, rng: np.random.Generator) -> Decimal:
        """At least 1 and below 10,000, with one to four digits before the point; about a third have decimals."""
        digits = int(rng.choice([1, 2, 3, 4], p=[0.3, 0.35, 0.25, 0.1]))
        whole = Decimal(int(rng.integers(10 ** (digits - 1), 10**digits)))
        if rng.random() < 0.35:
            decimals = int(rng.choice([1, 2], p=[0.7, 0.3]))
            return whole + Decimal(int(rng.integers(10**decimals))).scaleb(-decimals)
        return whole

    def spell(self, quantity: Quantity, rng: np.random.Generator) -> str:
        """The quantity in one of its printed spellings."""
        unit = _pick(PRINTED_UNITS.get(quantity.unit) or UNITS[quantity.unit].aliases[:2], rng)
        numbers = [f"{value.normalize():f}" if rng.random() < 0.8 else f"{value:f}" for value in quantity.values]
        if rng.random() < 0.06:
            numbers = [number.replace(".", ",") for number in numbers]
        gap = "" if unit in "\"'" else _pick(("", "", " ", " ", "-" if len(unit) > 2 else ""), rng)
        return _pick(RANGE_SIGNS, rng).join(numbers) + gap + unit

    def named_quantity(self, rng: np.random.Generator) -> str:
        """A quantity with its name: `Net Wt. 12 oz (340 g)`."""
        entity = self._entity(rng)
        quantity = self.quantity(entity, rng)
        text = self.spell(quantity, rng)
        cue = _random_case(_pick(entity.cues, rng), rng) if entity.cues else _pick(self._subwords, rng)
        if rng.random() < 0.25:
            other = self.spell(self.quantity(entity, rng), rng)
            text += _pick((f" ({other})", f" / {other}", f" {other}"), rng)
        return _pick((f"{cue} {text}", f"{cue}: {text}", f"{cue} {text}", f"{text} {cue}", f"{cue}:{text}"), rng)

    def dimensions(self, rng: np.random.Generator) -> str:
        """`10 x 20 x 30 cm`, with letters for the axes or without."""
        unit = _pick(PRINTED_UNITS[_pick(("centimetre", "inch", "millimetre", "foot"), rng)], rng)
        numbers = [f"{self.number(rng).normalize():f}" for _ in range(int(rng.integers(2, 4)))]
        if rng.random() < 0.4:
            numbers = [n + unit for n in numbers]
            unit = ""
        if rng.random() < 0.25:
            numbers = [n + axis for n, axis in zip(numbers, "LWH", strict=False)]
        return _pick(TIMES_SIGNS, rng).join(numbers) + (f" {unit}" if rng.random() < 0.5 else unit)

    def distractor(self, rng: np.random.Generator) -> str:
        """A number with a unit of no entity, with a fraction, or with a sign before it."""
        number = f"{self.number(rng).normalize():f}"
        kind = rng.random()
        if kind < 0.4:
            return _pick(("", self.words(rng, 1) + " "), rng) + number + _pick(("", " "), rng) + _pick(OTHER_UNITS, rng)
        unit = _pick(PRINTED_UNITS[_pick(list(PRINTED_UNITS), rng)], rng)
        if kind < 0.65:
            denominator = int(rng.choice([2, 4, 8, 16]))
            fraction = _pick(("½", "¼", "¾", f"{int(rng.integers(1, denominator))}/{denominator}"), rng)
            whole = _pick(("", f"{int(rng.integers(1, 60))}", f"{int(rng.integers(1, 60))}"), rng)
            return f"{whole}{_pick((' ', '-', ' '), rng) if whole and '/' in fraction else ''}{fraction}{unit}"
        return f"{_pick(PREFIXES, rng)}{number}{unit}{_pick(('', '', ')', ' e', '*', '+', '.'), rng)}"

    def code(self, rng: np.random.Generator) -> str:
        """A date, a bar code, a model number or a plain number."""
        number = "".join(map(str, rng.integers(0, 10, int(rng.integers(1, 9)))))
        date = f"{rng.integers(1, 29):02d}-{rng.integers(1, 13):02d}-20{rng.integers(10, 30)}"
        date = date.replace("-", _pick("/.-", rng))
        model = f"{self.words(rng, 1)[:3].upper()}{_pick(('-', '', ' '), rng)}{number[:4]}"
        return _pick((number, number, date, model, f"{number[:1]} {number[1:]}"), rng)

    def words(self, rng: np.random.Generator, count: int = 0) -> str:
        """Words of one to three subwords.

        Args:
            count: of words; 0 = one to four.
        """
        words = []
        for _ in range(count or int(rng.integers(1, 5))):
            num_subwords = int(rng.choice([1, 2, 3], p=[0.4, 0.4, 0.2]))
            words.append("".join(_pick(self._subwords, rng) for _ in range(num_subwords)))
        text = " ".join(words)
        if not count and rng.random() < 0.2:
            text += _pick((".", ",", ":", "!", "?", ")", "%", "*"), rng)
        return _random_case(text, rng)

    def _entity(self, rng: np.random.Generator) -> Entity:
        return self.entities[int(rng.integers(len(self.entities)))]


def _random_case(text: str, rng: np.random.Generator) -> str:
    kind = rng.random()
    return text.lower() if kind < 0.35 else text.upper() if kind < 0.65 else text.title()


def _pick(options: Sequence[str], rng: np.random.Generator) -> str:
    return options[int(rng.integers(len(options)))]
