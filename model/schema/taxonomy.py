"""A tree of categories: its leaves and nodes, and the probabilities of nodes from those of the leaves."""

from collections.abc import Iterable
from functools import cached_property
from pathlib import Path

import numpy as np

__all__ = ["SEPARATOR", "Taxonomy", "parse_path"]

SEPARATOR = " > "

Node = tuple[str, ...]


def parse_path(text: str) -> Node:
    """`Apparel > Topwear > Tshirts` to its levels. Raises ValueError: a level is empty."""
    levels = tuple(level.strip() for level in text.split(SEPARATOR.strip()))
    if not all(levels):
        raise ValueError(f"{text!r} has an empty level")
    return levels


class Taxonomy:
    """Paths from a root to a leaf. There may be several roots.

    Attributes:
        leaves: paths in the order given.
        nodes: every prefix of a leaf's path, parents before their children; includes the leaves.
    """

    def __init__(self, paths: Iterable[Node]):
        """Raises ValueError: a path is listed twice, or is the beginning of another one."""
        self.leaves = tuple(paths)
        self.nodes = tuple(dict.fromkeys(path[:depth] for path in self.leaves for depth in range(1, len(path) + 1)))
        parents = {node[:-1] for node in self.nodes}
        wrong = [path for path in self.leaves if path in parents]
        if wrong:
            raise ValueError(f"{SEPARATOR.join(wrong[0])} is a leaf and has children; leave one of them out")
        if len(set(self.leaves)) < len(self.leaves):
            raise ValueError("a path is listed twice")
        self._indices = {node: i for i, node in enumerate(self.nodes)}

    @classmethod
    def load(cls, file: Path) -> "Taxonomy":
        """Reads a file of one path per line; empty lines and lines that begin with # are skipped.

        Raises:
            ValueError: the file is broken.
            OSError: there is no such file.
        """
        lines = [line.strip() for line in file.read_text(encoding="utf-8").splitlines()]
        try:
            return cls(parse_path(line) for line in lines if line and not line.startswith("#"))
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
        """The leaf of this name; None where no leaf or more than one has it."""
        found = [path for path in self.leaves if path[-1] == name]
        return found[0] if len(found) == 1 else None

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
