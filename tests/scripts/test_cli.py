"""The command `resformer`: help, exit codes, and options that mean the same everywhere."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from resformer import __version__
from resformer.model.ocr.readers import ALIASES, READERS
from resformer.scripts.cli.main import COMMANDS, main
from resformer.scripts.cli.options import ReaderName
from tests.paths import ROOT
from tests.scripts.conftest import write_table

SCRIPTS = ("score_csv", "sanity", "draw", "download_images")


def run(*command: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "COLUMNS": "200"}
    return subprocess.run([sys.executable, *command], cwd=ROOT, env=environment, capture_output=True, text=True)


@pytest.mark.parametrize("name", [command.__name__ for command in COMMANDS])
def test_help_has_examples(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([name, "--help"]) == 0
    shown = capsys.readouterr().out
    assert "Examples:" in shown and f"resformer {name}" in shown.partition("Examples:")[2]


def test_help_and_version_of_the_module() -> None:
    assert run("-m", "resformer", "--version").stdout.strip() == __version__
    shown = run("-m", "resformer", "--help").stdout
    assert "Exit codes: 0 done" in shown
    assert all(command.__name__ in shown for command in COMMANDS)


def test_help_loads_no_torch() -> None:
    code = "import sys; from resformer.scripts.cli.main import main; main(['score', '--help']); print(*sys.modules)"
    assert "torch" not in run("-c", code).stdout.splitlines()[-1].split()


@pytest.mark.parametrize("name", SCRIPTS)
def test_scripts_run_as_files(name: str) -> None:
    done = run(f"scripts/{name}.py", "--help")
    assert done.returncode == 0, done.stderr
    assert "Usage:" in done.stdout


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["score", "in.csv"], "Missing argument 'OUT'"),
        (["score", "in.csv", "out.csv", "--jobs", "0"], "--jobs"),
        (["score", "in.csv", "out.csv", "--reader", "glasses"], "'glasses'"),
        (["serve", "--port", "80"], "port 80 cannot be used"),
        (["archive", "--weights", "none.safetensors"], "no weights at none.safetensors"),
        (["archive", "--version-name", "a/b"], "the version name is 'a/b'"),
    ],
)
def test_unusable_input_is_one_line(arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(arguments) == 2
    errors = capsys.readouterr().err
    assert message in errors and errors.startswith("resformer: ") and errors.count("\n") == 1


def test_missing_training_packages_say_what_to_install() -> None:
    code = "import sys; sys.modules['fontTools'] = None; from resformer.scripts.cli.main import main; sys.exit(main())"
    done = run("-c", code, "data", "synthetic", "out")
    assert done.returncode == 1
    assert "the package fontTools is missing" in done.stderr and "resformer[train]" in done.stderr
    assert done.stderr.count("\n") == 1


def test_sanity_takes_tables_in_the_order_of_score(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    table = write_table(tmp_path / "in.csv", "index,entity_name", (0, "width"))
    out = write_table(tmp_path / "out.csv", "index,prediction", (0, "1 volt"))
    assert main(["sanity", str(table), str(out)]) == 1
    assert capsys.readouterr().out.startswith("row 2, index 0: 'volt' is no unit of width")


def test_readers_are_those_of_the_model() -> None:
    assert {reader.value for reader in ReaderName} == {*READERS, *ALIASES}
