"""The walk of docs/training.md.

A data set is drawn, a network trained on it and on own entities, evaluated, archived, served and asked.
"""

from pathlib import Path

import pytest

from resformer.scripts.cli.main import main
from resformer.scripts.torchserve.java import java_home
from resformer.scripts.torchserve.server import Server
from tests.documents import training_walk
from tests.servers import check_reply, free_ports

pytestmark = [pytest.mark.server, pytest.mark.timeout(600)]

# A real ResNet backbone and a few steps instead of a few minutes.
FASTER = {"train": ["preset=tiny", "epochs=1", "batch_size=8", "image_size=64"], "synthetic": ["--seed", "1"]}


def test_from_drawn_photos_to_a_served_network(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    walk = training_walk()
    assert [command[1] for command in walk] == ["data", "train", "train", "evaluate", "archive"]
    for command in walk:
        arguments = command[1:] + [word for name, words in FASTER.items() if name in command for word in words]
        arguments = ["16" if word == "60" else word for word in arguments]
        assert main(arguments) == 0, command
    server = Server(free_ports(), tmp_path, tmp_path / "build" / "small.mar")
    server.start(java_home())
    try:
        photo = next((tmp_path / "build" / "small").rglob("*.jpg")).read_bytes()
        reply = server.predict(photo)
        assert reply.status == 200
        check_reply(reply.status, reply.body)
        assert server.describe()["preset"] == "tiny"
        assert {"baseColour", "pattern", "shelf", "blurb", "net_content"} <= reply.body["predictions"].keys()
    finally:
        server.stop()
