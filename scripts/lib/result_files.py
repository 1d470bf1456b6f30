"""The files of a finished scoring run."""

import csv
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import nullcontext
from itertools import islice
from typing import IO, Any, NamedTuple

import pyarrow as pa

from resformer.model.files.whole_file import UnusableFile
from resformer.model.schema.schema import Entity
from resformer.model.schema.taxonomy import parse_path
from resformer.scripts.lib.journal import Outcome, ScoredRow
from resformer.scripts.lib.locations import Location, delete_at, written_at
from resformer.scripts.lib.table_formats.format_names import TableFormat
from resformer.scripts.lib.table_formats.table_reader import TableReader
from resformer.scripts.lib.table_formats.table_writer import written_table

__all__ = ["NO_ANSWER", "ResultFiles", "answer_columns", "path_depth", "write_results"]

NO_ANSWER: dict[str, Any] = {
    "prediction": "",
    "value": None,
    "unit": None,
    "si": None,
    "confidence": None,
    "evidence": None,
}
INDEX = "index"


class ResultFiles(NamedTuple):
    """Where results go.

    Attributes:
        out: The table of answers.
        out_format: How it is written.
        errors: The table of rows without an answer, CSV; deleted where there are none.
        details: JSON lines with all keys of every answer, or None.
        other_columns: Columns of the input that are copied into `out` with their types; one with the name of an
            answer's column gets `_in` behind its name.
    """

    out: Location
    out_format: TableFormat
    errors: Location
    details: Location | None
    other_columns: Sequence[str]


def write_results(
    scored: Iterable[ScoredRow], table: TableReader, files: ResultFiles, entities: Sequence[Entity] = ()
) -> tuple[int, int]:
    """Writes the table of answers: index, the copied columns and the answers of each row.

    Args:
        scored: The questions in the order of the table, those of a product one after the other.
        table: The input, from which columns are copied; it may have more rows.
        files: Where results go.
        entities: Asked about each row, which then has the columns of answer_columns and the photo's name; without
            them each row has asked one question, and has a column `prediction`.

    Returns:
        The numbers of rows and of rows without an answer.

    Raises:
        UnusableFile: The table has fewer rows than were scored, or a file cannot be written.
    """
    rows = iter(scored)
    copied = [name for name in (INDEX, *files.other_columns) if name in table.columns]
    schema = _schema(table, files.other_columns, entities)
    count = failed = 0
    with (
        written_table(files.out, files.out_format, schema) as write,
        written_at(files.errors) as errors_file,
        written_at(files.details) if files.details else nullcontext() as details,
    ):
        errors = csv.writer(errors_file, lineterminator="\n")
        errors.writerow(["index", "image", "error"])
        for batch in table.batches(copied):
            # One list of questions for each row; fewer rows than in the batch where the run had a limit.
            asked = list(islice(_by_row(rows, max(1, len(entities))), batch.num_rows))
            if not asked:
                break
            write(_answered(batch.slice(0, len(asked)), count, asked, entities, schema))
            count += len(asked)
            for questions in asked:
                _write_details(details, questions)
                if faults := [outcome.error for _, outcome in questions if outcome.error]:
                    failed += 1
                    errors.writerow([questions[0].row.index, questions[0].row.image, faults[0]])
        if next(rows, None) is not None:
            raise UnusableFile(f"{table.place} has fewer rows than when its run began; add --resume to score it again")
    if not failed:
        delete_at(files.errors)
    return count, failed


def answer_columns(entity: Entity) -> list[str]:
    """The columns of an entity in a table of products: its answer, or each level of a path, and the confidence."""
    levels = [f"{entity.name}_{depth + 1}" for depth in range(path_depth(entity))]
    return [*(levels or [entity.name]), f"{entity.name}_confidence"]


def path_depth(entity: Entity) -> int:
    """The number of levels of a path; 0 for another kind of entity."""
    return max(map(len, entity.paths), default=0)


def _by_row(scored: Iterator[ScoredRow], number: int) -> Iterator[list[ScoredRow]]:
    while questions := list(islice(scored, number)):
        yield questions


def _schema(table: TableReader, other_columns: Sequence[str], entities: Sequence[Entity]) -> pa.Schema:
    """The columns of the output."""
    # Rows that have no index are counted.
    index = table.schema([INDEX]).field(INDEX) if INDEX in table.columns else pa.field(INDEX, pa.int64())
    keys = [index, pa.field("image", pa.string())] if entities else [index]
    answers = [field for entity in entities for field in _answer_fields(entity)]
    answers = answers or [pa.field("prediction", pa.string())]
    taken = {field.name for field in (*keys, *answers)}
    other = []
    for field in table.schema(other_columns):
        name = field.name
        while name in taken:
            name += "_in"
        taken.add(name)
        other.append(field.with_name(name))
    return pa.schema([*keys, *other, *answers])


def _answer_fields(entity: Entity) -> list[pa.Field]:
    *texts, confidence = answer_columns(entity)
    return [*(pa.field(name, pa.string()) for name in texts), pa.field(confidence, pa.float64())]


def _answered(
    batch: pa.RecordBatch,
    first: int,
    asked: Sequence[Sequence[ScoredRow]],
    entities: Sequence[Entity],
    schema: pa.Schema,
) -> pa.RecordBatch:
    """A batch of the output.

    Args:
        batch: The copied columns of the rows, the index first where there is one.
        first: The number of the first row.
        asked: The questions of each row.
        entities: Of a table of products.
        schema: The columns of the output.
    """
    columns = list(batch.columns)
    if INDEX not in batch.schema.names:
        columns.insert(0, pa.array(range(first, first + len(asked)), pa.int64()))
    if entities:
        columns.insert(1, pa.array([questions[0].row.image for questions in asked], pa.string()))
        cells = [
            [cell for entity, (_, outcome) in zip(entities, questions, strict=True) for cell in _cells(entity, outcome)]
            for questions in asked
        ]
    else:
        cells = [[(outcome.answer or NO_ANSWER)["prediction"]] for ((_, outcome),) in asked]
    for field, values in zip(list(schema)[len(columns) :], zip(*cells, strict=True), strict=True):
        columns.append(pa.array(values, field.type))
    return pa.RecordBatch.from_arrays(columns, schema=schema)


def _cells(entity: Entity, outcome: Outcome) -> list[Any]:
    answer = outcome.answer or NO_ANSWER
    prediction = answer["prediction"]
    depth = path_depth(entity)
    levels = [*(parse_path(prediction) if prediction and depth else ()), *[""] * depth]
    return [*(levels[:depth] or [prediction]), answer["confidence"]]


def _write_details(details: IO[str] | None, questions: Sequence[ScoredRow]) -> None:
    for row, (answer, _) in questions if details else ():
        values: Mapping[str, Any] = answer or NO_ANSWER
        cells = {"index": row.index, "image": row.image, "entity_name": row.entity, **values}
        assert details
        details.write(json.dumps(cells, ensure_ascii=False) + "\n")
