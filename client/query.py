"""What is asked about a photo."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Literal, TypedDict, Unpack, cast, get_args

from resformer.client.photo_bytes import Photo

__all__ = ["Options", "Query", "Reader", "queries"]

Reader = Literal["crops", "ppocr", "builtin", "none"]
MAX_ALTERNATIVES = 100


class Options(TypedDict, total=False):
    """What may be sent with a photo, see Query."""

    title: str
    description: str
    group_id: str
    reader: Reader | None
    top_k: int
    min_confidence: float | None
    assume_present: bool


@dataclass(frozen=True)
class Query:
    """One photo and what is asked about it.

    Attributes:
        photo: A path, the bytes of an image file, an open file or a PIL image.
        entities: Names to answer, as a sequence or separated by commas; none = all.
        title, description: Of the product.
        group_id: The kind of product, a group_id of the Amazon ML Challenge 2024.
        reader: How text is read; None leaves that to the server.
        top_k: How many alternatives each answer has, at most 100.
        min_confidence: Less confident answers are empty, 0 to 1; 0 = the best guess about everything; None = as
            docs/api.md explains.
        assume_present: Whether the product is known to have the values that are asked for.

    Raises:
        ValueError: A value is out of its range.
    """

    photo: Photo
    entities: str | Sequence[str] | None = None
    title: str = ""
    description: str = ""
    group_id: str = ""
    reader: Reader | None = None
    top_k: int = 0
    min_confidence: float | None = None
    assume_present: bool = False

    def __post_init__(self) -> None:
        if self.reader is not None and self.reader not in get_args(Reader):
            raise ValueError(f"the reader is {self.reader!r}; take one of {', '.join(get_args(Reader))}")
        if not 0 <= self.top_k <= MAX_ALTERNATIVES:
            raise ValueError(f"top_k is {self.top_k}; take a number from 0 to {MAX_ALTERNATIVES}")
        if self.min_confidence is not None and not 0 <= self.min_confidence <= 1:
            raise ValueError(f"min_confidence is {self.min_confidence}; take a number from 0 to 1, such as 0.8")

    @property
    def names(self) -> tuple[str, ...]:
        """The names of `entities`, each without spaces around it."""
        given = self.entities.split(",") if isinstance(self.entities, str) else self.entities or ()
        return tuple(name for part in given if (name := part.strip()))

    def fields(self) -> dict[str, str]:
        """The fields of the server's form, without the photo and without what is left to the server."""
        fields = {
            "entity_name": ",".join(self.names),
            "title": self.title,
            "description": self.description,
            "group_id": self.group_id,
            "reader": self.reader or "",
            "top_k": str(self.top_k or ""),
            "min_confidence": "" if self.min_confidence is None else str(self.min_confidence),
            "assume_present": "true" if self.assume_present else "",
        }
        return {name: text for name, text in fields.items() if text.strip()}


def queries(
    photos: Iterable[Photo | Query], entities: str | Sequence[str] | None, **options: Unpack[Options]
) -> Iterator[Query]:
    """A query for each photo; one that is a query already stays as it is.

    Raises:
        TypeError: This is one photo.
        ValueError: As Query, before the first photo is drawn.
    """
    if isinstance(photos, str | bytes):
        raise TypeError("this takes several photos; put a single one into a list")
    Query(b"", entities, **options)
    return (photo if isinstance(photo, Query) else Query(cast(Any, photo), entities, **options) for photo in photos)
