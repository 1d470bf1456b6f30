"""`resformer verify | sign | keypair`: whether an archive may be served, and who says so."""

from pathlib import Path
from typing import Annotated

import typer

from resformer.scripts.cli.invoke import DONE
from resformer.scripts.cli.options import PublicKey

__all__ = ["keypair", "sign", "verify"]

ArchiveFile = Annotated[Path, typer.Argument(metavar="ARCHIVE", help="A file that `resformer archive` built.")]
PasswordFile = Annotated[
    Path | None,
    typer.Option("--password-file", metavar="FILE", help="The secret key's password. [default: asked for]"),
]


def verify(
    archive: ArchiveFile,
    public_key: PublicKey = None,
    runs: Annotated[
        bool, typer.Option("--run/--no-run", help="Load the archive and ask it about a photo, which runs its code.")
    ] = True,
) -> int:
    """Verify an archive before it is served.

    Looks, before anything is unpacked or run, at the signature (with `--public-key`), the form of the zip, the names in
    it, the manifest and the SHA-256 of every file. Then a process of its own, without this one's variables, loads the
    archive and answers the sample photo.

    Exit codes: 0 it can be served, 1 it is refused or does not answer, 2 a file cannot be used.

    Examples:

        resformer verify model_store/resformer.mar --no-run

        resformer verify model_store/resformer.mar --public-key resformer.key.pub
    """
    from resformer.scripts.verify_archive import verify_archive

    verify_archive(archive, public_key, runs=runs)
    return DONE


def sign(
    archive: ArchiveFile,
    secret_key: Annotated[Path, typer.Option("--secret-key", metavar="FILE", help="A secret key of minisign's.")],
    password_file: PasswordFile = None,
) -> int:
    """Sign an archive, as `minisign -S` does; the signature is written to ARCHIVE.minisig.

    Exit codes: 0 done, 1 the archive is not as `resformer archive` writes it, 2 a file or the password cannot be used.

    Examples:

        resformer sign model_store/resformer.mar --secret-key resformer.key
    """
    from resformer.scripts.torchserve.archive_check import check_archive
    from resformer.scripts.torchserve.archive_signature import needs_password, sign_archive

    check_archive(archive)
    password = _password(password_file) if needs_password(secret_key) else ""
    print(sign_archive(archive, secret_key, password))
    return DONE


def keypair(
    secret_key: Annotated[Path, typer.Argument(metavar="FILE", help="The secret key to make; FILE.pub is the other.")],
    password_file: PasswordFile = None,
    encrypted: Annotated[
        bool, typer.Option("--password/--no-password", help="Encrypt the secret key with a password.")
    ] = True,
) -> int:
    """Make a pair of keys to sign archives with, as `minisign -G` does.

    Keep the secret key off the machines that serve; they need FILE.pub alone.

    Exit codes: 0 done, 2 a file is there already or cannot be written.

    Examples:

        resformer keypair resformer.key
    """
    from resformer.scripts.torchserve.archive_signature import make_key_pair

    password = _password(password_file, confirmed=True) if encrypted else ""
    print(f"{secret_key}\n{make_key_pair(secret_key, password)}")
    return DONE


def _password(file: Path | None, *, confirmed: bool = False) -> str:
    if file is None:
        return str(typer.prompt("Password of the secret key", hide_input=True, confirmation_prompt=confirmed, err=True))
    password = file.read_text(encoding="utf-8").rstrip("\r\n")
    if not password:
        raise ValueError(f"{file} is empty; write the password into it")
    return password
