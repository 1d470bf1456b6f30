"""The README's commands exist and take the options that it shows."""

import subprocess
import sys

import pytest

from tests.paths import ROOT

DOCUMENTS = ("README.md", "BENCHMARKS.md", "model/weights/README.md")


def commands() -> set[str]:
    """Lines of code blocks that run something of this project."""
    found = set()
    for name in DOCUMENTS:
        # Every second piece between fences is a block.
        for block in (ROOT / name).read_text(encoding="utf-8").split("```")[1::2]:
            for line in block.splitlines():
                line = line.split("  #")[0].strip().removeprefix(".venv/bin/")
                if line.startswith(("make ", "python ")):
                    found.add(line)
    return found


def test_there_are_commands() -> None:
    assert {"make serve", "make test"} <= commands()


@pytest.mark.parametrize("command", sorted(c for c in commands() if c.startswith("make ")))
def test_make_targets_exist(command: str) -> None:
    done = subprocess.run([*command.split(), "-n"], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("command", sorted(c for c in commands() if c.startswith("python ")))
def test_programs_take_the_options_shown(command: str) -> None:
    words = command.replace("[", " ").replace("]", " ").split()
    program = words[1:3] if words[1] == "-m" else words[1:2]
    done = subprocess.run([sys.executable, *program, "--help"], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    for option in (w for w in words[1:] if w.startswith("--")):
        assert option in done.stdout, f"{command}: {option}"
