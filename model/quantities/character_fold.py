"""Typographic variants of characters, folded to the plain ones that the patterns of this package know."""

__all__ = ["CHARACTER_FOLD"]

# One character for one character, so that positions in the folded text are positions in the text.
_FOLDED = {
    '"': "″”“„‟〃",
    "'": "′’‘`´",
    "x": "×✕✖⨯хХ",
    "-": "–—−‐‑‒―",
    "~": "〜～∼≈",
    "/": "⁄∕",
    "u": "µμ",
    " ": "\u00a0\u2002\u2003\u2009\u202f\u3000",
    "(": "【[",
    ")": "】]",
    ",": "、٬",
    ".": "٫",
}
# Digits of Arabic, Persian, Devanagari, Bengali and Thai.
_ZEROS = (0x0660, 0x06F0, 0x0966, 0x09E6, 0x0E50, 0x2080)
CHARACTER_FOLD: dict[int, str] = {
    **{0xFF01 + i: chr(0x21 + i) for i in range(94)},  # full-width ASCII
    **{ord(c): plain for plain, variants in _FOLDED.items() for c in variants},
    **{zero + i: chr(0x30 + i) for zero in _ZEROS for i in range(10)},
}
"""For str.translate."""
