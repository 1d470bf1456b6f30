"""How units are printed on products, and how a reader slips over them.

A spelling is written in lower case and matched in any case; a space in it stands for spaces, points and
hyphens or nothing. The same spelling may stand for units of two dimensions ("oz"): the dimension asked for
decides.
"""

__all__ = ["AXIS_WORDS", "CHARACTER_FOLD", "PER_AREA", "UNIT_ALIASES", "UNIT_CONFUSIONS"]

UNIT_ALIASES: dict[str, tuple[str, ...]] = {
    "millimetre": (
        "mm",
        "mms",
        "m m",
        "millimeter",
        "millimeters",
        "millimetre",
        "millimetres",
        "㎜",
        "毫米",
    ),
    "centimetre": (
        "cm",
        "cms",
        "centimeter",
        "centimeters",
        "centimetre",
        "centimetres",
        "㎝",
        "厘米",
        "公分",
    ),
    "metre": ("m", "mtr", "mtrs", "mts", "meter", "meters", "metre", "metres", "米"),
    "inch": ("in", "ins", "inch", "inches", "inchs", "inche", '"', "''", "英寸"),
    "foot": ("ft", "fts", "foot", "feet", "'"),
    "yard": ("yd", "yds", "yard", "yards"),
    "microgram": ("mcg", "mcgs", "ug", "microgram", "micrograms"),
    "milligram": ("mg", "mgs", "mgm", "milligram", "milligrams", "㎎", "毫克"),
    "gram": ("g", "gm", "gms", "gr", "grs", "grm", "grms", "gram", "grams", "gramme", "grammes", "克"),
    "kilogram": (
        *("kg", "kgs", "kgm", "k g", "kilo", "kilos", "kilogram", "kilograms", "kilogramme", "kilogrammes"),
        *("㎏", "千克", "公斤"),
    ),
    "ton": ("t", "mt", "ton", "tons", "tonne", "tonnes", "metric ton", "metric tons"),
    "ounce": ("oz", "ozs", "ounce", "ounces"),
    "pound": ("lb", "lbs", "pound", "pounds"),
    "millivolt": ("mv", "millivolt", "millivolts"),
    "volt": (
        *("v", "volt", "volts", "voltage", "vac", "vdc", "v ac", "v dc", "volt ac", "volt dc", "volts ac"),
        *("volts dc", "v a c", "v d c", "伏"),
    ),
    "kilovolt": ("kv", "kilovolt", "kilovolts"),
    "watt": ("w", "watt", "watts", "wat", "瓦"),
    "kilowatt": ("kw", "kws", "kilowatt", "kilowatts"),
    "microlitre": ("ul", "mcl", "microlitre", "microlitres", "microliter", "microliters"),
    "millilitre": (
        *("ml", "mls", "millilitre", "millilitres", "milliliter", "milliliters", "cc", "c c", "cm3", "cm³"),
        *("㎖", "毫升"),
    ),
    "centilitre": ("cl", "centilitre", "centilitres", "centiliter", "centiliters"),
    "decilitre": ("dl", "decilitre", "decilitres", "deciliter", "deciliters"),
    "litre": ("l", "lt", "lts", "ltr", "ltrs", "lit", "liter", "liters", "litre", "litres", "升"),
    "cubic inch": ("cu in", "cu inch", "cu inches", "cubic inch", "cubic inches", "in3", "in³"),
    "cubic foot": ("cu ft", "cu feet", "cubic foot", "cubic feet", "cubic ft", "ft3", "ft³"),
    "fluid ounce": (
        *("fl oz", "fl ozs", "fl ounce", "fl ounces", "fluid ounce", "fluid ounces", "fluid oz", "fl"),
        *("oz", "ozs", "ounce", "ounces", "oz fl"),
    ),
    "cup": ("cup", "cups"),
    "pint": ("pt", "pts", "pint", "pints", "liq pt"),
    "quart": ("qt", "qts", "quart", "quarts", "liq qt"),
    "gallon": ("gal", "gals", "gallon", "gallons", "us gal", "us gallon", "us gallons", "u s gal"),
    "imperial gallon": ("imp gal", "imperial gal", "imperial gallon", "imperial gallons", "uk gal"),
}

UNIT_CONFUSIONS: dict[str, tuple[str, ...]] = {
    "millimetre": ("rnm", "mrn"),
    "centimetre": ("crn", "cin", "om"),
    "inch": ("1n", "ln", "lnch", "1nch", "lnches", "1nches"),
    "milligram": ("rng", "mq"),
    "kilogram": ("kq", "k9"),
    "ounce": ("0z", "o2", "02z", "o2z", "02", "ox", "o7"),
    "pound": ("ib", "ibs", "1b", "1bs", "|b", "|bs", "b"),
    "millilitre": ("m1", "mi", "m|"),
    "litre": ("ltr5", "1tr"),
    "fluid ounce": ("0z", "o2", "fl 0z", "fl o2", "f1 oz", "f1 0z", "fi oz", "fi 0z", "f oz", "floz5"),
}
"""What a reader makes of a unit right behind a number."""

PER_AREA: dict[str, tuple[str, ...]] = {
    "gram": (
        *("gsm", "gsms", "g.s.m"),  # no spaces: 180g S-M is a weight and two sizes
        *("g / m2", "g / m²", "g / m^2", "g / sq m", "gr / m2", "gr / m²", "gm / m2", "gm / m²"),
    ),
    "ounce": ("oz / yd2", "oz / yd²", "oz / yd^2", "oz / sq yd"),
}
"""Units with the area of cloth or paper that the amount is of. Catalogues give them as weights."""

# One character for one character, so that places in the folded text are places in the text.
_FOLDED = {
    '"': "″”“„‟〃＂",
    "'": "′’‘`´＇",
    "x": "×✕✖⨯",
    "-": "–—−‐‑‒―－",
    "~": "〜～∼≈",
    "/": "⁄∕／",
    "u": "µμ",
    " ": "\u00a0\u2002\u2003\u2009\u202f\u3000",
    "(": "（【[",
    ")": "）】]",
    ":": "：",
    ",": "，、",
    ".": "．",
    "0": "₀",
    "*": "＊",
}
CHARACTER_FOLD: dict[int, str] = {
    **{ord(c): plain for plain, printed in _FOLDED.items() for c in printed},
    **{0xFF10 + i: chr(0x30 + i) for i in range(10)},
    **{0xFF21 + i: chr(0x41 + i) for i in range(26)},
    **{0xFF41 + i: chr(0x61 + i) for i in range(26)},
    **{0x2080 + i: chr(0x30 + i) for i in range(10)},
}
"""For str.translate: typographic variants to the characters that the patterns know."""

AXIS_WORDS: dict[str, tuple[str, ...]] = {
    "l": ("l", "long", "length"),
    "w": ("w", "wide", "width", "breadth"),
    "h": ("h", "high", "height", "tall"),
    "d": ("d", "deep", "depth", "dia", "diameter"),
    "t": ("t", "thick", "thickness"),
}
"""Letters and words that say along which axis a length is measured."""
