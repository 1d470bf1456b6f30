"""Scoring through a real server that starts again in the middle, with another key, beside one that is never there."""

from collections.abc import Iterator
from pathlib import Path
from threading import Thread

import pytest

from resformer.scripts.lib.sample_photo import draw_sample_photo
from resformer.scripts.lib.score_options import ScoreOptions
from resformer.scripts.lib.score_table import score_table
from resformer.scripts.torchserve.java import java_home
from resformer.scripts.torchserve.server import Server
from tests.scripts.conftest import read_rows, write_table
from tests.servers import free_ports

pytestmark = [pytest.mark.server, pytest.mark.timeout(300)]

ROWS = 40


@pytest.fixture
def server(archive: Path, tmp_path: Path) -> Iterator[Server]:
    server = Server(free_ports(), tmp_path / "served", archive)
    server.start(java_home())
    yield server
    server.stop()


def test_a_server_that_starts_again(server: Server, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    photos = tmp_path / "photos"
    draw_sample_photo(photos / "0.jpg")
    data = (photos / "0.jpg").read_bytes()
    for i in range(1, ROWS):
        (photos / f"{i}.jpg").write_bytes(data)
    (photos / "7.jpg").write_bytes(data[:9000])
    rows = [(i, f"{i}.jpg", "item_weight") for i in range(ROWS)]
    options = ScoreOptions(
        table=write_table(tmp_path / "in.csv", "index,image,entity_name", *rows),
        out=tmp_path / "out.csv",
        photos=photos,
        endpoints=["http://127.0.0.1:9", server.predictions_url],
        key_files=[server.key_file],
        reader="builtin",
    )
    first_key = server.key("inference")

    def start_again() -> None:
        server.stop()
        server.keys.rotate("inference")
        server.keys.retire("inference")
        server.start(java_home())

    restart = Thread(target=start_again)

    def on_photo(done: int, _: int) -> None:
        if done == 5:
            restart.start()

    summary = score_table(options, on_photo=on_photo)
    restart.join()
    assert server.key("inference") != first_key
    assert (summary.rows, summary.failed) == (ROWS, 1)
    assert dict(read_rows(tmp_path / "out.csv")[1:]) == {str(i): "" if i == 7 else "500 gram" for i in range(ROWS)}
    ((index, image, error),) = read_rows(tmp_path / "out.errors.csv")[1:]
    assert (index, image) == ("7", "7.jpg") and error.startswith("CorruptImage: ")
    printed = capsys.readouterr().err
    assert "http://127.0.0.1:9/predictions/resformer gives no answer" in printed
    assert f"{server.predictions_url} gives no answer" in printed and f"{server.predictions_url} is back" in printed
