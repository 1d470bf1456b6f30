"""`resformer serve | stop | status | scale | archive`: TorchServe on this machine."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from resformer.scripts.cli.invoke import DONE, FAILED
from resformer.scripts.cli.options import Port, PublicKey, Reader, SchemaFile, Weights, reader_value

if TYPE_CHECKING:
    from resformer.scripts.torchserve.server import Server

__all__ = ["archive", "scale", "serve", "status", "stop"]

Root = Annotated[
    Path | None,
    typer.Option("--root", metavar="DIR", help="Folder of the server's files. [default: the current folder]"),
]


def serve(
    port: Port = 8080,
    archive: Annotated[
        Path | None,
        typer.Option("--archive", metavar="FILE", help="What to serve. [default: model_store/resformer.mar]"),
    ] = None,
    public_key: PublicKey = None,
    root: Root = None,
) -> int:
    """Serve an archive on this machine.

    Without `--archive` the shipped network is served; its archive is built where it is missing or older than the
    package. What is served is checked first, as `resformer verify --no-run` does. Configuration, keys and log are kept
    in `build/serve-PORT`. Ends with lines to copy.

    Exit codes: 0 the server runs, 1 it does not come up, 2 the port cannot be used, 130 interrupted.

    Examples:

        resformer serve

        resformer serve --port 9000 --archive model_store/own.mar --public-key resformer.key.pub
    """
    from dataclasses import replace

    from resformer.scripts.torchserve.archive import build_archive, is_current, report
    from resformer.scripts.torchserve.serve import start
    from resformer.scripts.verify_archive import admit_archive

    server = _server(port, root)
    server.check_ports()
    if archive is not None:
        server = replace(server, archive=archive.absolute())
    elif not is_current(default := server.root / server.archive):
        report(default, build_archive(default))
    admit_archive(server.root / server.archive, public_key)
    start(server)
    return DONE


def stop(port: Port = 8080, root: Root = None) -> int:
    """Stop the server on a port; requests under way are lost.

    Examples:

        resformer stop --port 9000
    """
    from resformer.scripts.torchserve import serve

    serve.stop(_server(port, root))
    return DONE


def status(port: Port = 8080, root: Root = None) -> int:
    """Show the workers of the server on a port, and the lines to copy.

    Exit codes: 0 a worker is ready, 1 none is.

    Examples:

        resformer status --port 9000
    """
    from resformer.scripts.torchserve.serve import print_status

    return DONE if print_status(_server(port, root)) else FAILED


def scale(
    workers: Annotated[int, typer.Argument(metavar="N", help="How many workers there shall be.")],
    port: Port = 8080,
    root: Root = None,
) -> int:
    """Set the number of workers; each gets an equal part of the cores.

    Exit codes: 0 they are ready, 1 they did not come up and there are as many as before, 2 the machine has too few
    cores or too little memory for as many.

    Examples:

        resformer scale 2 --port 9000
    """
    from resformer.scripts.torchserve import serve

    return DONE if serve.scale(_server(port, root), workers) else FAILED


def archive(
    out: Annotated[Path, typer.Option("--out", metavar="FILE", help="The archive to write.")] = Path(
        "model_store/resformer.mar"
    ),
    weights: Weights = None,
    schema: SchemaFile = None,
    reader: Reader = None,
    batch_size: Annotated[
        int | None, typer.Option("--batch-size", min=1, help="Photos that a worker gets at once. [default: 1]")
    ] = None,
    version_name: Annotated[
        str | None,
        typer.Option("--version-name", metavar="NAME", help="The version that answers name. [default: from weights]"),
    ] = None,
    texts: Annotated[
        Path | None,
        typer.Option("--texts", metavar="TABLE.csv", help="Products whose texts answer about photos like theirs."),
    ] = None,
    photos: Annotated[
        Path | None, typer.Option("--photos", metavar="DIR", help="The photos of --texts. [default: its folder]")
    ] = None,
) -> int:
    """Build the TorchServe archive; equal files give equal bytes.

    With `--weights` and `--schema` the archive answers by a network of your own. Its answers name the version that the
    weights have, `--version-name`, or the first 8 digits of the weights' SHA-256.

    `--texts` names a table with a column `image` and a column `title` or `description`, or both. The answer is then the
    text that the twenty most similar photos of the table and the network's own draft agree on.

    Exit codes: 0 done, 1 what was built does not load, 2 a file cannot be used.

    Examples:

        resformer archive

        resformer archive --weights runs/own/weights.safetensors --schema own.yaml --out model_store/own.mar

        resformer archive --batch-size 8 --out model_store/gpu.mar

        resformer archive --texts catalogue.csv --photos photos/ --out model_store/texts.mar
    """
    from resformer.scripts.torchserve.archive import build_archive, report

    digest = build_archive(
        out,
        weights=weights,
        schema=schema,
        reader=reader_value(reader),
        batch_size=batch_size,
        version_name=version_name,
        texts=texts,
        photos=photos,
    )
    report(out, digest)
    return DONE


def _server(port: int, root: Path | None) -> "Server":
    from resformer.scripts.torchserve.server import Server

    return Server(port, (root or Path.cwd()).resolve())
