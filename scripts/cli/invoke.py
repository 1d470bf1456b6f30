"""Runs a command of typer and turns errors that a user can correct into one sentence and an exit code."""

import os
import sys
from collections.abc import Sequence

import typer

from resformer.scripts.lib.external_error import ExternalError

__all__ = ["DONE", "FAILED", "INCOMPLETE", "INTERRUPTED", "UNUSABLE", "invoke"]

DONE = 0
# A server or another program failed, or a check found faults.
FAILED = 1
# The input of the command cannot be used; nothing was done.
UNUSABLE = 2
# Done, but some rows have no answer.
INCOMPLETE = 3
INTERRUPTED = 130

INSTALL_TRAINING = (
    "install what training and benchmarks need: `pip install 'resformer[train]'`, "
    "in a checkout `.venv/bin/pip install -r requirements-train.txt`"
)
INSTALL_PAGE = (
    "install what the page needs: `make demo` does in a checkout, elsewhere `pip install 'resformer[demo]'` and then "
    "`pip install --no-deps gradio==6.31.0`"
)
INSTALL_RAY = "install what --engine ray needs: `pip install 'resformer[ray]'`"
INSTALL_SIGNATURES = "install what signatures need: `pip install 'resformer[serve]'`"
INSTALL = {"gradio": INSTALL_PAGE, "ray": INSTALL_RAY, "minisign": INSTALL_SIGNATURES}


def invoke(app: typer.Typer, arguments: Sequence[str] | None, name: str) -> int:
    """Runs a command and returns its exit code.

    Args:
        app: The command line.
        arguments: After the program's name; None takes those of this process.
        name: The program's name in its help.
    """
    try:
        code = app(args=None if arguments is None else list(arguments), prog_name=name, standalone_mode=False)
        return code if isinstance(code, int) else DONE
    except typer.TyperException as error:  # about the arguments
        if message := error.format_message():
            print(f"{name}: {message.removesuffix('.')}; see --help", file=sys.stderr)
        return UNUSABLE
    except (KeyboardInterrupt, typer.Abort):
        print("interrupted", file=sys.stderr)
        return INTERRUPTED
    except ModuleNotFoundError as error:
        package = (error.name or "resformer").partition(".")[0]
        if package == "resformer" or os.environ.get("RESFORMER_DEBUG"):
            raise
        install = INSTALL.get(package, INSTALL_TRAINING)
        print(f"{name}: the package {package} is missing; {install}", file=sys.stderr)
        return FAILED
    except Exception as error:
        code = _exit_code(error)
        if code is None or os.environ.get("RESFORMER_DEBUG"):
            raise
        print(f"{name}: {_sentence(error)}", file=sys.stderr)
        return code


def _sentence(error: Exception) -> str:
    if isinstance(error, OSError) and error.filename and error.strerror:
        return f"cannot use {error.filename}: {error.strerror.lower()}"
    return str(error)


def _exit_code(error: Exception) -> int | None:
    """Of an error that a user can correct; None for a fault of the program."""
    if isinstance(error, ExternalError):
        return FAILED
    return UNUSABLE if isinstance(error, ValueError | OSError) else None
