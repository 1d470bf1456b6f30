"""What a camera and JPEG do to an image."""

import cv2
import numpy as np

__all__ = ["simulate_camera"]


def simulate_camera(image: np.ndarray, rng: np.random.Generator, *, max_blur: float = 1.0) -> np.ndarray:
    """An image, float32 (H, W, 3), 0 to 255, as uint8 with glare, low contrast, blur, noise and JPEG artefacts.

    Args:
        max_blur: standard deviation, pixels.
    """
    height, width = image.shape[:2]
    if rng.random() < 0.08:
        image = _add_glare(image, rng)
    if rng.random() < 0.1:
        image = image * rng.uniform(0.5, 1.0) + rng.uniform(0, 60)
    if rng.random() < 0.35:
        image = cv2.GaussianBlur(image, (0, 0), rng.uniform(0.3, max(0.31, max_blur)))
    if rng.random() < 0.25:
        image = image + rng.normal(0, rng.uniform(1, 10), (height, width, 1)).astype(np.float32)
    out: np.ndarray = np.clip(image, 0, 255).astype(np.uint8)
    if rng.random() < 0.7:
        _, jpeg = cv2.imencode(".jpg", out, (cv2.IMWRITE_JPEG_QUALITY, int(rng.integers(35, 96))))
        out = np.asarray(cv2.imdecode(jpeg, cv2.IMREAD_COLOR))
    return out


def _add_glare(image: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """The image with the reflection of a lamp."""
    height, width = image.shape[:2]
    x, y = np.linspace(0, 1, width, dtype=np.float32), np.linspace(0, 1, height, dtype=np.float32)
    center_x, center_y = rng.random(2)
    radius = rng.uniform(0.05, 0.3)
    spot = np.exp(-((x[None] - center_x) ** 2 + (y[:, None] - center_y) ** 2) / radius**2)
    lit: np.ndarray = image + (rng.uniform(40, 130) * spot)[..., None].astype(np.float32)
    return lit
