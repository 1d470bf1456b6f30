"""The form of an archive: a zip whose bytes follow from its files, with a list of their SHA-256 among them.

Needs nothing but Python itself, as what starts the server.
"""

import hashlib
import json
import zipfile
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

__all__ = ["CONFIG", "ENTRY", "MANIFEST", "SUMS", "read_sums", "write_archive"]

# Names at the root of an archive, beside the package.
ENTRY = "resformer_service.py"
CONFIG = "model-config.yaml"
MANIFEST = "MAR-INF/MANIFEST.json"
# As `sha256sum --check` reads it, in the folder of an unpacked archive.
SUMS = "MAR-INF/SHA256SUMS"
# 1980 is the earliest year that a zip can hold.
CONSTANT_TIME = datetime(1980, 1, 1, tzinfo=UTC)


def write_archive(target: Path, files: Mapping[str, bytes], moment: datetime = CONSTANT_TIME) -> None:
    """Writes files as an archive, without anything that depends on the day, the machine or the order of a folder.

    Nothing is compressed: weights do not shrink, and another zlib would give other bytes. An archive of this form says
    the same to a program that reads its directory and to one that reads from the front, as TorchServe does.

    Args:
        target: The file to write.
        files: Contents by name; a list of their SHA-256 is added, and the manifest gets the date.
        moment: The date of all files, in UTC.
    """
    manifest = json.loads(files[MANIFEST])
    manifest["createdOn"] = moment.strftime("%d/%m/%Y %H:%M:%S")
    contents = {**files, MANIFEST: json.dumps(manifest, indent=2, sort_keys=True).encode()}
    contents.pop(SUMS, None)
    lines = [f"{hashlib.sha256(contents[name]).hexdigest()}  {name}\n" for name in sorted(contents)]
    contents[SUMS] = "".join(lines).encode()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_STORED, allowZip64=False) as archive:
        for name in sorted(contents):
            entry = zipfile.ZipInfo(name, moment.timetuple()[:6])
            entry.create_system = 3  # Unix, on which the mode below has a meaning.
            entry.external_attr = 0o100644 << 16
            archive.writestr(entry, contents[name])


def read_sums(text: str) -> dict[str, str]:
    """The SHA-256 of each file, by its name.

    Raises:
        ValueError: A line is none of `sha256sum`, or a name is there twice.
    """
    sums: dict[str, str] = {}
    for line in text.splitlines():
        digest, separator, name = line.partition("  ")
        if not separator or not name or name in sums or len(digest) != 64 or set(digest) - set("0123456789abcdef"):
            raise ValueError(f"{SUMS} has the line {line[:100]!r}")
        sums[name] = digest
    return sums
