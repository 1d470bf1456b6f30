"""The command `python -m train.run`, and `resformer train`, which is the same."""

import subprocess
import sys
from pathlib import Path

import pytest

from resformer.scripts.cli.main import main as resformer
from resformer.train.run import main
from tests.paths import CONFIGS, ROOT

CONFIG = str(CONFIGS / "synthetic.yaml")
SMALL = ["sources.0.num_photos=24", "epochs=1", "val_fraction=0"]
OPTIONS = ["--accelerator", "cpu", "--threads", "1"]


@pytest.mark.parametrize(
    "command", [main, lambda arguments: resformer(["train", *arguments])], ids=["run", "resformer"]
)
def test_both_commands_train(tmp_path: Path, command, capsys: pytest.CaptureFixture[str]) -> None:  # type: ignore[no-untyped-def]
    assert command([CONFIG, "--out", str(tmp_path), *OPTIONS, *SMALL]) == 0
    out = capsys.readouterr().out
    assert "resformer of preset nano: 1.9 M parameters, 24 items to train on, 0 for validation" in out
    assert f"weights: {tmp_path / 'weights.safetensors'}" in out
    assert (tmp_path / "weights.safetensors").is_file()
    # The same command again has nothing left to do; another one is of another run.
    assert command([CONFIG, "--out", str(tmp_path), *OPTIONS, *SMALL]) == 0
    assert command([CONFIG, "--out", str(tmp_path), *OPTIONS, *SMALL, "seed=1"]) == 2
    assert "a run with other seed" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["epoch=1"], "epoch: unknown key; did you mean epochs?"),
        (["precision=16-mixed", "--accelerator", "cpu"], "precision 16-mixed needs a GPU"),
        (["crop_side=32"], "crop_side: unknown key"),
    ],
)
def test_errors_are_sentences(
    tmp_path: Path, arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    for command in (main, lambda a: resformer(["train", *a])):
        assert command([CONFIG, "--out", str(tmp_path), *arguments]) == 2
        assert message in capsys.readouterr().err


def test_help_does_not_load_torch() -> None:
    script = (
        "import sys\nfrom resformer.scripts.cli.main import main\nmain(['train', '--help'])\n"
        "main(['data', '--help'])\nsys.exit('torch' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    assert "epochs=2" in done.stdout and "contact-sheet" in done.stdout
