"""The call, through the real server: started, scaled and stopped by the code behind `make serve`."""

import base64
import json
import os
import re
import shlex
import signal
import subprocess
import sys
import time
import zipfile
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from io import BytesIO
from pathlib import Path
from typing import Any

import grpc
import pytest
import requests
from google.protobuf import descriptor_pb2, descriptor_pool, message_factory
from PIL import Image

from resformer.model.schema.schema import Schema
from resformer.scripts.lib.sample_photo import draw_sample_photo
from resformer.scripts.torchserve.archive import build_archive
from resformer.scripts.torchserve.capacity import resident_bytes
from resformer.scripts.torchserve.java import java_home
from resformer.scripts.torchserve.serve import copy_lines, print_status, scale
from resformer.scripts.torchserve.server import Server, ServerError
from tests.openapi.described_calls import send_described_calls
from tests.paths import ROOT
from tests.servers import check_reply, free_ports

pytestmark = [pytest.mark.server, pytest.mark.timeout(300)]

NAMES = [entity.name for entity in Schema.load().entities]
FAST = {"X-Reader": "builtin"}


@pytest.fixture(scope="module")
def server(archive: Path) -> Iterator[Server]:
    root = archive.parents[1]
    server = Server(free_ports(), root)
    server.start(java_home())
    yield server
    server.stop()


