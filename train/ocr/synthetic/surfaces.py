"""What print stands on, and in which colours."""

import cv2
import numpy as np

__all__ = ["colours", "paint", "surface"]

LEAST_CONTRAST = 50  # grey levels between print and its ground


def colours(rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Ground and ink, float32 (3,), 0 to 255: dark on light, light on dark, or coloured; always to be told apart."""
    while True:
        kind = rng.random()
        if kind < 0.45:
            ground, ink = rng.uniform(190, 256, 3), rng.uniform(0, 90, 3)
        elif kind < 0.65:
            ground, ink = rng.uniform(0, 100, 3), rng.uniform(170, 256, 3)
        else:
            ground, ink = rng.uniform(0, 256, 3), rng.uniform(0, 256, 3)
        if rng.random() < 0.4:
            ground[:] = ground.mean()
        if rng.random() < 0.5:
            ink[:] = ink.mean()
        if abs(ground.mean() - ink.mean()) > LEAST_CONTRAST:
            return ground.astype(np.float32), ink.astype(np.float32)


def surface(height: int, width: int, ground: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """float32 (height, width, 3): even, shaded, clouded or with shapes on it."""
    image = np.empty((height, width, 3), np.float32)
    image[:] = ground
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
            colour = tuple(float(v) for v in np.clip(ground + rng.normal(0, 30, 3), 0, 255))
            a, b = (tuple(int(v) for v in rng.integers(0, (width, height))) for _ in range(2))
            if rng.random() < 0.5:
                cv2.rectangle(image, a, b, colour, -1)
            else:
                cv2.line(image, a, b, colour, int(rng.integers(1, 4)), cv2.LINE_AA)
    return image


def paint(image: np.ndarray, mask: np.ndarray, x: int, y: int, ink: np.ndarray) -> None:
    """Lays a mask of ink onto the image, its top left at (x, y); what lies beyond the image is left out."""
    height, width = image.shape[:2]
    x0, y0, x1, y1 = max(x, 0), max(y, 0), min(x + mask.shape[1], width), min(y + mask.shape[0], height)
    if x0 < x1 and y0 < y1:
        part = image[y0:y1, x0:x1]
        part += mask[y0 - y : y1 - y, x0 - x : x1 - x, None] * (ink - part)
