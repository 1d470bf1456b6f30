"""What happens to print between the press and the file."""

import cv2
import numpy as np

__all__ = ["photographed"]


def photographed(image: np.ndarray, rng: np.random.Generator, *, blur: float = 1.0) -> np.ndarray:
    """uint8 (H, W, 3) of a float image, 0 to 255: with glare, blur, noise and what JPEG leaves of it.

    Args:
        blur: pixels of the strongest blur.
    """
    height, width = image.shape[:2]
    if rng.random() < 0.08:
        _glare(image, rng)
    if rng.random() < 0.1:
        image = image * rng.uniform(0.5, 1.0) + rng.uniform(0, 60)
    if rng.random() < 0.35:
        image = cv2.GaussianBlur(image, (0, 0), rng.uniform(0.3, max(0.31, blur)))
    if rng.random() < 0.25:
        image = image + rng.normal(0, rng.uniform(1, 10), (height, width, 1)).astype(np.float32)
    out: np.ndarray = np.clip(image, 0, 255).astype(np.uint8)
    if rng.random() < 0.7:
        _, packed = cv2.imencode(".jpg", out, (cv2.IMWRITE_JPEG_QUALITY, int(rng.integers(35, 96))))
        out = np.asarray(cv2.imdecode(packed, cv2.IMREAD_COLOR))
    return out


def _glare(image: np.ndarray, rng: np.random.Generator) -> None:
    """A lamp's reflection."""
    height, width = image.shape[:2]
    x, y = np.linspace(0, 1, width, dtype=np.float32), np.linspace(0, 1, height, dtype=np.float32)
    cx, cy = rng.random(2)
    spread = rng.uniform(0.05, 0.3)
    spot = np.exp(-((x[None] - cx) ** 2 + (y[:, None] - cy) ** 2) / spread**2)
    image += (rng.uniform(40, 130) * spot)[..., None].astype(np.float32)
