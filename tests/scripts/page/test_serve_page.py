import os
import signal
import socket
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

from resformer.scripts.cli import web_page
from resformer.scripts.demo import main
from tests.servers import free_ports

# Serves a page for a moment, and prints with whom that process connects beside this machine.
CONNECTIONS = """
import sys

def hook(event, arguments):
    if event in ("socket.connect", "socket.getaddrinfo", "socket.sendto"):
        host = arguments[0] if event == "socket.getaddrinfo" else arguments[1][0]
        if host not in ("127.0.0.1", "localhost", "::1", None) and not str(host).startswith("/"):
            print("asks", host)

sys.addaudithook(hook)
import gradio
from resformer.scripts.cli.main import main
gradio.Blocks.block_thread = lambda self: None
sys.exit(main(sys.argv[1:]))
"""


@pytest.fixture(autouse=True)
def _gradio_is_there(monkeypatch: pytest.MonkeyPatch) -> None:
    """Options are checked before Gradio is needed."""
    monkeypatch.setattr(web_page, "find_spec", lambda name: object())


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--weights", "own.safetensors"], "--weights are those of --local"),
        (["--local", "--server", "http://127.0.0.1:8080/"], "--local and --server exclude each other"),
        (["--key-file", "none.json"], "--key-file none.json is not there; `resformer serve` writes it"),
        (["--server", "127.0.0.1:8080"], "--server 127.0.0.1:8080 is no address"),
        (["--local", "--weights", "none.safetensors"], "cannot load the network"),
        (["--port", "80"], "'--port'"),
    ],
)
def test_options_that_cannot_be_used_are_said(
    arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    port = [] if "--port" in arguments else ["--port", str(free_ports())]
    assert main([*port, *arguments]) == 2
    assert message in capsys.readouterr().err


def test_a_port_that_is_taken_is_said(capsys: pytest.CaptureFixture[str]) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        assert main(["--port", str(port)]) == 1
    assert f"port {port} is in use; stop what uses it or choose another one: `resformer demo --port" in (
        capsys.readouterr().err
    )


def test_without_gradio_it_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(web_page, "find_spec", lambda name: None)
    assert main([]) == 1
    assert "gradio is missing; install what the page needs: `make demo`" in capsys.readouterr().err


@pytest.mark.skipif(find_spec("gradio") is None, reason="gradio is not installed; `make test` installs it")
def test_the_page_talks_to_this_machine_alone(tmp_path: Path) -> None:
    command = [sys.executable, "-c", CONNECTIONS, "demo", "--port", str(free_ports() + 7), "--no-open"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("The page is at http://127.0.0.1:")
    assert "asks" not in done.stdout
    assert len(list((tmp_path / "build" / "samples").glob("*.jpg"))) == 8


@pytest.mark.skipif(find_spec("gradio") is None, reason="gradio is not installed; `make test` installs it")
def test_uploads_are_removed_with_the_page(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "resformer", "demo", "--port", str(free_ports() + 8), "--no-open"]
    temporary = tmp_path / "tmp"
    temporary.mkdir()
    environment = {**os.environ, "TMPDIR": str(temporary)}
    with subprocess.Popen(command, cwd=tmp_path, env=environment, stdout=subprocess.PIPE, text=True) as page:
        assert page.stdout is not None
        assert page.stdout.readline().startswith("The page is at")
        assert len(list(temporary.glob("resformer-page-*"))) == 1
        page.terminate()
        assert page.wait(60) == 128 + signal.SIGTERM
    assert list(temporary.glob("resformer-page-*")) == []
