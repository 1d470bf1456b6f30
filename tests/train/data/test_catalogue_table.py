from pathlib import Path

import pytest

from resformer.train.data.catalogue_table import read_catalogue
from tests.paths import labelled


def test_rows_become_records(tmp_path: Path) -> None:
    (tmp_path / "7.jpg").touch()
    (tmp_path / "a.png").touch()
    labels = tmp_path / "labels.csv"
    labels.write_text('id,usage,season,title\n7,NA,,"Blue, round"\na.png,Casual,Fall,\n')
    first, second = read_catalogue(labels, tmp_path, image_column="id")
    assert first.photo == tmp_path / "7.jpg"
    assert first.values == {"usage": "NA", "title": "Blue, round"}
    assert second.values == {"usage": "Casual", "season": "Fall"}
    with pytest.raises(ValueError, match="usage, season"):
        read_catalogue(labels, tmp_path, image_column="image")
    (tmp_path / "7.jpg").unlink()
    with pytest.raises(
        ValueError,
        match=r"lacks 1 of the 2 photos .* no 7, 7\.jpg, 7\.jpeg, 7\.png, \.\.\. \(line 2, column id\)",
    ):
        read_catalogue(labels, tmp_path, image_column="id")


@pytest.mark.parametrize(
    ("table", "image_column", "column", "count"),
    [
        ("fashion/styles_val.csv", "id", "articleType", 1500),
        ("hm/articles_val.csv", "article_id", "detail_desc", 350),
        ("flipkart/products_val.csv", "image", "category", 100),
    ],
)
def test_the_labelled_folders(table: str, image_column: str, column: str, count: int) -> None:
    labels = labelled(table)
    records = read_catalogue(labels, labels.parent / "val", image_column=image_column)
    assert len(records) == count
    assert sum(column in r.values for r in records) > 0.9 * count
