"""Pictures for the benchmark page."""

from collections.abc import Sequence
from pathlib import Path

import matplotlib
import numpy as np

matplotlib.use("Agg")
from matplotlib import pyplot as plt

__all__ = ["precision_coverage"]


def precision_coverage(path: Path, confidences: Sequence[float], right: Sequence[bool]) -> None:
    """Writes the precision of the most confident answers against their share of all answers, as a PNG."""
    order = np.argsort(-np.asarray(confidences, dtype=float), kind="stable")
    precision = np.cumsum(np.asarray(right, dtype=float)[order]) / np.arange(1, len(order) + 1)
    coverage = np.arange(1, len(order) + 1) / len(order)
    figure, axes = plt.subplots(figsize=(6, 4), dpi=120)
    axes.plot(coverage, precision, color="tab:blue")
    axes.set(
        xlabel="share of the answers kept, most confident first", ylabel="precision", xlim=(0, 1), ylim=(0.5, 1.01)
    )
    axes.grid(alpha=0.3)
    figure.tight_layout()
    figure.savefig(path)
    plt.close(figure)
