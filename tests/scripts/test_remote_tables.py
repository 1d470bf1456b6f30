"""Tables and photos behind URLs: on an S3 server of this machine, and on a web server."""

import sys
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

import fsspec
import pyarrow.parquet as pq
import pytest
from moto.server import ThreadedMotoServer

from resformer.model.files.whole_file import UnusableFile
from resformer.scripts.cli.main import main
from resformer.scripts.engines.network_settings import NetworkSettings
from resformer.scripts.lib.locations import RemoteFile, location, written_at
from resformer.scripts.lib.score_options import ScoreOptions
from resformer.scripts.lib.score_table import score_table
from tests.scripts.conftest import Web, jpeg, read_rows, write_table
from tests.scripts.lib.table_formats.tables import write_parquet
from tests.scripts.lib.test_packed_photos import write_tar
from tests.scripts.test_score_formats import answer

QUESTIONS = "index,image,entity_name\n3,60.jpg,width\n1,50.jpg,width\n"
ANSWERS = [["index", "prediction"], ["3", "60 inch"], ["1", "50 inch"]]


@pytest.fixture(scope="module")
def endpoint() -> Iterator[str]:
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


@pytest.fixture
def s3(endpoint: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Any]:
    """The file system, with an empty bucket `bucket`; the working folder is tmp_path."""
    for name, value in {
        "AWS_ENDPOINT_URL": endpoint,
        "AWS_ACCESS_KEY_ID": "key",
        "AWS_SECRET_ACCESS_KEY": "secret",
        "AWS_DEFAULT_REGION": "us-east-1",
        "NO_PROXY": "127.0.0.1",
    }.items():
        monkeypatch.setenv(name, value)
    monkeypatch.chdir(tmp_path)
    system = fsspec.filesystem("s3")
    system.mkdir("bucket")
    yield system
    system.rm("bucket", recursive=True)
    system.clear_instance_cache()


