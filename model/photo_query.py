"""What is asked about a photo, as one record: many of them are answered together."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TypedDict, Unpack

from resformer.model.images.loading import Photo

__all__ = ["Options", "Query", "queries"]


class Options(TypedDict, total=False):
    """What may be sent with a photo, see Query."""

    title: str
    description: str
    group_id: str
    reader: str | None
    assume_present: bool
    min_confidence: float | None
    top_k: int


@dataclass(frozen=True)
class Query:
    """One photo and what is asked about it; the fields are the arguments of `Predictor.predict`."""

    photo: Photo
    entities: Sequence[str] | None = None
    title: str = ""
    description: str = ""
    group_id: str = ""
    reader: str | None = None
    assume_present: bool = False
    min_confidence: float | None = None
    top_k: int = 0


def queries(
    photos: Iterable[Photo | Query], entities: Sequence[str] | None, **options: Unpack[Options]
) -> Iterator[Query]:
    """A query for each photo; one that is a query already stays as it is.

    Raises:
        TypeError: this is one photo.
    """
    if isinstance(photos, str | bytes | bytearray):
        raise TypeError("this takes several photos; put a single one into a list")
    return (photo if isinstance(photo, Query) else Query(photo, entities, **options) for photo in photos)
