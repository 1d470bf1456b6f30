"""Photos are found in tar shards and spools by name, by several processes, and damaged shards are refused."""

import io
import tarfile
import time
from collections.abc import Mapping
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

import pytest

from resformer.model.files.photo_names import PhotoFolder
from resformer.model.files.whole_file import UnusableFile
from resformer.scripts.lib.downloads import Downloader
from resformer.scripts.lib.packed_photos import PhotoIndex, index_shards, photo_spool, shards
from resformer.scripts.lib.photo_cache import CachedPhoto, PhotoCache
from resformer.scripts.lib.photo_sources import (
    DownloadedPhotos,
    FolderPhotos,
    IndexedPhotos,
    PhotoError,
    PhotoSource,
)
from tests.scripts.conftest import jpeg


def write_tar(path: Path, members: Mapping[str, bytes]) -> Path:
    with tarfile.open(path, "w") as tar:
        for name, data in members.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            tar.addfile(info, io.BytesIO(data))
    return path


@pytest.fixture
def sharded(tmp_path: Path) -> Path:
    """Two shards of the WebDataset layout; `both.jpg` is in each."""
    write_tar(
        tmp_path / "s-08.tar",
        {
            "./0001.jpg": b"one",
            "0001.json": b"{}",
            "in/0002.png": b"two",
            "both.jpg": b"a",
            "x" * 150 + ".jpg": b"long",
        },
    )
    write_tar(tmp_path / "s-09.tar", {"0003.JPG": b"three" * 9999, "both.jpg": b"b", "empty.jpg": b""})
    return tmp_path


def test_members_are_found_as_files_of_a_folder_are(sharded: Path) -> None:
    photos = IndexedPhotos(index_shards(sharded / "i", shards(f"{sharded}/s-{{08..09}}.tar")), "s.tar")
    for cell in ("0001.jpg", "0001", "https://shop.example/a/0001.jpg?x=1", "s-08.tar/0001.jpg"):
        assert photos(cell) == b"one"
    assert photos("in/0002") == b"two" and photos("x" * 150) == b"long" and photos("empty.jpg") == b""
    assert photos("0003.JPG") == b"three" * 9999
    assert photos("s-08.tar/both.jpg") == b"a" and photos("s-09.tar/both.jpg") == b"b"
    with pytest.raises(PhotoError, match=r"both.jpg is in .*s-08.tar and in .*s-09.tar; name photos differently"):
        photos("both")
    with pytest.raises(PhotoError, match=r"s.tar has no photo '0009.jpg'"):
        photos("0009.jpg")
    with pytest.raises(PhotoError, match="the row names no photo"):
        photos("")
    (sharded / "s-09.tar").unlink()
    with pytest.raises(PhotoError, match=r"cannot read .*s-09.tar: No such file"):
        photos("0003.JPG")


def test_names_of_shards(sharded: Path) -> None:
    both = [sharded / "s-08.tar", sharded / "s-09.tar"]
    assert shards(f"{sharded}/s-{{08..09}}.tar") == shards(f"{sharded}/*.tar") == both
    assert shards(str(both[0])) == both[:1]
    for none in ("t*.tar", "s-{09..08}.tar"):
        with pytest.raises(UnusableFile, match="matches no file"):
            shards(f"{sharded}/{none}")


def test_shards_that_cannot_be_used(sharded: Path) -> None:
    whole = (sharded / "s-09.tar").read_bytes()

    def refusal(data: bytes) -> str:
        (sharded / "bad.tar").write_bytes(data)
        with pytest.raises(UnusableFile) as error:
            index_shards(sharded / "i", [sharded / "bad.tar"])
        return str(error.value)

    assert "is no usable tar file" in refusal(b"no tar file" * 999)
    assert "is no usable tar file: unexpected end of data" in refusal(whole[:10_000])
    # The first member has 49,995 bytes behind its header.
    second = 512 + 50_176
    assert f"is damaged or cut off at byte {second}" in refusal(whole[:second] + b"\xff" * 512 + whole[second + 512 :])
    with pytest.raises(UnusableFile, match=r"cannot read .*none.tar: No such file"):
        index_shards(sharded / "i", [sharded / "none.tar"])


def test_a_spool_keeps_each_photo_once(tmp_path: Path) -> None:
    with photo_spool(tmp_path / "i", tmp_path / "b") as spool:
        names = [spool.add(data) for data in (b"one", b"two", b"one", b"")]
    assert names[0] == names[2] and len(set(names)) == 3
    photos = IndexedPhotos(PhotoIndex(tmp_path / "i"), "t.parquet")
    assert [photos(name) for name in names] == [b"one", b"two", b"one", b""]
    assert (tmp_path / "b").read_bytes() == b"onetwo"


def test_sources_work_in_other_processes(tmp_path: Path, sharded: Path) -> None:
    (tmp_path / "a.jpg").write_bytes(jpeg(50))
    cache = PhotoCache(tmp_path / "cache", 1_000_000)
    cache.put("https://shop.example/b.jpg", CachedPhoto(jpeg(60), "", "", time.time()))
    index = index_shards(tmp_path / "i", shards(f"{sharded}/*.tar"))
    asked: list[tuple[PhotoSource, str, bytes]] = [
        (FolderPhotos(PhotoFolder(tmp_path), {"b": "c"}), "a", jpeg(50)),
        (DownloadedPhotos(Downloader(cache=cache)), "https://shop.example/b.jpg", jpeg(60)),
        (IndexedPhotos(index, "s.tar"), "0001", b"one"),
    ]
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        answers = [pool.submit(source, image) for source, image, _ in asked]
        assert [answer.result() for answer in answers] == [data for _, _, data in asked]
