"""Train, val and test tables of a catalogue that have nothing in common."""

import csv
import hashlib
import random
from collections import Counter
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from tqdm import tqdm

from resformer.model.errors import ResformerError
from resformer.model.images.loading import decode_photo
from resformer.train.data.catalogue_table import photo_file
from resformer.train.data.quantity_records import label_rows
from resformer.train.data.splitting import DisjointSets

__all__ = ["DatasetSplit", "pixel_hash", "split_rows", "split_table"]

Row = dict[str, str]


@dataclass
class DatasetSplit:
    """The rows of each side, and how many were left out for which reason."""

    sides: dict[str, list[Row]]
    left_out: Counter[str] = field(default_factory=Counter)


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
) -> DatasetSplit:
    """Writes train.csv, val.csv and test.csv into a folder, see split_rows.

    Args:
        image_column: names the photo, with or without `.jpg`.

    Raises:
        ValueError: a column is missing, or nothing is left to train on.
        OSError: a file cannot be read or written.
    """
    rows = list(label_rows(table, *filter(None, (image_column, group_column))))
    bar = tqdm(total=len(rows), unit="photo", disable=None, leave=False)

    def hash_of(row: Row) -> str | None:
        bar.update()
        try:
            return pixel_hash(photos / photo_file(row[image_column]))
        except (OSError, ResformerError):
            return None

    split = split_rows(rows, hash_of, group_column=group_column, val=val, test=test, seed=seed)
    bar.close()
    out.mkdir(parents=True, exist_ok=True)
    for side, side_rows in split.sides.items():
        with (out / f"{side}.csv").open("w", newline="", encoding="utf-8") as file:
            writer = csv.DictWriter(file, rows[0].keys(), lineterminator="\n")
            writer.writeheader()
            writer.writerows(side_rows)
    return split


def pixel_hash(photo: Path) -> str:
    """Equal for photos with equal pixels, however they are stored. Raises ResformerError: no photo."""
    pixels = decode_photo(photo.read_bytes())
    return hashlib.sha256(repr(pixels.shape).encode() + pixels.tobytes()).hexdigest()


def split_rows(
    rows: Sequence[Row],
    hash_of: Callable[[Row], str | None],
    *,
    group_column: str = "",
    val: float = 0.1,
    test: float = 0.1,
    seed: int = 0,
) -> DatasetSplit:
    """Splits rows; the same seed gives the same sides.

    Rows without a photo are left out, and of photos with equal pixels all but the first. Rows of one group are on one
    side, and so are groups with equal photos.

    Args:
        hash_of: the hash of a row's photo; None where there is no photo that can be used.
        group_column: rows that are equal in it stay together; empty: each row is a group.
        val, test: below 1 the fraction of the groups, from 1 on a number of rows that whole groups reach.

    Raises:
        ValueError: a size is negative or no whole number of rows, or nothing is left to train on.
    """
    for size in (val, test):
        if size < 0 or (size >= 1 and size != int(size)):
            raise ValueError(f"the size {size} is neither a fraction below 1 nor a whole number of rows")
    split = DatasetSplit({"train": [], "val": [], "test": []})
    sets = DisjointSets()
    group_of_photo: dict[str, Hashable] = {}
    kept: list[tuple[Row, Hashable]] = []
    for i, row in enumerate(rows):
        group: Hashable = ("group", row[group_column]) if group_column and row[group_column] else ("row", i)
        photo = hash_of(row)
        if photo is None:
            split.left_out["no photo"] += 1
        elif photo in group_of_photo:
            split.left_out["equal photo"] += 1
            sets.join(group_of_photo[photo], group)
        else:
            group_of_photo[photo] = group
            kept.append((row, group))
    groups: dict[Hashable, list[Row]] = {}
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
        raise ValueError("no row has a photo that can be decoded; check the folder of photos and the image column")
    if not split.sides["train"]:
        raise ValueError(f"val {val} and test {test} leave nothing of {len(kept)} rows to train on")
    return split
