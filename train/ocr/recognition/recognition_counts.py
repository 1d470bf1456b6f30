"""Recognized texts compared with the true ones."""

from collections.abc import Iterable
from dataclasses import dataclass

__all__ = ["RecognitionCounts", "compare_texts"]


@dataclass(frozen=True)
class RecognitionCounts:
    """Counts of text lines.

    Attributes:
        correct: of all lines, those without any mistake.
        digit_lines, correct_digit_lines: the same of lines with a digit.
    """

    lines: int
    correct: int
    digit_lines: int
    correct_digit_lines: int

    @property
    def accuracy(self) -> float:
        """Fraction of lines with a digit that are correct."""
        return self.correct_digit_lines / max(1, self.digit_lines)

    def table(self) -> str:
        """One line of text."""
        return (
            f"lines with digits correct: {self.accuracy:.3f} of {self.digit_lines}; all lines: "
            f"{self.correct / max(1, self.lines):.3f} of {self.lines}"
        )


def compare_texts(pairs: Iterable[tuple[str, str]]) -> RecognitionCounts:
    """Compares pairs of a recognized and a true text."""
    rows = [(recognized == true, any(c.isdigit() for c in true)) for recognized, true in pairs]
    return RecognitionCounts(
        lines=len(rows),
        correct=sum(correct for correct, _ in rows),
        digit_lines=sum(has_digit for _, has_digit in rows),
        correct_digit_lines=sum(correct and has_digit for correct, has_digit in rows),
    )
