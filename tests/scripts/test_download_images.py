"""`resformer download`, from a server on this machine."""

import threading
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import pytest

from resformer.model.images.loading import decode_photo
from resformer.scripts import download_images
from resformer.scripts.lib.download_table import PLACEHOLDER
from tests.scripts.conftest import Web, jpeg, reply, write_table

PHOTO = jpeg()


@pytest.mark.parametrize(
    "there", [b"<!doctype html><html>not found</html>", b"", b'{"error": 404}', b"%PDF-1.7", b"\0" * 99]
)
def test_what_is_there_and_no_photo_is_downloaded_again(web: Web, tmp_path: Path, there: bytes) -> None:
    (tmp_path / "a.jpg").write_bytes(there)
    table = write_table(tmp_path / "in.csv", "image", (f"{web.url}/a.jpg",))
    web.replies["/a.jpg"] = lambda handler: reply(handler, there)
    assert download_images.main([str(table), str(tmp_path)]) == 3
    assert (tmp_path / "a.jpg").read_bytes() == PLACEHOLDER
    web.replies["/a.jpg"] = lambda handler: reply(handler, PHOTO)
    assert download_images.main([str(table), str(tmp_path)]) == 0
    assert (tmp_path / "a.jpg").read_bytes() == PHOTO


def test_placeholder_is_a_small_black_image() -> None:
    assert decode_photo(PLACEHOLDER).shape == (32, 32, 3)
    assert not decode_photo(PLACEHOLDER).any()


def test_command_line(web: Web, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for name in "ab":
        web.replies[f"/{name}.jpg"] = lambda handler: reply(handler, PHOTO)
    web.replies["/other/a.jpg"] = lambda handler: reply(handler, b"another photo")
    links = ["/a.jpg", "/b.jpg", "/a.jpg", "/none.jpg", "/other/a.jpg"]
    table = write_table(tmp_path / "in.csv", "index,image_link", *enumerate(web.url + link for link in links))
    folder = tmp_path / "deep" / "photos"
    arguments = [str(table), str(folder), "--threads", "1"]

    assert download_images.main(arguments) == 3
    printed = capsys.readouterr().err
    assert f"FAILED {web.url}/none.jpg: the server answered 404" in printed
    assert f"FAILED {web.url}/other/a.jpg: its file name is that of {web.url}/a.jpg" in printed
    assert "2 of 4 photos" in printed
    assert sorted(path.name for path in folder.iterdir()) == ["a.jpg", "b.jpg", "none.jpg"]
    assert (folder / "a.jpg").read_bytes() == PHOTO
    assert (folder / "none.jpg").read_bytes() == PLACEHOLDER

    # The next run asks for nothing but what failed.
    web.asked.clear()
    web.replies["/none.jpg"] = lambda handler: reply(handler, PHOTO)
    write_table(table, "index,image_link", *enumerate(web.url + link for link in links[:4]))
    assert download_images.main(arguments) == 0
    assert web.asked == ["/none.jpg"]
    assert (folder / "none.jpg").read_bytes() == PHOTO


def test_downloads_run_side_by_side(web: Web, tmp_path: Path) -> None:
    together = threading.Barrier(4, timeout=10)

    def wait_for_the_others(handler: BaseHTTPRequestHandler) -> None:
        together.wait()
        reply(handler, PHOTO)

    for i in range(4):
        web.replies[f"/{i}.jpg"] = wait_for_the_others
    table = write_table(tmp_path / "in.csv", "image_link", *((f"{web.url}/{i}.jpg",) for i in range(4)))
    assert download_images.main([str(table), str(tmp_path / "photos"), "--threads", "4"]) == 0


def test_table_without_links(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    table = write_table(tmp_path / "in.csv", "index,link", (0, "x"))
    assert download_images.main([str(table), str(tmp_path / "photos")]) == 2
    assert "no column image_link" in capsys.readouterr().err
    assert not (tmp_path / "photos").exists()
