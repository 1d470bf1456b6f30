"""Fonts of Debian packages."""

import shutil
import subprocess
from dataclasses import dataclass
from functools import cache, lru_cache
from pathlib import Path

import numpy as np
from fontTools.ttLib import TTFont
from PIL import ImageFont

__all__ = ["Font", "Fonts", "load_fonts"]

PACKAGES_FILE = Path(__file__).with_name("packages.txt")
HELD_OUT = "held:"  # before the name of a held-out package
DIGITS = frozenset("0123456789.")
LETTERS = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.,/-()")
# Icons, and ornamental letters, which are not used for quantities.
EXCLUDED_FILES = (
    "Weather",
    "Dingbats",
    "D050000L",
    "Symbol",
    "StandardSymbols",
    "Initials",
    "Keyboard",
    "LinBiolinum_K",
)
MAX_OPEN_FONTS = 512


@dataclass(frozen=True)
class Font:
    """A font file.

    Attributes:
        characters: those that it has glyphs for.
        digits_only: a seven-segment display, whose letters cannot be read.
    """

    file: Path
    characters: frozenset[str]
    digits_only: bool

    def at(self, size: int) -> ImageFont.FreeTypeFont:
        """The font at a size in pixels."""
        return _open_font(self.file, size)

    def cap_height(self, size: int) -> float:
        """The height of capitals and digits at a size, in pixels."""
        return _cap_height(self.file, size)


class Fonts:
    """The fonts of all packages.

    Args:
        held_out: those that evaluation renders text with, instead of those for training.

    Raises:
        FileNotFoundError: a package is missing; the message says how to install it.
    """

    def __init__(self, held_out: bool):
        self._families: list[list[Font]] = []
        for entry in PACKAGES_FILE.read_text().splitlines():
            if entry and not entry.startswith("#") and entry.startswith(HELD_OUT) == held_out:
                files = sorted(_font_files(entry.removeprefix(HELD_OUT).strip()))
                self._families.append([font for file in files if (font := _read_font(file))])

    def pick(self, text: str, rng: np.random.Generator) -> Font:
        """A random font that has glyphs for the text; all families are equally likely.

        Raises:
            ValueError: no font has.
        """
        has_letters = any(c.isalpha() for c in text)
        for family in rng.permutation(len(self._families)):
            fonts = self._families[family]
            font = fonts[int(rng.integers(len(fonts)))]
            if font.characters.issuperset(text.replace(" ", "")) and not (has_letters and font.digits_only):
                return font
        raise ValueError(f"no font has all characters of {text!r}")


@cache
def load_fonts(held_out: bool) -> Fonts:
    """The fonts, read once in a process."""
    return Fonts(held_out)


def _font_files(package: str) -> list[Path]:
    if not shutil.which("dpkg-query"):
        raise FileNotFoundError("text is rendered with fonts of Debian packages, and this system has no dpkg-query")
    listing = subprocess.run(["dpkg-query", "-L", package], capture_output=True, text=True, check=False)
    if listing.returncode:
        raise FileNotFoundError(f"the fonts of Debian's package {package} are missing; install them with `make fonts`")
    paths = (Path(line) for line in listing.stdout.splitlines())
    return [path for path in paths if path.suffix.lower() in (".ttf", ".otf")]


def _read_font(file: Path) -> Font | None:
    """None: the font is of no use."""
    if any(name in file.name for name in EXCLUDED_FILES):
        return None
    with TTFont(file, lazy=True) as font:
        characters = frozenset(map(chr, font.getBestCmap() or ()))
    digits_only = file.name.startswith("DSEG")
    required = DIGITS if digits_only else LETTERS
    return Font(file, characters, digits_only) if required <= characters else None


@cache
def _cap_height(file: Path, size: int) -> float:
    _, top, _, bottom = _open_font(file, size).getbbox("H0")
    return max(1.0, bottom - top)


@lru_cache(MAX_OPEN_FONTS)
def _open_font(file: Path, size: int) -> ImageFont.FreeTypeFont:
    return ImageFont.truetype(str(file), size)