@pytest.fixture(scope="module")
def photo(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    path = tmp_path_factory.mktemp("photo") / "sample.jpg"
    draw_sample_photo(path)
    return path.read_bytes()


@pytest.fixture
def send(server: Server) -> Callable[..., requests.Response]:
    """Sends to the predictions, with the key; every answer is as handler/openapi.yaml says."""

    def call(
        method: str = "PUT", path: str = "", headers: dict[str, str] | None = None, **body: Any
    ) -> requests.Response:
        headers = {"Authorization": f"Bearer {server.key('inference')}", **FAST, **(headers or {})}
        response = requests.request(method, server.predictions_url + path, headers=headers, timeout=60, **body)
        check_reply(response.status_code, response.json())
        return response

    return call


Send = Callable[..., requests.Response]


def asked(response: requests.Response) -> list[str]:
    assert response.status_code == 200, response.text
    assert response.headers["content-type"] == "application/json"
    return list(response.json()["predictions"])


def test_photo_as_the_body(send: Send, photo: bytes) -> None:
    response = send(data=photo)
    assert asked(response) == NAMES
    assert response.json()["image"] == {"width": 900, "height": 1200}
    keys = {"prediction", "value", "unit", "si", "confidence", "evidence"}
    assert all(answer.keys() == keys for answer in response.json()["predictions"].values())


def test_entities_by_header_and_path(send: Send, photo: bytes) -> None:
    assert asked(send(data=photo, headers={"X-Entity-Name": "voltage, width"})) == ["voltage", "width"]
    assert asked(send(data=photo, headers={"x-entity-name": "voltage"})) == ["voltage"]
    assert asked(send(data=photo, path="/1.0/item_weight,width", headers={"X-Entity-Name": "voltage"})) == [
        "item_weight",
        "width",
    ]


@pytest.mark.parametrize("field", ["image", "data"])
def test_forms(send: Send, photo: bytes, field: str) -> None:
    form = {"entity_name": "item_weight", "reader": "none", "title": "Oats 500 g"}
    response = send("POST", path="/1.0/voltage", files={field: ("photo.jpg", photo)}, data=form)
    assert asked(response) == ["item_weight"]
    assert asked(send("POST", files={field: photo})) == NAMES


def test_json(send: Send, photo: bytes) -> None:
    body = {"image_b64": base64.b64encode(photo).decode(), "entities": ["width", "height"], "reader": "none"}
    assert asked(send("POST", json=body)) == ["width", "height"]


def test_the_rest_of_the_row_with_alternatives(send: Send, photo: bytes) -> None:
    header = {"X-Entity-Name": "category, articleType, baseColour, title", "X-Top-K": "3", "X-Min-Confidence": "0"}
    row = send(data=photo, headers=header).json()["predictions"]
    assert row["category"]["prediction"] == " > ".join(row["category"]["value"])
    assert all(len(row[name]["alternatives"]) == 3 for name in ("category", "articleType", "baseColour"))
    form = {"entity_name": "articleType, title", "title": "Men Blue Casual Shoes", "top_k": "1"}
    titled = send("POST", files={"image": photo}, data=form).json()["predictions"]
    assert titled["title"]["prediction"] == "Men Blue Casual Shoes"
    # The title has an effect.
    assert titled["articleType"]["alternatives"] != row["articleType"]["alternatives"][:1]


def test_answers_are_withheld_or_guessed(send: Send, photo: bytes) -> None:
    header = {"X-Min-Confidence": "1", "X-Assume-Present": "true", "X-Top-K": "3"}
    withheld = send(data=photo, headers=header).json()["predictions"]
    assert not any(answer["prediction"] for answer in withheld.values())
    assert withheld["item_weight"]["alternatives"][0]["prediction"]
    form = {"min_confidence": "0", "assume_present": "false"}
    guesses = send("POST", files={"image": photo}, data=form, headers=header).json()["predictions"]
    assert guesses["item_weight"]["prediction"] == withheld["item_weight"]["alternatives"][0]["prediction"]
    assert all(guesses[entity.name]["prediction"] for entity in Schema.load().entities if entity.labels or entity.paths)
    body = {"image_b64": base64.b64encode(photo).decode(), "min_confidence": 0, "assume_present": True}
    assert send("POST", json=body, headers={"X-Top-K": "3"}).json()["predictions"].keys() == guesses.keys()
    for wrong in ({"X-Min-Confidence": "nan"}, {"X-Assume-Present": "maybe"}):
        refused = send(data=photo, headers=wrong)
        assert refused.status_code == 400 and "send" in refused.json()["message"]


def test_a_title_is_text_to_answer_from(send: Send, photo: bytes) -> None:
    """The only quantity there is, in a spelling that a wrong decoding of the header would break."""
    header = {"X-Title": "Net 250 \u00b5g".encode(), "X-Entity-Name": "item_weight"}
    form = {"title": "Net 250 \u00b5g", "entity_name": "item_weight"}
    by_header = send(data=photo, headers=header)
    by_form = send("POST", files={"image": photo}, data=form)
    assert by_header.json() == by_form.json()


def test_one_entity_and_all_agree(send: Send, photo: bytes) -> None:
    read = {"X-Reader": "ppocr"}
    every = send(data=photo, headers=read).json()["predictions"]
    for name in ("item_weight", "voltage"):
        one = send(data=photo, headers={**read, "X-Entity-Name": name}).json()["predictions"]
        assert one[name].pop("confidence") == pytest.approx(every[name].pop("confidence"), abs=1e-3)
        assert one == {name: every[name]}


@pytest.mark.parametrize(
    ("request_parts", "status", "kind"),
    [
        ({"data": b""}, 400, "BadRequest"),
        ({"data": b"text", "headers": {"Content-Type": "text/plain"}}, 400, "BadRequest"),
        ({"data": b"{broken", "headers": {"Content-Type": "application/json"}}, 400, "BadRequest"),
        ({"json": [1]}, 400, "BadRequest"),
        ({"json": {"image_url": "http://127.0.0.1/photo.jpg"}}, 403, "UrlNotAllowed"),
        ({"data": b"these bytes are no photo"}, 415, "UnsupportedImage"),
    ],
)
def test_errors_are_json_with_their_status(send: Send, request_parts: dict[str, Any], status: int, kind: str) -> None:
    response = send(**request_parts)
    assert response.status_code == status
    assert response.headers["content-type"] == "application/json"
    assert (response.json()["code"], response.json()["type"]) == (status, kind)
    assert response.json()["message"]


def test_errors_about_a_photo(send: Send, photo: bytes) -> None:
    unknown = send(data=photo, headers={"X-Entity-Name": "colour"})
    assert (unknown.status_code, unknown.json()["type"]) == (400, "UnknownEntity")
    assert all(name in unknown.json()["message"] for name in NAMES)
    assert send(data=photo, headers={"X-Reader": "glasses"}).status_code == 400
    assert send(data=photo[:9000]).status_code == 422
    vast = BytesIO()
    Image.new("1", (8000, 8000)).save(vast, "PNG")  # 64 megapixels in a few kilobytes.
    response = send(data=vast.getvalue())
    assert (response.status_code, response.json()["type"]) == (413, "ImageTooLarge")


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        (["image", "image"], "one request takes one photo"),
        (["image", "data"], "one request takes one photo"),
        (["image", "entity_name", "entity_name"], "separated by commas"),
    ],
)
def test_repeated_fields_are_refused(send: Send, photo: bytes, fields: list[str], message: str) -> None:
    values = {"image": photo, "data": photo, "entity_name": "voltage"}
    response = send("POST", files=[(name, (None, values[name])) for name in fields])
    assert response.status_code == 400
    assert message in response.json()["message"]


