"""Plots of the benchmarks, as PNG files."""

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import matplotlib
import numpy as np

matplotlib.use("Agg")
from matplotlib import pyplot as plt
from matplotlib.ticker import LogLocator

__all__ = ["TimedScore", "plot_confusion", "plot_f1_against_time", "plot_precision_coverage", "plot_scale"]


class TimedScore(NamedTuple):
    """F1 and mean time of one system on one set of photos.

    Attributes:
        photos: name of the set.
        system: name of the system.
        reader: whose text it had.
        f1: micro-F1.
        milliseconds: mean of a whole answer.
    """

    photos: str
    system: str
    reader: str
    f1: float
    milliseconds: float


MARKERS = {"Resformer": "o", "trees": "^", "rules": "s"}


def plot_f1_against_time(path: Path, scores: Sequence[TimedScore]) -> None:
    """Plots F1 against the time of a whole answer, axes for each set of photos; a line joins the sizes of a reader."""
    sets = list(dict.fromkeys(score.photos for score in scores))
    # A reader at another size has the reader's colour.
    readers = list(dict.fromkeys(_reader(score) for score in scores))
    colours = dict(zip(readers, plt.get_cmap("tab10")(np.arange(len(readers))), strict=True))
    figure, axes = plt.subplots(1, len(sets), figsize=(6 * len(sets), 5), dpi=120, squeeze=False)
    for ax, name in zip(axes[0], sets, strict=True):
        for score in (s for s in scores if s.photos == name):
            default_size = score.reader == _reader(score)
            label = f"{score.system}, {score.reader}" if default_size else None
            marker, size = MARKERS.get(score.system, "x"), 7 if default_size else 3.5
            ax.plot(score.milliseconds, score.f1, marker, color=colours[_reader(score)], label=label, ms=size)
        for reader in readers:
            sizes = [s for s in scores if (s.photos, s.system, _reader(s)) == (name, "Resformer", reader)]
            line = sorted((s.milliseconds, s.f1) for s in sizes)
            if len(line) > 1:
                ax.plot(*zip(*line, strict=True), color=colours[reader], linewidth=0.8)
        ax.set(title=name, xscale="log", xlabel="ms per photo, whole answer", ylabel="micro-F1")
        ax.xaxis.set_minor_locator(LogLocator(subs=(2, 5)))
        for format_ticks in (ax.xaxis.set_major_formatter, ax.xaxis.set_minor_formatter):
            format_ticks("{x:.0f}")
        ax.tick_params(axis="x", which="both", labelsize=7)
        ax.grid(alpha=0.3, which="both")
    # Beside the axes, where it covers no point.
    axes[0, -1].legend(fontsize=7, loc="upper left", bbox_to_anchor=(1.0, 1.0))
    figure.tight_layout()
    figure.savefig(path)
    plt.close(figure)


def _reader(score: TimedScore) -> str:
    """The reader without its size: `builtin` of `builtin, 384 pixels`."""
    return score.reader.split(",")[0]


def plot_precision_coverage(path: Path, confidences: Sequence[float], right: Sequence[bool]) -> None:
    """Plots the precision of the most confident answers against their fraction of all answers.

    Args:
        path: PNG to write.
        confidences: of the non-empty answers.
        right: whether each of them is right.
    """
    order = np.argsort(-np.asarray(confidences, dtype=float), kind="stable")
    precision = np.cumsum(np.asarray(right, dtype=float)[order]) / np.arange(1, len(order) + 1)
    coverage = np.arange(1, len(order) + 1) / len(order)
    figure, axes = plt.subplots(figsize=(6, 4), dpi=120)
    axes.plot(coverage, precision, color="tab:blue")
    axes.set(
        xlabel="coverage: fraction of the answers kept, most confident first",
        ylabel="precision",
        xlim=(0, 1),
        ylim=(0.5, 1.01),
    )
    axes.grid(alpha=0.3)
    figure.tight_layout()
    figure.savefig(path)
    plt.close(figure)


def plot_confusion(path: Path, pairs: Sequence[tuple[str, str]], max_labels: int = 30) -> None:
    """Plots a confusion matrix whose rows are normalised.

    Args:
        path: PNG to write.
        pairs: true label and prediction of each product.
        max_labels: the most frequent labels that are shown.
    """
    labels = [label for label, _ in Counter(truth for truth, _ in pairs).most_common(max_labels)]
    index = {label: i for i, label in enumerate(labels)}
    matrix = np.zeros((len(labels), len(labels)))
    for truth, prediction in pairs:
        if truth in index and prediction in index:
            matrix[index[truth], index[prediction]] += 1
    matrix /= np.maximum([[sum(truth == label for truth, _ in pairs)] for label in labels], 1)
    side = 2.5 + 0.28 * len(labels)
    figure, axes = plt.subplots(figsize=(side, side), layout="constrained")
    axes.imshow(matrix, cmap="Blues", vmin=0, vmax=1)
    axes.set_xticks(range(len(labels)), labels, rotation=90, fontsize=8)
    axes.set_yticks(range(len(labels)), labels, fontsize=8)
    axes.set_xlabel("prediction")
    axes.set_ylabel("label")
    for row, column in np.argwhere(matrix >= 0.1):
        colour = "white" if matrix[row, column] > 0.5 else "black"
        axes.text(column, row, f"{100 * matrix[row, column]:.0f}", ha="center", va="center", fontsize=6, color=colour)
    figure.savefig(path, dpi=110)
    plt.close(figure)


def plot_scale(path: Path, runs: Sequence[dict[str, Any]]) -> None:
    """Plots the hours of simulated runs against the number of nodes, with a line for each reader and kind of run.

    Args:
        path: PNG to write.
        runs: see scale_figures.
    """
    figure, axes = plt.subplots(figsize=(7, 4.5), dpi=110, layout="constrained")
    readers = list(dict.fromkeys(run["reader"] for run in runs))
    colours = dict(zip(readers, plt.get_cmap("tab10")(np.arange(len(readers))), strict=True))
    for reader in readers:
        for troubles, style in ((False, "-"), (True, "--")):
            of_reader = [run for run in runs if run["reader"] == reader and run["troubles"] == troubles]
            whole = [run for run in of_reader if run["parts"] == 1]
            label = f"{reader}, {'hosts slow, nodes lost' if troubles else 'nothing fails'}"
            axes.plot([r["nodes"] for r in whole], [r["seconds"] / 3600 for r in whole], style, color=colours[reader])
            split = [run for run in of_reader if run["parts"] > 1]
            axes.plot([r["nodes"] for r in split], [r["seconds"] / 3600 for r in split], "o", color=colours[reader])
            axes.plot([], [], style, color=colours[reader], label=label)
    axes.plot([], [], "o", color="grey", label="table split into several runs")
    axes.set(xscale="log", yscale="log", xlabel="nodes", ylabel="hours")
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_major_formatter("{x:g}")
    axes.grid(alpha=0.3, which="both")
    axes.legend(fontsize=7)
    figure.savefig(path)
    plt.close(figure)
