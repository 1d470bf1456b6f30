"""The characters that the network itself reads."""

import unicodedata

from resformer.model.quantities.unit_aliases import FOLD

__all__ = ["CHARACTERS", "folded"]

CHARACTERS = " 0123456789abcdefghijklmnopqrstuvwxyz.,:;/-+~±%&()'\"*!?=#°²³½¼¾$€<>@_|"
"""Print is read in lower case: units and words are compared without their case."""

KNOWN = frozenset(CHARACTERS)


def folded(text: str) -> str | None:
    """The text in CHARACTERS, without accents and typographic variants; None where it has others."""
    out = []
    for character in " ".join(text.split()):
        plain = character.translate(FOLD).lower()
        if plain not in KNOWN:
            plain = unicodedata.normalize("NFD", plain)[:1].lower()
        if plain not in KNOWN:
            return None
        out.append(plain)
    return "".join(out)