def test_too_many_bytes(send: Send) -> None:
    encoded = base64.b64encode(bytes(15_000_000)).decode()  # too many with the braces around it
    for body in ({"data": bytes(20_000_001)}, {"json": {"image_b64": encoded}}):
        response = send(**body)
        assert (response.status_code, response.json()["type"]) == (413, "ImageTooLarge")
        assert "bytes were sent, more than the 20000000 taken here" in response.json()["message"]


def test_what_the_proxy_refuses(server: Server, send: Send, photo: bytes) -> None:
    assert send(data=bytes(20_100_001)).status_code == 413
    assert send(path="/9.9", data=photo).status_code == 404
    assert send(path="?entity_name=width", data=photo).status_code == 400
    for headers in ({}, {"Authorization": "Bearer wrong"}):
        response = requests.put(server.predictions_url, photo, headers=headers, timeout=30)
        assert (response.status_code, response.json()["type"]) == (401, "InvalidKeyException")


def test_one_bad_photo_among_eight_sent_at_once(send: Send, photo: bytes) -> None:
    bodies = [photo] * 8
    bodies[3] = photo[:9000]
    with ThreadPoolExecutor(8) as pool:
        statuses = [r.status_code for r in pool.map(lambda body: send(data=body), bodies)]
    assert statuses == [200, 200, 200, 422, 200, 200, 200, 200]


def test_description(server: Server) -> None:
    described = server.describe()
    assert [entity["name"] for entity in described["entities"]] == list(Schema.load().names)
    assert all(entity["units"] or entity["labels"] or entity["kind"] == "text" for entity in described["entities"])
    assert (described["version"], described["preset"], described["reader"]) == ("1.0", "small", "crops")
    assert described["readers"] == ["ppocr", "crops", "builtin"]


def test_a_clients_header_describe_changes_nothing(send: Send, photo: bytes) -> None:
    assert asked(send(data=photo, headers={"describe": "True"})) == NAMES
    empty_form = {"describe": "True", "Content-Type": "multipart/form-data; boundary=x"}
    assert send("POST", data=b"--x--\r\n", headers=empty_form).status_code == 400
    assert send(data=b"", headers={"describe": "True"}).status_code == 400


def test_workers_count_their_answers(server: Server, send: Send, photo: bytes) -> None:
    assert asked(send(data=photo, headers={"X-Entity-Name": "item_weight"})) == ["item_weight"]
    assert send(data=b"no photo").status_code == 415
    wanted = (
        r'resformer_photos_total\{reader="builtin",.*\} [1-9]',
        r'resformer_answers_total\{kind="quantity",outcome="answered",.*\} [1-9]',
        r'resformer_errors_total\{type="UnsupportedImage",.*\} [1-9]',
        r"resformer_reader_seconds_count\{.*\} [1-9]",
    )
    deadline = time.monotonic() + 30
    while True:
        key = {"Authorization": f"Bearer {server.key('metrics')}"}
        text = requests.get(f"http://127.0.0.1:{server.port + 2}/metrics", headers=key, timeout=10).text
        if all(re.search(pattern, text) for pattern in wanted) or time.monotonic() > deadline:
            break
        time.sleep(0.2)
    assert [pattern for pattern in wanted if not re.search(pattern, text)] == []
    assert "Failed to" not in server.log.read_text()


def test_status(server: Server, capsys: pytest.CaptureFixture[str]) -> None:
    assert print_status(server)
    printed = capsys.readouterr().out
    assert f"port {server.port}: 1 of 1 workers ready" in printed
    assert "\nready: 1 of 1 workers take requests" in printed
    assert server.predictions_url in printed and f"make scale N=2 PORT={server.port}" in printed


