"""Pictures for the benchmark page."""

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import matplotlib
import numpy as np

matplotlib.use("Agg")
from matplotlib import pyplot as plt

__all__ = ["Timed", "f1_against_time", "plot_confusion", "precision_coverage"]


class Timed(NamedTuple):
    """A system's score and its mean time on one set of photos."""

    photos: str
    system: str
    words: str
    f1: float
    milliseconds: float


MARKERS = {"Resformer": "o", "trees": "^", "rules": "s"}


def f1_against_time(path: Path, results: Sequence[Timed]) -> None:
    """Writes F1 against the milliseconds of a whole answer as a PNG, a picture for each set of photos; a line joins the
    sizes of a reader."""
    sets = list(dict.fromkeys(result.photos for result in results))
    # A reader at another size has the reader's colour.
    readers = list(dict.fromkeys(_reader(result) for result in results))
    colours = dict(zip(readers, plt.get_cmap("tab10")(np.arange(len(readers))), strict=True))
    figure, axes = plt.subplots(1, len(sets), figsize=(6 * len(sets), 5), dpi=120, squeeze=False)
    for ax, name in zip(axes[0], sets, strict=True):
        for result in (r for r in results if r.photos == name):
            own_size = result.words == _reader(result)
            label = f"{result.system}, {result.words}" if own_size else None
            marker, size = MARKERS.get(result.system, "x"), 7 if own_size else 3.5
            ax.plot(result.milliseconds, result.f1, marker, color=colours[_reader(result)], label=label, ms=size)
        for reader in readers:
            sizes = [r for r in results if (r.photos, r.system, _reader(r)) == (name, "Resformer", reader)]
            line = sorted((r.milliseconds, r.f1) for r in sizes)
            if len(line) > 1:
                ax.plot(*zip(*line, strict=True), color=colours[reader], linewidth=0.8)
        ax.set(title=name, xscale="log", xlabel="ms per photo, reading and choosing", ylabel="F1 micro")
        for format_ticks in (ax.xaxis.set_major_formatter, ax.xaxis.set_minor_formatter):
            format_ticks("{x:.0f}")
        ax.tick_params(axis="x", which="both", labelsize=7)
        ax.grid(alpha=0.3, which="both")
    # Beside the pictures, where it covers no point.
    axes[0, -1].legend(fontsize=7, loc="upper left", bbox_to_anchor=(1.0, 1.0))
    figure.tight_layout()
    figure.savefig(path)
    plt.close(figure)


def _reader(result: Timed) -> str:
    """Whose words they are: `builtin` of `builtin, 384 pixels`."""
    return result.words.split(",")[0]


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


def plot_confusion(pairs: Sequence[tuple[str, str]], file: Path, most: int = 30) -> None:
    """Writes a confusion matrix as a PNG: of each label, how its products were answered, in shares.

    Args:
        pairs: truth and answer of each product.
        most: labels shown, the most frequent ones.
    """
    labels = [label for label, _ in Counter(truth for truth, _ in pairs).most_common(most)]
    places = {label: i for i, label in enumerate(labels)}
    shares = np.zeros((len(labels), len(labels)))
    for truth, answer in pairs:
        if truth in places and answer in places:
            shares[places[truth], places[answer]] += 1
    shares /= np.maximum([[sum(truth == label for truth, _ in pairs)] for label in labels], 1)
    side = 2.5 + 0.28 * len(labels)
    figure, axes = plt.subplots(figsize=(side, side), layout="constrained")
    axes.imshow(shares, cmap="Blues", vmin=0, vmax=1)
    axes.set_xticks(range(len(labels)), labels, rotation=90, fontsize=8)
    axes.set_yticks(range(len(labels)), labels, fontsize=8)
    axes.set_xlabel("answer")
    axes.set_ylabel("catalogue")
    for row, column in np.argwhere(shares >= 0.1):
        colour = "white" if shares[row, column] > 0.5 else "black"
        axes.text(column, row, f"{100 * shares[row, column]:.0f}", ha="center", va="center", fontsize=6, color=colour)
    figure.savefig(file, dpi=110)
    plt.close(figure)
