"""What text is printed on, and in which colours."""

import cv2
import numpy as np

__all__ = ["draw_background", "paint", "pick_colors"]

MIN_CONTRAST = 50  # grey levels between text and background


def pick_colors(rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Background and text colour, float32 (3,), 0 to 255: dark on light, light on dark, or any with contrast."""
    while True:
        kind = rng.random()
        if kind < 0.45:
            background, text = rng.uniform(190, 256, 3), rng.uniform(0, 90, 3)
        elif kind < 0.65:
            background, text = rng.uniform(0, 100, 3), rng.uniform(170, 256, 3)
        else:
            background, text = rng.uniform(0, 256, 3), rng.uniform(0, 256, 3)
        if rng.random() < 0.4:
            background[:] = background.mean()
        if rng.random() < 0.5:
            text[:] = text.mean()
        if abs(background.mean() - text.mean()) > MIN_CONTRAST:
            return background.astype(np.float32), text.astype(np.float32)


def draw_background(height: int, width: int, color: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """float32 (height, width, 3): even, with a gradient, with noise of low frequency, or with shapes."""
    image = np.empty((height, width, 3), np.float32)
    image[:] = color
    kind = rng.random()
    if kind < 0.3:
        slope = rng.normal(0, 25, 2)
        x, y = np.linspace(-1, 1, width, dtype=np.float32), np.linspace(-1, 1, height, dtype=np.float32)
        image += (slope[0] * x[None, :] + slope[1] * y[:, None])[..., None].astype(np.float32)
    elif kind < 0.45:
        coarse = rng.normal(0, rng.uniform(4, 18), (max(2, height // 12), max(2, width // 12), 3)).astype(np.float32)
        image += cv2.resize(coarse, (width, height), interpolation=cv2.INTER_CUBIC)
    elif kind < 0.6:
        for _ in range(int(rng.integers(1, 4))):
            shape_color = tuple(float(v) for v in np.clip(color + rng.normal(0, 30, 3), 0, 255))
            a, b = (tuple(int(v) for v in rng.integers(0, (width, height))) for _ in range(2))
            if rng.random() < 0.5:
                cv2.rectangle(image, a, b, shape_color, -1)
            else:
                cv2.line(image, a, b, shape_color, int(rng.integers(1, 4)), cv2.LINE_AA)
    return image


def paint(image: np.ndarray, mask: np.ndarray, x: int, y: int, color: np.ndarray) -> None:
    """Paints a colour (3,) through a mask (h, w), 0 to 1, on an image (H, W, 3), in place.

    Args:
        x, y: the top left of the mask on the image; what lies beyond the image is left out.
    """
    height, width = image.shape[:2]
    x0, y0, x1, y1 = max(x, 0), max(y, 0), min(x + mask.shape[1], width), min(y + mask.shape[0], height)
    if x0 < x1 and y0 < y1:
        region = image[y0:y1, x0:x1]
        region += mask[y0 - y : y1 - y, x0 - x : x1 - x, None] * (color - region)