@pytest.fixture(autouse=True)
def network(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(NetworkSettings, "answerer", lambda _: answer)


def names(s3: Any) -> list[str]:
    s3.invalidate_cache()
    return [name.removeprefix("bucket/") for name in sorted(s3.find("bucket"))]


def test_everything_in_a_bucket(s3: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    s3.pipe({"bucket/in.csv": QUESTIONS.encode() + b"7,none.jpg,width\n", "bucket/p/60.jpg": jpeg(60)})
    s3.pipe("bucket/p/50.jpg", jpeg(50))
    for out in ("out.csv", "run/out.parquet", "out.jsonl.gz"):
        code = main(["score", "s3://bucket/in.csv", f"s3://bucket/{out}", "--photos", "s3://bucket/p"])
        assert code == 3
        assert main(["sanity", "s3://bucket/in.csv", f"s3://bucket/{out}"]) == 0
    assert s3.cat("bucket/out.csv").decode() == "index,prediction\n3,60 inch\n1,50 inch\n7,\n"
    with s3.open("bucket/run/out.parquet") as file:
        assert pq.read_table(file).to_pydict()["prediction"] == ["60 inch", "50 inch", ""]
    assert b"s3://bucket/p has no photo 'none.jpg'" in s3.cat("bucket/out.errors.csv")
    errors = ["out.errors.csv", "out.jsonl.errors.csv", "run/out.errors.csv"]
    tables = ["in.csv", "out.csv", "out.jsonl.gz", "run/out.parquet"]
    assert names(s3) == sorted([*errors, *tables, "p/50.jpg", "p/60.jpg"])
    assert list(tmp_path.iterdir()) == []
    s3.pipe("bucket/in.csv", QUESTIONS.encode())  # errors of an earlier run do not stay
    assert main(["score", "s3://bucket/in.csv", "s3://bucket/out.csv", "--photos", "s3://bucket/p"]) == 0
    assert "out.errors.csv" not in names(s3)


def test_shards_and_links_in_a_bucket(s3: Any, tmp_path: Path) -> None:
    for number, width in enumerate((50, 60)):
        s3.put(str(write_tar(tmp_path / "s.tar", {f"{width}.jpg": jpeg(width)})), f"bucket/s-{number}.tar")
    table = tmp_path / "in.csv"
    table.write_text(QUESTIONS)
    for where in ("s3://bucket/s-{0..1}.tar", "s3://bucket/*.tar"):
        assert main(["score", str(table), "out.csv", "--photos", where]) == 0
        assert read_rows(tmp_path / "out.csv") == ANSWERS
    s3.pipe("bucket/a/60.jpg", jpeg(60))
    s3.pipe("bucket/large.jpg", bytes(20_000_001))
    links = [f"s3://bucket/{name}.jpg" for name in ("a/60", "none", "large")]
    write_table(tmp_path / "in.csv", "image_link,entity_name", *((link, "width") for link in links))
    assert main(["score", str(table), "out.csv"]) == 3
    assert [row[1] for row in read_rows(tmp_path / "out.csv")[1:]] == ["60 inch", "", ""]
    assert [row[2] for row in read_rows(tmp_path / "out.errors.csv")[1:]] == [
        "cannot read s3://bucket/none.jpg: no such file",
        "s3://bucket/large.jpg has more than 20000000 bytes",
    ]


def test_photos_of_a_parquet_file_in_a_bucket(s3: Any, tmp_path: Path) -> None:
    columns = {"image": [jpeg(50 + i % 7) for i in range(50)], "n": list(range(50))}
    s3.put(str(write_parquet(tmp_path / "in.parquet", columns, row_group_size=9)), "bucket/in.parquet")
    out = RemoteFile("s3://bucket/out.parquet")
    options = ScoreOptions(table=RemoteFile("s3://bucket/in.parquet"), out=out, entities=["width"])
    assert score_table(options, answerer=answer)[:2] == (50, 0)
    with out.open() as file:
        table = pq.read_table(file)
    assert table["width"].to_pylist() == [f"{50 + i % 7} inch" for i in range(50)]
    assert table["n"].to_pylist() == list(range(50))


def test_an_interrupted_run_leaves_no_object_and_is_resumed(s3: Any, tmp_path: Path) -> None:
    s3.pipe({"bucket/in.csv": QUESTIONS.encode(), "bucket/p/60.jpg": jpeg(60)})
    s3.pipe("bucket/p/50.jpg", jpeg(50))
    s3.pipe("bucket/out.csv", b"old")
    calls = []

    def stops(*asked: Any) -> Any:
        calls.append(asked)
        if len(calls) == 2:
            raise RuntimeError("stopped")
        return answer(*asked)

    table, out = RemoteFile("s3://bucket/in.csv"), RemoteFile("s3://bucket/out.csv")
    options = ScoreOptions(table=table, out=out, photos="s3://bucket/p", jobs=1)
    with pytest.raises(RuntimeError):
        score_table(options, answerer=stops)
    assert s3.cat("bucket/out.csv") == b"old"
    assert [path.name for path in tmp_path.iterdir()] == ["out.csv.journal"]
    command = ["score", str(table), str(out), "--photos", "s3://bucket/p"]
    assert main(command) == 2
    assert main([*command, "--resume"]) == 0
    assert s3.cat("bucket/out.csv").decode().splitlines()[1:] == ["3,60 inch", "1,50 inch"]
    assert list(tmp_path.iterdir()) == []


def test_an_upload_is_whole_or_nothing(s3: Any, tmp_path: Path) -> None:
    s3.pipe("bucket/out", b"old")
    out = RemoteFile("s3://bucket/out")
    for size in (1, 7 << 20):  # in one part, and in two
        with pytest.raises(RuntimeError), written_at(out, "wb") as file:
            file.write(bytes(size))
            raise RuntimeError
        assert out.read_bytes() == b"old"
    with written_at(out, "wb") as file:
        file.write(bytes(7 << 20))
        assert out.read_bytes() == b"old"
    assert len(out.read_bytes()) == 7 << 20 and list(tmp_path.iterdir()) == []
    with pytest.raises(UnusableFile, match="cannot write s3://other/out: "), written_at(RemoteFile("s3://other/out")):
        pass


@pytest.mark.parametrize(
    ("table", "out", "message"),
    [
        ("s3://bucket/none.csv", "out.csv", "cannot read s3://bucket/none.csv: no such file"),
        ("s3://bucket/none.parquet", "out.csv", "cannot read s3://bucket/none.parquet: no such file"),
        ("s3://bucket/in.csv", "s3://bucket/in.csv", "s3://bucket/in.csv is both read and written"),
        ("ss3://bucket/in.csv", "out.csv", "ss3:// is unknown; take a path, s3://, gs:// or https://"),
        ("s3://bucket/in.csv", "https://shop.example/out.csv", "https://shop.example/out.csv cannot be written"),
    ],
)
def test_what_cannot_be_used(
    s3: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str], table: str, out: str, message: str
) -> None:
    s3.pipe("bucket/in.csv", QUESTIONS.encode())
    (tmp_path / "photos").mkdir()
    assert main(["score", table, out, "--photos", "photos"]) == 2
    assert message in capsys.readouterr().err
    assert [path.name for path in tmp_path.iterdir()] == ["photos"]
    assert s3.cat("bucket/in.csv") == QUESTIONS.encode()


def test_a_missing_package_is_named(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setitem(sys.modules, "gcsfs", None)
    assert main(["sanity", "gs://bucket/in.csv", "out.csv"]) == 2
    assert "gs:// needs a package; `pip install 'resformer[gcs]'`" in capsys.readouterr().err


def ranges(data: bytes) -> Any:
    """Answers with parts of a file, as file servers do."""

    def answer_part(handler: BaseHTTPRequestHandler) -> None:
        part = handler.headers.get("Range", "")
        start, _, end = part.removeprefix("bytes=").partition("-")
        body = data[int(start) : int(end) + 1] if part else data
        handler.send_response(206 if part else 200)
        handler.send_header("Accept-Ranges", "bytes")
        handler.send_header("Content-Length", str(len(body)))
        if part:
            handler.send_header("Content-Range", f"bytes {start}-{int(start) + len(body) - 1}/{len(data)}")
        handler.end_headers()
        handler.wfile.write(body)

    return answer_part


def test_tables_of_a_web_server(web: Web, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "50.jpg").write_bytes(jpeg(50))
    (tmp_path / "60.jpg").write_bytes(jpeg(60))
    columns = {"index": [3, 1], "image": ["60", "50"], "entity_name": ["width"] * 2}
    parquet = write_parquet(tmp_path / "t.parquet", columns)
    web.replies["/in.csv?key=1"] = ranges(QUESTIONS.encode())
    web.replies["/in.parquet"] = ranges(parquet.read_bytes())
    for name in ("in.csv?key=1", "in.parquet"):
        assert main(["score", f"{web.url}/{name}", str(tmp_path / "out.csv"), "--photos", str(tmp_path)]) == 0
        assert read_rows(tmp_path / "out.csv") == ANSWERS
    assert main(["score", f"{web.url}/none.csv", str(tmp_path / "2.csv"), "--photos", str(tmp_path)]) == 2
    assert f"cannot read {web.url}/none.csv: the server answered 404" in capsys.readouterr().err
    assert main(["score", "http://127.0.0.1:9/in.csv", str(tmp_path / "2.csv"), "--photos", str(tmp_path)]) == 2
    assert "cannot read http://127.0.0.1:9/in.csv: no answer (ClientConnectorError)" in capsys.readouterr().err


def test_names_of_remote_files() -> None:
    file = location("s3://bucket/a.b/out.parquet")
    assert isinstance(file, RemoteFile)
    assert (file.name, file.suffix) == ("out.parquet", ".parquet")
    assert file.with_suffix(".errors.csv").url == "s3://bucket/a.b/out.errors.csv"
    options = ScoreOptions(table=Path("in.csv"), out=file)
    assert str(options.journal) == "out.parquet.journal" and str(options.cache_folder) == "out.images"
    assert RemoteFile("https://shop.example/in.csv.gz?key=a.b").suffix == ".gz"
    assert location("a/b.csv") == Path("a/b.csv")
