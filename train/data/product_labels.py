"""What the product on a photo is, labelled by eye."""

from dataclasses import dataclass
from pathlib import Path

from resformer.model.files.photo_names import TablePhotos
from resformer.model.files.tables import read_table
from resformer.model.schema.taxonomy import parse_path

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
    labels = []
    names = TablePhotos(table, photos)
    for row in read_table(table, "image", "category", "articleType", "colour", needs_rows=True):
        if (name := names.name(row, row["image"], "image")) is None:
            continue
        category, article_type, colour, title = (
            row.get(column, "").strip() for column in ("category", "articleType", "colour", "title")
        )
        try:
            levels = parse_path(category) if category else ()
        except ValueError as error:
            raise ValueError(f"{row.where('category')}: {error}") from error
        labels.append(ProductLabels(name, levels, article_type, colour, title))
    names.refuse_missing()
    return labels
