"""Checks of a table of predictions against the table of questions.

A prediction is empty, `number unit`, or `[a, b] unit` where the entity takes ranges; the unit is one of the entity's
own. A choice is one of its labels, a path a node of its taxonomy, a text anything. The checker of the public challenge
is laxer there, it accepts the units of any entity, and stricter on ranges, which it refuses: so does `strict`.
"""

import re
import sys
from collections.abc import Collection, Iterator, Mapping, Sequence

from resformer.model.files.whole_file import UnusableFile
from resformer.model.quantities.parser import parse_quantity
from resformer.model.quantities.quantity import Quantity
from resformer.model.schema.schema import Entity, Schema
from resformer.model.schema.taxonomy import SEPARATOR
from resformer.scripts.lib.locations import refuse_overwriting_any
from resformer.scripts.lib.result_files import answer_columns, path_depth
from resformer.scripts.lib.table_formats.table_reader import TableReader

__all__ = ["prediction_fault", "product_faults", "row_faults"]

NUMBER = r"\d+(?:\.\d+)?"
PREDICTION = re.compile(rf"(?:({NUMBER})|\[({NUMBER}), ({NUMBER})\]) (.+)", re.ASCII)


def prediction_fault(prediction: str, entity: Entity, *, strict: bool = False) -> str:
    """What is wrong with a prediction about `entity`, and what would be right; "" where nothing is wrong."""
    if not prediction or entity.kind == "text":
        return ""
    if entity.kind == "choice":
        return "" if prediction in entity.labels else f"{prediction!r} is no label of {entity.name}; leave it empty"
    if entity.kind == "path":
        known = tuple(prediction.split(SEPARATOR)) in entity.taxonomy
        return "" if known else f"{prediction!r} is no node of the taxonomy of {entity.name}; leave it empty"
    if not (match := PREDICTION.fullmatch(prediction)):
        return f"{prediction!r} is not `number unit`; {_advice(prediction, entity)}"
    number, low, high, unit = match.groups()
    if unit not in entity.units:
        return f"{unit!r} is no unit of {entity.name}; {_advice(prediction, entity)}"
    if number is not None:
        return "" if float(number) > 0 else f"{prediction!r} is not positive; leave the prediction empty"
    if strict:
        return f"{prediction!r} is a range, which --strict refuses; write one number and a unit"
    if not entity.ranges:
        return f"{prediction!r} is a range, and {entity.name} takes none; write one number and a unit"
    if not 0 < float(low) < float(high):
        return f"the range of {prediction!r} does not rise; write [lower, higher] unit"
    return ""


def _advice(prediction: str, entity: Entity) -> str:
    parsed: Quantity | None = parse_quantity(prediction, entity.units)
    if parsed is not None:
        return f"write {str(parsed)!r}"
    return f"write a number, a space and one of {', '.join(entity.units)}, or nothing"


def row_faults(questions: TableReader, output: TableReader, schema: Schema, *, strict: bool = False) -> Iterator[str]:
    """Everything that is wrong with `output` (index, prediction), a line each.

    Every row of `questions` (index, entity_name) has one row there, and no other row is there.
    Memory: the index and entity of every row of `questions`.

    Raises:
        UnusableFile: A file cannot be used at all.
    """
    refuse_overwriting_any([questions.place], [output.place])
    names, unreadable = _indices(questions, "entity_name")
    entities = {entity.name: entity for entity in schema.entities}

    def fault(row: Mapping[str, str], name: str) -> str:
        if name in entities:
            return prediction_fault(row["prediction"], entities[name], strict=strict)
        return row["prediction"] and f"the entity {name!r} is unknown; leave the prediction empty"

    for index, row, position, problem in _paired(questions, output, names, unreadable, ["prediction"]):
        if problem := problem or fault(row, names[index]):
            yield f"{position}: {problem}"


def product_faults(
    products: TableReader, output: TableReader, entities: Sequence[Entity], *, strict: bool = False
) -> Iterator[str]:
    """As row_faults, for a table with a row for each product and the columns of answer_columns for each entity."""
    refuse_overwriting_any([products.place], [output.place])
    indices, unreadable = _indices(products)
    columns = [column for entity in entities for column in answer_columns(entity)]
    for _, row, position, problem in _paired(products, output, indices, unreadable, columns):
        faults = [problem] if problem else []
        for entity in entities if row and not problem else ():
            levels = [row[f"{entity.name}_{depth + 1}"] for depth in range(path_depth(entity))]
            prediction = SEPARATOR.join(filter(None, levels)) if levels else row[entity.name]
            faults.append(prediction_fault(prediction, entity, strict=strict))
            faults.append(_confidence_fault(row[f"{entity.name}_confidence"], entity))
        for found in filter(None, faults):
            yield f"{position}: {found}"


def _confidence_fault(text: str, entity: Entity) -> str:
    try:
        valid = not text or 0 <= float(text) <= 1
    except ValueError:
        valid = False
    return "" if valid else f"the confidence of {entity.name} is {text!r}, must be from 0 to 1 or empty"


def _paired(
    questions: TableReader, output: TableReader, indices: Collection[str], unreadable: int, columns: Sequence[str]
) -> Iterator[tuple[str, Mapping[str, str], str, str]]:
    """Index, row, its position in words, and what is wrong with its index; then the indices that have no row.

    Args:
        questions, output: The two tables.
        indices: Those of `questions`.
        unreadable: How many rows of `questions` have none, because they cannot be read.
        columns: Of `output` that must be there.
    """
    seen: set[str] = set()
    # Rows are counted as a spreadsheet shows them: the header is row 1.
    for number, line in enumerate(output.rows(["index", *columns], may_end_early=True), 2):
        index = line.cells.get("index", "")
        fault = line.fault
        if not index and not fault and unreadable and index not in indices:
            unreadable -= 1
            if any(line.cells[column] for column in columns):
                yield (
                    index,
                    line.cells,
                    f"row {number}",
                    f"{questions.place} has a row here that cannot be read; empty it",
                )
            continue
        if not fault and index not in indices:
            fault = f"{questions.place} has no such index; delete the row"
        elif not fault and index in seen:
            fault = "this index was there before; delete one of the two rows"
        seen.add(index)
        yield index, line.cells, f"row {number}, index {index}", fault
    for index in indices:
        if index not in seen:
            yield index, {}, f"index {index}", "no row; add one, with empty cells if there is no answer"
    if unreadable:
        yield "", {}, f"{unreadable} rows without an index", "they are missing; add them with empty cells"


def _indices(table: TableReader, *columns: str) -> tuple[dict[str, str], int]:
    """Index to the entity's name, or to "" without that column; and how many rows cannot be read and have no index.

    Without a column index the rows count from 0.
    """
    indices: dict[str, str] = {}
    unreadable = 0
    for number, row in enumerate(table.rows(columns, ["index"])):
        index = row.cells.get("index", str(number))
        if row.fault and not index:
            unreadable += 1
            continue
        if index in indices:
            raise UnusableFile(
                f"{table.place}, {row.place}, column index: {index!r} is there twice; indexes must differ"
            )
        indices[index] = sys.intern(row.cells["entity_name"].strip()) if columns else ""
    return indices, unreadable
