"""Configs of the attribute network."""

from pathlib import Path

import pytest

from resformer.model.schema.schema import Schema
from resformer.train.attributes.labelled_products import read_products
from resformer.train.settings.run_settings import AttributeConfig, load_config
from tests.paths import CONFIGS, labelled
from tests.train.attributes.conftest import ConfigFactory


def test_all_errors_are_reported_at_once(tmp_path: Path, shop: Path) -> None:
    file = tmp_path / "config.yaml"
    file.write_text(
        "part: attributes\npreset: nano\nepochs: 0\nlabel_smoothing: 1.5\nlevel_weights: []\nteachers: [x]\n"
        f"sources:\n  - {{table: none.csv, photos: {shop / 'photos'}, image_column: id, label_columns: {{}}}}\n"
    )
    with pytest.raises(ValueError) as raised:
        load_config(file)
    for expected in (
        "epochs",
        "max_minutes: missing",
        "label_smoothing",
        "level_weights",
        "teachers: unknown key",
        "none.csv does not exist",
        "sources[0].label_columns",
    ):
        assert expected in str(raised.value)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"cached_views": 2}, "cached_views needs init_attributes_from"),
        ({"init_schema": __file__}, "init_schema needs init_attributes_from"),
        ({"pretrained_backbone": "efficientnet-lite1"}, "fit the preset small, not nano"),
        (
            {"pretrained_backbone": "efficientnet-lite1", "init_attributes_from": __file__, "preset": "small"},
            "exclude each other",
        ),
    ],
)
def test_settings_that_exclude_each_other(make_config: ConfigFactory, changes: dict[str, object], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        make_config(**changes)


def test_shipped_configs_load() -> None:
    labelled("fashion")
    for name in ("attributes.yaml", "attributes-text.yaml"):
        config = load_config(CONFIGS / name)
        assert isinstance(config, AttributeConfig)
        assert all(len(read_products(source, Schema.load())) > 600 for source in config.sources)
