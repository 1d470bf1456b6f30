import stat
import zipfile
from pathlib import Path

import pytest

from resformer.scripts.page.photo_zip import PhotoZipError, unpack_photos
from tests.scripts.conftest import jpeg


def make_zip(path: Path, files: dict[str, bytes], compression: int = zipfile.ZIP_STORED) -> Path:
    with zipfile.ZipFile(path, "w", compression) as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return path


def written(folder: Path) -> set[str]:
    return {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}


def test_photos_and_tables_are_unpacked_and_the_rest_is_counted(tmp_path: Path) -> None:
    files = {
        "a.jpg": jpeg(),
        "more/ü b.PNG": jpeg(),
        "table.csv": b"image\na.jpg\n",
        "notes.txt": b"no photo",
        "__MACOSX/._a.jpg": b"",
        "more/.DS_Store": b"",
    }
    unpacked = unpack_photos(make_zip(tmp_path / "x.zip", files), tmp_path / "out")
    assert unpacked.photos == ["a.jpg", "more/ü b.PNG"]
    assert unpacked.tables == ["table.csv"]
    assert unpacked.left_out == 1
    assert written(tmp_path / "out") == {"a.jpg", "more/ü b.PNG", "table.csv"}


@pytest.mark.parametrize("name", ["../a.jpg", "/tmp/a.jpg", "x/../../a.jpg", "..\\a.jpg", "C:a.jpg"])
def test_nothing_is_written_outside_of_the_folder(tmp_path: Path, name: str) -> None:
    archive = make_zip(tmp_path / "x.zip", {"good.jpg": jpeg(), name: jpeg()})
    with pytest.raises(PhotoZipError, match="lies outside of it"):
        unpack_photos(archive, tmp_path / "deep" / "out")
    assert written(tmp_path) == {"x.zip"}


def test_links_are_refused(tmp_path: Path) -> None:
    link = zipfile.ZipInfo("a.jpg")
    link.create_system = 3
    link.external_attr = (stat.S_IFLNK | 0o777) << 16
    with zipfile.ZipFile(tmp_path / "x.zip", "w") as archive:
        archive.writestr(link, "/etc/passwd")
    with pytest.raises(PhotoZipError, match=r"has a link, 'a\.jpg'"):
        unpack_photos(tmp_path / "x.zip", tmp_path / "out")


def test_bombs_are_refused_before_they_are_unpacked(tmp_path: Path) -> None:
    bomb = make_zip(tmp_path / "x.zip", {"a.jpg": b"\0" * 5_000_000}, compression=zipfile.ZIP_DEFLATED)
    assert bomb.stat().st_size < 10_000
    with pytest.raises(PhotoZipError, match=r"a\.jpg has 5 MB; a photo may have 1"):
        unpack_photos(bomb, tmp_path / "out", max_photo=1_000_000)
    with pytest.raises(PhotoZipError, match="Unpacked the zip has 5 MB; at most 2 are taken"):
        unpack_photos(bomb, tmp_path / "out", max_bytes=2_000_000)
    many = make_zip(tmp_path / "many.zip", {f"{i}.jpg": b"" for i in range(11)})
    with pytest.raises(PhotoZipError, match="has 11 files; at most 10"):
        unpack_photos(many, tmp_path / "out", max_files=10)
    assert not (tmp_path / "out").exists()


def test_a_zip_that_lies_about_sizes_is_refused(tmp_path: Path) -> None:
    archive = make_zip(tmp_path / "x.zip", {"a.jpg": b"\0" * 1000}, compression=zipfile.ZIP_DEFLATED)
    size = (1000).to_bytes(4, "little")
    data = archive.read_bytes()
    assert data.count(size) == 2
    archive.write_bytes(data.replace(size, (10).to_bytes(4, "little")))
    with pytest.raises(PhotoZipError, match=r"x\.zip cannot be unpacked"):
        unpack_photos(archive, tmp_path / "out")


def test_what_is_no_zip_or_has_no_photo_is_said(tmp_path: Path) -> None:
    (tmp_path / "x.zip").write_bytes(b"PK no zip")
    with pytest.raises(PhotoZipError, match=r"x\.zip cannot be unpacked: .*Make the zip again"):
        unpack_photos(tmp_path / "x.zip", tmp_path / "out")
    with pytest.raises(PhotoZipError, match="has no photos"):
        unpack_photos(make_zip(tmp_path / "y.zip", {"notes.txt": b""}), tmp_path / "out")
    damaged = make_zip(tmp_path / "z.zip", {"a.jpg": jpeg() * 20}, compression=zipfile.ZIP_DEFLATED)
    data = bytearray(damaged.read_bytes())
    data[60:80] = bytes(20)
    damaged.write_bytes(data)
    with pytest.raises(PhotoZipError, match=r"z\.zip cannot be unpacked"):
        unpack_photos(damaged, tmp_path / "out")
    data = bytearray(make_zip(damaged, {"a.jpg": jpeg()}).read_bytes())
    data[data.index(b"PK\x01\x02") + 10] = 99  # a method of compression
    damaged.write_bytes(data)
    with pytest.raises(PhotoZipError, match="cannot be unpacked: That compression method is not supported"):
        unpack_photos(damaged, tmp_path / "out")


def test_two_files_of_one_name_and_passwords_are_refused(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "x.zip", "w") as archive, pytest.warns(UserWarning, match="Duplicate"):
        archive.writestr("a.jpg", b"1")
        archive.writestr("a.jpg", b"2")
    with pytest.raises(PhotoZipError, match=r"two files 'a\.jpg'"):
        unpack_photos(tmp_path / "x.zip", tmp_path / "out")
    archive_path = make_zip(tmp_path / "y.zip", {"a.jpg": b"1"})
    data = bytearray(archive_path.read_bytes())
    data[data.index(b"PK\x01\x02") + 8] |= 1  # the flag of encryption in the zip's directory
    archive_path.write_bytes(data)
    with pytest.raises(PhotoZipError, match="encrypted"):
        unpack_photos(archive_path, tmp_path / "out")
