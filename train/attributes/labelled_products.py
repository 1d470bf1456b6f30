"""Products of a catalogue's table with their labels and texts."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from resformer.model.schema.schema import Entity, Schema
from resformer.model.schema.taxonomy import SEPARATOR, parse_path
from resformer.train.data.catalogue_table import CatalogueRecord, read_catalogue
from resformer.train.settings.sources import ProductTable

__all__ = ["LabelledProduct", "cell_of", "check_columns", "label_index", "read_products"]


@dataclass(frozen=True)
class LabelledProduct:
    """One photo with its row of the catalogue.

    Attributes:
        name: stays the same between machines.
        title, description: what a caller may send with the photo.
        labels: by entity, the index of the label of a choice, or of the node of a path's taxonomy.
        texts: by entity.
        catalogue_count: how many products of the whole catalogue this one stands for.
        sampling_weight: how often an epoch shows it, on average.
    """

    name: str
    photo: Path
    title: str
    description: str
    labels: Mapping[str, int]
    texts: Mapping[str, str]
    catalogue_count: float = 1.0
    sampling_weight: float = 1.0

    @property
    def split_keys(self) -> list[tuple[str, str]]:
        """Field and text of every text of the product; products that share one are on one side of the split."""
        fields = [("title", self.title), ("description", self.description), *self.texts.items()]
        return [(name, text.casefold().strip()) for name, text in fields if text.strip()]


def cell_of(values: Mapping[str, str], column: str) -> str:
    """The text of a row in a column, or in several that are joined to a path (`first > second > third`).

    Empty where one of the cells is.
    """
    cells = [values.get(name, "") for name in _columns(column)]
    return SEPARATOR.join(cells) if all(cells) else ""


def _columns(column: str) -> list[str]:
    return [name.strip() for name in column.split(SEPARATOR.strip())]


def label_index(entity: Entity, text: str) -> int | None:
    """The index of the label or node that a cell names; None where the taxonomy has no such node.

    The cell of a path holds a path, of which the deepest known node counts, or the name of a leaf.

    Raises:
        ValueError: a choice has no such label.
    """
    if entity.kind == "choice":
        if text not in entity.labels:
            raise ValueError(f"{entity.name} has no label {text!r}; add it to the schema or leave the cell empty")
        return entity.labels.index(text)
    path = parse_path(text)
    node = (entity.taxonomy.leaf(text) if len(path) == 1 else None) or entity.taxonomy.nearest(path)
    return entity.taxonomy.index(node) if node else None


def check_columns(source: ProductTable, rows: Sequence[CatalogueRecord], entities: Iterable[Entity]) -> None:
    """Refuses a table whose columns are not those of its settings.

    Args:
        entities: those that the columns may hold labels of.

    Raises:
        ValueError: a column is missing or empty, or is to hold labels of what is no attribute of the schema.
    """
    known = [entity.name for entity in entities]
    if wrong := [name for name in source.label_columns if name not in known]:
        raise ValueError(
            f"{source.table}: label_columns has {wrong[0]!r}, which is no attribute of the schema; "
            f"known are {', '.join(known)}"
        )
    present = {column for row in rows for column in row.values}
    required = [part for column in source.label_columns.values() for part in _columns(column)]
    required += [column for column in (source.title_column, source.description_column) if column]
    if missing := [column for column in required if column not in present]:
        raise ValueError(
            f"{source.table} has no column {missing[0]!r}, or an empty one; it has {', '.join(sorted(present))}"
        )


def read_products(source: ProductTable, schema: Schema) -> list[LabelledProduct]:
    """The products of a table, in its order.

    Raises:
        ValueError: a column, a photo or a label is missing.
    """
    rows = read_catalogue(source.table, source.photos, image_column=source.image_column)
    check_columns(source, rows, schema.attributes)
    columns = {schema[name]: column for name, column in source.label_columns.items()}
    products = []
    for row in rows:
        cells = {entity: cell for entity, column in columns.items() if (cell := cell_of(row.values, column))}
        try:
            labels = {e.name: label_index(e, text) for e, text in cells.items() if e.kind != "text"}
        except ValueError as error:
            raise ValueError(f"{source.table}, {row.name}: {error}") from error
        products.append(
            LabelledProduct(
                f"{source.table.parent.name}/{row.name}",
                row.photo,
                row.values.get(source.title_column, ""),
                row.values.get(source.description_column, ""),
                {name: label for name, label in labels.items() if label is not None},
                {e.name: text for e, text in cells.items() if e.kind == "text"},
                sampling_weight=source.sampling_weight,
            )
        )
    return products
