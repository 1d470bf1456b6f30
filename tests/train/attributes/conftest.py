"""Schemas, vocabularies and configs of small attribute networks."""

from collections.abc import Callable
from pathlib import Path

import pytest

from resformer.model.inference.label_tokenizer import LabelTokenizer
from resformer.model.inference.tokenizer import Tokenizer
from resformer.model.schema.schema import Schema
from resformer.train.settings.run_settings import AttributeConfig
from resformer.train.settings.sources import ProductTable

SMALL_SCHEMA = """
entities:
  - {name: voltage, kind: quantity, units: [volt]}
  - {name: kind, kind: path, paths: [A > x, A > y, B > z]}
  - {name: colour, kind: choice, labels: [red, blue]}
  - {name: title, kind: text, max_subwords: 8}
"""

TokenizerFactory = Callable[[str], LabelTokenizer]
ConfigFactory = Callable[..., AttributeConfig]


@pytest.fixture
def make_tokenizer(tmp_path: Path) -> TokenizerFactory:
    """Makes the vocabulary of a schema, from YAML."""

    def make(schema_text: str) -> LabelTokenizer:
        file = tmp_path / "schema.yaml"
        file.write_text(schema_text)
        schema = Schema.load(file)
        return LabelTokenizer(schema, Tokenizer(schema))

    return make


@pytest.fixture
def small_tokenizer(make_tokenizer: TokenizerFactory) -> LabelTokenizer:
    """The vocabulary of SMALL_SCHEMA."""
    return make_tokenizer(SMALL_SCHEMA)


@pytest.fixture(scope="session")
def shop_table(shop: Path) -> ProductTable:
    """The shop's table with labels of two entities of the shipped schema, and texts."""
    return ProductTable(
        table=shop / "table.csv",
        photos=shop / "photos",
        image_column="id",
        title_column="name",
        label_columns={"baseColour": "colour", "category": "kind", "title": "name", "description": "blurb"},
    )


@pytest.fixture(scope="session")
def make_config(shop_table: ProductTable) -> ConfigFactory:
    """Makes the config of a short run on the shop's table."""

    def make(*, label_columns: dict[str, str] | None = None, **changes: object) -> AttributeConfig:
        source = shop_table.model_copy(update={"label_columns": label_columns} if label_columns else {})
        settings: dict[str, object] = {
            "part": "attributes",
            "preset": "nano",
            "sources": [source.model_dump()],
            "max_minutes": 5,
            "epochs": 12,
            "batch_size": 16,
            "learning_rate": 0.003,
            "ema_decay": 0.9,
            "val_fraction": 0.15,
            "image_size": 96,
            "freeze_blocks": 0,
        }
        return AttributeConfig.model_validate(settings | changes)

    return make
