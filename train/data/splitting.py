"""Splitting of data into training and validation, the same way on every machine."""

import zlib
from collections.abc import Hashable, Iterable, Sequence
from typing import Protocol, TypeVar

__all__ = ["DisjointSets", "Named", "split_by_hash"]


class Named(Protocol):
    """An item with a name that stays the same between machines."""

    @property
    def name(self) -> str:
        """Of the item."""
        ...

    @property
    def split_keys(self) -> Iterable[Hashable]:
        """What items of one group have in common, such as a title; they go to the same side."""
        ...


Item = TypeVar("Item", bound=Named)


def split_by_hash(items: Sequence[Item], val_fraction: float) -> tuple[list[Item], list[Item]]:
    """Items to train on, and about a fraction of them for validation.

    Items that share a key, directly or through others, are on one side: a group goes by the hash of its first name.
    """
    groups = DisjointSets()
    for item in items:
        for key in item.split_keys:
            groups.join(("name", item.name), ("key", key))
    first: dict[Hashable, str] = {}
    for item in items:
        root = groups.find(("name", item.name))
        first[root] = min(first.get(root, item.name), item.name)
    train: list[Item] = []
    val: list[Item] = []
    for item in items:
        name = first[groups.find(("name", item.name))]
        in_val = zlib.crc32(name.encode()) % 1000 < 1000 * val_fraction
        (val if in_val else train).append(item)
    return train, val


class DisjointSets:
    """Which elements belong together (union-find)."""

    def __init__(self) -> None:
        self._parents: dict[Hashable, Hashable] = {}

    def find(self, element: Hashable) -> Hashable:
        """The representative of the set of an element, which is added where it is new."""
        self._parents.setdefault(element, element)
        while self._parents[element] != element:
            self._parents[element] = self._parents[self._parents[element]]
            element = self._parents[element]
        return element

    def join(self, one: Hashable, other: Hashable) -> None:
        """Unites two sets."""
        self._parents[self.find(other)] = self.find(one)
