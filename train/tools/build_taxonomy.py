"""Trees of categories from the labels of a catalogue.

    python -m train.tools.build_taxonomy build styles.csv fashion.txt --levels masterCategory subCategory articleType
    python -m train.tools.build_taxonomy build products.csv retail.txt --path category --brand brand name --least 2
    python -m train.tools.build_taxonomy migrate OLD.txt NEW.txt in.csv out.csv --path category --mapping map.csv

`build` merges what is rare into its parent and, with --levels, puts a leaf that occurs under several parents where it
occurs most. `migrate` rewrites the paths of a table for another version of a tree. mapping.csv has the columns `old`
and `new`; what it does not name stays where the new tree has the same path. Both report what moved. Rows without a path
say nothing.
"""

import argparse
import csv
import sys
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from resformer.model.schema.taxonomy import SEPARATOR, Node, Taxonomy, parse_path
from resformer.train.data.quantity_records import label_rows

__all__ = ["Moves", "build", "main_parents", "merge_rare", "migrate", "without_brand"]


@dataclass
class Moves:
    """What became of labels: how many went from one path to another, and how many have nowhere to go."""

    moved: Counter[tuple[Node, Node]] = field(default_factory=Counter)
    lost: Counter[Node] = field(default_factory=Counter)

    def report(self) -> str:
        lines = [
            f"{count} x {SEPARATOR.join(old)} -> {SEPARATOR.join(new)}"
            for (old, new), count in self.moved.most_common()
        ]
        lines += [f"{count} x {SEPARATOR.join(old)} has no place" for old, count in self.lost.most_common()]
        return "\n".join(lines) or "nothing moved"


def without_brand(path: Node, names: Iterable[str]) -> Node:
    """A path without last levels that begin with a brand, or with the first word of a product's name: `Coffee Mugs >
    Prithish Coffee Mugs` is a brand's shelf and no category."""
    firsts = [first.lower() for name in names if (first := next(iter(name.split()), ""))]
    while len(path) > 1 and any(path[-1].lower().split()[0] == first for first in firsts):
        path = path[:-1]
    return path


def main_parents(paths: Iterable[Node]) -> tuple[dict[Node, Node], Moves]:
    """For each path, the one with the same leaf's name that is most frequent (first of several)."""
    counts = Counter(paths)
    main: dict[str, Node] = {}
    for path, _ in counts.most_common():
        main.setdefault(path[-1], path)
    moves = Moves(Counter({(path, main[path[-1]]): n for path, n in counts.items() if path != main[path[-1]]}))
    return {path: main[path[-1]] for path in counts}, moves


def merge_rare(paths: Iterable[Node], least: int) -> tuple[Counter[Node], Moves]:
    """Counts of paths after those of fewer than `least` labels were merged into their parents, deepest first.

    Roots stay. Children that are merged leave their labels to the parent, which counts them too.
    """
    counts = Counter(paths)
    moved: dict[Node, Node] = {path: path for path in counts}
    under: Counter[Node] = Counter()
    for path, count in counts.items():
        under.update({path[:depth]: count for depth in range(1, len(path) + 1)})
    merged: Counter[Node] = Counter()
    for path, count in counts.items():
        kept = path
        while len(kept) > 1 and under[kept] < least:
            kept = kept[:-1]
        moved[path] = kept
        merged[kept] += count
    return merged, Moves(Counter({(old, new): counts[old] for old, new in moved.items() if old != new}))


def build(paths: Iterable[Node], *, least: int = 1, one_parent: bool = False) -> tuple[Taxonomy, Moves]:
    """The tree of these labels.

    Args:
        least: see merge_rare.
        one_parent: a leaf's name has one place, the most frequent one.
    """
    paths = list(paths)
    moves = Moves()
    if one_parent:
        main, moves = main_parents(paths)
        paths = [main[path] for path in paths]
    counts, merged = merge_rare(paths, least)
    moves.moved.update(merged.moved)
    parents = {path[:depth] for path in counts for depth in range(1, len(path))}
    return Taxonomy(sorted(path for path in counts if path not in parents)), moves


