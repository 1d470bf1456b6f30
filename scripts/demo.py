"""Shows what is answered about a photo, and where it was read: python scripts/demo.py photo.jpg row.png

The picture has the photo, with a box around every print that an answer was read from, and the answers beside it with
their confidence. Entities that the photo does not show are left out. The network runs in this process.
"""

import argparse
import sys
from collections.abc import Mapping
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont

if not __package__:  # run as a file: import from the repository, not from this folder
    sys.path[0] = str(Path(__file__).resolve().parents[1])

from resformer.model.errors import ResformerError
from resformer.model.images.loading import decode_photo
from resformer.model.ocr.readers import ALIASES, DEFAULT_READER, READERS
from resformer.model.prediction import Prediction
from resformer.model.predictor import Predictor

__all__ = ["draw_row", "main"]

SIDE = 640  # pixels of the photo's longer side in the picture
PANEL = 620
MARGIN = 24
LINE = 30
INK, FAINT = "#1d1d1f", "#77777c"
COLOURS = ("#c62828", "#1565c0", "#2e7d32", "#ef6c00", "#6a1b9a", "#00838f", "#ad1457", "#4e342e")


def draw_row(photo: Image.Image, predictions: Mapping[str, Prediction]) -> Image.Image:
    """The photo with the boxes of its answers, and the answers beside it."""
    shown = {name: p for name, p in predictions.items() if p.prediction}
    scale = SIDE / max(photo.size)
    small = photo.resize((max(1, round(photo.width * scale)), max(1, round(photo.height * scale))))
    name_font, text_font = ImageFont.load_default(17), ImageFont.load_default(19)
    rows = [(name, p, _wrapped(p.prediction, text_font, PANEL - 3 * MARGIN)) for name, p in shown.items()]
    height = max(small.height, sum(LINE * (1 + len(lines)) + 8 for _, _, lines in rows)) + 2 * MARGIN
    picture = Image.new("RGB", (small.width + PANEL + 2 * MARGIN, height), "white")
    picture.paste(small, (MARGIN, MARGIN))
    draw = ImageDraw.Draw(picture)
    colours = iter(COLOURS * len(shown))
    y, left = MARGIN, small.width + 2 * MARGIN
    for name, prediction, lines in rows:
        colour = next(colours) if prediction.evidence else FAINT
        draw.text((left, y), f"{name}   {prediction.confidence:.2f}", colour, name_font)
        for line in lines:
            y += LINE
            draw.text((left + 16, y - 4), line, INK, text_font)
        y += LINE + 8
        if prediction.evidence:
            x0, y0, x1, y1 = (MARGIN + v * scale for v in prediction.evidence)
            draw.rectangle((x0 - 3, y0 - 3, x1 + 3, y1 + 3), outline=colour, width=3)
    return picture


def _wrapped(text: str, font: ImageFont.FreeTypeFont | ImageFont.ImageFont, width: int) -> list[str]:
    lines: list[str] = []
    for word in text.split():
        if lines and font.getlength(f"{lines[-1]} {word}") <= width:
            lines[-1] += f" {word}"
        else:
            lines.append(word)
    return lines


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("photo", type=Path)
    parser.add_argument("picture", type=Path, help="PNG to write")
    parser.add_argument("--entities", default="", metavar="A,B", help="what to answer (everything)")
    parser.add_argument("--title", default="", help="title that came with the photo")
    parser.add_argument("--description", default="", help="description that came with it")
    parser.add_argument(
        "--reader", choices=(*READERS, *ALIASES), default=DEFAULT_READER, help="who reads the words (%(default)s)"
    )
    options = parser.parse_args(arguments)
    try:
        data = options.photo.read_bytes()
        result = Predictor.load(reader=options.reader).predict(
            data,
            [name for part in options.entities.split(",") if (name := part.strip())],
            title=options.title,
            description=options.description,
        )
        draw_row(Image.fromarray(decode_photo(data)), result.predictions).save(options.picture)
    except (ResformerError, OSError, ValueError) as error:
        print(error, file=sys.stderr)
        return 2
    for name, prediction in result.predictions.items():
        print(f"{name:32}{prediction.confidence:6.2f}  {prediction.prediction}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
