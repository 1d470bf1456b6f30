"""Train, val and test tables of a catalogue that have nothing in common."""

import csv
import hashlib
import random
from collections import Counter
from collections.abc import Callable, Hashable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Generic, TypeVar

from tqdm import tqdm

from resformer.model.errors import ResformerError
from resformer.model.files.photo_names import SharedPhotoName, TablePhotos
from resformer.model.files.tables import Row as Row
from resformer.model.files.tables import read_table
from resformer.model.files.whole_file import written_whole
from resformer.model.images.loading import decode_photo
from resformer.train.data.splitting import DisjointSets

__all__ = ["DatasetSplit", "LeftOutRow", "pixel_hash", "split_rows", "split_table"]

R = TypeVar("R", bound=Mapping[str, str])


class LeftOutRow(Exception):
    """A row that cannot be used; the message is the reason, without what is the row's own."""


@dataclass
class DatasetSplit(Generic[R]):
    """The rows of each side.

    Attributes:
        left_out: by reason, how many rows were left out.
        first: by reason, the first of them.
    """

    sides: dict[str, list[R]]
    left_out: Counter[str] = field(default_factory=Counter)
    first: dict[str, R] = field(default_factory=dict)

    def leave_out(self, row: R, reason: str) -> None:
        """Counts a row that is on no side."""
        self.left_out[reason] += 1
        self.first.setdefault(reason, row)


def split_table(
    table: Path,
    photos: Path,
    out: Path,
    *,
    image_column: str,
    group_column: str = "",
    val: float = 0.1,
    test: float = 0.1,
    seed: int = 0,
) -> DatasetSplit[Row]:
    """Writes train.csv, val.csv and test.csv into a folder, see split_rows.

    Args:
        image_column: names the photo, see PhotoFolder.find.

    Raises:
        ValueError: the table cannot be used, no photo is there, or nothing is left to train on.
        OSError: a file cannot be read or written.
    """
    rows = list(read_table(table, *filter(None, (image_column, group_column)), needs_rows=True))
    found = _photos_of(rows, table, photos, image_column)
    bar = tqdm(total=len(rows), unit="photo", disable=None, leave=False)

    def hash_of(row: Row) -> str:
        bar.update()
        photo = found[row.line]
        if isinstance(photo, LeftOutRow):
            raise photo
        try:
            return pixel_hash(photo)
        except (OSError, ResformerError) as error:
            raise LeftOutRow("no photo that can be decoded") from error

    split = split_rows(rows, hash_of, group_column=group_column, val=val, test=test, seed=seed)
    bar.close()
    out.mkdir(parents=True, exist_ok=True)
    with ExitStack() as files:
        for side, side_rows in split.sides.items():
            file = files.enter_context(written_whole(out / f"{side}.csv"))
            writer = csv.DictWriter(file, rows[0].keys(), lineterminator="\n")
            writer.writeheader()
            writer.writerows(side_rows)
    return split


def _photos_of(rows: Sequence[Row], table: Path, photos: Path, column: str) -> dict[int, Path | LeftOutRow]:
    """By line, the photo of each row, or why it has none. Raises UnusableFile: no row has one."""
    names = TablePhotos(table, photos)
    found: dict[int, Path | LeftOutRow] = {}
    for row in rows:
        try:
            name = names.name(row, row[column], column)
            found[row.line] = photos / name if name else LeftOutRow("no photo")
        except SharedPhotoName:
            found[row.line] = LeftOutRow("the file name of another row's link")
    if names.missing == len(rows):
        names.refuse_missing()
    return found


def pixel_hash(photo: Path) -> str:
    """Equal for photos with equal pixels, however they are stored. Raises ResformerError: no photo."""
    pixels = decode_photo(photo.read_bytes())
    return hashlib.sha256(repr(pixels.shape).encode() + pixels.tobytes()).hexdigest()


def split_rows(
    rows: Sequence[R],
    hash_of: Callable[[R], str],
    *,
    group_column: str = "",
    val: float = 0.1,
    test: float = 0.1,
    seed: int = 0,
) -> DatasetSplit[R]:
    """Splits rows; the same seed gives the same sides.

    Rows without a photo are left out, and of photos with equal pixels all but the first. Rows of one group are on one
    side, and so are groups with equal photos.

    Args:
        hash_of: the hash of a row's photo; raises LeftOutRow.
        group_column: rows that are equal in it stay together; empty: each row is a group.
        val, test: below 1 the fraction of the groups, from 1 on a number of rows that whole groups reach.

    Raises:
        ValueError: a size is negative or no whole number of rows, or nothing is left to train on.
    """
    for size in (val, test):
        if size < 0 or (size >= 1 and size != int(size)):
            raise ValueError(f"the size {size} is neither a fraction below 1 nor a whole number of rows")
    split = DatasetSplit[R]({"train": [], "val": [], "test": []})
    sets = DisjointSets()
    group_of_photo: dict[str, Hashable] = {}
    kept: list[tuple[R, Hashable]] = []
    for i, row in enumerate(rows):
        named = row[group_column].strip() if group_column else ""
        group: Hashable = ("group", named) if named else ("row", i)
        try:
            photo = hash_of(row)
        except LeftOutRow as reason:
            split.leave_out(row, str(reason))
            continue
        if photo in group_of_photo:
            split.leave_out(row, "equal photo")
            sets.join(group_of_photo[photo], group)
        else:
            group_of_photo[photo] = group
            kept.append((row, group))
    groups: dict[Hashable, list[R]] = {}
    for row, group in kept:
        groups.setdefault(sets.find(group), []).append(row)
    order = list(groups.values())
    random.Random(seed).shuffle(order)
    for side, size in (("test", test), ("val", val)):
        taken = 0
        while order and taken < (size if size >= 1 else round(size * len(groups))):
            group_rows = order.pop()
            split.sides[side] += group_rows
            taken += len(group_rows) if size >= 1 else 1
    split.sides["train"] = [row for group_rows in order for row in group_rows]
    if not kept:
        raise ValueError("no row has a photo that can be decoded; see that the folder holds photos")
    if not split.sides["train"]:
        raise ValueError(f"val {val} and test {test} leave nothing of {len(kept)} rows to train on; lower them")
    return split
