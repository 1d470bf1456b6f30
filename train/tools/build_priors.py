"""Label priors from the labels of a challenge CSV."""

from pathlib import Path

from resformer.model.files.whole_file import saved_whole
from resformer.model.quantities.label_priors import PRIORS_FILE, LabelPriors
from resformer.model.schema.schema import Schema
from resformer.train.data.quantity_records import read_counted_labels

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
    counted = list(read_counted_labels(labels, Schema.load(schema)))
    if not counted:
        raise ValueError(f"{labels} has no label that is a quantity of its entity, such as `500 gram`")
    priors = LabelPriors.count(counted)
    out.parent.mkdir(parents=True, exist_ok=True)
    with saved_whole(out) as part:
        priors.save(part)
    return out
