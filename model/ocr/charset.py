"""The characters of the built-in recognizer."""

import unicodedata

from resformer.model.quantities.character_fold import CHARACTER_FOLD

__all__ = ["CHARSET", "fold_to_charset"]

CHARSET = " 0123456789abcdefghijklmnopqrstuvwxyz.,:;/-+~±%&()'\"*!?=#°²³½¼¾$€<>@_|"
"""Text is read in lower case: units and words are compared without their case."""

KNOWN = frozenset(CHARSET)


def fold_to_charset(text: str) -> str | None:
    """The text in CHARSET, without accents and typographic variants; None where it has other characters."""
    out = []
    for character in " ".join(text.split()):
        plain = character.translate(CHARACTER_FOLD).lower()
        if plain not in KNOWN:
            plain = unicodedata.normalize("NFD", plain)[:1].lower()
        if plain not in KNOWN:
            return None
        out.append(plain)
    return "".join(out)
