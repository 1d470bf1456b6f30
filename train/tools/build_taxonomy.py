"""Taxonomies from the labels of a table, and tables migrated to another version of their taxonomy."""

import csv
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from resformer.model.schema.taxonomy import SEPARATOR, Node, Taxonomy, parse_path
from resformer.train.data.quantity_records import label_rows

__all__ = [
    "RelabelReport",
    "build",
    "build_taxonomy",
    "main_parents",
    "merge_rare",
    "migrate",
    "migrate_table",
    "without_brand",
]


@dataclass
class RelabelReport:
    """Labels that moved from one path to another, and labels without a node in the new tree."""

    moved: Counter[tuple[Node, Node]] = field(default_factory=Counter)
    lost: Counter[Node] = field(default_factory=Counter)

    def summary(self) -> str:
        """How many labels of how many paths moved or were lost."""
        parts = []
        if self.moved:
            parts.append(f"{self.moved.total()} labels of {len(self.moved)} paths moved to another node")
        if self.lost:
            parts.append(f"{self.lost.total()} labels of {len(self.lost)} paths have no node")
        return "; ".join(parts) or "no label moved"

    def lines(self) -> list[str]:
        """A line for each path."""
        moved = [
            f"{count} x {SEPARATOR.join(old)} -> {SEPARATOR.join(new)}"
            for (old, new), count in self.moved.most_common()
        ]
        return [*moved, *(f"{count} x {SEPARATOR.join(old)} has no node" for old, count in self.lost.most_common())]


def build_taxonomy(
    table: Path,
    out: Path,
    *,
    path_column: str = "",
    level_columns: Sequence[str] = (),
    brand_columns: Sequence[str] = (),
    min_count: int = 1,
) -> tuple[Taxonomy, RelabelReport]:
    """Writes the taxonomy of a table's labels; rows without a path are skipped.

    Args:
        path_column: holds whole paths (`first > second`).
        level_columns: hold a level each, root first; a leaf under several parents goes to the most frequent one.
        brand_columns: begin with the brand, see without_brand.
        min_count: leaves with fewer labels are merged into their parents.

    Raises:
        ValueError: a column is missing, neither or both of path and levels are given, or a path cannot be parsed.
        OSError: a file cannot be read or written.
    """
    if bool(path_column) == bool(level_columns):
        raise ValueError("give either the column of whole paths or the columns of levels")
    paths = []
    columns = [path_column] if path_column else level_columns
    for row in label_rows(table, *columns, *brand_columns):
        if all(row[column] for column in columns):
            path = _path(table, row, path_column) if path_column else tuple(row[column] for column in columns)
            paths.append(without_brand(path, (row[column] for column in brand_columns)))
    # A schema names the leaves of levels by their name alone, so each name may occur once.
    taxonomy, report = build(paths, min_count=min_count, one_parent=bool(level_columns))
    out.write_text("".join(f"{SEPARATOR.join(leaf)}\n" for leaf in taxonomy.leaves), encoding="utf-8")
    return taxonomy, report


def migrate_table(
    table: Path, out: Path, *, old: Path, new: Path, path_column: str, mapping: Path | None = None
) -> RelabelReport:
    """Writes a table with its paths rewritten for another version of the taxonomy.

    Args:
        mapping: CSV with the columns `old` and `new`; other paths stay where the new taxonomy has them.

    Raises:
        ValueError: a column is missing, or the mapping names a node that its taxonomy does not have.
        OSError: a file cannot be read or written.
    """
    old_tree, new_tree = Taxonomy.load(old), Taxonomy.load(new)
    targets = {}
    if mapping:
        rows_of_mapping = label_rows(mapping, "old", "new")
        targets = {_path(mapping, row, "old"): _path(mapping, row, "new") for row in rows_of_mapping}
    if unknown := [path for path in targets if path not in old_tree]:
        raise ValueError(f"{mapping}: {SEPARATOR.join(unknown[0])} is not in {old}")
    rows = list(label_rows(table, path_column))
    paths = [_path(table, row, path_column) if row[path_column] else () for row in rows]
    nodes, report = migrate(filter(None, paths), new_tree, targets)
    with out.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, rows[0].keys(), lineterminator="\n")
        writer.writeheader()
        for row, path in zip(rows, paths, strict=True):
            writer.writerow({**row, path_column: SEPARATOR.join(nodes.get(path, ()))})
    return report


