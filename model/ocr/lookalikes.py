"""Characters that the built-in recognizer does not know, where the words beside them say what they are.

It loses the ³ of cubic units, or reads ² for it, and takes Cyrillic letters for the Latin ones that look alike.
"""

import re
from collections.abc import Sequence

__all__ = ["restore_characters"]

_VOLUME = (
    "vol|volumen?|capacity|capacité|capacite|capacità|capacita|capacidad|capacidade|contenance|inhalt|inhoud|objętość"
    "|objetosc|pojemność|pojemnosc|displacement|hubraum|cylindrée"
)
_LOST_CUBE = re.compile(rf"(\b(?:{_VOLUME})\b\W{{0,3}}\d[\d.,]*\s?[cd]?m)(?:[²³]|[*~^]?3)?(?![a-z\d])", re.IGNORECASE)
# Weight, net, gross, volume, power, voltage, height and other words of labels in Russian, as they are read.
_CYRILLIC_WORD = re.compile(
    r"\b(?:macca|hetto|6pytto|bec\s?:?\s?\d|[o0]6[bъ]?em|mo\w{0,4}hoctb|ha[nm]p\w{2,5}h\w{1,3}|bbicota|coctab|kpyna)",
    re.IGNORECASE,
)
_CYRILLIC_UNITS = {
    **{"r": "г", "kr": "кг", "mr": "мг", "n": "л", "jl": "л", "mn": "мл", "mjl": "мл"},
    **{"bt": "вт", "kbt": "квт", "b": "в"},
}
_CYRILLIC_UNIT = re.compile(rf"(?<=\d)(\s?)({'|'.join(_CYRILLIC_UNITS)})(?!\w)", re.IGNORECASE)


def restore_characters(texts: Sequence[str]) -> list[str]:
    """The texts of a photo's lines with the characters that they had.

    >>> restore_characters(["volume 500 cm", "macca hetto 500 r"])
    ['volume 500 cm³', 'macca hetto 500 г']
    """
    restored = [_LOST_CUBE.sub(r"\1³", text) for text in texts]
    if any(_CYRILLIC_WORD.search(text) for text in texts):
        restored = [_CYRILLIC_UNIT.sub(_cyrillic, text) for text in restored]
    return restored


def _cyrillic(match: re.Match[str]) -> str:
    return match[1] + _CYRILLIC_UNITS[match[2].lower()]
