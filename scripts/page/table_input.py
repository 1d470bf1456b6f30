"""From the files that a user of the page uploads to a table that can be scored."""

import csv
import os
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from resformer.model.files.tables import read_header
from resformer.model.files.whole_file import UnusableFile
from resformer.scripts.page.photo_zip import PhotoZipError, unpack_photos

__all__ = ["TableInput", "TableInputError", "read_table_input"]


class TableInputError(Exception):
    """The files cannot be scored; the message is for the user of the page."""


@dataclass(frozen=True)
class TableInput:
    """What is scored.

    Attributes:
        table: The table.
        photos: The folder of its photos; None where they are downloaded.
        has_questions: Whether each row names its entity, else it is a product.
        notice: What was left out, "" if nothing.
    """

    table: Path
    photos: Path | None
    has_questions: bool
    notice: str


def read_table_input(table: Path | None, photo_zip: Path | None, folder: Path) -> TableInput:
    """Unpacks the photos, and makes a table of them where none is given.

    Args:
        table: A CSV file.
        photo_zip: A zip of photos, which may hold the table.
        folder: Where files are written.

    Raises:
        TableInputError: There are no files, or they cannot be used.
    """
    if table is None and photo_zip is None:
        raise TableInputError("Choose a table (CSV), a zip of photos, or both.")
    photos, notice = None, ""
    if photo_zip is not None:
        photos = folder / "photos"
        try:
            unpacked = unpack_photos(photo_zip, photos)
        except PhotoZipError as error:
            raise TableInputError(str(error)) from error
        if table is None and len(unpacked.tables) > 1:
            raise TableInputError(
                f"The zip has {len(unpacked.tables)} tables; put one into it, or choose it beside the zip."
            )
        if table is None and unpacked.tables:
            table = photos / unpacked.tables[0]
        if table is None:
            table = _table_of(unpacked.photos, folder / "photos.csv")
        elif not unpacked.photos:
            raise TableInputError("The zip has no photos; put files such as photo.jpg or photo.png into it.")
        else:
            _link_by_name(unpacked.photos, photos)
        if unpacked.left_out:
            notice = f"{unpacked.left_out} files of the zip are no photos and were left out."
    assert table is not None
    try:
        header = read_header(table)
    except UnusableFile as error:
        raise TableInputError(f"The table cannot be read: {str(error).replace(str(table), table.name)}.") from error
    return TableInput(table, photos, "entity_name" in header, notice)


def _link_by_name(names: Sequence[str], folder: Path) -> None:
    """Lets a table name photos of subfolders by the file's name alone, where that is one photo's."""
    count = Counter(PurePosixPath(name).name for name in names)
    for name in names:
        by_name = PurePosixPath(name).name
        if by_name != name and count[by_name] == 1:
            os.link(folder / name, folder / by_name)


def _table_of(photos: list[str], path: Path) -> Path:
    with open(path, "w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([["image"], *([name] for name in photos)])
    return path
