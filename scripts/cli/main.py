"""The command `resformer`: one sub-command each for what a user does.

Modules of this room hold options and help alone. What a command needs is imported when it runs, so that `--help`, and
commands that only talk to a server, start at once.
"""

import os
import sys
from collections.abc import Sequence
from typing import Annotated

import click
import typer

from resformer.scripts.cli import benchmark, data

__all__ = ["app", "main"]

# Exit codes. 1: the server, or another program, failed. 2: the command's input cannot be used; nothing was done.
# 3: done, but some rows have no answer.
FAILED, UNUSABLE, INTERRUPTED = 1, 2, 130

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode="markdown",
    help="Product photos to structured values.",
    epilog="Exit codes: 0 done, 1 a server failed, 2 the input cannot be used, 3 done but some rows have no answer, "
    "130 interrupted. RESFORMER_DEBUG=1 shows the traceback of an error.",
)
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
    """Runs a command and returns its exit code; errors that a user can mend are one sentence on stderr."""
    try:
        code = app(args=None if arguments is None else list(arguments), prog_name="resformer", standalone_mode=False)
        return code if isinstance(code, int) else 0
    except click.ClickException as error:
        error.show()
        return error.exit_code
    except click.exceptions.Abort:
        return INTERRUPTED
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        return INTERRUPTED
    except (ValueError, OSError) as error:
        if os.environ.get("RESFORMER_DEBUG"):
            raise
        print(f"resformer: {error}", file=sys.stderr)
        return UNUSABLE


if __name__ == "__main__":
    sys.exit(main())
