"""The folder of keys."""

import os
from pathlib import Path

import pytest

from resformer.scripts.cli.main import main
from resformer.scripts.torchserve.access_keys import KINDS, Keys
from resformer.scripts.torchserve.server_error import ServerError


@pytest.fixture
def keys(tmp_path: Path) -> Keys:
    found = Keys(tmp_path / "keys")
    found.create_missing()
    return found


def test_missing_keys_are_made_and_others_kept(keys: Keys) -> None:
    made = {kind: keys.read(kind) for kind in KINDS}
    assert all(len(values) == 1 and len(values[0]) == 64 for values in made.values())
    assert len({values[0] for values in made.values()}) == len(KINDS)
    keys.file("metrics").unlink()
    keys.create_missing()
    assert keys.read("inference") == made["inference"] and keys.read("metrics") != made["metrics"]
    assert [os.stat(path).st_mode & 0o777 for path in (keys.folder, *keys.folder.iterdir())] == [0o700, *3 * [0o600]]


def test_a_rotation_keeps_one_older_key_until_it_is_retired(keys: Keys) -> None:
    first = keys.newest("inference")
    keys.rotate("inference")
    second = keys.newest("inference")
    assert keys.read("inference") == [second, first] and first != second
    keys.rotate("inference")
    assert keys.read("inference")[1:] == [second]
    keys.retire("inference")
    assert len(keys.read("inference")) == 1
    assert os.stat(keys.file("inference")).st_mode & 0o777 == 0o600


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "has 0 keys"),
        (17 * "0123456789abcdef\n", "has 17 keys"),
        ("0123456789abcdef\nshort\n", "line 2 of the key file .* is no key"),
        ('0123456789abcdef";}\n', "line 1 of"),
        ("0123456789 abcdef\n", "line 1 of"),
        ("schlüsselschlüssel\n", "line 1 of"),
    ],
)
def test_files_that_are_none_are_refused_without_being_shown(keys: Keys, text: str, message: str) -> None:
    keys.file("inference").write_text(text)
    with pytest.raises(ServerError, match=message) as refused:
        keys.read("inference")
    assert "0123456789" not in str(refused.value)


def test_a_mounted_secret_is_not_written(keys: Keys, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> int:
        raise OSError(30, "Read-only file system")

    monkeypatch.setattr(os, "open", refuse)
    with pytest.raises(ServerError, match=r"Read-only file system.* change the secret"):
        keys.rotate("inference")


def test_the_command(keys: Keys, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    def run(*arguments: str) -> str:
        assert main(["keys", *arguments, "--keys", str(keys.folder)]) == 0
        return capsys.readouterr().out.strip()

    first = run("show")
    assert first == keys.newest("inference")
    assert run("show", "--kind", "management") == keys.newest("management")
    assert run("rotate") == "" and run("show") != first
    assert keys.read("inference")[1] == first
    run("retire")
    assert first not in keys.read("inference")
    assert main(["keys", "show", "--keys", str(tmp_path / "none")]) == 1
    assert "there is no key file" in capsys.readouterr().err
