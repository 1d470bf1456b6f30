"""`resformer demo`: the page."""

import os
from importlib.util import find_spec
from pathlib import Path
from typing import Annotated

import typer

from resformer.scripts.cli.invoke import DONE
from resformer.scripts.cli.options import SchemaFile

__all__ = ["demo"]

EXAMPLE_SERVER = "http://127.0.0.1:8080/predictions/resformer"


def demo(
    port: Annotated[int, typer.Option("--port", metavar="N", min=1024, max=65535, help="Port of the page.")] = 7860,
    server: Annotated[
        str | None,
        typer.Option(
            "--server", metavar="URL", help=f"Predictions of the server that answers. [default: {EXAMPLE_SERVER}]"
        ),
    ] = None,
    key_file: Annotated[
        Path | None,
        typer.Option(
            "--key-file", metavar="FILE", help="The server's key file. [default: build/serve-PORT/keys/inference]"
        ),
    ] = None,
    local: Annotated[bool, typer.Option("--local", help="Answer in this process, without a server.")] = False,
    weights: Annotated[
        list[Path] | None,
        typer.Option(
            "--weights", metavar="FILE", help="With --local: weights or an archive; may be repeated, to compare them."
        ),
    ] = None,
    schema: SchemaFile = None,
    samples: Annotated[
        Path, typer.Option("--samples", metavar="DIR", help="Folder for the drawn sample photos.", file_okay=False)
    ] = Path("build/samples"),
    opens_browser: Annotated[
        bool | None, typer.Option("--open/--no-open", help="Open a browser. [default: where there is a display]")
    ] = None,
) -> int:
    """Serve a page on which photos and tables are tried.

    The page is at http://127.0.0.1:PORT, for this machine alone, until Ctrl-C. It asks a running server, whose key it
    reads from the server's file and never sends to the browser; $RESFORMER_TOKEN is the key where there is no file.

    Exit codes: 0 ended, 1 the port is taken, 2 an option cannot be used, 130 interrupted.

    Examples:

        resformer demo

        resformer demo --port 9000 --server http://127.0.0.1:9100/predictions/resformer

        resformer demo --local --weights runs/own/weights.safetensors --weights model_store/resformer.mar
    """
    if find_spec("gradio") is None:  # before networks are loaded
        raise ModuleNotFoundError("gradio is missing", name="gradio")
    from resformer.scripts.page.serve_page import PageOptions, serve_page

    if opens_browser is None:
        opens_browser = bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))
    options = PageOptions(
        port=port,
        server=None if local and server is None else server or EXAMPLE_SERVER,
        key_file=key_file,
        is_local=local,
        weights=weights or [],
        schema=schema,
        samples=samples,
        opens_browser=opens_browser,
    )
    serve_page(options)
    return DONE
