"""Signatures of archives, in the format of minisign: FILE.minisig beside FILE.

Whoever holds the secret key signs; a server that knows the public key serves nothing else. The program `minisign` makes
and checks the same files.
"""

import os
import time
from pathlib import Path

import minisign

from resformer.model.files.whole_file import file_digest, written_whole
from resformer.scripts.torchserve.archive_check import RefusedArchive

__all__ = ["check_signature", "make_key_pair", "needs_password", "sign_archive", "signature_of"]

MAX_SIGNATURE_BYTES = 16 * 1024


def signature_of(archive: Path) -> Path:
    """Where the signature of an archive lies."""
    return archive.with_name(archive.name + ".minisig")


def check_signature(archive: Path, public_key: Path) -> str:
    """Checks that the holder of a key signed an archive.

    Args:
        archive: The file; its signature lies beside it.
        public_key: A file of minisign's.

    Returns:
        The signed comment, such as when and what was signed.

    Raises:
        RefusedArchive: There is no signature, or it is not one of this key about this file.
        ValueError: The file holds no public key.
        OSError: A file cannot be read.
    """
    try:
        key = minisign.PublicKey.from_file(public_key)
    except minisign.Error as error:
        raise ValueError(f"{public_key} holds no public key of minisign's: {error}") from error
    path = signature_of(archive)
    if not path.is_file():
        raise RefusedArchive(
            f"{archive} is not signed: there is no {path}; sign it: `resformer sign {archive} --secret-key FILE`"
        )
    try:
        with open(path, "rb") as file:
            signature = minisign.Signature.from_bytes(file.read(MAX_SIGNATURE_BYTES))
        if not signature.is_prehashed():  # the old form, for which the whole file would have to be in memory
            raise minisign.VerifyError("it is of minisign's old form, sign again with 0.10 or later")
        key.verify_file(archive, signature)
    except minisign.Error as error:
        raise RefusedArchive(f"{archive} is refused: {path} is no signature of it by {public_key}: {error}") from error
    return signature.trusted_comment


def needs_password(secret_key: Path) -> bool:
    """Whether a secret key is encrypted.

    Raises:
        ValueError: The file holds no secret key.
        OSError: It cannot be read.
    """
    with _read_secret_key(secret_key) as key:
        return key.is_encrypted()


def sign_archive(archive: Path, secret_key: Path, password: str = "") -> Path:
    """Signs an archive and returns the file of the signature.

    Raises:
        ValueError: The file holds no secret key, or the password is wrong.
        OSError: A file cannot be read or written.
    """
    comment = f"timestamp:{int(time.time())}\tfile:{archive.name}\tsha256:{file_digest(archive)}"
    with _read_secret_key(secret_key) as key:
        try:
            key.decrypt(password)
            with open(archive, "rb") as file:
                signature = key.sign(file, trusted_comment=comment)
        except minisign.Error as error:
            raise ValueError(f"cannot sign with {secret_key}: {error}") from error
    with written_whole(signature_of(archive), "wb") as out:
        out.write(bytes(signature) + b"\n")
    return signature_of(archive)


def make_key_pair(secret_key: Path, password: str = "") -> Path:
    """Writes a new secret key, for its owner's eyes alone, and the public key beside it as FILE.pub.

    Args:
        secret_key: The file to write; it must not be there yet.
        password: Encrypts the secret key; "" leaves it open.

    Returns:
        The file of the public key.

    Raises:
        OSError: A file is there already, or cannot be written.
    """
    public_key = secret_key.with_name(secret_key.name + ".pub")
    pair = minisign.KeyPair.generate()
    with pair.secret_key as key:
        if password:
            key.encrypt(password)
        for path, data, mode in ((secret_key, bytes(key), 0o600), (public_key, bytes(pair.public_key), 0o644)):
            with open(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, mode), "wb") as file:
                file.write(data + b"\n")
    return public_key


def _read_secret_key(path: Path) -> minisign.SecretKey:
    try:
        return minisign.SecretKey.from_file(path)
    except minisign.Error as error:
        raise ValueError(f"{path} holds no secret key of minisign's: {error}") from error
