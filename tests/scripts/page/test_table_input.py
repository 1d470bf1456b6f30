import zipfile
from pathlib import Path

import pytest

from resformer.scripts.page.table_input import TableInputError, read_table_input
from tests.scripts.conftest import jpeg, read_rows, write_table


def make_zip(path: Path, *names: str) -> Path:
    with zipfile.ZipFile(path, "w") as archive:
        for name in names:
            archive.writestr(name, b"image\na.jpg\n" if name.endswith(".csv") else jpeg())
    return path


def test_a_zip_alone_is_a_table_of_its_photos(tmp_path: Path) -> None:
    given = read_table_input(None, make_zip(tmp_path / "x.zip", "b.jpg", "in/a.jpg", "notes.txt"), tmp_path / "run")
    assert read_rows(given.table) == [["image"], ["b.jpg"], ["in/a.jpg"]]
    assert given.photos == tmp_path / "run" / "photos"
    assert not given.has_questions
    assert given.notice == "1 files of the zip are no photos and were left out."


def test_the_table_may_be_in_the_zip_or_beside_it(tmp_path: Path) -> None:
    inside = read_table_input(None, make_zip(tmp_path / "x.zip", "a.jpg", "t.csv"), tmp_path / "one")
    assert inside.table.name == "t.csv"
    table = write_table(tmp_path / "own.csv", "image,entity_name", ("a.jpg", "width"))
    beside = read_table_input(table, make_zip(tmp_path / "y.zip", "a.jpg", "t.csv"), tmp_path / "two")
    assert beside.table == table and beside.has_questions
    alone = read_table_input(table, None, tmp_path / "three")
    assert alone.photos is None


def test_what_cannot_be_used_is_said(tmp_path: Path) -> None:
    with pytest.raises(TableInputError, match="Choose a table"):
        read_table_input(None, None, tmp_path / "run")
    with pytest.raises(TableInputError, match="has 2 tables"):
        read_table_input(None, make_zip(tmp_path / "x.zip", "a.csv", "b.csv", "c.jpg"), tmp_path / "one")
    workbook = tmp_path / "book.csv"
    workbook.write_bytes(b"PK\x03\x04" + bytes(100))
    with pytest.raises(TableInputError, match=r"The table cannot be read: book\.csv"):
        read_table_input(workbook, None, tmp_path / "two")
    table = write_table(tmp_path / "t.csv", "image", ("a.jpg",))
    with pytest.raises(TableInputError, match="The zip has no photos"):
        read_table_input(table, make_zip(tmp_path / "y.zip", "only.csv"), tmp_path / "three")


def test_photos_of_a_subfolder_are_named_by_path_or_by_file(tmp_path: Path) -> None:
    table = write_table(tmp_path / "t.csv", "image", ("a.jpg",))
    archive = make_zip(tmp_path / "x.zip", "one/a.jpg", "one/b.jpg", "two/b.jpg", "c.jpg")
    given = read_table_input(table, archive, tmp_path / "run")
    assert given.photos is not None
    files = {str(path.relative_to(given.photos)) for path in given.photos.rglob("*.jpg")}
    assert files == {"a.jpg", "one/a.jpg", "one/b.jpg", "two/b.jpg", "c.jpg"}
