"""How often the public labels hold a value: counts per entity and exact quantity, and spreads of SI values.

Entries are kept under a hash of entity and quantity. A quantity that one product alone has is not kept.
"""

import hashlib
import math
from collections import Counter
from collections.abc import Iterable
from pathlib import Path

import numpy as np
from safetensors.numpy import load_file, save_file

from model.quantity import Quantity

__all__ = ["PRIORS_FILE", "Priors"]

PRIORS_FILE = Path(__file__).parent / "weights" / "priors.safetensors"
BINS = np.linspace(-10, 6, 97)  # decades of the SI value, six bins a decade


class Priors:
    """Statistics of label values, looked up while features of candidates are made."""

    def __init__(self, tensors: dict[str, np.ndarray]):
        self._tensors = tensors
        keys, counts = tensors["keys"].tolist(), tensors["counts"].tolist()
        self._counts: dict[int, int] = dict(zip(keys, counts, strict=True))
        self._units: dict[int, int] = dict(
            zip(tensors["unit_keys"].tolist(), tensors["unit_counts"].tolist(), strict=True)
        )

    @classmethod
    def count(cls, labels: Iterable[tuple[str, Quantity]]) -> "Priors":
        """Counts (entity name, quantity) labels."""
        values: Counter[int] = Counter()
        units: Counter[int] = Counter()
        spreads: dict[str, np.ndarray] = {}
        for entity, quantity in labels:
            values[_key(entity, str(quantity))] += 1
            units[_key(entity, quantity.unit)] += 1
            units[_key(entity, "")] += 1
            spread = spreads.setdefault(f"spread/{entity}", np.zeros(len(BINS) + 1, dtype=np.float32))
            spread[np.searchsorted(BINS, _decade(quantity))] += 1
        kept = sorted((k, n) for k, n in values.items() if n > 1)
        return cls(
            {
                "keys": np.array([k for k, _ in kept], dtype=np.int64),
                "counts": np.array([n for _, n in kept], dtype=np.int32),
                "unit_keys": np.array(sorted(units), dtype=np.int64),
                "unit_counts": np.array([units[k] for k in sorted(units)], dtype=np.int32),
                **spreads,
            }
        )

    @classmethod
    def load(cls, path: Path = PRIORS_FILE) -> "Priors":
        return cls(load_file(path))

    def save(self, path: Path = PRIORS_FILE) -> None:
        save_file(self._tensors, path)

    def describe(self, entity: str, quantity: Quantity, own_label: bool = False) -> tuple[float, float, float]:
        """Log count of this exact quantity, log share of its unit, log density of its size.

        Args:
            own_label: the counted labels hold this row's own label and it is this quantity; it is left out,
                or training would learn to trust a count of one.
        """
        count = self._counts.get(_key(entity, str(quantity)), 0) - own_label
        total = self._units.get(_key(entity, ""), 0)
        share = (self._units.get(_key(entity, quantity.unit), 0) + 1) / (total + 1)
        spread = self._tensors.get(f"spread/{entity}")
        density = 0.0
        if spread is not None:
            i = int(np.searchsorted(BINS, _decade(quantity)))
            density = float(spread[max(i - 1, 0) : i + 2].mean()) / max(total, 1)
        return math.log1p(max(count, 0) if count > 1 else 0), math.log(share), math.log(density + 1e-5)


def _key(entity: str, text: str) -> int:
    digest = hashlib.blake2b(f"{entity}\t{text}".encode(), digest_size=8).digest()
    return int.from_bytes(digest, "little", signed=True)


def _decade(quantity: Quantity) -> float:
    """Logarithm of the SI value, of a range's upper bound."""
    return math.log10(max(quantity.si_values[-1], 1e-12))
