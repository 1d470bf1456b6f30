"""Splits by hash."""

import zlib
from dataclasses import dataclass

from resformer.train.data.quantity_records import Record
from resformer.train.data.splitting import DisjointSets, split_by_hash


@dataclass(frozen=True)
class Item:
    name: str
    split_keys: tuple[str, ...] = ()


def test_a_split_does_not_depend_on_the_order() -> None:
    items = [Item(f"photo-{i}") for i in range(500)]
    train, val = split_by_hash(items, 0.2)
    assert len(train) + len(val) == 500 and 60 < len(val) < 140
    assert set(split_by_hash(items[::-1], 0.2)[1]) == set(val)
    assert split_by_hash(items, 0.0) == (items, [])
    larger = split_by_hash(items, 0.4)[1]
    assert set(val) < set(larger)


def test_the_validation_photos_stay_those_of_earlier_versions() -> None:
    items = [Item(f"photo-{i}.jpg") for i in range(200)]
    names = [item.name for item in items if zlib.crc32(item.name.encode()) % 1000 < 100]
    assert [item.name for item in split_by_hash(items, 0.1)[1]] == names
    assert Record("shop/a.jpg", None, 1, 1, (), ()).split_keys == ("a.jpg",)


def test_items_with_a_common_key_stay_together() -> None:
    """Directly, or through a third item."""
    items = [
        Item(f"{i}-{j}", (f"title {i}", f"caption {i}" if j else f"title {i}")) for i in range(60) for j in range(3)
    ]
    items.append(Item("link", ("title 0", "caption 1")))
    train, val = split_by_hash(items, 0.3)
    keys = [{key for item in side for key in item.split_keys} for side in (train, val)]
    assert val and not keys[0] & keys[1]
    sides = [item in val for item in items if item.name.startswith(("0-", "1-")) or item.name == "link"]
    assert len(set(sides)) == 1


def test_disjoint_sets() -> None:
    sets = DisjointSets()
    sets.join("a", "b")
    sets.join("c", "d")
    assert sets.find("a") == sets.find("b") != sets.find("d")
    sets.join("b", "d")
    assert sets.find("a") == sets.find("c")
    assert sets.find("new") == "new"
