"""What stands behind the transparent part of a photo: the ground on which its text is seen."""

import math

import cv2
import numpy as np
from PIL import Image

__all__ = ["ground_of", "on_ground"]

WHITE = 255
MAX_PIXELS = 6_000_000  # looking takes 40 bytes each
# Grey levels of other grounds. The middle one is for a photo with black and with white shapes.
OTHER_GROUNDS = (0, 128)
OPAQUE = 255
VISIBLE_ALPHA = 64
MIN_CONTRAST = 0.15 * WHITE  # less is not read
MIN_LETTERS = 3
MAX_LETTERS = 1000  # the largest are looked at, which bounds the time
MIN_HEIGHT = 6  # pixels of the smallest shapes, which may be letters
MAX_THICKNESS = 0.08  # of the longer side: letters are made of thin strokes, products are not
MAX_GAP, MAX_RATIO = 1.5, 2.5  # between neighbouring letters, in heights, and of their heights
RIM = 5  # pixels around a shape's border in which its brightness is measured


def ground_of(image: Image.Image) -> int:
    """The grey level on which a photo with transparency stands: white.

    Where MIN_LETTERS shapes or more as bright as white are thin and near each other as letters are, it is the ground on
    which most shapes are seen, black or grey. Of a large photo a smaller copy is looked at.
    """
    width, height = image.size
    factor = math.ceil(math.sqrt(width * height / MAX_PIXELS))
    if factor <= 1:
        return _ground(np.asarray(image.convert("RGBA")))
    rows = factor * max(1, MAX_PIXELS // (width * factor))
    bands = (image.crop((0, top, width, min(height, top + rows))).convert("RGBA") for top in range(0, height, rows))
    return _ground(np.concatenate([np.asarray(band.reduce(factor)) for band in bands]))


def on_ground(image: Image.Image, ground: int) -> Image.Image:
    """A photo with transparency on a grey level, RGB."""
    image = image.convert("RGBA")
    if np.asarray(image)[..., 3].min() == OPAQUE:
        return image.convert("RGB")
    behind = Image.new("RGBA", image.size, (ground, ground, ground, OPAQUE))
    return Image.alpha_composite(behind, image).convert("RGB")


def _ground(rgba: np.ndarray) -> int:
    """The grey level of the ground of a photo, uint8 (H, W, 4)."""
    alpha = rgba[..., 3]
    if alpha.min() >= VISIBLE_ALPHA:
        return WHITE
    weight = alpha.astype(np.float32)
    light = cv2.blur(cv2.cvtColor(rgba, cv2.COLOR_RGBA2GRAY) * weight, (RIM, RIM))
    light = light / np.maximum(cv2.blur(weight, (RIM, RIM)), 1e-3)
    shapes = _shapes((alpha >= VISIBLE_ALPHA).astype(np.uint8), light)
    brightness, length, thin = shapes[:, :3].T
    if _count_in_lines(shapes[(brightness > WHITE - MIN_CONTRAST) & (thin > 0), 3:]) < MIN_LETTERS:
        return WHITE

    def seen(ground: int) -> float:
        return float(length[np.abs(brightness - ground) >= MIN_CONTRAST].sum())

    return max((WHITE, *OTHER_GROUNDS), key=seen)


def _shapes(visible: np.ndarray, light: np.ndarray) -> np.ndarray:
    """Brightness and length of the border of a shape, whether it is as thin as a letter, its box x, y, w, h: (N, 7).

    Args:
        visible: uint8 (H, W), 1 where the photo is not transparent.
        light: float (H, W), the brightness of the visible part nearby.
    """
    count, shape, stats, _ = cv2.connectedComponentsWithStats(visible, connectivity=8)
    border = visible > cv2.erode(visible, np.ones((3, 3), np.uint8))
    of_border = shape[border]
    length = np.bincount(of_border, minlength=count)
    brightness = np.bincount(of_border, light[border], minlength=count) / np.maximum(length, 1)
    # The border of a stroke has both of its sides.
    thin = 2 * stats[:, cv2.CC_STAT_AREA] <= MAX_THICKNESS * max(visible.shape) * length
    boxes = stats[:, [cv2.CC_STAT_LEFT, cv2.CC_STAT_TOP, cv2.CC_STAT_WIDTH, cv2.CC_STAT_HEIGHT]]
    large = boxes[:, 2:].max(axis=1) >= MIN_HEIGHT
    large[0] = False  # what is not visible
    shapes: np.ndarray = np.column_stack([brightness, length, thin, boxes])[large]
    return shapes


def _count_in_lines(boxes: np.ndarray) -> int:
    """How many shapes, x, y, w, h (N, 4), have another of their size nearby, as letters have and specks have not."""
    boxes = boxes[np.argsort(-boxes[:, 2:].max(axis=1), kind="stable")[:MAX_LETTERS]]
    size = boxes[:, 2:].max(axis=1)
    near = np.zeros(len(boxes), bool)
    for i, (x, y, width, height) in enumerate(boxes):
        gaps = np.maximum(boxes[:, :2] - (x + width, y + height), (x, y) - boxes[:, :2] - boxes[:, 2:]).max(axis=1)
        alike = (gaps < MAX_GAP * size[i]) & (size < MAX_RATIO * size[i]) & (size * MAX_RATIO > size[i])
        near[i] = alike.sum() > 1  # itself among them
    return int(near.sum())
