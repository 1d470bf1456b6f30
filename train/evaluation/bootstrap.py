"""Bootstrap samples, the same ones wherever systems are compared."""

import numpy as np

__all__ = ["bootstrap_samples"]


def bootstrap_samples(count: int, samples: int = 2000) -> np.ndarray:
    """Indices (samples, count) of photos, drawn with replacement; equal for equal arguments, so that they pair."""
    drawn: np.ndarray = np.random.default_rng(0).integers(count, size=(samples, count))
    return drawn
