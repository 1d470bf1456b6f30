"""Signatures: ours and those of the program minisign are the same; any other file, key or signature is refused."""

import shutil
import subprocess
from pathlib import Path

import minisign
import pytest

from resformer.scripts.torchserve.archive_check import RefusedArchive
from resformer.scripts.torchserve.archive_signature import (
    check_signature,
    make_key_pair,
    needs_password,
    sign_archive,
    signature_of,
)

# Made by minisign 0.11: `minisign -G -W`, `minisign -S`.
PUBLIC_KEY = """\
untrusted comment: minisign public key 598152E9C2A373E5
RWTlc6PC6VKBWa7dKzSSPR9ovCwnPNM5AeISn8jczNSmdz2rcg+uKpGc
"""
SIGNATURE = """\
untrusted comment: signature from minisign secret key
RUTlc6PC6VKBWVGFcf+Zz6+hiYcgyD194Ee5C+SpPgh9dc7uvWPigG6Ks9NRkkrK4/SPTTYG8NQIWj/YhiZweb5C3FNVXsGXnwQ=
trusted comment: timestamp:1795918867	file:some.mar	hashed
ToZb7Y5VnnRykRzZ3O0XtbXp8c7VdLRwjs1ihiGk0PzFEUhY8F5Lvi2sS/pEdZaQA4HXk7bO62OZ+dh/A61QAQ==
"""


@pytest.fixture
def archive_file(tmp_path: Path) -> Path:
    """Any bytes: a signature is about those."""
    (tmp_path / "some.mar").write_bytes(b"an archive\n")
    return tmp_path / "some.mar"


@pytest.fixture
def keys(tmp_path: Path) -> tuple[Path, Path]:
    secret = tmp_path / "own.key"
    return secret, make_key_pair(secret)


def test_a_signed_archive_is_let_through(archive_file: Path, keys: tuple[Path, Path]) -> None:
    secret, public = keys
    assert sign_archive(archive_file, secret) == signature_of(archive_file)
    comment = check_signature(archive_file, public)
    assert "file:some.mar" in comment and "sha256:" in comment
    assert oct(secret.stat().st_mode & 0o777) == "0o600"


def test_a_signature_of_the_program_is_let_through(archive_file: Path, tmp_path: Path) -> None:
    (tmp_path / "program.pub").write_text(PUBLIC_KEY)
    signature_of(archive_file).write_text(SIGNATURE)
    assert "file:some.mar" in check_signature(archive_file, tmp_path / "program.pub")


def test_the_program_lets_ours_through(archive_file: Path, keys: tuple[Path, Path]) -> None:
    if shutil.which("minisign") is None:
        pytest.skip("the program minisign is not installed: apt-get install minisign")
    sign_archive(archive_file, keys[0])
    done = subprocess.run(["minisign", "-V", "-m", archive_file, "-p", keys[1]], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_a_password(archive_file: Path, tmp_path: Path) -> None:
    secret = tmp_path / "locked.key"
    public = make_key_pair(secret, "a password")
    assert needs_password(secret)
    with pytest.raises(ValueError, match=r"cannot sign with .*locked\.key: wrong password"):
        sign_archive(archive_file, secret, "another")
    assert not signature_of(archive_file).exists()
    sign_archive(archive_file, secret, "a password")
    check_signature(archive_file, public)


def test_a_key_is_never_overwritten(keys: tuple[Path, Path]) -> None:
    before = keys[0].read_bytes()
    with pytest.raises(FileExistsError):
        make_key_pair(keys[0])
    assert keys[0].read_bytes() == before


def test_no_signature(archive_file: Path, keys: tuple[Path, Path]) -> None:
    with pytest.raises(RefusedArchive, match=r"some\.mar is not signed: .*`resformer sign .*some\.mar --secret-key"):
        check_signature(archive_file, keys[1])


def test_a_changed_archive(archive_file: Path, keys: tuple[Path, Path]) -> None:
    sign_archive(archive_file, keys[0])
    archive_file.write_bytes(b"an archive \n")
    with pytest.raises(RefusedArchive, match="signature verification failed"):
        check_signature(archive_file, keys[1])


def test_another_key(archive_file: Path, keys: tuple[Path, Path], tmp_path: Path) -> None:
    make_key_pair(tmp_path / "other.key")
    sign_archive(archive_file, tmp_path / "other.key")
    with pytest.raises(RefusedArchive, match="incompatible key identifiers"):
        check_signature(archive_file, keys[1])


def test_a_changed_comment(archive_file: Path, keys: tuple[Path, Path]) -> None:
    path = sign_archive(archive_file, keys[0])
    path.write_text(path.read_text().replace("file:some.mar", "file:evil.mar"))
    with pytest.raises(RefusedArchive, match="signature verification failed"):
        check_signature(archive_file, keys[1])


@pytest.mark.parametrize("text", ["", "no signature", "a\nb\nc\nd\n", "x" * 100_000])
def test_what_is_no_signature(archive_file: Path, keys: tuple[Path, Path], text: str) -> None:
    signature_of(archive_file).write_text(text)
    with pytest.raises(RefusedArchive, match="is no signature of it"):
        check_signature(archive_file, keys[1])


def test_the_old_form_is_refused(archive_file: Path, keys: tuple[Path, Path]) -> None:
    with minisign.SecretKey.from_file(keys[0]) as key:
        signature_of(archive_file).write_bytes(bytes(key.sign(archive_file.read_bytes(), prehash=False)))
    with pytest.raises(RefusedArchive, match="old form, sign again"):
        check_signature(archive_file, keys[1])


def test_what_is_no_key(archive_file: Path, keys: tuple[Path, Path]) -> None:
    with pytest.raises(ValueError, match="holds no public key"):
        check_signature(archive_file, archive_file)
    with pytest.raises(ValueError, match="holds no secret key"):
        sign_archive(archive_file, keys[1])
