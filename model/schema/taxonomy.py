"""A tree of categories: its leaves and nodes, and the probabilities of nodes from those of the leaves."""

from collections.abc import Iterable
from functools import cached_property
from pathlib import Path

import numpy as np

__all__ = ["SEPARATOR", "Taxonomy", "parse_path"]

SEPARATOR = " > "

Node = tuple[str, ...]


def parse_path(text: str) -> Node:
    """`Apparel > Topwear > Tshirts` to its levels; spaces around and beside others do not count.

    Raises:
        ValueError: a level is empty.
    """
    levels = tuple(" ".join(level.split()) for level in text.split(SEPARATOR.strip()))
    if not all(levels):
        raise ValueError(f"{text!r} has an empty level; write a name between all `>`")
    return levels


def _listed_path(line: str) -> Node:
    if line.startswith("#"):
        raise ValueError(f"{line!r} may be a comment or a category; write `# ` before a comment, `\\#` in a category")
    return parse_path(line.removeprefix("\\") if line.startswith("\\#") else line)


class Taxonomy:
    """Paths from a root to a leaf. There may be several roots.

    A leaf may have others below it: it then stands for products that are of none of the kinds below.

    Attributes:
        leaves: paths in the order given.
        nodes: every prefix of a leaf's path, parents before their children; includes the leaves.
    """

    def __init__(self, paths: Iterable[Node]):
        """Raises ValueError: a path is listed twice."""
        self.leaves = tuple(paths)
        self.nodes = tuple(dict.fromkeys(path[:depth] for path in self.leaves for depth in range(1, len(path) + 1)))
        if len(set(self.leaves)) < len(self.leaves):
            twice = next(path for i, path in enumerate(self.leaves) if path in self.leaves[:i])
            raise ValueError(f"the path {SEPARATOR.join(twice)!r} is listed twice; delete one")
        self._indices = {node: i for i, node in enumerate(self.nodes)}

    @classmethod
    def load(cls, file: Path) -> "Taxonomy":
        r"""Reads a file of one path per line.

        Empty lines and comments are skipped: `#` alone or before a space. A name that begins with # is written `\#1`.

        Raises:
            ValueError: the file is broken.
            OSError: there is no such file.
        """
        try:
            lines = file.read_text(encoding="utf-8-sig").splitlines()
        except UnicodeError as error:
            raise ValueError(f"{file} is not UTF-8; save it again as UTF-8") from error
        paths = []
        for number, line in enumerate(map(str.strip, lines), 1):
            if not line or line.strip("#")[:1] in ("", " "):
                continue
            try:
                paths.append(_listed_path(line))
            except ValueError as error:
                raise ValueError(f"{file}, line {number}: {error}") from error
        try:
            return cls(paths)
        except ValueError as error:
            raise ValueError(f"{file}: {error}") from error

    def __contains__(self, node: object) -> bool:
        return node in self._indices

    def index(self, node: Node) -> int:
        """The position of a node in `nodes`. Raises KeyError."""
        return self._indices[node]

    def nearest(self, path: Node) -> Node:
        """The deepest node on a path; () where its root is no node."""
        return next((path[:depth] for depth in range(len(path), 0, -1) if path[:depth] in self), ())

    def leaf(self, name: str) -> Node | None:
        """The leaf of this name, of several the one without others below it; None where none or more are left."""
        found = [path for path in self.leaves if path[-1] == name]
        if len(found) > 1:
            found = [path for path in found if path not in self.inner_leaves]
        return found[0] if len(found) == 1 else None

    @cached_property
    def inner_leaves(self) -> frozenset[Node]:
        """The leaves that have others below them."""
        return frozenset(self.leaves) & {node[:-1] for node in self.nodes}

    @cached_property
    def members(self) -> np.ndarray:
        """Bool (nodes, leaves): which leaves a node has below it; a leaf has itself."""
        members = np.zeros((len(self.nodes), len(self.leaves)), dtype=bool)
        for i, leaf in enumerate(self.leaves):
            for depth in range(1, len(leaf) + 1):
                members[self._indices[leaf[:depth]], i] = True
        return members

    def node_probabilities(self, leaves: np.ndarray) -> np.ndarray:
        """A node's probability is the sum of its leaves': (leaves,) to (nodes,)."""
        sums: np.ndarray = self.members @ leaves.astype(np.float64)
        return sums

    def expected_levels(self, leaves: np.ndarray) -> np.ndarray:
        """Expected number of right levels of each leaf's path: probabilities (leaves,) to (leaves,)."""
        counts: np.ndarray = self.node_probabilities(leaves) @ self.members
        return counts
