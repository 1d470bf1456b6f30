"""What became of the questions of a run: answered, empty or failed, by entity, with the reasons."""

import json
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from resformer.model.files.whole_file import written_whole
from resformer.scripts.lib.journal import ScoredRow

__all__ = ["OutcomeCounts", "reason"]

ANSWERED, EMPTY, FAILED = "answered", "empty", "failed"
MAX_REASONS = 50
OTHER = "other reasons"
TYPE = re.compile(r"([A-Z][A-Za-z]+): ")
LINK_OR_PATH = re.compile(r"\S*/\S*[^\s:,;]|'[^']*'")


def reason(error: str) -> str:
    """An error without what is particular to one photo.

    >>> reason("CorruptImage: the file ends early"), reason("cannot read photos/a.jpg: No such file or directory")
    ('CorruptImage', 'cannot read …: No such file or directory')
    """
    if match := TYPE.match(error):
        return match[1]
    return LINK_OR_PATH.sub("…", error)


@dataclass
class OutcomeCounts:
    """Counts questions by entity and outcome, and failures by reason.

    Attributes:
        entities: By name, how many questions about it are answered, empty or failed.
        reasons: How many questions have no answer for a reason.
    """

    entities: dict[str, Counter[str]] = field(default_factory=dict)
    reasons: Counter[str] = field(default_factory=Counter)

    def counted(self, rows: Iterable[ScoredRow]) -> Iterator[ScoredRow]:
        """Passes rows on, and counts them."""
        for scored in rows:
            answer, error = scored.outcome
            outcome = FAILED if error else ANSWERED if answer and answer["prediction"] else EMPTY
            self.entities.setdefault(scored.row.entity, Counter())[outcome] += 1
            if error:
                why = reason(error)
                self.reasons[why if why in self.reasons or len(self.reasons) < MAX_REASONS else OTHER] += 1
            yield scored

    @property
    def total(self) -> Counter[str]:
        """How many questions are answered, empty or failed."""
        return sum(self.entities.values(), Counter())

    def as_dict(self, rows: int, failed: int) -> dict[str, Any]:
        """The summary as JSON has it.

        Args:
            rows, failed: Of the output, and those of them that lack an answer.
        """
        return {
            "rows": rows,
            "rows_failed": failed,
            "questions": _counts(self.total),
            "entities": {name: _counts(self.entities[name]) for name in sorted(self.entities)},
            "reasons": dict(self.reasons.most_common()),
        }

    def write(self, path: Path, rows: int, failed: int) -> None:
        """Writes `as_dict` into a JSON file."""
        with written_whole(path) as file:
            json.dump(self.as_dict(rows, failed), file, ensure_ascii=False, indent=2)
            file.write("\n")

    def as_text(self) -> str:
        """A table of entities by outcome, and a list of reasons."""
        rows = [*sorted(self.entities.items()), *([("all", self.total)] if len(self.entities) > 1 else [])]
        width = max((len(name) for name, _ in rows), default=0)
        lines = [f"{'':{width}}" + "".join(f"{outcome:>10}" for outcome in (ANSWERED, EMPTY, FAILED))]
        for name, counts in rows:
            lines.append(f"{name:{width}}" + "".join(f"{counts[outcome]:>10}" for outcome in (ANSWERED, EMPTY, FAILED)))
        lines += [f"{count:>8}  {why}" for why, count in self.reasons.most_common()]
        return "\n".join(lines)


def _counts(counts: Counter[str]) -> dict[str, int]:
    return {outcome: counts[outcome] for outcome in (ANSWERED, EMPTY, FAILED)}