def migrate(paths: Iterable[Node], new: Taxonomy, mapping: Mapping[Node, Node]) -> tuple[dict[Node, Node], Moves]:
    """Each path's place in another version of its tree: where the mapping says, or the same path, or its nearest
    ancestor that is left. Paths of which not even the root is left have none.

    Raises ValueError: the mapping leads to a node that the new tree lacks.
    """
    if broken := [target for target in mapping.values() if target not in new]:
        raise ValueError(f"the mapping leads to {SEPARATOR.join(broken[0])}, which the new tree does not have")
    moves = Moves()
    places: dict[Node, Node] = {}
    for path, count in Counter(paths).items():
        named = [path[:depth] for depth in range(len(path), 0, -1) if path[:depth] in mapping]
        place = mapping[named[0]] if named else new.nearest(path)
        if not place:
            moves.lost[path] += count
            continue
        places[path] = place
        if place != path:
            moves.moved[path, place] += count
    return places, moves


def _paths(table: Path, options: argparse.Namespace) -> list[Node]:
    paths = []
    levels = [options.path] if options.path else options.levels
    for row in _rows(table, *levels, *options.brand):
        if all(row[level] for level in levels):
            path = _path(table, row, options.path) if options.path else tuple(row[level] for level in levels)
            paths.append(without_brand(path, (row[column] for column in options.brand)))
    return paths


def _rows(table: Path, *columns: str) -> Iterator[dict[str, str]]:
    for row in label_rows(table):
        if missing := [column for column in columns if column not in row]:
            raise ValueError(f"{table} has no column {missing[0]!r}; it has {', '.join(row)}")
        yield row


def _path(table: Path, row: Mapping[str, str], column: str) -> Node:
    try:
        return parse_path(row[column])
    except ValueError as error:
        raise ValueError(f"{table}: {error}") from error


def _write(taxonomy: Taxonomy, file: Path) -> None:
    file.write_text("".join(f"{SEPARATOR.join(leaf)}\n" for leaf in taxonomy.leaves), encoding="utf-8")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    verbs = parser.add_subparsers(dest="verb", required=True)
    one = verbs.add_parser("build")
    one.add_argument("table", type=Path)
    one.add_argument("tree", type=Path)
    where = one.add_mutually_exclusive_group(required=True)
    where.add_argument("--path", metavar="COLUMN", help="the column that holds whole paths")
    where.add_argument("--levels", nargs="+", metavar="COLUMN", help="the columns that hold a level each")
    one.add_argument(
        "--brand",
        nargs="+",
        default=[],
        metavar="COLUMN",
        help="columns that begin with the brand; last levels that begin with it are left out",
    )
    one.add_argument("--least", type=int, default=1, metavar="N", help="rarer leaves are merged into parents (1)")
    two = verbs.add_parser("migrate")
    two.add_argument("old", type=Path)
    two.add_argument("new", type=Path)
    two.add_argument("table", type=Path)
    two.add_argument("out", type=Path)
    two.add_argument("--path", required=True, metavar="COLUMN")
    two.add_argument("--mapping", type=Path, metavar="FILE.csv")
    return parser


def main(arguments: Sequence[str] | None = None) -> int:
    options = _parser().parse_args(arguments)
    try:
        moves = _build(options) if options.verb == "build" else _migrate(options)
    except (ValueError, OSError) as error:
        print(error, file=sys.stderr)
        return 2
    print(moves.report())
    return 0


def _build(options: argparse.Namespace) -> Moves:
    # Levels name a leaf once in the schema, so it has one place; whole paths say themselves where they are.
    tree, moves = build(_paths(options.table, options), least=options.least, one_parent=bool(options.levels))
    _write(tree, options.tree)
    return moves


def _migrate(options: argparse.Namespace) -> Moves:
    old, new = Taxonomy.load(options.old), Taxonomy.load(options.new)
    mapping = {}
    if options.mapping:
        rows_of = _rows(options.mapping, "old", "new")
        mapping = {_path(options.mapping, row, "old"): _path(options.mapping, row, "new") for row in rows_of}
    if unknown := [path for path in mapping if path not in old]:
        raise ValueError(f"{options.mapping}: {SEPARATOR.join(unknown[0])} is not in {options.old}")
    rows = list(_rows(options.table, options.path))
    paths = [_path(options.table, row, options.path) if row[options.path] else () for row in rows]
    places, moves = migrate(filter(None, paths), new, mapping)
    with options.out.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, rows[0].keys() if rows else [options.path], lineterminator="\n")
        writer.writeheader()
        for row, path in zip(rows, paths, strict=True):
            place = places.get(path, ())
            writer.writerow({**row, options.path: SEPARATOR.join(place)})
    return moves


if __name__ == "__main__":
    sys.exit(main())
