"""What the product on a photo is, labelled by eye."""

from dataclasses import dataclass
from pathlib import Path

from resformer.model.schema.taxonomy import parse_path
from resformer.train.data.quantity_records import label_rows

__all__ = ["ProductLabels", "read_product_labels"]


@dataclass(frozen=True)
class ProductLabels:
    """The labels of one photo.

    Attributes:
        name: path of the photo in its folder.
        category: levels of a node of the product tree, root first; empty where it cannot be told.
        article_type: label of the fashion set; "" where the product is no fashion article.
        colour: main colour; "" where there is none.
        title: what a careful clerk would write; "" where nobody wrote one.
    """

    name: str
    category: tuple[str, ...]
    article_type: str
    colour: str
    title: str

    @property
    def is_fashion(self) -> bool:
        """Whether the product is a fashion article."""
        return bool(self.article_type)


def read_product_labels(table: Path, photos: Path) -> list[ProductLabels]:
    """Labels of a CSV with the columns image, category, articleType, colour, and title where there are titles.

    Args:
        photos: the folder that the table names photos in.

    Raises:
        ValueError: a column or a photo is missing, or a category has an empty level.
    """
    labels, missing = [], []
    for row in label_rows(table, "image", "category", "articleType", "colour"):
        if not (photos / row["image"]).is_file():
            missing.append(row["image"])
        try:
            category = parse_path(row["category"]) if row["category"] else ()
        except ValueError as error:
            raise ValueError(f"{table}: {row['image']}: {error}") from error
        labels.append(ProductLabels(row["image"], category, row["articleType"], row["colour"], row.get("title", "")))
    if missing:
        raise ValueError(f"{photos} lacks {len(missing)} of the photos of {table}, {missing[0]} first")
    return labels
