"""Label priors from the labels of a challenge CSV."""

from pathlib import Path

from resformer.model.quantities.label_priors import PRIORS_FILE, LabelPriors
from resformer.model.schema.schema import Schema
from resformer.train.data.quantity_records import read_label_counts

__all__ = ["build_priors"]


def build_priors(labels: Path, out: Path | None = None, *, schema: Path | None = None) -> Path:
    """Counts the values of labels and writes them; returns the file.

    Args:
        labels: a challenge CSV (image or image_link, group_id, entity_name, entity_value); photos are not needed.
        out: None = the file of the package, which `Predictor.load` reads.
        schema: the entities; None = the shipped ones.

    Raises:
        ValueError, OSError: a file cannot be used.
    """
    out = out or PRIORS_FILE
    priors = LabelPriors.count(read_label_counts(labels, Schema.load(schema)))
    out.parent.mkdir(parents=True, exist_ok=True)
    priors.save(out)
    return out
