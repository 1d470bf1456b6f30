"""A picture of a photo and its answers: a box around the text behind each answer, the answers beside the photo."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont

from resformer.model.files.whole_file import UnusableFile, refuse_overwriting
from resformer.model.images.loading import decode_photo
from resformer.model.prediction import Prediction
from resformer.scripts.lib.answerers import Answerer
from resformer.scripts.lib.photo_sources import PhotoError

__all__ = ["draw_row", "write_row_picture"]

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


def write_row_picture(
    photo: Path,
    picture: Path,
    *,
    entities: Sequence[str] = (),
    answerer: Answerer,
    about: Mapping[str, str],
) -> dict[str, Prediction]:
    """Answers a photo and writes the picture of its row.

    Args:
        photo: An image file.
        picture: The image to write; its suffix names the format.
        entities: Names; none asks everything.
        answerer: What answers.
        about: Group and texts of the product.

    Returns:
        All answers.

    Raises:
        UnusableFile: The photo cannot be read or has no answer, or the picture cannot be written.
    """
    refuse_overwriting([photo], [picture])
    try:
        data = photo.read_bytes()
        answers = answerer(data, entities, about)
        predictions = {name: Prediction(**{"alternatives": None, **answer}) for name, answer in answers.items()}
        draw_row(Image.fromarray(decode_photo(data)), predictions).save(picture)
    except OSError as error:
        raise UnusableFile(f"cannot use {error.filename or photo}: {error.strerror or error}") from error
    except PhotoError as error:
        raise UnusableFile(f"{photo}: {error}") from error
    except ValueError as error:
        raise UnusableFile(f"{picture}: {error}; name it like row.png") from error
    return predictions
