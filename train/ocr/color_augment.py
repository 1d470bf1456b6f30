"""Augmentation of colours and sharpness, for networks that read text in any."""

import cv2
import numpy as np

__all__ = ["color_jitter"]


def color_jitter(image: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """An image, uint8 (H, W, 3), brightened, inverted, with permuted channels, grey, blurred, noisy, or as it is."""
    x: np.ndarray = image.astype(np.float32)
    if rng.random() < 0.5:
        x = x * rng.uniform(0.7, 1.3) + rng.uniform(-30, 30)
    if rng.random() < 0.15:
        x = 255 - x
    if rng.random() < 0.2:
        x = x[:, :, rng.permutation(3)]
    if rng.random() < 0.15:
        x = np.repeat(x.mean(axis=2, keepdims=True), 3, axis=2)
    if rng.random() < 0.2:
        x = cv2.GaussianBlur(x, (0, 0), rng.uniform(0.4, 1.0))
    if rng.random() < 0.2:
        x = x + rng.normal(0, rng.uniform(2, 10), x.shape)
    return np.clip(x, 0, 255).astype(np.uint8)
