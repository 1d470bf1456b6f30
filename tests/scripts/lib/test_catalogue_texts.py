"""Tables of products become catalogues of texts."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from resformer.model.files.whole_file import UnusableFile
from resformer.model.images.loading import load_photo
from resformer.model.schema.schema import Schema
from resformer.scripts.lib.catalogue_texts import read_catalogue_texts


def mean_colour(photo: bytes) -> np.ndarray:
    mean: np.ndarray = load_photo(photo).mean(axis=(0, 1))
    return mean


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    folder = tmp_path / "photos"
    folder.mkdir()
    for name in ("red", "green", "blue"):
        Image.new("RGB", (20, 10), name).save(folder / f"{name}.png")
    return folder


def table(path: Path, text: str) -> Path:
    path.write_text(text)
    return path


def test_rows_with_a_text_are_described(tmp_path: Path, photos: Path) -> None:
    rows = "https://shop/a/red.png,Red mug,12\nblue.png, Blue mug ,3\ngreen.png,,4\n"
    catalogue = read_catalogue_texts(
        table(tmp_path / "t.csv", f"image,title,price\n{rows}"), photos, Schema.load(), mean_colour, version="7"
    )
    assert (catalogue.entities, catalogue.weights_version) == ({"title"}, "7")
    assert catalogue.choose("title", np.array([0.0, 0.0, 255.0]), "Blue mug").text == "Blue mug"


def test_what_is_wrong_with_a_table_is_said(tmp_path: Path, photos: Path) -> None:
    def refused(text: str) -> str:
        with pytest.raises(UnusableFile) as error:
            read_catalogue_texts(table(tmp_path / "t.csv", text), photos, Schema.load(), mean_colour, version="7")
        return str(error.value)

    assert "no column title or description; its columns are image, name" in refused("image,name\nred.png,Mug\n")
    assert "has no row with a text" in refused("image,title\nred.png,\n")
    (photos / "broken.png").write_bytes(b"no photo")
    text = refused("image,title\nred.png,Mug\nbroken.png,Cup\nnowhere.png,Jug\n")
    assert "2 of 3 photos cannot be used" in text
    assert "line 3, broken.png: " in text and "line 4, nowhere.png: no nowhere.png in" in text
    text = refused("image,title\nhttps://x.example/1/red.png,Mug\nhttps://x.example/2/red.png,Cup\n")
    assert "line 3: https://x.example/2/red.png has the file name of https://x.example/1/red.png in line 2" in text
    assert "line 2, column title: a quote opens here" in refused('image,title\nred.png,"8 in mug\nblue.png,Cup\n')
