"""A small drawn data set in the layout of the real one, with a config for each network."""

import csv
import gzip
import io
import json
import shutil
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from resformer.model.schema.schema import SCHEMA_FILE, Entity, Schema
from resformer.train.data.quantity_records import Question
from resformer.train.data.synthetic_configs import CONFIGS, OWN_ENTITIES
from resformer.train.data.synthetic_layouts import PHRASES, label_texts
from resformer.train.data.synthetic_packs import available_fonts, draw_pack
from resformer.train.data.synthetic_products import KINDS, CatalogueProduct, draw_product, random_product

__all__ = ["write_dataset"]

NUM_GROUPS = 5
PRIOR_LABELS_PER_PHOTO = 20

Row = dict[str, Any]


def write_dataset(out: Path, limit: int = 60, seed: int = 0) -> list[str]:
    """Draws the data set; returns a line for each table and config.

    Args:
        out: a folder that does not exist yet or is empty.
        limit: photos of each training table; validation tables have a quarter of that.
        seed: the same seed gives the same data set on one machine.

    Raises:
        ValueError: the folder is not empty.
        OSError: a file cannot be written.
    """
    if out.exists() and any(out.iterdir()):
        raise ValueError(f"{out} is not empty")
    rng = np.random.default_rng(seed)
    (out / "rows").mkdir(parents=True)
    lines = _mappings(out / "rows")
    for split, count in (("train", limit), ("val", max(4, limit // 4))):
        lines += [_challenge(out, split, count, rng), _hand(out, split, count, rng)]
        lines += [_fashion(out, split, count, rng), _hm(out, split, count, rng), _flipkart(out, split, count, rng)]
    lines += [_unlabelled(out, max(4, limit // 4), rng), _priors(out, PRIOR_LABELS_PER_PHOTO * limit, rng)]
    lines += _own(out / "own", limit, rng)
    for name, text in CONFIGS.items():
        (out / f"{name}.yaml").write_text(text, encoding="utf-8")
        lines.append(f"{out / name}.yaml")
    return lines


def _entities() -> list[Entity]:
    return [entity for entity in Schema.load().quantities if entity.name in PHRASES]


def _challenge(out: Path, split: str, count: int, rng: np.random.Generator) -> str:
    questions = _packs(out / "amazon", split, count, rng)
    rows = [
        {"image": name, "entity_name": q.entity.name, "entity_value": str(q.accepted[0]), "group_id": group}
        for (name, asked), group in zip(questions.items(), _groups(len(questions), rng), strict=True)
        for q in asked
        if q.accepted
    ]
    return _write_table(out / "amazon" / f"labels_{split}.csv", rows)


def _hand(out: Path, split: str, count: int, rng: np.random.Generator) -> str:
    questions = _packs(out / "hand", split, count, rng)
    rows = [
        {"image": name, "entity_name": q.entity.name, "accept": "|".join(map(str, q.accepted)), "sure": 1}
        for name, asked in questions.items()
        for q in asked
    ]
    whole = [
        {
            "image": f"hand/{split}/{name}",
            "row": {q.entity.name: [str(a) for a in q.accepted] for q in asked if q.accepted},
            "unsure": [],
        }
        for name, asked in questions.items()
    ]
    _write_text(out / "rows" / f"rows_{split}.jsonl", "".join(json.dumps(row) + "\n" for row in whole))
    return _write_table(out / "hand" / f"labels_hand_{split}.csv", rows)


def _own(folder: Path, count: int, rng: np.random.Generator) -> list[str]:
    """A user's tables with entities of every kind that the shipped schema lacks, and the schema with them."""

    def row(name: str, product: CatalogueProduct) -> Row:
        bag = product.kind.noun == "handbag"
        shelf = "Bags" if bag else {"t-shirt": "Tops", "trousers": "Trousers", "dress": "Dresses"}[product.kind.noun]
        return {
            "id": name.removesuffix(".jpg"),
            "name": product.title,
            "pattern": "Striped" if product.striped else "Plain",
            "area": "Back" if bag else "Front",
            "shelf": shelf,
            "blurb": product.description,
        }

    questions = _packs(folder, "packs", count, rng)
    labels = [
        {"image": name, "entity_name": "net_content", "entity_value": str(q.accepted[0])}
        for name, asked in questions.items()
        for q in asked
        if q.entity.name == "item_weight" and q.accepted
    ]
    lines = [
        _catalogue(folder, "products.csv", "products", count, rng, row),
        _write_table(folder / "labels.csv", labels),
    ]
    shutil.copytree(SCHEMA_FILE.parent / "taxonomies", folder / "taxonomies")
    _write_text(folder / "entities.yaml", SCHEMA_FILE.read_text(encoding="utf-8").rstrip() + OWN_ENTITIES)
    return [*lines, f"{folder / 'entities.yaml'}"]


def _mappings(folder: Path) -> list[str]:
    """The nodes of the product tree for the categories of the catalogues."""
    hm = [
        {"product_type_name": kind.noun.title(), "category": kind.category, "articleType": kind.article[2]}
        for kind in KINDS
    ]
    flipkart = [{"category": kind.retail, "mapped": kind.category} for kind in KINDS if kind.retail]
    return [_write_table(folder / "map_hm.csv", hm), _write_table(folder / "map_flipkart.csv", flipkart)]


def _unlabelled(out: Path, count: int, rng: np.random.Generator) -> str:
    questions = _packs(out / "amazon", "unlabelled", count, rng)
    rows = [
        {"image": name, "entity_name": q.entity.name, "group_id": group}
        for (name, asked), group in zip(questions.items(), _groups(len(questions), rng), strict=True)
        for q in asked
        if q.accepted
    ]
    return _write_table(out / "amazon" / "unlabelled.csv", rows)


def _priors(out: Path, count: int, rng: np.random.Generator) -> str:
    """Labels without photos."""
    rows = [
        {
            "image": f"label-{i}.jpg",
            "group_id": group,
            "entity_name": q.entity.name,
            "entity_value": str(q.accepted[0]),
        }
        for i, group in enumerate(_groups(count, rng))
        for q in label_texts(_entities(), rng)[1][:1]
        if q.accepted
    ]
    return _write_table(out / "amazon" / "challenge_train.csv.gz", rows)


def _packs(folder: Path, split: str, count: int, rng: np.random.Generator) -> dict[str, list[Question]]:
    """Draws packs and writes their OCR cache; returns the questions about each."""
    (folder / split).mkdir(parents=True)
    fonts = available_fonts()
    entities = _entities()
    cache, questions = [], {}
    for i in range(count):
        name = f"{split}-{i:04d}.jpg"
        texts, questions[name] = label_texts(entities, rng)
        pack = draw_pack(texts, rng, fonts)
        pack.image.save(folder / split / name, quality=92)
        lines = [[line.corners, line.text, line.score] for line in pack.lines]
        cache.append({"image": name, "width": pack.image.width, "height": pack.image.height, "lines": lines})
    _write_text(folder / f"words_{split}.jsonl.gz", "".join(json.dumps(row) + "\n" for row in cache))
    return questions


def _fashion(out: Path, split: str, count: int, rng: np.random.Generator) -> str:
    def row(name: str, product: CatalogueProduct) -> Row:
        master, sub, article = product.kind.article
        return {
            "id": name.removesuffix(".jpg"),
            "gender": product.gender,
            "masterCategory": master,
            "subCategory": sub,
            "articleType": article,
            "baseColour": product.colour,
            "season": product.kind.season,
            "year": 2026,
            "usage": product.kind.usage,
            "productDisplayName": product.title,
        }

    return _catalogue(out / "fashion", f"styles_{split}.csv", split, count, rng, row)


def _hm(out: Path, split: str, count: int, rng: np.random.Generator) -> str:
    def row(name: str, product: CatalogueProduct) -> Row:
        return {
            "article_id": name.removesuffix(".jpg"),
            "prod_name": f"{product.brand} {product.kind.noun.title()} {name[-8:-4]}",
            "product_type_name": product.kind.noun.title(),
            "colour_group_name": product.colour,
            "detail_desc": product.description,
        }

    return _catalogue(out / "hm", f"articles_{split}.csv", split, count, rng, row)


def _flipkart(out: Path, split: str, count: int, rng: np.random.Generator) -> str:
    def row(name: str, product: CatalogueProduct) -> Row:
        return {
            "image": name,
            "product_name": product.title,
            "description": product.description,
            "brand": product.brand,
            "category": product.kind.retail,
        }

    return _catalogue(out / "flipkart", f"products_{split}.csv", split, count, rng, row, retail=True)


def _catalogue(
    folder: Path,
    table: str,
    split: str,
    count: int,
    rng: np.random.Generator,
    row: Callable[[str, CatalogueProduct], Row],
    *,
    retail: bool = False,
) -> str:
    """Draws the products of a catalogue and writes its table."""
    (folder / split).mkdir(parents=True)
    rows = []
    for i in range(count):
        name = f"{split}-{i:04d}.jpg"
        product = random_product(rng, retail=retail)
        draw_product(product, rng).save(folder / split / name, quality=92)
        rows.append(row(name, product))
    return _write_table(folder / table, rows)


def _groups(count: int, rng: np.random.Generator) -> list[int]:
    return [int(group) for group in rng.integers(100, 100 + NUM_GROUPS, count)]


def _write_table(path: Path, rows: Sequence[Row]) -> str:
    text = io.StringIO()
    writer = csv.DictWriter(text, rows[0].keys(), lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    _write_text(path, text.getvalue())
    return f"{path}: {len(rows)} rows"


def _write_text(path: Path, text: str) -> None:
    """Gzipped where the name ends with `.gz`; without a date, so that equal texts are equal files."""
    path.write_bytes(gzip.compress(text.encode(), mtime=0) if path.suffix == ".gz" else text.encode())
