"""`resformer serve | restart | stop | status | scale | keys | archive`: a server on this machine."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from resformer.scripts.cli.invoke import DONE, FAILED
from resformer.scripts.cli.options import Port, PublicKey, Reader, SchemaFile, Weights, reader_value

if TYPE_CHECKING:
    from resformer.scripts.torchserve.server import Server

__all__ = ["archive", "keys", "restart", "scale", "serve", "status", "stop"]

Root = Annotated[
    Path | None,
    typer.Option("--root", metavar="DIR", help="Folder of the server's files. [default: the current folder]"),
]

KeysFolder = Annotated[
    Path | None,
    typer.Option(
        "--keys",
        metavar="DIR",
        envvar="RESFORMER_KEYS",
        help="Folder of the keys: files inference, management, metrics; one key a line. "
        "[default: build/serve-PORT/keys]",
    ),
]


def serve(
    port: Port = 8080,
    archive: Annotated[
        Path | None,
        typer.Option("--archive", metavar="FILE", help="What to serve. [default: model_store/resformer.mar]"),
    ] = None,
    keys: KeysFolder = None,
    expose: Annotated[
        str,
        typer.Option(
            "--expose",
            metavar="PORTS",
            help="Ports that other machines reach, with commas: predictions, metrics, grpc, probes.",
        ),
    ] = "",
    foreground: Annotated[
        bool, typer.Option("--foreground", help="Serve until SIGTERM or Ctrl-C; logs go to the output.")
    ] = False,
    notice: Annotated[
        float,
        typer.Option(
            "--notice",
            metavar="SECONDS",
            min=0,
            help="With --foreground: how long it is served on after SIGTERM, while /ready says that it ends.",
        ),
    ] = 0.0,
    public_key: PublicKey = None,
    root: Root = None,
) -> int:
    """Serve an archive on this machine.

    Without `--archive` the shipped network is served; its archive is built where it is missing or older than the
    package. What is served is checked first, as `resformer verify --no-run` does. Configuration, keys and logs are kept
    in `build/serve-PORT`. Ends with lines to copy.

    Exit codes: 0 the server runs, or with `--foreground` it was asked to end, 1 it does not come up, or ended by
    itself, 2 the port cannot be used, 130 interrupted.

    Examples:

        resformer serve

        resformer serve --port 9000 --archive model_store/own.mar --public-key resformer.key.pub

        resformer serve --foreground --expose predictions,metrics,probes --keys /run/secrets/resformer
    """
    from dataclasses import replace

    from resformer.scripts.torchserve import serve

    exposed = tuple(name for part in expose.split(",") if (name := part.strip()))
    server = replace(_server(port, root), keys_folder=keys, exposed=exposed)
    server = replace(server, to_console=foreground, public_key=public_key)
    server.check_ports()
    server = _with_archive(server, archive)
    if foreground:
        return DONE if serve.run(server, notice_seconds=notice) else FAILED
    serve.start(server)
    return DONE


def restart(
    port: Port = 8080,
    archive: Annotated[
        Path | None,
        typer.Option("--archive", metavar="FILE", help="What to serve. [default: the file that is served]"),
    ] = None,
    public_key: PublicKey = None,
    root: Root = None,
) -> int:
    """Serve an archive in place of the one that is served, without losing a request.

    Without `--archive` it is the file that is served, as it is now; the archive of the shipped network is built anew
    where it is older than the package. A server that was started with `--public-key` asks for a signature again.

    A second TorchServe starts beside the first, with as many workers; when it is ready new requests go to it, the
    first one answers those that it has and ends. For a while there must be memory for both.

    Exit codes: 0 done, 1 nothing is serving, or the new one does not come up and the one before serves on, 130
    interrupted before the new one took over: the one before serves on.

    Examples:

        resformer restart --archive model_store/own.mar
    """
    from dataclasses import replace

    from resformer.scripts.torchserve import serve

    server = _server(port, root).as_running()
    serve.restart(_with_archive(replace(server, public_key=public_key or server.public_key), archive))
    return DONE


def keys(
    action: Annotated[
        Literal["show", "rotate", "retire", "accept"],
        typer.Argument(
            help="show the newest key; rotate: make a new one, the one before stays accepted; retire: keep the newest "
            "one; accept: have a running server take over what the files have now."
        ),
    ],
    kind: Annotated[
        Literal["inference", "management", "metrics"], typer.Option("--kind", help="Of which calls.")
    ] = "inference",
    port: Port = 8080,
    keys: KeysFolder = None,
    root: Root = None,
) -> int:
    """Show or change the keys that calls need. A running server takes over a change within seconds.

    Exit codes: 0 done, 1 there are no keys, or they cannot be written.

    Examples:

        resformer keys show

        resformer keys rotate && resformer keys show    # give the new key to all callers, then

        resformer keys retire
    """
    from dataclasses import replace

    server = replace(_server(port, root), keys_folder=keys)
    held = server.keys
    if action == "show":
        print(held.newest(kind))
    elif action == "rotate":
        held.rotate(kind)
    elif action == "retire":
        held.retire(kind)
    else:
        server.accept_keys()
    return DONE


def stop(port: Port = 8080, root: Root = None) -> int:
    """Stop the server on a port, after the answers to the requests under way.

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


def _with_archive(server: "Server", archive: Path | None) -> "Server":
    """The server of a given archive or of its own, checked; the default one is built where it is missing or old."""
    from dataclasses import replace

    from resformer.scripts.torchserve.archive import build_archive, is_current, report
    from resformer.scripts.torchserve.server import DEFAULT_ARCHIVE
    from resformer.scripts.verify_archive import admit_archive

    if archive is not None:
        server = replace(server, archive=archive.absolute())
    path, default = ((server.root / file).resolve() for file in (server.archive, DEFAULT_ARCHIVE))
    if archive is None and path == default and not is_current(default):
        report(default, build_archive(default))
    admit_archive(path, server.public_key)
    return server


def _server(port: int, root: Path | None) -> "Server":
    from resformer.scripts.torchserve.server import Server

    return Server(port, (root or Path.cwd()).resolve())
