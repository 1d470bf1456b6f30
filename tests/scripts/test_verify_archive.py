"""`resformer verify`, `sign`, `keypair`, and that `resformer serve` starts nothing that is refused."""

import json
import os
from pathlib import Path

import pytest

from resformer.scripts.cli.main import main
from resformer.scripts.torchserve.archive_check import MODEL_NAME
from resformer.scripts.torchserve.archive_form import CONFIG, ENTRY, MANIFEST, write_archive
from resformer.scripts.torchserve.archive_trial import FailedTrial, try_archive

ANSWERS = """
import json
def handle(data, context):
    if data is None:
        return None
    context.set_response_status(code=200, phrase="OK", idx=0)
    return [json.dumps({"version": "7", "predictions": {"item_weight": {"bytes": len(data[0]["body"])}}})]
"""
FAILS = """
import json
def handle(data, context):
    if data is not None:
        context.set_response_status(code=500, phrase="", idx=0)
        return [json.dumps({"message": "no photo of mine"})]
"""


def small(path: Path, code: str) -> Path:
    """An archive whose handler is `code`."""
    model = {"modelName": MODEL_NAME, "modelVersion": "7", "handler": ENTRY, "configFile": CONFIG}
    files = {MANIFEST: json.dumps({"model": model}).encode(), CONFIG: b"{}\n", ENTRY: code.encode()}
    write_archive(path, files)
    return path


def test_the_projects_archive_answers(archive: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["verify", str(archive)]) == 0
    printed = capsys.readouterr().out
    assert "files are as listed, model version" in printed
    assert "it loads, and answers 18 entities of the sample photo" in printed


def test_a_signed_archive(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    archive, key = small(tmp_path / "small.mar", ANSWERS), tmp_path / "own.key"
    (tmp_path / "password").write_text("a password\n")
    password = ["--password-file", str(tmp_path / "password")]
    assert main(["keypair", str(key), *password]) == 0
    assert main(["verify", str(archive), "--public-key", f"{key}.pub"]) == 1
    assert "is not signed" in capsys.readouterr().err
    assert main(["sign", str(archive), "--secret-key", str(key), *password]) == 0
    assert main(["verify", str(archive), "--public-key", f"{key}.pub"]) == 0
    assert "answers 1 entities of the sample photo as version 7" in capsys.readouterr().out
    archive.write_bytes(archive.read_bytes().replace(b"item_weight", b"item_height"))
    assert main(["verify", str(archive), "--public-key", f"{key}.pub"]) == 1
    assert "signature verification failed" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("code", "reason"),
    [
        ("import no_such_package\n", "does not answer: ModuleNotFoundError: .*no_such_package"),
        (FAILS, "answers the sample photo with .*500.*no photo of mine"),
        (ANSWERS.replace('"version": "7", ', ""), 'answers the sample photo with .*"predictions"'),
        ("import os; os._exit(0)\n", "ends without an answer"),
        ("import os; os._exit(3)\n", "does not answer: it ended with 3"),
    ],
)
def test_an_archive_that_does_not_answer(tmp_path: Path, code: str, reason: str) -> None:
    (tmp_path / "work").mkdir()
    with pytest.raises(FailedTrial, match=reason):
        try_archive(small(tmp_path / "small.mar", code), tmp_path / "work")


def test_an_archive_that_does_not_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("resformer.scripts.torchserve.archive_trial.TRIAL_SECONDS", 0.5)
    (tmp_path / "work").mkdir()
    with pytest.raises(FailedTrial, match="no end after"):
        try_archive(small(tmp_path / "small.mar", "import time; time.sleep(60)\n"), tmp_path / "work")


def test_the_archives_code_gets_no_keys(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RESFORMER_TOKEN", "a key")
    (tmp_path / "work").mkdir()
    code = "import os\nif 'RESFORMER_TOKEN' in os.environ:\n    raise SystemExit('it has the key')\n" + ANSWERS
    assert try_archive(small(tmp_path / "small.mar", code), tmp_path / "work").entities == 1
    assert os.environ["RESFORMER_TOKEN"] == "a key"


def test_no_code_runs_without_need(tmp_path: Path) -> None:
    archive = small(tmp_path / "small.mar", f"open({str(tmp_path / 'ran')!r}, 'w')\n")
    assert main(["verify", str(archive), "--no-run"]) == 0
    assert not (tmp_path / "ran").exists()


def test_nothing_is_served_that_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    archive, key = small(tmp_path / "small.mar", ANSWERS), tmp_path / "own.key"
    assert main(["keypair", str(key), "--no-password"]) == 0
    serve = ["serve", "--port", "18080", "--root", str(tmp_path), "--archive", str(archive)]
    assert main([*serve, "--public-key", f"{key}.pub"]) == 1
    assert "small.mar is not signed" in capsys.readouterr().err
    archive.write_bytes(archive.read_bytes()[:-1])
    assert main(serve) == 1
    assert "small.mar is refused" in capsys.readouterr().err
    assert not (tmp_path / "build").exists()


@pytest.mark.parametrize("missing", ["archive", "key"])
def test_files_that_are_not_there(tmp_path: Path, missing: str, capsys: pytest.CaptureFixture[str]) -> None:
    archive = small(tmp_path / "small.mar", ANSWERS)
    if missing == "archive":
        archive.unlink()
    assert main(["verify", str(archive), "--public-key", str(tmp_path / "none.pub")]) == (
        1 if missing == "archive" else 2
    )
    assert ("no archive at" if missing == "archive" else "none.pub: no such file") in capsys.readouterr().err
