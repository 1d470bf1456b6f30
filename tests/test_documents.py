"""What the documents show works: commands parse, Python examples run, links lead somewhere."""

import re
import subprocess
from pathlib import Path
from textwrap import dedent
from typing import Any

import pytest
import typer

from resformer.scripts.cli.main import app
from resformer.scripts.lib.sample_photo import draw_sample_photo
from resformer.train.settings.run_settings import load_config
from tests.documents import DOCUMENTS, code_blocks, commands, python_examples
from tests.paths import ROOT


def shown(program: str) -> list[str]:
    """All commands of a program in all documents, each once."""
    return sorted({" ".join(c) for document in DOCUMENTS for c in commands(document) if c[0] == program})


def test_there_are_commands() -> None:
    assert {"make serve", "make test"} <= set(shown("make"))
    assert len(shown("resformer")) > 15


@pytest.mark.parametrize("command", shown("make"))
def test_make_targets_exist(command: str) -> None:
    done = subprocess.run([*command.split(), "-n"], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("command", shown("resformer"))
def test_commands_take_the_options_shown(command: str) -> None:
    words = [word for word in command.split()[1:] if word != "..."]
    found: Any = typer.main.get_command(app)
    while words and hasattr(found, "commands") and not words[0].startswith("-"):
        assert words[0] in found.commands, f"{command}: there is no {words[0]}"
        found, words = found.commands[words[0]], words[1:]
    flags = {name: parameter for parameter in found.params for name in parameter.opts}
    assert [word for word in words if word.startswith("--") and word not in flags | {"--help": None}] == []
    required = [p for p in found.params if p.required and p.param_type_name == "argument"]
    if not words or "--help" in words:
        return  # the name alone, in running text
    values = sum(word.startswith("--") and not flags[word].is_flag for word in words)
    given = sum(not word.startswith("--") for word in words) - values
    assert given >= len(required), f"{command}: {len(required)} arguments are needed"
    missing = [p.opts[0] for p in found.params if p.required and p not in required and not set(p.opts) & set(words)]
    assert missing == [], command


@pytest.mark.parametrize(
    "document", [d for d in DOCUMENTS if python_examples(d, of_client=False)], ids=lambda d: d.name
)
def test_python_examples_run(
    document: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Those that ask a server are run by tests/client/test_served.py."""
    draw_sample_photo(tmp_path / "photo.jpg")
    monkeypatch.chdir(tmp_path)
    for block in python_examples(document, of_client=False):
        exec(block, {"__name__": "__main__"})
        assert capsys.readouterr().out == "500 gram\n"


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda d: str(d.relative_to(ROOT)))
def test_links_lead_somewhere(document: Path) -> None:
    for target in re.findall(r"\]\(([^)#\s]+)[^)]*\)", document.read_text(encoding="utf-8")):
        if not target.startswith("http"):
            assert (document.parent / target).exists(), target


def test_the_config_of_the_training_document_is_valid(tmp_path: Path) -> None:
    (example,) = map(dedent, code_blocks(ROOT / "docs" / "training.md", "yaml"))
    config = tmp_path / "mine.yaml"
    config.write_text(example.replace("../resformer", str(ROOT)), encoding="utf-8")
    (tmp_path / "split").mkdir()
    (tmp_path / "photos").mkdir()
    (tmp_path / "split" / "train.csv").touch()
    (tmp_path / "mine-entities.yaml").touch()
    assert load_config(config).part == "resformer"


def test_readme_is_short() -> None:
    assert len((ROOT / "README.md").read_text(encoding="utf-8").splitlines()) <= 120
