"""Both clients before the real server, over HTTP and gRPC; and the example of the documents."""

import asyncio
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from PIL import Image

from resformer.client import AsyncClient, Client, PhotoError, RequestError, Result
from resformer.model.schema.schema import Schema
from resformer.scripts.lib.sample_photo import draw_sample_photo
from resformer.scripts.torchserve.java import java_home
from resformer.scripts.torchserve.server import Server
from tests.documents import DOCUMENTS, python_examples
from tests.paths import ROOT
from tests.servers import free_ports

pytestmark = [pytest.mark.server, pytest.mark.timeout(300)]

EXAMPLES = [document for document in DOCUMENTS if python_examples(document, of_client=True)]
FAST: dict[str, Any] = {"reader": "builtin"}
NAMES = [entity.name for entity in Schema.load().entities]


@pytest.fixture(scope="module")
def server(archive: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    server = Server(free_ports(), tmp_path_factory.mktemp("served"), archive)
    server.start(java_home())
    draw_sample_photo(server.root / "photo.jpg")
    yield server
    server.stop()


@pytest.fixture(scope="module")
def photo(server: Server) -> Path:
    return server.root / "photo.jpg"


@pytest.fixture(params=["http", "grpc"])
def url(request: pytest.FixtureRequest, server: Server) -> str:
    return server.predictions_url if request.param == "http" else f"grpc://127.0.0.1:{server.port + 3}"


@pytest.fixture
def client(url: str, server: Server) -> Iterator[Client]:
    with Client(url, key_file=server.key_file) as found:
        yield found


def test_a_photo_in_all_forms(client: Client, photo: Path) -> None:
    result = client.predict(photo, **FAST)
    assert list(result.predictions) == NAMES
    assert (result.image.width, result.image.height) == (900, 1200)
    weight = result["item_weight"]
    assert (weight.prediction, weight.value, weight.si and weight.si.value) == ("500 gram", 500.0, 0.5)
    assert client.predict(photo.read_bytes(), **FAST) == result
    with Image.open(photo) as image, photo.open("rb") as file:
        assert client.predict(image, **FAST) == client.predict(file, **FAST) == result


def test_options_have_their_effect(client: Client, photo: Path) -> None:
    options: dict[str, Any] = {**FAST, "title": "Café 250 µg", "top_k": 3, "min_confidence": 1.0}
    result = client.predict(photo, ["title", "item_weight"], assume_present=True, description="x" * 9000, **options)
    assert list(result.predictions) == ["title", "item_weight"]
    assert result["title"].prediction == "Café 250 µg"
    assert result["item_weight"].prediction == ""
    assert "250 microgram" in [other.prediction for other in result["item_weight"].alternatives or ()]


def test_errors(client: Client, photo: Path) -> None:
    for data, kind, code in (
        (b"no photo", "UnsupportedImage", 415),
        (photo.read_bytes()[:9000], "CorruptImage", 422),
        (bytes(20_000_001), "ImageTooLarge", 413),
        (bytes(25_000_001), "ImageTooLarge", 413),  # the limit of the proxy
    ):
        with pytest.raises(PhotoError) as raised:
            client.predict(data)
        assert (raised.value.type, raised.value.code) == (kind, code)
        assert raised.value.message
    with pytest.raises(RequestError, match="unknown entity 'colour'; known are width"):
        client.predict(photo, "colour")


@pytest.mark.parametrize("key", ["wrong", ""])
def test_keys(url: str, photo: Path, key: str) -> None:
    with Client(url, key=key) as client, pytest.raises(RequestError, match="give") as raised:
        client.predict(photo)
    assert raised.value.type == "InvalidKeyException"


def test_the_key_of_the_environment(url: str, server: Server, photo: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RESFORMER_KEY_FILE", str(server.key_file))
    with Client(url) as client:
        assert client.predict(photo, "voltage", **FAST)["voltage"].confidence > 0


def test_addresses_where_nothing_is_answered(server: Server, photo: Path) -> None:
    for address in (server.predictions_url.replace("resformer", "other"), f"http://127.0.0.1:{server.port}/other"):
        with (
            Client(address, key_file=server.key_file) as client,
            pytest.raises(RequestError, match="ends in /predictions/resformer"),
        ):
            client.predict(photo)


def test_many_photos(url: str, server: Server, photo: Path) -> None:
    photos: list[Any] = [photo, b"no photo", photo.read_bytes(), "missing.jpg", photo]

    async def ask() -> list[Any]:
        async with AsyncClient(url, key_file=server.key_file) as client:
            many = client.predict_many(photos, "item_weight", concurrency=3, return_errors=True, **FAST)
            return [outcome async for outcome in many]

    with Client(url, key_file=server.key_file) as client:
        outcomes = list(client.predict_many(photos, "item_weight", concurrency=3, return_errors=True, **FAST))
    kinds = [Result, PhotoError, Result, PhotoError, Result]
    assert [type(outcome) for outcome in outcomes] == kinds
    at_once = asyncio.run(ask())
    assert [type(outcome) for outcome in at_once] == kinds
    assert at_once[::2] == outcomes[::2]


def test_a_table(client: Client, photo: Path) -> None:
    table = pd.DataFrame({"image": [str(photo), "missing.jpg"], "title": ["Oats 250 g", ""]})
    scored = client.score(table, entities=["title", "item_weight"], title_column="title", **FAST)
    assert scored["title"].tolist()[:1] == ["Oats 250 g"]
    assert scored["title_confidence"].tolist()[:1] == [1.0]
    assert scored["item_weight"].tolist()[0] in ("250 gram", "500 gram")
    assert scored["error"].isna().tolist() == [True, False]


@pytest.mark.parametrize("document", EXAMPLES, ids=lambda document: document.name)
def test_examples_of_the_documents(server: Server, document: Path) -> None:
    """Beside a photo and the server's folder, as in a checkout."""
    for example in python_examples(document, of_client=True):
        done = subprocess.run(
            [sys.executable, "-c", example.replace("8080", str(server.port))],
            cwd=server.root,
            env={"PYTHONPATH": str(ROOT), "PATH": "/usr/bin:/bin"},
            capture_output=True,
            text=True,
        )
        assert done.returncode == 0, done.stderr
        assert done.stdout.startswith("500 gram\n")
