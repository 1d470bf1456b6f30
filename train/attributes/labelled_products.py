"""Products of a catalogue's table, with what is known of each."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from resformer.model.inference.label_tokenizer import LabelTokenizer
from resformer.model.schema.schema import Entity, Schema
from resformer.model.schema.taxonomy import SEPARATOR, parse_path
from resformer.train.config import ProductSource
from resformer.train.data.catalogue_table import read_catalogue
from resformer.train.data.quantity_records import label_rows

__all__ = ["Product", "balanced", "cell_of", "frequencies", "label_of", "log_priors", "read_products"]


@dataclass(frozen=True)
class Product:
    """One photo with what its catalogue says of it.

    Attributes:
        title, description: what a caller might send with the photo.
        labels: by entity, the number of the label of a choice, or of the node of a path's taxonomy.
        texts: by entity.
        share: how many products of the catalogue as it is this one stands for.
        repeat: how often an epoch shows it, on average.
    """

    name: str
    photo: Path
    title: str
    description: str
    labels: Mapping[str, int]
    texts: Mapping[str, str]
    share: float = 1.0
    repeat: float = 1.0


def cell_of(values: Mapping[str, str], column: str) -> str:
    """What a table says in a column, or in several that are joined to a path (`first > second > third`); empty where
    one of them is."""
    cells = [values.get(name, "") for name in _columns(column)]
    return SEPARATOR.join(cells) if all(cells) else ""


def _columns(column: str) -> list[str]:
    return [name.strip() for name in column.split(SEPARATOR.strip())]


def label_of(entity: Entity, text: str) -> int | None:
    """The number of the label or node that a table's cell names.

    A path's cell holds a path, of which the deepest known node counts, or the name of a leaf. None: nothing is known.
    Raises ValueError: a choice has no such label.
    """
    if entity.kind == "choice":
        if text not in entity.labels:
            raise ValueError(f"{entity.name} has no label {text!r}; add it to the schema or leave the cell empty")
        return entity.labels.index(text)
    path = parse_path(text)
    node = (entity.taxonomy.leaf(text) if len(path) == 1 else None) or entity.taxonomy.nearest(path)
    return entity.taxonomy.index(node) if node else None


def read_products(source: ProductSource, schema: Schema) -> list[Product]:
    """The products of a source, in the order of its table.

    Raises ValueError: a column, a photo or a label is missing.
    """
    entities = {schema[name]: column for name, column in source.answers.items()}
    rows = read_catalogue(source.table, source.photos, image=source.photo)
    known = {column for row in rows for column in row.values}
    wanted = [part for column in entities.values() for part in _columns(column)]
    wanted += [column for column in (source.title, source.description) if column]
    if missing := [column for column in wanted if column not in known]:
        raise ValueError(f"{source.table} has no column {missing[0]!r}, or nothing in it; it has {', '.join(known)}")
    read = []
    for row in rows:
        cells = {entity: cell for entity, column in entities.items() if (cell := cell_of(row.values, column))}
        try:
            labels = {e.name: label_of(e, text) for e, text in cells.items() if e.kind != "text"}
        except ValueError as error:
            raise ValueError(f"{source.table}, {row.name}: {error}") from error
        read.append(
            Product(
                f"{source.table.parent.name}/{row.name}",
                row.photo,
                row.values.get(source.title, ""),
                row.values.get(source.description, ""),
                {name: label for name, label in labels.items() if label is not None},
                {e.name: text for e, text in cells.items() if e.kind == "text"},
                repeat=source.repeat,
            )
        )
    return read


def frequencies(file: Path, entity: Entity) -> dict[int, float]:
    """How many products of the catalogue as it is have each label: a CSV with the columns `label` and `count`."""
    try:
        rows = [(label_of(entity, row["label"]), float(row["count"])) for row in label_rows(file)]
    except (KeyError, ValueError) as error:
        raise ValueError(f"{file} needs the columns label and count, a label of {entity.name} each: {error}") from error
    return {label: count for label, count in rows if label is not None}


def balanced(
    products: Sequence[Product], entity: Entity, many: Mapping[int, float], *, enough: float, most: float
) -> list[Product]:
    """The products of one catalogue with how often each is shown, and for how many of the catalogue it stands.

    Those of a label with fewer than `enough` products are shown as often as the square root of what is missing, at
    most `most` times (repeat factor sampling, arXiv 1908.03195).

    Args:
        many: how many products the catalogue as it is has of a label, where that is known and more.
    """
    counts = Counter(label for p in products if (label := p.labels.get(entity.name)) is not None)

    def weighed(product: Product) -> Product:
        label = product.labels.get(entity.name)
        if label is None:
            return product
        times = min(most, max(1.0, (enough / counts[label]) ** 0.5))
        share = max(1.0, many.get(label, 0.0) / counts[label])
        return replace(product, repeat=product.repeat * times, share=share)

    return [weighed(product) for product in products]


def log_priors(products: Sequence[Product], tokenizer: LabelTokenizer, *, natural: bool) -> np.ndarray:
    """Log share of each label among its entity's: (vocab_size,), 0 for tokens that are no labels.

    Args:
        natural: as in the catalogue as it is; else as an epoch shows them.
    """
    priors = np.zeros(tokenizer.vocab_size, dtype=np.float32)
    for entity in tokenizer.entities:
        tokens = tokenizer.labels(entity)
        if not len(tokens):
            continue
        counts = np.full(len(tokens), 0.5)
        for product in products:
            label = product.labels.get(entity.name)
            if label is None:
                continue
            weight = product.share if natural else product.repeat
            if entity.kind == "choice":
                counts[label] += weight
            else:  # a product that is labelled with a parent may be any of its leaves
                members = entity.taxonomy.members[label]
                counts[members] += weight / members.sum()
        priors[tokens.start : tokens.stop] = np.log(counts / counts.sum())
    return priors
