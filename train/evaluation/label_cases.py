"""Labels and titles as products have them, with their right answers, and their photos, which are drawn."""

import io
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Literal

from PIL import Image, ImageDraw, ImageFont
from pydantic import TypeAdapter

from resformer.train.settings.yaml_settings import StrictModel, load_yaml

__all__ = ["LabelCase", "draw_case", "fonts_are_missing", "load_cases"]

CASES_FILE = Path(__file__).with_name("label_cases.yaml")
DEBIAN = Path("/usr/share/fonts/truetype")
SANS, BOLD = DEBIAN / "liberation/LiberationSans-Regular.ttf", DEBIAN / "liberation/LiberationSans-Bold.ttf"
CJK = DEBIAN / "wqy/wqy-microhei.ttc"
INK, PAPER, PACK, GROUND, PRODUCT = "#1a1a1a", "#f6efe0", "#5c7a4a", "#d8d9d5", "#b58a5a"
SMALL_PRINT = 17  # font size of capitals of 12 pixels


class LabelCase(StrictModel):
    """A label or a title; label_cases.yaml says what each field means."""

    right: Mapping[str, str | tuple[str, ...]]
    print: tuple[str, ...] = ()
    title: str = ""
    turned: int = 0
    upward: int | None = None
    shape: Literal["pack", "transparent", "page", "banner", "second"] = "pack"

    @property
    def text(self) -> str:
        """What is written, and how, in one line."""
        how = [f"turned {90 * self.turned}°"] * bool(self.turned)
        how += [] if self.upward is None else [f"drawing, height turned {self.upward}°"]
        how += [self.shape] * (self.shape != "pack")
        return " / ".join(self.print or (self.title,)) + (f" ({', '.join(how)})" if how else "")

    def is_right(self, entity: str, answer: str) -> bool:
        """Whether an answer to one of the questions counts as right."""
        right = self.right[entity]
        return answer in ((right,) if isinstance(right, str) else right)


def load_cases() -> dict[str, tuple[LabelCase, ...]]:
    """The cases, by kind."""
    return TypeAdapter(dict[str, tuple[LabelCase, ...]]).validate_python(load_yaml(CASES_FILE))


def fonts_are_missing() -> str:
    """Which fonts are missing that labels are drawn with; "" where all are there."""
    missing = [font.name for font in (SANS, BOLD, CJK) if not font.is_file()]
    return f"{', '.join(missing)} are missing; run make fonts" if missing else ""


def draw_case(case: LabelCase) -> bytes:
    """The photo of a case, an image file.

    Raises:
        OSError: a font is missing, see fonts_are_missing.
    """
    if case.title:
        return _encoded([_product()])
    if case.upward is not None:
        return _encoded([_drawing(*case.print, upward=case.upward)])
    if case.shape in ("page", "banner"):
        return _encoded([_long(case.print, (790, 6000) if case.shape == "page" else (6000, 790))])
    if case.shape == "second":
        return _encoded([Image.new("RGB", (90, 120), "white"), _pack(case.print)])
    if case.shape == "transparent":
        return _encoded([_transparent(case.print)])
    return _encoded([_pack(case.print).rotate(-90 * case.turned, expand=True)])


def _encoded(frames: Sequence[Image.Image]) -> bytes:
    file = io.BytesIO()
    if len(frames) > 1:
        frames[0].save(file, "TIFF", save_all=True, append_images=frames[1:])
    else:
        frames[0].save(file, "PNG")
    return file.getvalue()


@cache
def _font(file: Path, size: int) -> ImageFont.FreeTypeFont:
    return ImageFont.truetype(str(file), size)


def _font_for(text: str, size: int) -> ImageFont.FreeTypeFont:
    return _font(CJK if any("\u3000" <= c <= "\u9fff" for c in text) else SANS, size)


def _product() -> Image.Image:
    image = Image.new("RGB", (600, 600), "white")
    ImageDraw.Draw(image).rounded_rectangle((150, 100, 450, 500), radius=20, fill=PACK)
    return image


def _pack(lines: Sequence[str]) -> Image.Image:
    image = Image.new("RGB", (900, 1200), GROUND)
    draw = ImageDraw.Draw(image)
    draw.rounded_rectangle((110, 85, 790, 1115), radius=30, fill=PACK)
    draw.rectangle((145, 130, 755, 1070), fill=PAPER)
    _print(draw, lines, INK)
    return image


def _transparent(lines: Sequence[str]) -> Image.Image:
    image = Image.new("RGBA", (900, 1200), (255, 255, 255, 0))
    _print(ImageDraw.Draw(image), lines, "white")
    return image


def _print(draw: ImageDraw.ImageDraw, lines: Sequence[str], ink: str) -> None:
    draw.text((450, 180), "HOLLOWAY", ink, _font(BOLD, 72), anchor="mm")
    for i, line in enumerate(lines):
        size = min(52, 52 * 22 // max(22, len(line)))
        cells = line.split(" | ")
        for x, cell in zip((450,) if len(cells) == 1 else (300, 600), cells, strict=True):
            draw.text((x, 300 + 90 * i), cell, ink, _font_for(cell, size), anchor="mm")


def _long(lines: Sequence[str], size: tuple[int, int]) -> Image.Image:
    """A long page or banner with boxes, and small print near its end."""
    image = Image.new("RGB", size, "white")
    draw = ImageDraw.Draw(image)
    along = 0 if size[0] > size[1] else 1
    for k, start in enumerate(range(100, max(size) - 900, 800)):
        box = [100, 100, 600, 600]
        box[along], box[along + 2] = start, start + 500
        draw.rectangle(tuple(box), fill=(PRODUCT, PACK)[k % 2])
    for i, line in enumerate(lines):
        at = [120, 120 + 40 * i]
        at[along] += max(size) - 600
        draw.text((at[0], at[1]), line, INK, _font(SANS, SMALL_PRINT))
    return image


def _drawing(width: str, height: str, *, upward: int) -> Image.Image:
    image = Image.new("RGB", (1000, 1000), "white")
    draw = ImageDraw.Draw(image)
    draw.rectangle((300, 250, 750, 800), fill=PRODUCT, outline="black", width=2)
    for line in ((240, 250, 240, 800), (300, 850, 750, 850)):
        draw.line(line, fill="black", width=2)
    draw.text((525, 890), width, "black", _font(SANS, 42), anchor="mm")
    text = Image.new("RGB", (200, 60), "white")
    ImageDraw.Draw(text).text((100, 30), height, "black", _font(SANS, 42), anchor="mm")
    text = text.rotate(upward, expand=True)
    image.paste(text, (235 - text.width, 500 - text.height // 2))
    return image