def without_brand(path: Node, names: Iterable[str]) -> Node:
    """A path without last levels that begin with a brand or with the first word of a product's name.

    In `Coffee Mugs > Acme Coffee Mugs` the last level is a brand's selection, not a category.
    """
    first_words = {name.split()[0].lower() for name in names if name.split()}
    while len(path) > 1 and path[-1].split()[0].lower() in first_words:
        path = path[:-1]
    return path


def main_parents(paths: Iterable[Node]) -> tuple[dict[Node, Node], RelabelReport]:
    """For each path, the most frequent one of those whose leaf has the same name."""
    counts = Counter(paths)
    main: dict[str, Node] = {}
    for path, _ in counts.most_common():
        main.setdefault(path[-1], path)
    report = RelabelReport(Counter({(path, main[path[-1]]): n for path, n in counts.items() if path != main[path[-1]]}))
    return {path: main[path[-1]] for path in counts}, report


def merge_rare(paths: Iterable[Node], min_count: int) -> tuple[Counter[Node], RelabelReport]:
    """Counts of paths after those of fewer than `min_count` labels were merged into their parents, deepest first.

    Roots stay. The labels of merged children count for the parent.
    """
    counts = Counter(paths)
    moved: dict[Node, Node] = {path: path for path in counts}
    under: Counter[Node] = Counter()
    for path, count in counts.items():
        under.update({path[:depth]: count for depth in range(1, len(path) + 1)})
    merged: Counter[Node] = Counter()
    for path, count in counts.items():
        kept = path
        while len(kept) > 1 and under[kept] < min_count:
            kept = kept[:-1]
        moved[path] = kept
        merged[kept] += count
    return merged, RelabelReport(Counter({(old, new): counts[old] for old, new in moved.items() if old != new}))


def build(paths: Iterable[Node], *, min_count: int = 1, one_parent: bool = False) -> tuple[Taxonomy, RelabelReport]:
    """The tree of these labels.

    Args:
        min_count: see merge_rare.
        one_parent: leaves of one name are the most frequent one of them.
    """
    paths = list(paths)
    report = RelabelReport()
    if one_parent:
        main, report = main_parents(paths)
        paths = [main[path] for path in paths]
    counts, merged = merge_rare(paths, min_count)
    report.moved.update(merged.moved)
    parents = {path[:depth] for path in counts for depth in range(1, len(path))}
    return Taxonomy(sorted(path for path in counts if path not in parents)), report


def migrate(
    paths: Iterable[Node], new: Taxonomy, mapping: Mapping[Node, Node]
) -> tuple[dict[Node, Node], RelabelReport]:
    """Each path's node in another version of its tree: that of the mapping, the same path, or its nearest ancestor.

    Paths whose root the new tree does not have are left out.

    Raises:
        ValueError: the mapping leads to a node that the new tree does not have.
    """
    if broken := [target for target in mapping.values() if target not in new]:
        raise ValueError(f"the mapping leads to {SEPARATOR.join(broken[0])}, which the new tree does not have")
    report = RelabelReport()
    nodes: dict[Node, Node] = {}
    for path, count in Counter(paths).items():
        named = [path[:depth] for depth in range(len(path), 0, -1) if path[:depth] in mapping]
        node = mapping[named[0]] if named else new.nearest(path)
        if not node:
            report.lost[path] += count
            continue
        nodes[path] = node
        if node != path:
            report.moved[path, node] += count
    return nodes, report


def _path(table: Path, row: Mapping[str, str], column: str) -> Node:
    try:
        return parse_path(row[column])
    except ValueError as error:
        raise ValueError(f"{table}: {error}") from error
