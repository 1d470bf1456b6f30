"""Photos with what is known of their answers: the rows of every data set in one form."""

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Protocol

from resformer.model.images.line_segments import LineDrawing
from resformer.model.ocr.page import Page
from resformer.model.ocr.text_line import TextLine
from resformer.train.data.quantity_records import Question, Record

__all__ = ["LabelledPhoto", "PhotoFile", "labelled_photo"]


class PhotoFile(Hashable, Protocol):
    """A file with a photo: a path, or what is read from a shard."""

    @property
    def name(self) -> str:
        """Of the file, without its folder."""
        ...

    def read_bytes(self) -> bytes:
        """The content of the file."""
        ...


@dataclass(frozen=True)
class LabelledPhoto:
    """One photo with its text lines, what a caller may send with it, and the answers that are known.

    Attributes:
        name: stays the same between machines.
        photo: None for synthetic layouts.
        questions: about quantities. assume_present: whether these presume that the product has the values.
        labels: by choice and path, the index of its target, see label_targets; 0 is the empty answer.
        texts: by text entity; "" is the empty answer.
        sampling_weight: how often an epoch shows it, on average.
        natural_weight: how often it would be shown if labels were as frequent as where the network is used; None = as
            often.
    """

    name: str
    photo: PhotoFile | None
    width: int = 1
    height: int = 1
    lines: tuple[TextLine, ...] = ()
    drawing: LineDrawing | None = None
    group_id: str = ""
    title: str = ""
    description: str = ""
    questions: tuple[Question, ...] = ()
    assume_present: bool = False
    labels: Mapping[str, int] = field(default_factory=dict)
    texts: Mapping[str, str] = field(default_factory=dict)
    sampling_weight: float = 1.0
    natural_weight: float | None = None

    @property
    def page(self) -> Page:
        """The photo's text lines and line drawing."""
        return Page(self.lines, self.width, self.height, self.drawing, self.group_id)

    @property
    def split_keys(self) -> list[tuple[str, str]]:
        """The file, and field and text of every text; photos that share one are on one side of the split."""
        fields = [("title", self.title), ("description", self.description), *self.texts.items()]
        file = [("photo", self.photo.name)] if self.photo else []
        return file + [(name, text.casefold().strip()) for name, text in fields if text.strip()]


def labelled_photo(record: Record, known: Sequence[LabelledPhoto] = ()) -> LabelledPhoto:
    """A record's questions with the labels and texts that are known of its photo otherwise."""
    photo = LabelledPhoto(
        record.name,
        record.photo,
        record.width,
        record.height,
        record.lines,
        record.drawing,
        record.group_id,
        record.title,
        questions=record.questions,
        assume_present=record.assume_present,
    )
    for other in known:
        photo = replace(photo, labels={**photo.labels, **other.labels}, texts={**photo.texts, **other.texts})
    return photo
