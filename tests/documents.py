"""The code blocks of the documents."""

import re
import shlex
from pathlib import Path

from tests.paths import ROOT

__all__ = ["DOCUMENTS", "code_blocks", "commands", "python_examples", "training_walk"]

DOCUMENTS = sorted(
    [*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md"), *(ROOT / "model" / "weights").glob("*.md")],
    key=lambda path: str(path.relative_to(ROOT)),
)
FENCE = re.compile(r"^ *```(\w*)\n(.*?)^ *```", re.MULTILINE | re.DOTALL)


def code_blocks(document: Path, language: str) -> list[str]:
    """The code blocks of a language; "" are those without one, which are shell commands."""
    return [body for found, body in FENCE.findall(document.read_text(encoding="utf-8")) if found == language]


def python_examples(document: Path, *, of_client: bool) -> list[str]:
    """The Python blocks of a document that ask a server, or the others."""
    return [block for block in code_blocks(document, "python") if ("resformer.client" in block) == of_client]


def commands(document: Path) -> list[list[str]]:
    """The commands of a document's shell blocks and inline `resformer ...` code, as lists of arguments."""
    text = document.read_text(encoding="utf-8")
    lines = [line for block in code_blocks(document, "") for line in block.replace("\\\n", " ").splitlines()]
    lines += re.findall(r"`((?:resformer|make) [a-z][^`]*)`", FENCE.sub("", text))
    found = []
    for line in lines:
        arguments = shlex.split(line, comments=True)
        # Brackets mark what may be left out, dots what continues.
        arguments = [a.strip("[]").removeprefix(".venv/bin/") for a in arguments if a.strip("[].,")]
        if arguments and arguments[0] in ("make", "resformer"):
            found.append(arguments)
    return found


def training_walk() -> list[list[str]]:
    """The commands of docs/training.md that train on the small data set, in their order."""
    text = (ROOT / "docs" / "training.md").read_text(encoding="utf-8")
    section = text.split("## A complete run on a small data set")[1].split("\n## ")[0]
    (block,) = [body for language, body in FENCE.findall(section) if not language]
    return [shlex.split(line, comments=True) for line in block.replace("\\\n", " ").splitlines() if line.strip()]
