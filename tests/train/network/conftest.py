"""A small schema, its preprocessor, a catalogue's table and settings of short runs."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from resformer.model.inference.inputs import Preprocessor
from resformer.model.inference.tokenizer import Tokenizer
from resformer.model.ocr.text_line import TextLine
from resformer.model.quantities.label_priors import LabelPriors
from resformer.model.schema.schema import Schema
from resformer.train.settings.run_settings import NetworkConfig
from resformer.train.settings.sources import ProductTable

SMALL_SCHEMA = """
entities:
  - {name: item_weight, kind: quantity, units: [gram, kilogram]}
  - {name: voltage, kind: quantity, units: [volt]}
  - {name: kind, kind: path, paths: [Apparel > Shirts, Apparel > Belts, Food]}
  - {name: colour, kind: choice, labels: [Blue, Green, Red]}
  - {name: title, kind: text, max_subwords: 8}
"""

ConfigFactory = Callable[..., NetworkConfig]


def text_line(text: str, x: float = 10, y: float = 10) -> TextLine:
    """A line of text on a photo."""
    return TextLine(((x, y), (x + 60, y), (x + 60, y + 12), (x, y + 12)), text, 0.9)


def preprocessor_of(schema_file: Path) -> Preprocessor:
    """The inputs of a schema, without priors."""
    schema = Schema.load(schema_file)
    return Preprocessor(schema, Tokenizer(schema), LabelPriors.count([]))


@pytest.fixture(scope="session")
def small_schema(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The file of SMALL_SCHEMA."""
    file = tmp_path_factory.mktemp("schema") / "small.yaml"
    file.write_text(SMALL_SCHEMA)
    return file


@pytest.fixture(scope="session")
def preprocessor(small_schema: Path) -> Preprocessor:
    """The inputs of SMALL_SCHEMA."""
    return preprocessor_of(small_schema)


@pytest.fixture(scope="session")
def shop_table(shop: Path) -> ProductTable:
    """The shop's table, whose titles callers may send."""
    return ProductTable(
        table=shop / "table.csv",
        photos=shop / "photos",
        image_column="id",
        title_column="name",
        label_columns={"colour": "colour", "kind": "kind", "title": "name"},
    )


@pytest.fixture(scope="session")
def shop_rows(shop: Path) -> dict[str, object]:
    """A source of whole rows: every second photo of the shop has a weight printed on it, the others a slogan."""
    rows, words = [], []
    for i in range(96):
        weight = f"{100 + 7 * i} g"
        text = f"Net weight {weight}" if i % 2 == 0 else f"Since {1900 + i}"
        corners = text_line(text).corners
        words.append({"image": f"{i}.png", "width": 90, "height": 120, "lines": [[corners, text, 0.9]]})
        row = {"item_weight": [weight.replace("g", "gram")]} if i % 2 == 0 else {}
        rows.append({"image": f"{i}.png", "row": row, "unsure": []})
    for name, lines in (("rows.jsonl", rows), ("words.jsonl", words)):
        (shop / name).write_text("".join(json.dumps(line) + "\n" for line in lines))
    return {"kind": "rows", "rows": shop / "rows.jsonl", "data": shop / "photos", "ocr": [shop / "words.jsonl"]}


@pytest.fixture(scope="session")
def make_config(shop_table: ProductTable, small_schema: Path) -> ConfigFactory:
    """Makes the config of a short run, on the shop's table by default."""

    def make(**changes: object) -> NetworkConfig:
        settings: dict[str, object] = {
            "part": "resformer",
            "preset": "nano",
            "schema": small_schema,
            "sources": [shop_table.model_dump()],
            "max_minutes": 5,
            "epochs": 8,
            "batch_size": 16,
            "learning_rate": 0.003,
            "ema_decay": 0.9,
            "val_fraction": 0.15,
            "evaluate_every": 8,
            "image_size": 64,
            "freeze_blocks": 0,
        }
        return NetworkConfig.model_validate(settings | changes)

    return make
