"""Drawn photos: packs, nameplates, drawings with arrows, tables and badges, with what is printed where and what the
answers are."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import cv2
import numpy as np

from resformer.model.ocr.text_line import Line
from resformer.model.quantities.parser import find_quantities
from resformer.model.quantities.quantity import Quantity
from resformer.model.schema.schema import Schema
from resformer.train.ocr.synthetic.canvas import Canvas
from resformer.train.ocr.synthetic.fonts import Font, Fonts, load_fonts
from resformer.train.ocr.synthetic.surfaces import colours
from resformer.train.ocr.synthetic.texts import Texts

__all__ = ["HELD_LAYOUTS", "LAYOUTS", "Layout", "Scene", "ScenePress"]

LETTERS = "Aa 0.,/-()"


@dataclass(frozen=True)
class Scene:
    """A drawn photo.

    Attributes:
        photo: uint8 (side, side, 3).
        lines: all that is printed on it, in its pixels.
        answers: what is right for the entities whose values can be read on it for sure.
    """

    photo: np.ndarray
    lines: tuple[Line, ...]
    answers: Mapping[str, Quantity]


class ScenePress:
    """Draws scenes, each from a generator's numbers alone.

    Args:
        side: of a photo in pixels.
        held_out: with the fonts and layouts that training never sees.
    """

    def __init__(self, texts: Texts, schema: Schema, side: int, *, held_out: bool = False):
        self._texts = texts
        self._schema = schema
        self._side = side
        self._fonts = load_fonts(held_out)
        self._layouts = HELD_LAYOUTS if held_out else LAYOUTS

    def scene(self, rng: np.random.Generator) -> Scene:
        """A scene of any layout."""
        return self.scene_of(self._layouts[int(rng.integers(len(self._layouts)))], rng)

    def scene_of(self, layout: "Layout", rng: np.random.Generator) -> Scene:
        """A scene of this layout."""
        ground, ink = colours(rng)
        sheet = Sheet(
            Canvas(self._side, self._side, ground, rng),
            self._texts,
            self._schema,
            self._fonts.pick(LETTERS, rng),
            ink,
            self._fonts,
            rng,
        )
        answers = layout(sheet)
        photo, lines = sheet.canvas.photo()
        # What did not fit, or what the camera cut off, is no answer.
        whole = [line for line in lines if min(line.box) >= 0 and max(line.box) <= self._side]
        shown = {e: q for e, q in answers.items() if any(self._says(line.text, e, q) for line in whole)}
        return Scene(photo, lines, shown)

    def _says(self, text: str, entity: str, quantity: Quantity) -> bool:
        return any(match.quantity == quantity for match in find_quantities(text, self._schema[entity].units))


@dataclass(frozen=True)
class Sheet:
    """What a layout draws on and with."""

    canvas: Canvas
    texts: Texts
    schema: Schema
    font: Font
    ink: np.ndarray
    fonts: Fonts
    rng: np.random.Generator

    def say(self, text: str, x: float, y: float, height: float, room: float, turns: int = 0) -> None:
        """Prints a line around (x, y), smaller where it is longer than the room. A text that the sheet's font lacks
        characters for is printed with another."""
        known = self.font.characters.issuperset(text.replace(" ", ""))
        font = self.font if known else self.fonts.pick(text, self.rng)
        self.canvas.print(text, font, (x, y), self.canvas.fits(text, font, height, room), self.ink, turns)

    def value(self, entity: str) -> Quantity:
        return self.texts.quantity(self.schema[entity], self.rng)

    def one(self, *options: str) -> str:
        return options[int(self.rng.integers(len(options)))]


Layout = Callable[[Sheet], Mapping[str, Quantity]]


def pack(sheet: Sheet) -> Mapping[str, Quantity]:
    """A brand, a name, claims, the net weight or volume below; at times a panel of nutrition facts beside."""
    rng, side = sheet.rng, sheet.canvas.width
    entity = sheet.one("item_weight", "item_volume")
    answer = sheet.value(entity)
    with_panel = rng.random() < 0.4
    room = side * (0.55 if with_panel else 0.95)
    x, y = room / 2, side * rng.uniform(0.05, 0.12)
    cue = sheet.one("Net Wt.", "NET WEIGHT", "Net weight", "") if entity == "item_weight" else sheet.one("Net", "Vol.")
    value = f"{cue} {sheet.texts.spelled(answer, rng)}".strip()
    claims = [sheet.texts.words(rng) for _ in range(int(rng.integers(2, 6)))]
    for i, text in enumerate([*claims, value]):
        height = side * rng.uniform(0.015, 0.09 if i == 0 else 0.045)
        sheet.say(text, x, y + height, height, room)
        y += height * rng.uniform(1.7, 3.0)
    if with_panel:
        _panel(sheet, side * 0.6, side * rng.uniform(0.05, 0.3), side * 0.36)
    return {entity: answer}


def _panel(sheet: Sheet, x: float, y: float, width: float) -> None:
    rng = sheet.rng
    height = sheet.canvas.width * rng.uniform(0.011, 0.02)
    pitch = height * rng.uniform(1.7, 2.3)
    rows = int(rng.integers(4, 12))
    colour = tuple(float(v) for v in sheet.ink)
    corner = (round(x), round(y)), (round(x + width), round(y + pitch * (rows + 0.5)))
    cv2.rectangle(sheet.canvas.image, *corner, colour, 1, cv2.LINE_AA)
    for row in range(rows):
        at = y + pitch * (row + 0.75)
        name, number = sheet.texts.words(rng, 1), f"{rng.integers(0, 500)}{sheet.one('g', 'mg', ' g', 'mcg', '%')}"
        sheet.say(name, x + width * 0.3, at, height, width * 0.5)
        sheet.say(number, x + width * 0.8, at, height, width * 0.3)
        if rng.random() < 0.5:
            line = round(at + pitch / 2)
            cv2.line(sheet.canvas.image, (round(x), line), (round(x + width), line), colour, 1)


def nameplate(sheet: Sheet) -> Mapping[str, Quantity]:
    """Rows of a name and a value, as on the back of a device."""
    rng, side = sheet.rng, sheet.canvas.width
    names = {
        "voltage": ("Input", "Voltage", "AC", "Rated voltage"),
        "wattage": ("Power", "Wattage", "Rated power"),
        "maximum_weight_recommendation": ("Max load", "Capacity", "Max. weight"),
    }
    answers = {entity: sheet.value(entity) for entity in names if rng.random() < 0.7}
    rows = [f"{sheet.one(*names[e])}: {sheet.texts.spelled(q, rng)}" for e, q in answers.items()]
    rows += [f"{sheet.texts.words(rng, 1)}: {sheet.texts.code(rng)}" for _ in range(int(rng.integers(1, 5)))]
    rng.shuffle(rows)
    height = side * rng.uniform(0.015, 0.05)
    pitch = min(height * rng.uniform(1.8, 3.0), 0.9 * side / len(rows))
    left, y = side * rng.uniform(0.05, 0.2), side * rng.uniform(0.05, 0.3)
    for row in rows:
        room = side - 2 * left
        # All rows begin at the same place.
        size = sheet.canvas.fits(row, sheet.font, height, room)
        length = sheet.canvas.length(row, sheet.font, size)
        sheet.say(row, left + length / 2, y + height, size, room)
        y += pitch
    return answers


def drawing(sheet: Sheet) -> Mapping[str, Quantity]:
    """An object with arrows along its width and its height, and what they measure."""
    rng, side = sheet.rng, sheet.canvas.width
    image = sheet.canvas.image
    x0, y0, x1, y1 = (round(side * v) for v in (*rng.uniform(0.12, 0.3, 2), *rng.uniform(0.65, 0.85, 2)))
    body = tuple(float(v) for v in rng.uniform(0, 256, 3))
    if rng.random() < 0.6:
        cv2.rectangle(image, (x0, y0), (x1, y1), body, -1)
    else:
        cv2.ellipse(image, (((x0 + x1) / 2, (y0 + y1) / 2), (x1 - x0, y1 - y0), 0), body, -1, cv2.LINE_AA)
    colour = tuple(float(v) for v in sheet.ink)
    height = side * rng.uniform(0.02, 0.05)
    gap = side * 0.04
    answers = {"width": sheet.value("width"), "height": sheet.value("height")}
    below, beside = y1 + gap, x1 + gap
    _arrow(image, (x0, below), (x1, below), colour, rng)
    _arrow(image, (beside, y0), (beside, y1), colour, rng)
    spelled = {e: f"{sheet.one('', '', e[0].upper() + ' ')}{sheet.texts.spelled(q, rng)}" for e, q in answers.items()}
    sheet.say(spelled["width"], (x0 + x1) / 2, below + 1.2 * height, height, side * 0.5)
    turned = rng.random() < 0.4
    reach = height if turned else side * 0.08
    sheet.say(
        spelled["height"],
        beside + 0.2 * gap + reach,
        (y0 + y1) / 2,
        height,
        side * (0.5 if turned else 0.16),
        3 * turned,
    )
    if rng.random() < 0.5:
        title = sheet.texts.words(rng, 2)
        sheet.say(title, side / 2, side * 0.05, side * rng.uniform(0.02, 0.05), side * 0.9)
    return answers


def _arrow(
    image: np.ndarray, a: tuple[float, float], b: tuple[float, float], colour: tuple, rng: np.random.Generator
) -> None:
    """A line with heads, or with strokes across its ends."""
    start, end = ((round(x), round(y)) for x, y in (a, b))
    thick = int(rng.integers(1, 3))
    if rng.random() < 0.6:
        for tail, tip in ((start, end), (end, start)):
            cv2.arrowedLine(image, tail, tip, colour, thick, cv2.LINE_AA, tipLength=rng.uniform(0.02, 0.08))
        return
    cv2.line(image, start, end, colour, thick, cv2.LINE_AA)
    across = (0, 6) if start[1] == end[1] else (6, 0)
    for x, y in (start, end):
        cv2.line(image, (x - across[0], y - across[1]), (x + across[0], y + across[1]), colour, thick, cv2.LINE_AA)


def table(sheet: Sheet) -> Mapping[str, Quantity]:
    """Sizes in rows and columns; none of them is the answer for sure."""
    rng, side = sheet.rng, sheet.canvas.width
    rows, columns = int(rng.integers(3, 8)), int(rng.integers(2, 6))
    height = side * rng.uniform(0.013, 0.03)
    unit = sheet.one("cm", "in", "inch", "mm")
    pitch, width = height * rng.uniform(2.0, 3.2), side * 0.9 / columns
    top = side * rng.uniform(0.05, 0.3)
    colour = tuple(float(v) for v in sheet.ink)
    ruled = rng.random() < 0.6
    for row in range(rows):
        y = top + pitch * (row + 0.5)
        for column in range(columns):
            x = side * 0.05 + width * (column + 0.5)
            number = f"{sheet.texts.number(rng).normalize():f}"
            names = ("S", "M", "L", "XL", "XXL", "3XL", "4XL", "5XL")
            text = names[row - 1] if row and not column else number if row else f"{sheet.texts.words(rng, 1)} ({unit})"
            sheet.say(text, x, y, height, width)
        if ruled:
            line = round(y + pitch / 2)
            cv2.line(sheet.canvas.image, (round(side * 0.05), line), (round(side * 0.95), line), colour, 1)
    return {}


def badges(sheet: Sheet) -> Mapping[str, Quantity]:
    """Round badges with a number above its unit."""
    rng, side = sheet.rng, sheet.canvas.width
    entities = list(rng.permutation(["voltage", "wattage", "item_weight", "maximum_weight_recommendation"]))
    answers = {str(e): sheet.value(str(e)) for e in entities[: int(rng.integers(1, 4))]}
    colour = tuple(float(v) for v in sheet.ink)
    for i, (entity, quantity) in enumerate(answers.items()):
        x, y, radius = side * (0.2 + 0.3 * i), side * rng.uniform(0.25, 0.75), side * 0.13
        cv2.circle(sheet.canvas.image, (round(x), round(y)), round(radius), colour, 2, cv2.LINE_AA)
        sheet.say(sheet.texts.spelled(quantity, rng), x, y, radius * 0.5, radius * 1.7)
        sheet.say(sheet.one(*sheet.schema[entity].cues), x, y + radius * 1.3, radius * 0.25, radius * 2)
    return answers


LAYOUTS: tuple[Layout, ...] = (pack, pack, nameplate, drawing, drawing, table)
HELD_LAYOUTS: tuple[Layout, ...] = (badges,)
