"""How confidences are calibrated, and below which of them an answer is empty."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass

__all__ = ["Calibration", "read_calibrations", "write_calibrations"]


@dataclass(frozen=True)
class Calibration:
    """Of the answers to one kind of entity.

    Attributes:
        temperature: divides the logits (arXiv 1706.04599), so that a probability says how often such an answer is
            right.
        min_confidence: an answer that is less sure is empty, unless a request says otherwise; None: it is empty where
            that is likelier than not, or than the best quantity by a margin.
    """

    temperature: float = 1.0
    min_confidence: float | None = None


def read_calibrations(metadata: Mapping[str, str]) -> dict[str, Calibration]:
    """By kind of entity, from the metadata of a file of weights; kinds that it does not name have the defaults."""
    return {kind: Calibration(**values) for kind, values in json.loads(metadata.get("calibration", "{}")).items()}


def write_calibrations(calibrations: Mapping[str, Calibration]) -> dict[str, str]:
    """Metadata that `read_calibrations` reads."""
    return {"calibration": json.dumps({kind: asdict(value) for kind, value in calibrations.items()})}
