"""From a table of products with photos and texts to the catalogue of texts of an archive."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
from tqdm import tqdm

from resformer.model.errors import ResformerError
from resformer.model.files.photo_names import IMAGE_COLUMNS, PhotoFolder, SharedPhotoName, TablePhotos, image_cell
from resformer.model.files.tables import read_header, read_table
from resformer.model.files.whole_file import UnusableFile
from resformer.model.inference.text_catalogue import TextCatalogue
from resformer.model.schema.schema import Schema
from resformer.scripts.lib.photo_sources import FolderPhotos, PhotoError

__all__ = ["read_catalogue_texts"]


def read_catalogue_texts(
    table: Path, photos: Path, schema: Schema, describe: Callable[[bytes], np.ndarray], *, version: str
) -> TextCatalogue:
    """Describes the photos of a table whose columns are named after the text entities of the schema.

    Args:
        photos: folder of the photos, see PhotoFolder.find.
        describe: see Predictor.picture_features.
        version: of the weights, as answers will name it.

    Raises:
        UnusableFile: the table or a photo in it cannot be used.
    """
    names = [entity.name for entity in schema.entities if entity.kind == "text"]
    header = read_header(table)
    columns = [name for name in names if name in header]
    if not columns:
        raise UnusableFile(f"{table} has no column {' or '.join(names)}; its columns are {', '.join(header)}")
    rows = [row for row in read_table(table, "|".join(IMAGE_COLUMNS)) if any(row[name].strip() for name in columns)]
    if not rows:
        raise UnusableFile(f"{table} has no row with a text")
    read = FolderPhotos(PhotoFolder(photos))
    of_table = TablePhotos(table, photos)
    pictures, faults = [], []
    for row in tqdm(rows, unit="photo", desc="catalogue", disable=None):
        image = image_cell(row)
        try:
            of_table.name(row, image)
            pictures.append(describe(read(image)))
        except SharedPhotoName as error:
            faults.append(str(error))
        except (PhotoError, ResformerError) as error:
            faults.append(f"line {row.line}, {image}: {error}")
    if faults:
        raise UnusableFile(
            f"{table}: {len(faults)} of {len(rows)} photos cannot be used, so mend them or leave their rows out: "
            f"{'; '.join(faults[:3])}"
        )
    texts = {name: [row[name].strip() for row in rows] for name in columns}
    return TextCatalogue(np.stack(pictures), texts, version)
