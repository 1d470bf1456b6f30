"""The files of a finished scoring run."""

import csv
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from itertools import groupby
from pathlib import Path
from typing import IO, Any, NamedTuple

from resformer.model.files.whole_file import written_whole
from resformer.model.schema.schema import Entity
from resformer.model.schema.taxonomy import parse_path
from resformer.scripts.lib.journal import Outcome, ScoredRow

__all__ = ["NO_ANSWER", "ResultFiles", "answer_columns", "path_depth", "write_products", "write_results"]

NO_ANSWER: dict[str, Any] = {
    "prediction": "",
    "value": None,
    "unit": None,
    "si": None,
    "confidence": None,
    "evidence": None,
}


class ResultFiles(NamedTuple):
    """Where results go.

    Attributes:
        out: The table of answers.
        errors: The table of rows without an answer; deleted where there are none.
        details: JSON lines with all keys of every answer, or None.
        other_columns: Columns of the input that are copied into `out`; one with the name of an answer's column gets
            `_in` behind its name.
    """

    out: Path
    errors: Path
    details: Path | None
    other_columns: Sequence[str]


def write_results(rows: Iterable[ScoredRow], files: ResultFiles) -> tuple[int, int]:
    """Writes index, the copied columns and the prediction of each row; returns the number of rows and of failures."""
    count = failed = 0
    with _opened(files, ["index"], ["prediction"]) as (answers, faults, details):
        for row, (answer, error) in rows:
            count += 1
            answers.writerow([row.index, *row.other, (answer or NO_ANSWER)["prediction"]])
            _write_details(details, row.index, row.image, row.entity, answer)
            if error:
                failed += 1
                faults.writerow([row.index, row.image, error])
    return _finished(files, count, failed)


def write_products(rows: Iterable[ScoredRow], files: ResultFiles, entities: Sequence[Entity]) -> tuple[int, int]:
    """Writes a row for each product, with the columns of answer_columns; returns as write_results."""
    columns = [column for entity in entities for column in answer_columns(entity)]
    count = failed = 0
    with _opened(files, ["index", "image"], columns) as (products, faults, details):
        for index, of_product in groupby(rows, lambda scored: scored.row.index):
            scored = list(of_product)
            image = scored[0].row.image
            outcomes = {row.entity: outcome for row, outcome in scored}
            count += 1
            cells = [cell for entity in entities for cell in _cells(entity, outcomes[entity.name])]
            products.writerow([index, image, *scored[0].row.other, *cells])
            for entity in entities:
                _write_details(details, index, image, entity.name, outcomes[entity.name].answer)
            if faulty := [outcome.error for outcome in outcomes.values() if outcome.error]:
                failed += 1
                faults.writerow([index, image, faulty[0]])
    return _finished(files, count, failed)


def answer_columns(entity: Entity) -> list[str]:
    """The columns of an entity in a table of products: its answer, or each level of a path, and the confidence."""
    levels = [f"{entity.name}_{depth + 1}" for depth in range(path_depth(entity))]
    return [*(levels or [entity.name]), f"{entity.name}_confidence"]


def path_depth(entity: Entity) -> int:
    """The number of levels of a path; 0 for another kind of entity."""
    return max(map(len, entity.paths), default=0)


def _cells(entity: Entity, outcome: Outcome) -> list[Any]:
    answer = outcome.answer or NO_ANSWER
    prediction = answer["prediction"]
    depth = path_depth(entity)
    levels = [*(parse_path(prediction) if prediction and depth else ()), *[""] * depth]
    return [*(levels[:depth] or [prediction]), answer["confidence"]]


@contextmanager
def _opened(files: ResultFiles, keys: list[str], answers: list[str]) -> Iterator[tuple[Any, Any, IO[str] | None]]:
    """Writers of the answers and of the errors, after their headers, and the file of details."""
    taken = {*keys, *answers}
    other = []
    for name in files.other_columns:
        while name in taken:
            name += "_in"
        taken.add(name)
        other.append(name)
    with (
        written_whole(files.out) as out_file,
        written_whole(files.errors) as errors_file,
        written_whole(files.details) if files.details else nullcontext() as details,
    ):
        out = csv.writer(out_file, lineterminator="\n")
        out.writerow([*keys, *other, *answers])
        errors = csv.writer(errors_file, lineterminator="\n")
        errors.writerow(["index", "image", "error"])
        yield out, errors, details


def _write_details(
    details: IO[str] | None, index: str, image: str, entity: str, answer: Mapping[str, Any] | None
) -> None:
    if details:
        row = {"index": index, "image": image, "entity_name": entity, **(answer or NO_ANSWER)}
        details.write(json.dumps(row, ensure_ascii=False) + "\n")


def _finished(files: ResultFiles, count: int, failed: int) -> tuple[int, int]:
    if not failed:
        files.errors.unlink()
    return count, failed
