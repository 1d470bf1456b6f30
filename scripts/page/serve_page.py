"""Serves the page on this machine."""

import os
import signal
import socket
import sys
import tempfile
import webbrowser
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from resformer.model.files.whole_file import UnusableFile
from resformer.model.schema.schema import Schema
from resformer.scripts.lib.external_error import ExternalError
from resformer.scripts.lib.sample_photos import write_samples
from resformer.scripts.page.answer_sources import ServerSource, Source

__all__ = ["PageError", "PageOptions", "serve_page"]

HOST = "127.0.0.1"
MAX_UPLOAD = "600mb"
TERMINATED = 128 + signal.SIGTERM
SESSIONS = 20  # whose photos are kept


class PageError(ExternalError):
    """The page cannot be served, and why."""


@dataclass(frozen=True, kw_only=True)
class PageOptions:
    """What is served, and where.

    Attributes:
        port: On 127.0.0.1.
        server: The address of a server's predictions; None without one.
        key_file: Its file of keys; None is the one that `resformer serve` writes, if there is one.
        is_local: Whether networks in this process answer.
        weights: Of these; none is the shipped network.
        schema: The file of the entities; None is the shipped one, or that of an archive.
        samples: Folder for the sample photos.
        opens_browser: Whether to open the page in a browser.
    """

    port: int
    server: str | None
    key_file: Path | None
    is_local: bool
    weights: Sequence[Path]
    schema: Path | None
    samples: Path
    opens_browser: bool


def serve_page(options: PageOptions) -> None:
    """Serves the page until it is interrupted.

    Raises:
        PageError: The port is taken.
        ValueError: Options exclude each other, or a file cannot be used.
    """
    _check(options)
    signal.signal(signal.SIGTERM, _terminate)  # uploads are removed then too
    with tempfile.TemporaryDirectory(prefix="resformer-page-") as name:  # nobody else reads it
        folder = Path(name).resolve()
        sources, schema = _sources(options, folder)
        # Gradio reads these when it is imported: nothing is reported to anybody, and uploads stay in our folder.
        os.environ.update(GRADIO_ANALYTICS_ENABLED="False", HF_HUB_OFFLINE="1", GRADIO_TEMP_DIR=str(folder / "uploads"))
        from resformer.scripts.page.components import CSS, HEAD
        from resformer.scripts.page.context import PageContext
        from resformer.scripts.page.layout import THEME, build_page

        samples = write_samples(options.samples.absolute())
        blocks = build_page(PageContext(sources, Schema.load(schema), schema, samples, folder))
        blocks.launch(
            server_name=HOST,
            server_port=options.port,
            share=False,
            ssr_mode=False,
            quiet=True,
            footer_links=[],
            max_file_size=MAX_UPLOAD,
            state_session_capacity=SESSIONS,
            prevent_thread_lock=True,
            theme=THEME,
            css=CSS,
            head=HEAD,
        )
        try:
            address = f"http://{HOST}:{options.port}"
            print(f"The page is at {address}\nCtrl-C ends it.", flush=True)
            if options.opens_browser:
                webbrowser.open(address)
            blocks.block_thread()
        finally:
            blocks.close(verbose=False)


def _terminate(*_: object) -> None:
    sys.exit(TERMINATED)


def _check(options: PageOptions) -> None:
    if options.is_local and options.server:
        raise ValueError("--local and --server exclude each other: either answers")
    if options.weights and not options.is_local:
        raise ValueError("--weights are those of --local: a server has its own")
    if options.key_file and not options.key_file.is_file():
        raise UnusableFile(f"--key-file {options.key_file} is not there; `resformer serve` writes it")
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, options.port))
        except OSError as error:
            raise PageError(
                f"port {options.port} is in use; stop what uses it or choose another one: "
                f"`resformer demo --port {options.port + 1}`"
            ) from error


def _sources(options: PageOptions, folder: Path) -> tuple[list[Source], Path | None]:
    """What answers, and the file of the entities."""
    if options.server:
        written = Path("build") / f"serve-{urlsplit(options.server).port}" / "keys" / "inference"
        return [ServerSource(options.server, options.key_file or written)], options.schema
    from resformer.scripts.page.local_networks import load_networks  # imports torch

    networks = load_networks(options.weights, options.schema, folder)
    return [network.source for network in networks], networks[0].schema
