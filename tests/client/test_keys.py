"""Where the key comes from."""

from pathlib import Path

import pytest

from resformer.client.keys import find_key


@pytest.fixture
def key_file(tmp_path: Path) -> Path:
    return write_key(tmp_path / "inference", "of-the-file")


def write_key(path: Path, value: str) -> Path:
    path.write_text(f"{value}\nthe one before\n")
    return path


def test_what_is_given_wins(key_file: Path) -> None:
    environment = {"RESFORMER_KEY": "of the environment"}
    assert find_key("given", None, environment).value == "given"
    assert find_key("", None, environment).value == ""
    assert find_key(None, key_file, environment).value == "of-the-file"
    assert find_key(None, str(key_file), environment).value == "of-the-file"


def test_the_environment_is_asked_in_order(key_file: Path) -> None:
    environment = {"RESFORMER_TOKEN": "token"}
    assert find_key(None, None, environment).value == "token"
    environment["RESFORMER_KEY_FILE"] = str(key_file)
    assert find_key(None, None, environment).value == "of-the-file"
    environment["RESFORMER_KEY"] = " key\n"
    assert find_key(None, None, environment).value == "key"
    assert find_key(None, None, {}).value == ""


def test_the_environment_of_the_process(monkeypatch: pytest.MonkeyPatch) -> None:
    assert find_key(None, None).value == ""
    monkeypatch.setenv("RESFORMER_KEY", "of the process")
    assert find_key(None, None).value == "of the process"


def test_both_are_refused(key_file: Path) -> None:
    with pytest.raises(ValueError, match="key and key_file exclude each other"):
        find_key("given", key_file)


@pytest.mark.parametrize("text", ["", "\nkey", "two words", "{}", '{"inference": {"key": "x"}}', "schlüssel"])
def test_a_file_that_is_no_key_file(tmp_path: Path, text: str) -> None:
    file = tmp_path / "keys"
    file.write_text(text)
    with pytest.raises(ValueError, match=r"keys is no key file: its first line is the key"):
        find_key(None, file)


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"cannot read the key file .*inference: No such file.* when it starts"):
        find_key(None, tmp_path / "inference")


@pytest.mark.parametrize("value", ["schlüssel", "two\nlines"])
def test_a_key_that_no_header_holds_is_refused_unseen(value: str) -> None:
    with pytest.raises(ValueError, match="characters that no key has") as refused:
        find_key(value, None)
    assert value not in str(refused.value)


def test_a_key_is_renewed_where_its_file_changed(key_file: Path) -> None:
    key = find_key(None, key_file)
    assert not key.renew()
    write_key(key_file, "new")
    assert key.renew() and key.value == "new"
    key_file.unlink()  # the server has stopped
    assert not key.renew() and key.value == "new"
    assert not find_key("given", None).renew()
