"""Labelled rows with what a network answers, and in which way an answer is wrong."""

from collections.abc import Sequence
from dataclasses import dataclass

from resformer.model.prediction import Prediction
from resformer.model.quantities.quantity import Candidate
from resformer.train.data.quantity_records import Record
from resformer.train.evaluation.labelled_rows import LabelledRow

__all__ = ["ERRORS", "OUTCOMES", "ErrorCase", "outcome"]

OUTCOMES = (
    "right",
    "rightly empty",
    "other candidate",
    "other unit",
    "no candidate",
    "empty",
    "not shown",
)


ERRORS = OUTCOMES[2:]
"""Those that are wrong."""


@dataclass(frozen=True)
class ErrorCase:
    """One labelled row with its prediction.

    Attributes:
        row: question and accepted answers.
        prediction: the network's.
        candidates: what it could choose from.
        record: the photo's text lines.
    """

    row: LabelledRow
    prediction: Prediction
    candidates: Sequence[Candidate]
    record: Record

    @property
    def right_candidates(self) -> list[Candidate]:
        """The candidates that are accepted."""
        return [c for c in self.candidates if str(c.quantity) in self.row.accepted]

    @property
    def text_height(self) -> float | None:
        """Height in pixels of the largest right candidate; None without one."""
        return max((c.text_height for c in self.right_candidates if c.box), default=None)


def outcome(case: ErrorCase) -> str:
    """One of OUTCOMES."""
    prediction, accepted = case.prediction.prediction, case.row.accepted
    if not accepted:
        return "not shown" if prediction else "rightly empty"
    if prediction in accepted:
        return "right"
    if not case.right_candidates:
        return "no candidate"
    if not prediction:
        return "empty"
    amounts = [c.quantity.si_values[-1] for c in case.right_candidates]
    amount = next(c.quantity.si_values[-1] for c in case.candidates if str(c.quantity) == prediction)
    return "other unit" if any(abs(amount / right - 1) < 0.03 for right in amounts) else "other candidate"
