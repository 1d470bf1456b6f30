"""Downloads over a server on this machine: what it does wrong on purpose must not hurt."""

import threading
import time
from contextlib import suppress
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

import pytest

from resformer.model.files.photo_names import file_name
from resformer.model.images.loading import decode_photo
from resformer.scripts import download_images
from resformer.scripts.lib.downloads import PLACEHOLDER, Downloader, DownloadError
from tests.scripts.conftest import Web, jpeg, reply, write_table

PHOTO = jpeg()


def quick(**options: Any) -> Downloader:
    return Downloader(**{"wait": 0.01, "timeout": 2.0, "attempts": 3, **options})


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


def test_fetches_once(web: Web, tmp_path: Path) -> None:
    web.replies["/a.jpg"] = lambda handler: reply(handler, PHOTO)
    for _ in range(2):
        quick().fetch(f"{web.url}/a.jpg", tmp_path / "a.jpg")
    assert (tmp_path / "a.jpg").read_bytes() == PHOTO
    assert web.asked == ["/a.jpg"]


@pytest.mark.parametrize("status", [500, 503, 429])
def test_tries_again_where_a_server_is_busy(web: Web, tmp_path: Path, status: int) -> None:
    def busy_twice(handler: BaseHTTPRequestHandler) -> None:
        reply(handler, *((b"", status) if len(web.asked) < 3 else (PHOTO, 200)))

    web.replies["/a.jpg"] = busy_twice
    quick().fetch(f"{web.url}/a.jpg", tmp_path / "a.jpg")
    assert (tmp_path / "a.jpg").read_bytes() == PHOTO
    assert len(web.asked) == 3


def test_waits_before_the_third_attempt(web: Web, tmp_path: Path) -> None:
    web.replies["/a.jpg"] = lambda handler: reply(handler, b"", 503)
    start = time.perf_counter()
    with pytest.raises(DownloadError, match="answered 503, 3 times"):
        quick(wait=0.1).fetch(f"{web.url}/a.jpg", tmp_path / "a.jpg")
    assert time.perf_counter() - start >= 0.2


def test_waits_as_long_as_the_server_asks(web: Web, tmp_path: Path) -> None:
    def busy_once(handler: BaseHTTPRequestHandler) -> None:
        if len(web.asked) > 1:
            reply(handler, PHOTO)
            return
        handler.send_response(503)
        handler.send_header("Retry-After", "1")
        handler.send_header("Content-Length", "0")
        handler.end_headers()

    web.replies["/a.jpg"] = busy_once
    start = time.perf_counter()
    quick().fetch(f"{web.url}/a.jpg", tmp_path / "a.jpg")
    assert time.perf_counter() - start >= 1


def test_does_not_try_again_what_is_final(web: Web, tmp_path: Path) -> None:
    with pytest.raises(DownloadError, match="answered 404"):
        quick().fetch(f"{web.url}/none.jpg", tmp_path / "a.jpg")
    assert len(web.asked) == 1
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("body", [b"<html>not here</html>", b""])
def test_what_is_no_photo_is_not_kept(web: Web, tmp_path: Path, body: bytes) -> None:
    web.replies["/a.jpg"] = lambda handler: reply(handler, body)
    with pytest.raises(DownloadError, match="sent no photo"):
        quick().fetch(f"{web.url}/a.jpg", tmp_path / "a.jpg")
    assert not (tmp_path / "a.jpg").exists()


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


def test_connection_cut_in_the_middle(web: Web, tmp_path: Path) -> None:
    def truncated(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(200)
        handler.send_header("Content-Length", str(len(PHOTO)))
        handler.end_headers()
        handler.wfile.write(PHOTO if len(web.asked) == 2 else PHOTO[:50])

    web.replies["/a.jpg"] = truncated
    quick().fetch(f"{web.url}/a.jpg", tmp_path / "a.jpg")
    assert (tmp_path / "a.jpg").read_bytes() == PHOTO
    assert len(web.asked) == 2


def test_silent_server(web: Web, tmp_path: Path) -> None:
    done = threading.Event()

    def silent(handler: BaseHTTPRequestHandler) -> None:
        done.wait(10)

    web.replies["/a.jpg"] = silent
    with pytest.raises(DownloadError, match=r"no answer .*Timeout"):
        quick(timeout=0.2, attempts=2).fetch(f"{web.url}/a.jpg", tmp_path / "a.jpg")
    done.set()
    assert len(web.asked) == 2


def test_server_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(DownloadError, match="no answer"):
        quick(attempts=1).fetch("http://127.0.0.1:9/a.jpg", tmp_path / "a.jpg")


def test_too_large_is_given_up_early(web: Web, tmp_path: Path) -> None:
    sent = []

    def endless(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(200)
        handler.end_headers()
        with suppress(ConnectionError):
            for _ in range(10_000):
                handler.wfile.write(b"x" * 100_000)
                sent.append(100_000)

    web.replies["/a.jpg"] = endless
    with pytest.raises(DownloadError, match="more than 500000 bytes"):
        quick(max_bytes=500_000).fetch(f"{web.url}/a.jpg", tmp_path / "a.jpg")
    assert sum(sent) < 100_000_000
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("link", ["ftp://127.0.0.1/a.jpg", "file:///etc/passwd", "a.jpg", "", "http://[bad"])
def test_other_links(tmp_path: Path, link: str) -> None:
    with pytest.raises(DownloadError):
        quick().fetch(link, tmp_path / "a.jpg")


def test_redirect_to_a_file_is_not_followed(web: Web, tmp_path: Path) -> None:
    def elsewhere(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(302)
        handler.send_header("Location", "file:///etc/passwd")
        handler.end_headers()

    web.replies["/a.jpg"] = elsewhere
    with pytest.raises(DownloadError, match="InvalidSchema"):
        quick().fetch(f"{web.url}/a.jpg", tmp_path / "a.jpg")


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
