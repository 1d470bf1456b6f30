from pathlib import Path

import pytest

from resformer.model.schema.taxonomy import Taxonomy
from resformer.train.data.product_labels import ProductLabels, read_product_labels
from tests.paths import DATA, labelled


def test_labels_of_products(tmp_path: Path) -> None:
    for name in ("a.jpg", "b.jpg"):
        (tmp_path / name).touch()
    table = tmp_path / "products.csv"
    table.write_text("image,category,articleType,colour\na.jpg,Pets > Food,,Red\nb.jpg,,Belts,\n")
    assert read_product_labels(table, tmp_path) == [
        ProductLabels("a.jpg", ("Pets", "Food"), "", "Red", ""),
        ProductLabels("b.jpg", (), "Belts", "", ""),
    ]
    table.write_text("image,category,articleType,colour,title\na.jpg,Pets > > Food,,,A dog's food\n")
    with pytest.raises(ValueError, match=r"line 2, column category: 'Pets > > Food' has an empty level"):
        read_product_labels(table, tmp_path)
    table.write_text("image,category,articleType,colour\nc.jpg,Pets,,\n")
    with pytest.raises(ValueError, match=r"lacks 1 of the 1 photos .* no c\.jpg \(line 2, column image\)"):
        read_product_labels(table, tmp_path)


def test_the_products_of_the_data_folder() -> None:
    tree = Taxonomy.load(labelled("rows") / "tree.txt")
    labels = read_product_labels(DATA / "rows" / "products_val.csv", DATA)
    assert len(labels) == 421 and sum(of_photo.is_fashion for of_photo in labels) == 51
    assert all(of_photo.category in tree for of_photo in labels if of_photo.category)
    assert all(of_photo.title for of_photo in labels)
    general = read_product_labels(DATA / "general" / "products_train.csv", DATA / "general" / "train")
    assert len(general) == 2917
