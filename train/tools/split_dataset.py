"""Divides a catalogue's table into train, val and test tables that share nothing.

    python -m train.tools.split_dataset products.csv photos/ out/ --photo id [--group caption] [--val 0.1] [--test 0.1]

Rows without a photo are left out, and of photos with equal pixels all but the first. Rows of one group (by default a
row is its own) go to one side, as do groups whose photos were equal: nothing that is tested was seen in training. The
same seed gives the same sides. Writes train.csv, val.csv and test.csv, and says what was left out.
"""

import argparse
import csv
import hashlib
import random
import sys
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from tqdm import tqdm

from resformer.model.errors import ResformerError
from resformer.model.images.loading import decode_photo
from resformer.train.data.catalogue_table import photo_file
from resformer.train.data.quantity_records import label_rows

__all__ = ["Division", "divide", "main", "pixel_hash"]

Row = dict[str, str]


@dataclass
class Division:
    """The rows of each side, and how many were left out for which reason."""

    sides: dict[str, list[Row]]
    left_out: Counter[str] = field(default_factory=Counter)


def pixel_hash(photo: Path) -> str:
    """Equal for photos with equal pixels, however they are stored. Raises ResformerError: no photo."""
    pixels = decode_photo(photo.read_bytes())
    return hashlib.sha256(repr(pixels.shape).encode() + pixels.tobytes()).hexdigest()


def divide(
    rows: Sequence[Row],
    hash_of: Callable[[Row], str | None],
    *,
    group: str = "",
    val: float | int = 0.1,
    test: float | int = 0.1,
    seed: int = 0,
) -> Division:
    """Divides rows.

    Args:
        hash_of: the hash of a row's photo; None where there is no photo that can be used.
        group: a column; rows that are equal in it stay together. Empty: each row is a group.
        val, test: below 1 the share of the groups, else how many rows at least, in whole groups.

    Raises ValueError: the sizes leave nothing to train on, or no row has that column.
    """
    if group and rows and group not in rows[0]:
        raise ValueError(f"there is no column {group!r}; the table has {', '.join(rows[0])}")
    division = Division({"train": [], "val": [], "test": []})
    first: dict[str, int] = {}
    kept: list[tuple[Row, int]] = []
    together = _Together()
    for number, row in enumerate(rows):
        key = hash_of(row)
        name = together.number(("group", row[group])) if group and row[group] else together.number(("row", number))
        if key is None:
            division.left_out["no photo"] += 1
        elif key in first:
            division.left_out["equal photo"] += 1
            together.join(first[key], name)
        else:
            first[key] = name
            kept.append((row, name))
    groups: dict[int, list[Row]] = {}
    for row, name in kept:
        groups.setdefault(together.root(name), []).append(row)
    order = list(groups.values())
    random.Random(seed).shuffle(order)
    for side, size in (("test", test), ("val", val)):
        taken = 0
        while order and taken < (size if size >= 1 else round(size * len(groups))):
            rows_of = order.pop()
            division.sides[side] += rows_of
            taken += len(rows_of) if size >= 1 else 1
    division.sides["train"] = [row for of_group in order for row in of_group]
    if not division.sides["train"]:
        raise ValueError(f"val {val} and test {test} leave nothing of {len(kept)} rows to train on")
    return division


class _Together:
    """Which groups belong together: disjoint sets."""

    def __init__(self) -> None:
        self._numbers: dict[tuple[str, str | int], int] = {}
        self._parents: list[int] = []

    def number(self, name: tuple[str, str | int]) -> int:
        if name not in self._numbers:
            self._numbers[name] = len(self._parents)
            self._parents.append(len(self._parents))
        return self._numbers[name]

    def root(self, number: int) -> int:
        while self._parents[number] != number:
            number = self._parents[number]
        return number

    def join(self, one: int, other: int) -> None:
        self._parents[self.root(other)] = self.root(one)


def _size(text: str) -> float:
    size = float(text)
    if size < 0 or (size >= 1 and size != int(size)):
        raise argparse.ArgumentTypeError("must be a share below 1 or a whole number of rows")
    return size


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("table", type=Path)
    parser.add_argument("photos", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--photo", required=True, metavar="COLUMN", help="names the photo, with or without .jpg")
    parser.add_argument("--group", default="", metavar="COLUMN", help="rows that are equal in it stay together")
    parser.add_argument("--val", type=_size, default=0.1, help="share of the groups, or rows from 1 on (0.1)")
    parser.add_argument("--test", type=_size, default=0.1, help="the same (0.1)")
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args(arguments)
    try:
        rows = list(label_rows(args.table))
        if rows and args.photo not in rows[0]:
            raise ValueError(f"{args.table} has no column {args.photo!r}; it has {', '.join(rows[0])}")
        bar = tqdm(total=len(rows), unit="photo", disable=None)

        def hash_of(row: Row) -> str | None:
            bar.update()
            try:
                return pixel_hash(args.photos / photo_file(row[args.photo]))
            except (OSError, ResformerError):
                return None  # counted as a row without a photo

        division = divide(rows, hash_of, group=args.group, val=args.val, test=args.test, seed=args.seed)
        bar.close()
        args.out.mkdir(parents=True, exist_ok=True)
        for side, of_side in division.sides.items():
            with (args.out / f"{side}.csv").open("w", newline="", encoding="utf-8") as file:
                writer = csv.DictWriter(file, rows[0].keys(), lineterminator="\n")
                writer.writeheader()
                writer.writerows(of_side)
            print(f"{side}: {len(of_side)} rows")
    except (ValueError, OSError) as error:
        print(error, file=sys.stderr)
        return 2
    for reason, count in division.left_out.items():
        print(f"left out, {reason}: {count}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
