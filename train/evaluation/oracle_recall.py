"""How many labelled values are among the candidates at all."""

from collections.abc import Sequence

from resformer.model.quantities.candidates import find_candidates
from resformer.train.data.quantity_records import Record
from resformer.train.evaluation.labelled_rows import LabelledRow

__all__ = ["oracle_recall"]


def oracle_recall(rows: Sequence[LabelledRow], records: Sequence[Record]) -> float:
    """Recall of a perfect choice among the candidates parsed from the text.

    Args:
        rows: those without an accepted answer do not count.
        records: the photos of the rows, with their questions.

    Returns:
        Fraction of the rows with an accepted answer that have it among their candidates.
    """
    entities = {q.entity.name: q.entity for record in records for q in record.questions}
    lines = {record.name: record.lines for record in records}
    hits = []
    for row in rows:
        if row.accepted:
            entity = entities[row.entity]
            candidates = find_candidates(lines[row.photo], entity.units, ranges=entity.ranges)
            hits.append(any(str(candidate.quantity) in row.accepted for candidate in candidates))
    return sum(hits) / max(len(hits), 1)