@pytest.mark.parametrize("workers", [0, -1, 1000])
def test_scaling_that_cannot_be_is_refused_and_changes_nothing(server: Server, workers: int) -> None:
    with pytest.raises(ValueError, match=f"{workers} workers"):
        scale(server, workers)
    assert [worker["status"] for worker in server.workers()] == ["READY"]


def grpc_predictions(server: Server) -> tuple[Callable[..., Any], Any]:
    """The call `Predictions` and the class of its request, from a description of the three messages."""
    package = "org.pytorch.serve.grpc.inference"
    field = descriptor_pb2.FieldDescriptorProto
    file = descriptor_pb2.FileDescriptorProto(name="predictions.proto", package=package, syntax="proto3")
    asking = file.message_type.add(name="PredictionsRequest")
    one, many = field.LABEL_OPTIONAL, field.LABEL_REPEATED
    asking.field.add(name="model_name", number=1, type=field.TYPE_STRING, label=one)
    entry = asking.nested_type.add(name="InputEntry")
    entry.options.map_entry = True
    entry.field.add(name="key", number=1, type=field.TYPE_STRING, label=one)
    entry.field.add(name="value", number=2, type=field.TYPE_BYTES, label=one)
    asking.field.add(
        name="input",
        number=3,
        type=field.TYPE_MESSAGE,
        label=many,
        type_name=f".{package}.PredictionsRequest.InputEntry",
    )
    answering = file.message_type.add(name="PredictionResponse")
    answering.field.add(name="prediction", number=1, type=field.TYPE_BYTES, label=one)
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    asked_as, answered_as = (
        message_factory.GetMessageClass(pool.FindMessageTypeByName(f"{package}.{message.name}"))
        for message in (asking, answering)
    )
    channel = grpc.insecure_channel(f"127.0.0.1:{server.port + 3}")
    call = channel.unary_unary(
        f"/{package}.InferenceAPIsService/Predictions",
        request_serializer=asked_as.SerializeToString,
        response_deserializer=answered_as.FromString,
    )
    return call, asked_as


def test_answers_are_as_described(server: Server, tmp_path: Path) -> None:
    """Some calls; `make test-openapi` sends many."""
    assert send_described_calls(server, tmp_path, "examples,fuzzing", 4) == ""


def test_grpc(server: Server, photo: bytes) -> None:
    call, asked_as = grpc_predictions(server)
    key = [("authorization", f"Bearer {server.key('inference')}")]
    fields = {"image": photo, "entity_name": b"item_weight", "reader": b"none"}
    answer = call(asked_as(model_name="resformer", input=fields), metadata=key, timeout=60)
    assert list(json.loads(answer.prediction)["predictions"]) == ["item_weight"]
    # gRPC has no status per photo: the error is in the answer.
    answer = call(asked_as(model_name="resformer", input={"data": b"no photo"}), metadata=key, timeout=60)
    assert json.loads(answer.prediction)["code"] == 415
    with pytest.raises(grpc.RpcError) as refused:
        call(asked_as(model_name="resformer", input=fields), metadata=[("authorization", "Bearer x")], timeout=60)
    assert refused.value.code() == grpc.StatusCode.UNAUTHENTICATED


