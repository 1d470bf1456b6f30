"""The command `resformer`: one sub-command each for what a user does.

Modules here hold options and help alone. What a command needs is imported when it runs, so that `--help`, and
commands that only talk to a server, start at once.
"""

import sys
from collections.abc import Callable, Sequence
from typing import Annotated

import typer

from resformer.scripts.cli import (
    benchmark,
    data,
    downloading,
    evaluation,
    scoring,
    serving,
    training,
    verifying,
    web_page,
)
from resformer.scripts.cli.invoke import invoke

__all__ = ["app", "main"]

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode="markdown",
    help="Product photos to structured values.",
    epilog="Exit codes: 0 done, 1 a server or a check failed, 2 the input cannot be used, 3 done but some rows have no "
    "answer, 130 interrupted. RESFORMER_DEBUG=1 shows the traceback of an error.",
)
COMMANDS: tuple[Callable[..., int | None], ...] = (
    *(serving.serve, serving.restart, serving.stop, serving.status, serving.scale, serving.keys, serving.archive),
    *(verifying.verify, verifying.sign, verifying.keypair),
    *(scoring.score, downloading.download, scoring.sanity, scoring.draw, web_page.demo),
    *(training.train, training.tune, evaluation.evaluate),
)
for command in COMMANDS:
    app.command()(command)
app.add_typer(data.app, name="data")
app.add_typer(benchmark.app, name="benchmark")


def _print_version(wanted: bool) -> None:
    if wanted:
        from resformer import __version__

        print(__version__)
        raise typer.Exit


@app.callback()
def _root(
    version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    """Product photos to structured values."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs a command and returns its exit code; errors that a user can correct are one sentence on stderr."""
    return invoke(app, arguments, "resformer")


if __name__ == "__main__":
    sys.exit(main())
