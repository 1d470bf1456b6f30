"""Verifies an archive before it is served: the logic behind `resformer verify`, and what `resformer serve` asks for."""

import tempfile
from pathlib import Path

from resformer.scripts.torchserve.archive_check import CheckedArchive, check_archive
from resformer.scripts.torchserve.archive_trial import try_archive

__all__ = ["admit_archive", "verify_archive"]


def admit_archive(archive: Path, public_key: Path | None = None) -> CheckedArchive:
    """Checks form, manifest and hashes of an archive, and its signature where there is a key; runs none of its code.

    Args:
        archive: The file.
        public_key: Of whom must have signed it; None admits an archive without a signature.

    Raises:
        RefusedArchive: It is not as `resformer archive` writes it, or not signed with the key.
        ValueError: The file of the key holds none.
        OSError: A file cannot be read.
    """
    if public_key and archive.is_file():
        from resformer.scripts.torchserve.archive_signature import check_signature

        # First, so that nothing of an archive of somebody else is looked at.
        check_signature(archive, public_key)
    return check_archive(archive)


def verify_archive(archive: Path, public_key: Path | None = None, *, runs: bool = True) -> None:
    """Admits an archive, loads it in a process of its own, asks it about a photo, and prints what was found.

    Raises:
        FailedTrial: It does not load or does not answer.
        RefusedArchive, ValueError, OSError: As admit_archive.
    """
    checked = admit_archive(archive, public_key)
    print(f"{archive}: sha256 {checked.sha256}")
    print(f"manifest and {len(checked.sums)} files are as listed, model version {checked.version}")
    print(f"signed by the key of {public_key}" if public_key else "no key was given: who made it is not checked")
    if not runs:
        return
    with tempfile.TemporaryDirectory(prefix="resformer-verify-") as name:
        trial = try_archive(archive, Path(name))
    print(f"it loads, and answers {trial.entities} entities of the sample photo as version {trial.version}")
