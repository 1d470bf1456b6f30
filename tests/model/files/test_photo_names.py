"""Cells of tables name photos in many ways; two links never share one photo without a word."""

import unicodedata
from pathlib import Path

import pytest

from resformer.model.files.cell_text import integer_text
from resformer.model.files.photo_names import (
    PhotoFolder,
    SharedPhotoName,
    TablePhotos,
    file_name,
    image_cell,
    link_identity,
)
from resformer.model.files.tables import Row
from resformer.model.files.whole_file import UnusableFile

FILES = (
    "1001.jpg",
    "1002.png",
    "1003.JPG",
    "SKU.1.A.jpg",
    "shirt #2.jpg",
    "what?.webp",
    "sub/1.jpg",
    "caf\u00e9.jpg",
    "x.dat",
)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "sub").mkdir()
    for name in FILES:
        (tmp_path / name).touch()
    return tmp_path


@pytest.mark.parametrize(
    ("cell", "name"),
    [
        ("1001.jpg", "1001.jpg"),
        ("1001", "1001.jpg"),
        ("1001.0", "1001.jpg"),
        (" 1001 ", "1001.jpg"),
        ("1.002e+03", "1002.png"),
        ("1002", "1002.png"),
        ("1003", "1003.JPG"),
        ("SKU.1.A", "SKU.1.A.jpg"),
        ("x.dat", "x.dat"),
        ("https://x.example/I/1001.jpg", "1001.jpg"),
        ("https://x.example/I/1001.jpg?size=large#top", "1001.jpg"),
        ("https://x.example/I/1002", "1002.png"),
        ("https://x.example/shirt%20%232.jpg", "shirt #2.jpg"),
        ("shirt #2", "shirt #2.jpg"),
        ("what?", "what?.webp"),
        ("sub/1.jpg", "sub/1.jpg"),
        ("sub\\1.jpg", "sub/1.jpg"),
        ("./sub/1", "./sub/1.jpg"),
        (r"C:\photos\1001.jpg", "1001.jpg"),
        ("/mnt/elsewhere/1001.jpg", "1001.jpg"),
        (unicodedata.normalize("NFD", "caf\u00e9.jpg"), "caf\u00e9.jpg"),
    ],
)
def test_photos_are_found(folder: Path, cell: str, name: str) -> None:
    assert PhotoFolder(folder).find(cell) == name


@pytest.mark.parametrize(
    "cell", ["", " ", "none.jpg", "sub", "..", "../1001.txt", "a\0b", "x" * 300, "é" * 125, "http://[bad"]
)
def test_what_is_not_there_is_not_found(folder: Path, cell: str) -> None:
    assert PhotoFolder(folder / "sub").find(cell) is None
    assert PhotoFolder(folder).looked_for(cell)


def test_photos_outside_the_folder_are_not_found(folder: Path) -> None:
    assert PhotoFolder(folder / "sub").find("../1001.jpg") is None
    assert PhotoFolder(folder / "sub").find(str(folder / "1001.jpg")) is None


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("https://shop.example/1/front.jpg", "https://shop.example/2/front.jpg", False),
        ("https://a.example/front.jpg", "https://b.example/front.jpg", False),
        ("1/front.jpg", "2/front.jpg", False),
        ("https://a.example/img.php?id=1", "https://a.example/img.php?id=2", False),
        ("front.jpg", "https://a.example/front.jpg", False),
        ("https://a.example/front.jpg?size=1", "http://a.example/front.jpg?size=2", True),
        ("1001.0", "1001.jpg", True),
        ("./front.jpg", "front", True),
        ("http://[bad", "http://[bad", True),
    ],
)
def test_links_of_one_photo(tmp_path: Path, one: str, other: str, same: bool) -> None:
    assert (link_identity(one) == link_identity(other)) is same


def test_two_links_for_one_file_are_refused(folder: Path) -> None:
    table = Path("t.csv")
    photos = TablePhotos(table, folder)
    rows = [Row({}, table, line) for line in (2, 3, 4)]
    assert photos.name(rows[0], "https://shop.example/1/1001.jpg") == "1001.jpg"
    assert photos.name(rows[1], "https://shop.example/1/1001.jpg?v=2") == "1001.jpg"
    with pytest.raises(
        SharedPhotoName, match=r"t\.csv, line 4, column link: .*/2/1001\.jpg has the file name of .*line 2"
    ):
        photos.name(rows[2], "https://shop.example/2/1001.jpg", "link")
    photos.refuse_missing()
    assert photos.name(rows[2], "77") is None
    with pytest.raises(UnusableFile, match=r"lacks 1 of the 4 photos of t\.csv: no 77, 77\.jpg, .*\(line 4\)"):
        photos.refuse_missing()
    with pytest.raises(UnusableFile, match=r"t\.csv, line 2, column image: the last part of '' is not a file's name"):
        TablePhotos(table).name(rows[0], "", "image")


def test_the_image_of_a_row() -> None:
    assert image_cell({"image": "a.jpg", "image_link": " "}) == "a.jpg"
    assert image_cell({"image": "a.jpg", "image_link": " b.jpg "}) == "b.jpg"
    assert image_cell({"title": "x"}) == ""
    assert file_name(r"D:\a b\c.png") == "c.png"


@pytest.mark.parametrize(
    ("text", "digits"),
    [
        ("748919.0", "748919"),
        ("748919.", "748919"),
        ("748919", "748919"),
        ("7.48919e+05", "748919"),
        ("7.48919E5", "748919"),
        ("1e+05", "100000"),
        ("4006381333931.0", "4006381333931"),
        ("1.5", "1.5"),
        ("1.25e+01", "1.25e+01"),
        ("SKU.1", "SKU.1"),
        ("007", "007"),
        ("", ""),
        ("nan", "nan"),
        ("٣.0", "٣.0"),
    ],
)
def test_integers_that_are_written_as_floats(text: str, digits: str) -> None:
    assert integer_text(text) == digits


@pytest.mark.parametrize(
    ("link", "name"),
    [
        ("photos/shirt #2.jpg", "shirt #2.jpg"),
        ("what?.jpg", "what?.jpg"),
        ("https://example.com/images/I/61ab.jpg", "61ab.jpg"),
        ("https://example.com/a.jpg?size=large#top", "a.jpg"),
        ("photos/b c.png", "b c.png"),
        ("c.jpg", "c.jpg"),
        ("https://example.com/%2e%2e%2fd.jpg", "%2e%2e%2fd.jpg"),
    ],
)
def test_file_name(link: str, name: str) -> None:
    assert file_name(link) == name


@pytest.mark.parametrize("link", ["", "https://example.com/", "a/..", ".", "x\0y", "a/" + "é" * 200, "http://[bad"])
def test_no_file_name(link: str) -> None:
    with pytest.raises(ValueError):
        file_name(link)
