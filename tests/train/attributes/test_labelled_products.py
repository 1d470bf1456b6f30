"""Products of a table, and their split."""

from pathlib import Path

import pytest

from resformer.model.schema.schema import Schema
from resformer.train.attributes.labelled_products import LabelledProduct, cell_of, label_index, read_products
from resformer.train.data.splitting import split_by_hash
from resformer.train.settings.sources import ProductTable

SCHEMA = Schema.load()


def test_cells_give_labels_and_nodes() -> None:
    category = SCHEMA["category"]
    nodes = category.taxonomy.nodes
    tshirts, togas = label_index(category, "Tshirts"), label_index(category, "Apparel > Topwear > Togas")
    assert tshirts is not None and nodes[tshirts] == ("Apparel", "Topwear", "Tshirts")
    assert togas is not None and nodes[togas] == ("Apparel", "Topwear")
    assert label_index(category, "Furniture") is None
    assert label_index(SCHEMA["usage"], "NA") == SCHEMA["usage"].labels.index("NA")
    with pytest.raises(ValueError, match="season has no label 'Monsoon'"):
        label_index(SCHEMA["season"], "Monsoon")


def test_columns_are_joined_to_a_path() -> None:
    assert cell_of({"a": "A", "b": "x"}, "a > b") == "A > x"
    assert cell_of({"a": "A"}, "a > b") == cell_of({}, "a") == ""


def test_products_of_a_table(shop_table: ProductTable) -> None:
    products = read_products(shop_table, SCHEMA)
    assert len(products) == 96
    assert products[0].title.startswith("Acme ") and set(products[0].labels) == {"baseColour", "category"}
    assert products[0].texts["description"].endswith("look")


@pytest.mark.parametrize(
    ("label_columns", "message"),
    [
        ({"baseColour": "tint"}, "no column 'tint'"),
        ({"season": "colour"}, r"table\.csv, 0\.png: season has no label"),
    ],
)
def test_errors_name_column_or_row(shop_table: ProductTable, label_columns: dict[str, str], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        read_products(shop_table.model_copy(update={"label_columns": label_columns}), SCHEMA)


def test_no_title_and_no_caption_is_on_both_sides_of_the_split() -> None:
    products = [
        LabelledProduct(
            f"p{i}",
            Path(f"{i}.jpg"),
            title=f" Shirt {i % 150}" if i % 2 else f"SHIRT {i % 150}",
            description="" if i % 3 else f"Made of cotton, {i // 2}",
            labels={},
            texts={} if i % 5 else {"caption": f"A shirt, {i % 70}"},
        )
        for i in range(600)
    ]
    train, val = split_by_hash(products, 0.2)
    assert len(train) + len(val) == 600 and 40 < len(val) < 240
    train_keys, val_keys = ({key for product in side for key in product.split_keys} for side in (train, val))
    assert not train_keys & val_keys
    assert {name for name, _ in train_keys} == {"title", "description", "caption"}


def test_split_keys_ignore_case_and_empty_texts() -> None:
    product = LabelledProduct("p", Path("p.jpg"), " Red Shirt\n", "", {}, {"title": "red shirt", "caption": " "})
    assert set(product.split_keys) == {("title", "red shirt")}
