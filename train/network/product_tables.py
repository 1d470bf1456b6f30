"""Products of a catalogue's table as labelled photos."""

import zlib
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from tqdm import tqdm

from resformer.model.files.tables import read_table
from resformer.model.schema.schema import Entity, Schema
from resformer.model.schema.taxonomy import SEPARATOR
from resformer.train.data.catalogue_table import CatalogueRecord, read_catalogue
from resformer.train.data.left_out import LeftOut, Log
from resformer.train.data.quantity_records import Question, Record, refuse_shared_file_names
from resformer.train.network.label_targets import EMPTY_TARGET, target_index
from resformer.train.network.labelled_photos import LabelledPhoto
from resformer.train.settings.sources import ProductTable

__all__ = ["check_columns", "read_product_table"]


def read_product_table(
    source: ProductTable,
    schema: Schema,
    cached: Mapping[str, Record],
    *,
    entities: Sequence[Entity] | None = None,
    log: Log = tqdm.write,
) -> list[LabelledPhoto]:
    """The products of a table, in its order.

    A path that has a blank level, or no node in its tree, is no label; how many there are goes to the log.

    Args:
        cached: text lines of the photos, by file name.
        entities: those that the table may have labels of; None: those that a network is trained on.
        log: gets a line for each kind of row that says less than it might.

    Raises:
        ValueError: a column, a photo or a label is missing.
    """
    rows = _joined(read_catalogue(source.table, source.photos, image_column=source.image_column), source, log)
    if cached:
        refuse_shared_file_names(row.name for row in rows)
    check_columns(source, rows, schema.attributes if entities is None else entities)
    blank = LeftOut(source.table, "paths have a blank level and are no label", log)
    unknown = LeftOut(source.table, "labels are no node of their tree and left out", log)
    products = []
    for row in rows:
        labels = _labels(source, row, schema, blank, unknown)
        lines = cached.get(Path(row.name).name)
        asked = schema.quantities if _is_asked(row.name, source.empty_quantities) else ()
        product = LabelledPhoto(
            f"{source.table.stem}/{row.name}",
            row.photo,
            title=row.values.get(source.title_column, ""),
            description=row.values.get(source.description_column, ""),
            questions=tuple(Question(entity, ()) for entity in asked),
            labels=labels,
            texts=_texts(source, row, schema),
            sampling_weight=source.sampling_weight,
        )
        if lines is not None:
            product = replace(product, width=lines.width, height=lines.height, lines=lines.lines)
        products.append(product)
    blank.report()
    unknown.report()
    return products


def _is_asked(name: str, fraction: float) -> bool:
    """Whether a product is among this fraction of all, the same ones on every machine."""
    return zlib.crc32(name.encode()) < fraction * 2**32


def check_columns(source: ProductTable, rows: Sequence[CatalogueRecord], entities: Sequence[Entity]) -> None:
    """Refuses a table whose columns are not those of its settings.

    Raises:
        ValueError: a column is missing or empty, or is to hold labels of what is not among the entities.
    """
    known = [entity.name for entity in entities]
    for key, names in (("label_columns", source.label_columns), ("empty_without", source.empty_without)):
        if wrong := [name for name in names if name not in known]:
            raise ValueError(f"{source.table}: {key} has {wrong[0]!r}; known are {', '.join(known)}")
    present = {column for row in rows for column in row.values}
    required = [part for column in source.label_columns.values() for part in _columns(column)]
    required += [column for column in (source.title_column, source.description_column) if column]
    required += source.empty_without.values()
    if missing := [column for column in required if column not in present]:
        raise ValueError(
            f"{source.table} has no column {missing[0]!r}, or an empty one; it has {', '.join(sorted(present))}"
        )


def _labels(
    source: ProductTable, row: CatalogueRecord, schema: Schema, blank: LeftOut, unknown: LeftOut
) -> dict[str, int]:
    """The targets of a row's cells; `blank` and `unknown` count the paths that are none."""
    labels = {}
    for name, column in source.label_columns.items():
        entity = schema[name]
        if entity.kind == "text":
            continue
        try:
            cell = " ".join(_cell(row.values, column).split())
            if not cell and (levels := _some_levels(row.values, column)):
                blank.add(row.line, levels)
            elif cell and cell not in source.ignored_labels:
                target = target_index(entity, cell, exact=bool(source.empty_without))
                if target is None:
                    unknown.add(row.line, cell)
                else:
                    labels[name] = target
        except ValueError as error:
            raise ValueError(f"{source.table}, line {row.line}, column {column}: {error}") from error
    for name, column in source.empty_without.items():
        if column not in row.values and schema[name].kind != "text":
            labels[name] = EMPTY_TARGET
    return labels


def _texts(source: ProductTable, row: CatalogueRecord, schema: Schema) -> dict[str, str]:
    texts = {
        name: cell
        for name, column in source.label_columns.items()
        if schema[name].kind == "text" and (cell := _cell(row.values, column))
    }
    empty = {
        name: ""
        for name, column in source.empty_without.items()
        if schema[name].kind == "text" and column not in row.values
    }
    return empty | texts


def _joined(rows: Sequence[CatalogueRecord], source: ProductTable, log: Log) -> list[CatalogueRecord]:
    """The rows with the columns of the table that `join` names."""
    if source.join is None:
        return list(rows)
    key = source.join.column
    added: dict[str, dict[str, str]] = {}
    for row in read_table(source.join.table, key, needs_rows=True):
        values = {column: text for column, cell in row.items() if column != key and (text := cell.strip())}
        if added.setdefault(row[key].strip(), values) != values:
            raise ValueError(f"{row.where(key)}: {row[key]!r} is there before with other cells; delete one")
    unjoined = LeftOut(source.table, f"rows have none in {source.join.table}", log)
    joined = []
    for record in rows:
        value = record.values.get(key, "")
        if value and value not in added:
            unjoined.add(record.line, value)
        joined.append(replace(record, values={**record.values, **added.get(value, {})}))
    unjoined.report()
    return joined


def _cell(values: Mapping[str, str], column: str) -> str:
    """The text of a row in a column; `a|b`: in the first of them that is not empty; `a > b`: joined to a path.

    Raises:
        ValueError: a level of a joined path holds what separates levels.
    """
    for alternative in column.split("|"):
        cells = [values.get(name, "") for name in _levels(alternative)]
        if not all(cells):
            continue
        if len(cells) > 1 and (wrong := [cell for cell in cells if SEPARATOR.strip() in cell]):
            raise ValueError(
                f"the level {wrong[0]!r} holds {SEPARATOR.strip()!r}, which separates levels; write it otherwise, in "
                "the tree too"
            )
        return SEPARATOR.join(cells)
    return ""


def _some_levels(values: Mapping[str, str], column: str) -> str:
    """The levels of a path that has others blank; "" where all are."""
    cells = [[values.get(name, "") for name in _levels(alternative)] for alternative in column.split("|")]
    return next((SEPARATOR.join(levels) for levels in cells if len(levels) > 1 and any(levels)), "")


def _levels(column: str) -> list[str]:
    return [name.strip() for name in column.split(SEPARATOR.strip())]


def _columns(column: str) -> list[str]:
    return [name for part in column.split("|") for name in _levels(part)]
