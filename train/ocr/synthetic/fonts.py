"""Fonts from Debian's packages."""

import subprocess
from dataclasses import dataclass
from functools import cache, lru_cache
from pathlib import Path

import numpy as np
from fontTools.ttLib import TTFont
from PIL import ImageFont

__all__ = ["Font", "Fonts", "load_fonts"]

PACKAGES = Path(__file__).with_name("packages.txt")
HELD = "held:"  # before the name of a package that training never draws with
DIGITS = frozenset("0123456789.")
LETTERS = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.,/-()")
# Icons, and shapes that nobody prints a value with.
UNUSED = ("Weather", "Dingbats", "D050000L", "Symbol", "StandardSymbols", "Initials", "Keyboard", "LinBiolinum_K")
KEPT_OPEN = 512


@dataclass(frozen=True)
class Font:
    """A font file and what it can print.

    Attributes:
        characters: that it has glyphs for.
        digits_only: a display's segments; letters on them are not those of any other font.
    """

    file: Path
    characters: frozenset[str]
    digits_only: bool

    def at(self, size: int) -> ImageFont.FreeTypeFont:
        """The font at a size in pixels."""
        return _opened(self.file, size)

    def capitals(self, size: int) -> float:
        """How high capitals and digits are at a size, in pixels."""
        return _capitals(self.file, size)


class Fonts:
    """The fonts of all packages: those that training draws with, or those that it never sees.

    Raises FileNotFoundError: a package is missing; the message says how to install it.
    """

    def __init__(self, held_out: bool):
        self._families: list[list[Font]] = []
        for entry in PACKAGES.read_text().splitlines():
            if entry and not entry.startswith("#") and entry.startswith(HELD) == held_out:
                files = sorted(_files(entry.removeprefix(HELD).strip()))
                self._families.append([font for file in files if (font := _font(file))])

    def pick(self, text: str, rng: np.random.Generator) -> Font:
        """A font that has glyphs for the text, all families equally often. Raises ValueError: none has."""
        letters = any(c.isalpha() for c in text)
        for family in rng.permutation(len(self._families)):
            fonts = self._families[family]
            font = fonts[int(rng.integers(len(fonts)))]
            if font.characters.issuperset(text.replace(" ", "")) and not (letters and font.digits_only):
                return font
        raise ValueError(f"no font has all characters of {text!r}")


@cache
def load_fonts(held_out: bool) -> Fonts:
    """The fonts, read once."""
    return Fonts(held_out)


def _files(package: str) -> list[Path]:
    listed = subprocess.run(["dpkg-query", "-L", package], capture_output=True, text=True, check=False)
    if listed.returncode:
        raise FileNotFoundError(f"the fonts of Debian's package {package} are missing; install them with `make fonts`")
    paths = (Path(line) for line in listed.stdout.splitlines())
    return [path for path in paths if path.suffix.lower() in (".ttf", ".otf")]


def _font(file: Path) -> Font | None:
    if any(name in file.name for name in UNUSED):
        return None
    with TTFont(file, lazy=True) as opened:
        characters = frozenset(map(chr, opened.getBestCmap() or ()))
    digits_only = file.name.startswith("DSEG")
    needed = DIGITS if digits_only else LETTERS
    return Font(file, characters, digits_only) if needed <= characters else None


@cache
def _capitals(file: Path, size: int) -> float:
    _, top, _, bottom = _opened(file, size).getbbox("H0")
    return max(1.0, bottom - top)


@lru_cache(KEPT_OPEN)
def _opened(file: Path, size: int) -> ImageFont.FreeTypeFont:
    return ImageFont.truetype(str(file), size)
