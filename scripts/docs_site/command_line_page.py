"""The reference of the command line, from what `--help` prints."""

from collections.abc import Iterator
from typing import Any

from typer import Context
from typer.main import get_command

from resformer.scripts.cli.main import app
from resformer.scripts.docs_site.schema_text import table

__all__ = ["command_line_page", "command_names"]

PROGRAM = "resformer"

# Of typer's own copy of click, whose classes it does not export.
Command = Any


def command_line_page() -> str:
    """The page in Markdown."""
    parts = ["# Command line"]
    for name, command in _commands(get_command(app), PROGRAM):
        if name != PROGRAM:
            parts.append(f"{'#' * len(name.split())} `{name}`")
        parts += _about(name, command)
    return "\n\n".join(part for part in parts if part) + "\n"


def command_names() -> list[str]:
    """All commands, each with the program's name and the groups it is in."""
    return [name for name, _ in _commands(get_command(app), PROGRAM)]


def _commands(command: Command, name: str) -> Iterator[tuple[str, Command]]:
    """A command and all below it."""
    yield name, command
    for below in getattr(command, "commands", {}).values():
        yield from _commands(below, f"{name} {below.name}")


def _about(name: str, command: Command) -> list[str]:
    context = Context(command, info_name=name)
    first, _, rest = (command.help or "").partition("\n\n")
    usage = " ".join([name, *command.collect_usage_pieces(context)])
    parts = [first, f"```text\n{usage}\n```", rest, command.epilog or ""]
    for kind in ("argument", "option"):
        parameters = [p for p in command.get_params(context) if p.param_type_name == kind]
        records = [record for p in parameters if (record := p.get_help_record(context)) and record[0] != "--help"]
        if kind == "option" or any(meaning for _, meaning in records):
            rows = [[f"`{written}`", meaning.replace("[", "\\[")] for written, meaning in records]
            parts.append(table([kind, "meaning"], rows) if rows else "")
    below = getattr(command, "commands", {}).values()
    rows = [
        [f"[`{one.name}`](#{name.replace(' ', '-')}-{one.name})", (one.help or "").split("\n\n")[0]] for one in below
    ]
    return [*parts, table(["command", "does"], rows) if rows else ""]
