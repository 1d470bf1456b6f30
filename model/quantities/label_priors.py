"""Label priors: how often public labels give a value, per entity, exact quantity, unit, size and product group.

Groups are a catalogue's category codes; each has units and sizes of its own; `748919.0` is the group `748919`. Entries
are stored under a hash of entity and quantity or group. A quantity with a single label is not stored, nor a group of
few labels.
"""

import hashlib
import math
from collections import Counter
from collections.abc import Iterable
from pathlib import Path

import numpy as np
from safetensors.numpy import load_file, save_file

from resformer.model.files.cell_text import integer_text
from resformer.model.quantities.quantity import Quantity

__all__ = ["PRIORS_FILE", "LabelPriors"]

PRIORS_FILE = Path(__file__).parents[1] / "weights" / "priors.safetensors"
BINS = np.linspace(-10, 6, 97)  # decades of the SI value, six bins a decade
MIN_GROUP_LABELS = 5  # of one entity
MAX_GROUP_LENGTH = 100  # characters; a group with a longer name is none that was counted
# The spread of a group's sizes is estimated with so many more labels of so many decades.
PRIOR_SPREAD, PRIOR_LABELS = 0.5, 4


class LabelPriors:
    """Statistics of label values, looked up while features of candidates are made."""

    def __init__(self, tensors: dict[str, np.ndarray]):
        self._tensors = tensors
        keys, counts = tensors["keys"].tolist(), tensors["counts"].tolist()
        self._counts: dict[int, int] = dict(zip(keys, counts, strict=True))
        self._units: dict[int, int] = dict(
            zip(tensors["unit_keys"].tolist(), tensors["unit_counts"].tolist(), strict=True)
        )
        self._groups: dict[int, int] = {key: i for i, key in enumerate(tensors["group_keys"].tolist())}

    @classmethod
    def count(cls, labels: Iterable[tuple[str, str, Quantity]]) -> "LabelPriors":
        """Counts (entity name, group, quantity) labels; the group is empty where it is not known."""
        values: Counter[int] = Counter()
        units: Counter[int] = Counter()
        histograms: dict[str, np.ndarray] = {}
        groups: dict[tuple[str, str], list[Quantity]] = {}
        for entity, group, quantity in labels:
            if group:
                groups.setdefault((entity, integer_text(group)), []).append(quantity)
            values[_key(entity, str(quantity))] += 1
            units[_key(entity, quantity.unit)] += 1
            units[_key(entity, "")] += 1
            histogram = histograms.setdefault(f"spread/{entity}", np.zeros(len(BINS) + 1, dtype=np.float32))
            histogram[_bin(quantity)] += 1
        kept = sorted((k, n) for k, n in values.items() if n > 1)
        large = {_key(*name): members for name, members in groups.items() if len(members) >= MIN_GROUP_LABELS}
        for key, members in large.items():
            for quantity in members:
                units[_key(str(key), quantity.unit)] += 1
        decades = {key: np.array([_decade(q) for q in large[key]]) for key in sorted(large)}
        return cls(
            {
                "group_keys": np.array(list(decades), dtype=np.int64),
                # Of the decades of each group's SI values: count, sum, sum of squares.
                "group_sums": np.array(
                    [[len(d), d.sum(), (d**2).sum()] for d in decades.values()], dtype=np.float64
                ).reshape(-1, 3),
                "keys": np.array([k for k, _ in kept], dtype=np.int64),
                "counts": np.array([n for _, n in kept], dtype=np.int32),
                "unit_keys": np.array(sorted(units), dtype=np.int64),
                "unit_counts": np.array([units[k] for k in sorted(units)], dtype=np.int32),
                **histograms,
            }
        )

    @classmethod
    def load(cls, path: Path = PRIORS_FILE) -> "LabelPriors":
        """Reads a file of `save`."""
        return cls(load_file(path))

    def save(self, path: Path = PRIORS_FILE) -> None:
        """Writes a safetensors file."""
        save_file(self._tensors, path)

    def features(
        self, entity: str, quantity: Quantity, excluded_label: Quantity | None = None
    ) -> tuple[float, float, float]:
        """Log count of this exact quantity, log fraction of its unit, log density of its size among an entity's labels.

        Args:
            excluded_label: a label among those counted; the features are as if it were not. In training this is the
                label of the row itself, which would otherwise give the answer away.
        """
        count = self._counts.get(_key(entity, str(quantity)), 0)
        total = self._units.get(_key(entity, ""), 0)
        of_unit = self._units.get(_key(entity, quantity.unit), 0)
        if excluded_label is not None:
            count -= excluded_label == quantity
            total = max(total - 1, 0)
            of_unit = max(of_unit - (excluded_label.unit == quantity.unit), 0)
        fraction = (of_unit + 1) / (total + 1)
        histogram = self._tensors.get(f"spread/{entity}")
        density = 0.0
        if histogram is not None:
            bins = _nearby_bins(quantity)
            counts = histogram[bins]
            if excluded_label is not None and bins.start <= _bin(excluded_label) < bins.stop:
                counts = counts.copy()
                counts[_bin(excluded_label) - bins.start] -= 1
            density = max(float(counts.mean()), 0.0) / max(total, 1)
        return math.log1p(count if count > 1 else 0), math.log(fraction), math.log(density + 1e-5)

    def group_features(
        self, entity: str, group: str, quantity: Quantity, excluded_label: Quantity | None = None
    ) -> tuple[float, float, float]:
        """Log fraction of this quantity's unit in a group, z-score of its size there, log count of the group's labels.

        All zero for a group that is unknown or too small.

        Args:
            excluded_label: a label of this group among those counted, see `features`.
        """
        if len(group) > MAX_GROUP_LENGTH or (key := _key(entity, integer_text(group))) not in self._groups:
            return 0.0, 0.0, 0.0
        n, total, squares = self._tensors["group_sums"][self._groups[key]].tolist()
        of_unit = self._units.get(_key(str(key), quantity.unit), 0)
        if excluded_label is not None:
            own = _decade(excluded_label)
            n, total, squares = n - 1, total - own, squares - own**2
            of_unit = max(of_unit - (excluded_label.unit == quantity.unit), 0)
            if n < MIN_GROUP_LABELS:
                return 0.0, 0.0, 0.0
        mean = total / n
        variance = (max(squares - n * mean**2, 0.0) + PRIOR_LABELS * PRIOR_SPREAD**2) / (n + PRIOR_LABELS)
        z = (_decade(quantity) - mean) / math.sqrt(variance)
        return math.log((of_unit + 0.5) / (n + 1)), max(-6.0, min(z, 6.0)), math.log1p(n)


def _key(entity: str, text: str) -> int:
    digest = hashlib.blake2b(f"{entity}\t{text}".encode(errors="replace"), digest_size=8).digest()
    return int.from_bytes(digest, "little", signed=True)


def _decade(quantity: Quantity) -> float:
    """Logarithm of the SI value, of a range's upper bound."""
    return math.log10(max(quantity.si_values[-1], 1e-12))


def _bin(quantity: Quantity) -> int:
    return int(np.searchsorted(BINS, _decade(quantity)))


def _nearby_bins(quantity: Quantity) -> slice:
    """The bin of a quantity's size and those beside it."""
    i = _bin(quantity)
    return slice(max(i - 1, 0), min(i + 2, len(BINS) + 1))