def test_lines_to_copy(server: Server, photo: bytes, tmp_path: Path) -> None:
    (server.root / "build" / "sample.jpg").write_bytes(photo)
    lines = [line for line in copy_lines(server) if "min_worker" not in line]
    script = "\n".join(["set -e", *lines]).replace("curl ", "curl -sS --fail-with-body -w '\\n' ")
    done = subprocess.run(["bash", "-c", script], cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    answers = [list(json.loads(line)["predictions"]) for line in done.stdout.splitlines()]
    assert answers == [["item_weight"], NAMES, NAMES]


def test_memory_stays_small(server: Server) -> None:
    """After photos were read, too."""
    assert server.pid is not None
    processes = [server.pid, *(worker["pid"] for worker in server.workers())]
    assert sum(resident_bytes(pid) for pid in processes) < 2.5 * 2**30


def test_a_second_start_is_refused(server: Server) -> None:
    with pytest.raises(ServerError, match=f"already serving on port {server.port}"):
        server.start()


def test_scaling_shares_the_cores(server: Server, send: Send, photo: bytes) -> None:
    cores = len(os.sched_getaffinity(0))
    assert server.describe()["threads"] == cores
    scaling = next(line for line in copy_lines(server) if "min_worker" in line)
    admin = server.key("management")
    done = subprocess.run(["curl", "-sS", *shlex.split(scaling)[1:]], capture_output=True, text=True, check=True)
    assert "the key is missing or wrong" in done.stdout  # The line needs the key.
    line = scaling.replace("$ADMIN", admin)
    subprocess.run(["curl", "-sS", "--fail", *shlex.split(line)[1:]], capture_output=True, check=True)
    assert [worker["status"] for worker in server.workers()] == ["READY", "READY"]
    # Either worker may answer; the first one notices when it is next asked something.
    part = max(1, cores // 2)
    deadline = time.monotonic() + 120
    while [server.describe()["threads"] for _ in range(4)] != [part] * 4:
        assert time.monotonic() < deadline
        time.sleep(1)
    assert asked(send(data=photo)) == NAMES
    server.scale(1)
    assert len(server.workers()) == 1


def test_stopping_leaves_nothing(server: Server) -> None:
    """The last test of this module: the server is gone after it."""
    processes = [server.pid, *(worker["pid"] for worker in server.workers())]
    temporary = [link.resolve() for link in (server.backend.folder / "tmp", server.folder / "run")]
    assert all(folder.is_dir() for folder in temporary)
    assert server.stop()
    assert not any(Path(f"/proc/{pid}").exists() for pid in processes)
    assert not any(folder.exists() for folder in temporary)
    assert [path.name for path in server.folder.iterdir()] == ["keys"]


def test_own_weights_and_schema_are_served(own_network: tuple[Path, Path], photo: bytes, tmp_path: Path) -> None:
    weights, schema = own_network
    own = tmp_path / "own.mar"
    build_archive(own, weights=weights, schema=schema, version_name="own-1")
    server = Server(free_ports(), tmp_path, own)
    server.start(java_home())
    try:
        answer = server.predict(photo, {"X-Reader": "builtin"})
        assert (answer.status, answer.body["version"]) == (200, "own-1")
        assert list(answer.body["predictions"]) == list(Schema.load(schema).names)
        assert (server.describe()["preset"], server.describe()["reader"]) == ("nano", "ppocr")
    finally:
        server.stop()


@pytest.mark.parametrize("sent", [signal.SIGTERM, signal.SIGINT])
def test_a_start_that_is_interrupted_leaves_nothing(archive: Path, tmp_path: Path, sent: signal.Signals) -> None:
    server = Server(free_ports(), tmp_path, archive)
    options = ["--port", str(server.port), "--root", str(tmp_path), "--archive", str(archive)]
    command = [sys.executable, "-m", "resformer", "serve", *options]
    # A shell starts background jobs with SIGINT ignored, and these tests may be one.
    default = partial(signal.signal, sent, signal.SIG_DFL)
    process = subprocess.Popen(
        command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, preexec_fn=default
    )
    deadline = time.monotonic() + 60
    while server.pid is None:
        assert time.monotonic() < deadline and process.poll() is None
        time.sleep(0.1)
    process.send_signal(sent)
    _, errors = process.communicate(timeout=60)
    assert process.returncode == 128 + sent
    assert "Traceback" not in errors
    assert server.pid is None


def test_a_worker_that_cannot_load_ends_the_start(archive: Path, tmp_path: Path) -> None:
    (tmp_path / "model_store").mkdir()
    with zipfile.ZipFile(archive) as good, zipfile.ZipFile(tmp_path / "model_store" / "resformer.mar", "w") as bad:
        for name in good.namelist():
            bad.writestr(name, good.read(name).replace(b"  reader: crops", b"  reader: glasses"))
    server = Server(free_ports(), tmp_path)
    with pytest.raises(ServerError, match=r"the worker failed to load(.|\n)*reader is 'glasses'"):
        server.start(java_home())
    assert server.pid is None
