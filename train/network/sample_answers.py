"""Pictures of what a network answers while it learns: photos with the boxes of its answers and of the right ones."""

import math
from collections.abc import Sequence

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from resformer.model.images.loading import decode_photo
from resformer.model.networks.resformer import Resformer
from resformer.train.network.labelled_photos import LabelledPhoto, PhotoFile
from resformer.train.network.validation import QuantityChoice, RowValidator

__all__ = ["SampleAnswers"]

NUM_PHOTOS, COLUMNS = 8, 4
SIDE, CAPTION_LINE = 320, 16  # pixels of a photo in the picture, and of a line below it
CAPTION_LINES = 4
RIGHT, WRONG, INK = "#00a000", "#e00000", "black"


class SampleAnswers:
    """Answers about the same photos at every call.

    Args:
        photos: of the validation split; the first ones with a quantity that was read are shown.
        validator: of these photos.
    """

    def __init__(self, photos: Sequence[LabelledPhoto], validator: RowValidator):
        self._photos = [p for p in photos if p.photo and p.lines and any(q.accepted for q in p.questions)][:NUM_PHOTOS]
        self._validator = validator

    def draw(self, network: Resformer) -> np.ndarray | None:
        """The photos beside each other, uint8 RGB (H, W, 3); None where there are none.

        The box of a wrong answer is red, those of right candidates are green.
        """
        if not self._photos:
            return None
        choices = self._validator.quantity_choices(network, self._photos)
        height = SIDE + CAPTION_LINES * CAPTION_LINE
        rows = math.ceil(len(self._photos) / COLUMNS)
        sheet = Image.new("RGB", (COLUMNS * SIDE, rows * height), "white")
        for i, (photo, of_photo) in enumerate(zip(self._photos, choices, strict=True)):
            sheet.paste(_drawn(photo, of_photo, height), (i % COLUMNS * SIDE, i // COLUMNS * height))
        return np.asarray(sheet)


def _drawn(photo: LabelledPhoto, choices: Sequence[QuantityChoice], height: int) -> Image.Image:
    cell = Image.new("RGB", (SIDE, height), "white")
    scale = SIDE / max(photo.width, photo.height)
    cell.paste(_scaled(photo.photo, (round(photo.width * scale), round(photo.height * scale))))
    draw = ImageDraw.Draw(cell)
    font = ImageFont.load_default(12)
    for i, choice in enumerate(_shown(choices)):
        accepted = choice.question.accepted
        for candidate in choice.candidates:
            if candidate.box and candidate.quantity in accepted:
                draw.rectangle(tuple(scale * x for x in candidate.box), outline=RIGHT, width=2)
        chosen = None if choice.chosen is None else choice.candidates[choice.chosen]
        is_right = chosen.quantity in accepted if chosen else choice.question.empty_is_right
        if chosen and chosen.box and not is_right:
            draw.rectangle(tuple(scale * x for x in chosen.box), outline=WRONG, width=2)
        given = str(chosen.quantity) if chosen else "(empty)"
        label = "" if is_right else f", right: {accepted[0] if accepted else '(empty)'}"
        text = f"{choice.question.entity.name}: {given}{label}"
        draw.text((4, SIDE + i * CAPTION_LINE), text, INK if is_right else WRONG, font)
    return cell


def _shown(choices: Sequence[QuantityChoice]) -> list[QuantityChoice]:
    """Those with something to see, as many as there is room for."""
    return [c for c in choices if c.question.accepted or c.chosen is not None][:CAPTION_LINES]


def _scaled(photo: PhotoFile | None, size: tuple[int, int]) -> Image.Image:
    assert photo is not None
    return Image.fromarray(decode_photo(photo.read_bytes())).resize(size)
