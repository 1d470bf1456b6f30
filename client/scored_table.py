"""A data frame of products, and what is answered about them."""

import warnings
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Unpack

from resformer.client.client_errors import ClientError, PhotoError
from resformer.client.optional_packages import needed
from resformer.client.query import Options, Query
from resformer.client.results import Result

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["ScoredTable"]

ERROR = "error"


class ScoredTable:
    """The rows of a data frame as queries; their outcomes as columns.

    Args:
        table: A row for each photo.
        image_column: Of photos, in any form that Query takes.
        entities, options: As Query takes them, for all rows.
        columns: Those with the title, the description and the group_id of each row; these win over the option of the
            same name where they are not empty.

    Attributes:
        queries: One for each row.
        fault: Why no further row can be answered; None while they can.

    Raises:
        ValueError: A column is missing or there twice, or an option is out of its range.
        ImportError: pandas is not installed.
    """

    def __init__(
        self,
        table: "pd.DataFrame",
        image_column: str,
        entities: str | Sequence[str] | None,
        columns: dict[str, str | None],
        **options: Unpack[Options],
    ):
        self._pandas = needed("pandas", by="score", packages="pandas")
        self._table = table
        self._names = list(Query(b"", entities, **options).names)
        self.fault: ClientError | None = None
        photos = self._column(image_column)
        texts = {name: self._column(column) for name, column in columns.items() if column is not None}
        self.queries = [
            replace(Query(photo, entities, **options), **self._filled(texts, i)) for i, photo in enumerate(photos)
        ]

    def failed(self, error: ClientError) -> ClientError:
        """Notes what came of a row; where it would meet the other rows too, `fault` says so from now on."""
        if not isinstance(error, PhotoError):
            self.fault = self.fault or error
        return error

    def frame(self, outcomes: Sequence[Result | ClientError]) -> "pd.DataFrame":
        """The table and behind it, for each entity, its answer and confidence, and `error`.

        A row without answers has none in all of them but `error`. A column of the table that has the name of one of
        these gets `_in` behind its own. Warns where `fault` left rows without answers.

        Args:
            outcomes: Of `queries`, in their order.

        Raises:
            ClientError: `fault`, where there is no answer at all.
        """
        results = [outcome if isinstance(outcome, Result) else None for outcome in outcomes]
        if self.fault:
            if not any(results):
                raise self.fault
            left = sum(not isinstance(outcome, Result | PhotoError) for outcome in outcomes)
            warnings.warn(f"{left} rows were not answered, see their column {ERROR}: {self.fault}", stacklevel=3)
        answers: dict[str, Any] = {}
        for name in self._entities(results):
            found = [result.predictions.get(name) if result else None for result in results]
            answers[name] = self._series([p.prediction if p else None for p in found], "str")
            answers[f"{name}_confidence"] = self._series([p.confidence if p else None for p in found], "float64")
        errors = [None if isinstance(outcome, Result) else str(outcome) for outcome in outcomes]
        answers[ERROR] = self._series(errors, "str")
        taken = [*answers]
        renamed = []
        for column in self._table.columns:
            while column in taken:
                column = f"{column}_in"
            taken.append(column)
            renamed.append(column)
        given = self._table.set_axis(renamed, axis="columns")
        added = self._pandas.DataFrame(answers, index=self._table.index)
        return self._pandas.concat([given, added], axis="columns")  # type: ignore[no-any-return]

    def _entities(self, results: Sequence[Result | None]) -> list[str]:
        """Those that were asked for, or else answered."""
        return self._names or list(dict.fromkeys(name for result in results if result for name in result.predictions))

    def _series(self, values: Sequence[Any], dtype: str) -> Any:
        return self._pandas.Series(values, index=self._table.index, dtype=dtype)

    def _column(self, name: str) -> list[Any]:
        count = list(self._table.columns).count(name)
        if count != 1:
            known = ", ".join(map(str, self._table.columns))
            raise ValueError(f"the table has {count or 'no'} columns {name!r}; its columns are {known}")
        return list(self._table[name])

    def _filled(self, texts: dict[str, list[Any]], row: int) -> dict[str, Any]:
        """The texts of a row that are there."""
        cells = {name: column[row] for name, column in texts.items()}
        return {name: str(cell) for name, cell in cells.items() if not self._pandas.isna(cell) and str(cell).strip()}
