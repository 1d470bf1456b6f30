"""Every kind of tampered archive is refused before anything of it is unpacked."""

import json
import struct
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from resformer.scripts.torchserve.archive_check import MODEL_NAME, RefusedArchive, check_archive
from resformer.scripts.torchserve.archive_form import CONFIG, ENTRY, MANIFEST, SUMS, read_sums, write_archive

MODEL = {"modelName": MODEL_NAME, "modelVersion": "1.0", "handler": ENTRY, "configFile": CONFIG}
Change = Callable[[bytes], bytes]
EMPTY: Mapping[str, bytes] = {}


def files(**model: str) -> dict[str, bytes]:
    return {
        MANIFEST: json.dumps({"model": {**MODEL, **model}}).encode(),
        CONFIG: b"handler: {}\n",
        ENTRY: b"def handle(data, context): pass\n",
        "resformer/weights.safetensors": bytes(300),
    }


@pytest.fixture
def made(tmp_path: Path) -> Path:
    write_archive(tmp_path / "made.mar", files())
    return tmp_path / "made.mar"


def rewritten(
    source: Path, change: Callable[[zipfile.ZipInfo, bytes], None] | None = None, more: Mapping[str, bytes] = EMPTY
) -> Path:
    """A copy of an archive with other entries; `change` may alter an entry, `more` are files that are added."""
    target = source.with_name("other.mar")
    with zipfile.ZipFile(source) as old, zipfile.ZipFile(target, "w") as new:
        for entry in old.infolist():
            data = old.read(entry)
            if change:
                change(entry, data)
            new.writestr(entry, data)
        for name, data in more.items():
            added = zipfile.ZipInfo(name)
            added.external_attr = 0o100644 << 16
            new.writestr(added, data)
    return target


def test_what_was_built_is_let_through(made: Path) -> None:
    checked = check_archive(made)
    assert checked.version == "1.0"
    assert checked.sums.keys() == files().keys()
    with zipfile.ZipFile(made) as file:
        assert read_sums(file.read(SUMS).decode()) == checked.sums


def test_the_projects_own_archive_is_let_through(archive: Path) -> None:
    assert "resformer/model/weights/small.safetensors" in check_archive(archive).sums


@pytest.mark.parametrize(
    "name",
    ["/etc/cron.py", "../up.py", "a/../../up.py", "a//b.py", "./a.py", "a\\..\\up.py", "C:a.py", "a\nb.py", "a/"],
)
def test_names_that_lead_elsewhere(made: Path, name: str) -> None:
    with pytest.raises(RefusedArchive, match="could lead out of its folder"):
        check_archive(rewritten(made, more={name: b""}))


@pytest.mark.parametrize("name", ["weights.pt", "weights.pkl", "x.so", "run.sh", "requirements", "a.jar"])
def test_kinds_of_files_that_are_not_ours(made: Path, name: str) -> None:
    with pytest.raises(RefusedArchive, match=f"{name} is of no kind that an archive holds"):
        check_archive(rewritten(made, more={name: b""}))


@pytest.mark.parametrize("mode", [0o120777, 0o100755, 0o040755, 0o020644])
def test_links_and_special_files(made: Path, mode: int) -> None:
    def change(entry: zipfile.ZipInfo, _: bytes) -> None:
        if entry.filename == CONFIG:
            entry.external_attr = mode << 16

    with pytest.raises(RefusedArchive, match=f"{CONFIG} is a link or another special file"):
        check_archive(rewritten(made, change))


@pytest.mark.parametrize("method", [zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_bombs(made: Path, method: int) -> None:
    def change(entry: zipfile.ZipInfo, _: bytes) -> None:
        entry.compress_type = method

    with pytest.raises(RefusedArchive, match="is compressed"):
        check_archive(rewritten(made, change))


def test_a_name_twice(made: Path) -> None:
    with pytest.warns(UserWarning, match="Duplicate name"):
        twice = rewritten(made, more={ENTRY: b"import os\n"})
    with pytest.raises(RefusedArchive, match=f"{ENTRY} is in it twice"):
        check_archive(twice)


def test_a_file_that_is_also_a_folder(made: Path) -> None:
    with pytest.raises(RefusedArchive, match=f"{CONFIG} is both a file and a folder"):
        check_archive(rewritten(made, more={f"{CONFIG}/a.py": b""}))


def test_fields_that_programs_read_differently(made: Path) -> None:
    def with_extra(entry: zipfile.ZipInfo, _: bytes) -> None:
        entry.extra = struct.pack("<2H4s", 0x7075, 4, b"name")

    with pytest.raises(RefusedArchive, match="fields that other programs may read otherwise"):
        check_archive(rewritten(made, with_extra))


def test_a_file_that_the_list_lacks(made: Path) -> None:
    with pytest.raises(RefusedArchive, match=rf"added\.py is not in {SUMS}"):
        check_archive(rewritten(made, more={"added.py": b"import os\n"}))


def test_a_changed_file_whose_zip_is_right(made: Path) -> None:
    target = made.with_name("changed.mar")
    with zipfile.ZipFile(made) as old, zipfile.ZipFile(target, "w") as new:
        for entry in old.infolist():
            new.writestr(entry, b"import os\n" if entry.filename == ENTRY else old.read(entry))
    with pytest.raises(RefusedArchive, match=f"{ENTRY} is not the file that {SUMS} lists"):
        check_archive(target)


@pytest.mark.parametrize("left_out", [MANIFEST, CONFIG, ENTRY, SUMS, "resformer/weights.safetensors"])
def test_a_missing_file(made: Path, left_out: str) -> None:
    target = made.with_name("missing.mar")
    with zipfile.ZipFile(made) as old, zipfile.ZipFile(target, "w") as new:
        for entry in old.infolist():
            if entry.filename != left_out:
                new.writestr(entry, old.read(entry))
    with pytest.raises(RefusedArchive, match=rf"{left_out}.* is missing"):
        check_archive(target)


@pytest.mark.parametrize(
    ("key", "value"),
    [("handler", "other.py"), ("modelName", "x"), ("requirementsFile", "r.txt"), ("serializedFile", "weights.pt")],
)
def test_a_manifest_that_asks_for_more(tmp_path: Path, key: str, value: str) -> None:
    write_archive(tmp_path / "other.mar", files(**{key: value}))
    with pytest.raises(RefusedArchive, match=f"{MANIFEST} has another {key}"):
        check_archive(tmp_path / "other.mar")


@pytest.mark.parametrize("text", [b"[]", b'{"model": 3}', b"[" * 100_000, b"\xff"])
def test_a_manifest_that_is_none(made: Path, text: bytes) -> None:
    target = made.with_name("none.mar")
    with zipfile.ZipFile(made) as old, zipfile.ZipFile(target, "w") as new:
        for entry in old.infolist():
            new.writestr(entry, text if entry.filename == MANIFEST else old.read(entry))
    with pytest.raises(RefusedArchive, match=r"none\.mar is refused"):
        check_archive(target)


def _in_local_header(data: bytes) -> bytes:
    """Another name before the file than in the directory: what a program finds that reads from the front."""
    header = next(
        i for i in range(len(data)) if data.startswith(b"PK\3\4", i) and data.startswith(ENTRY.encode(), i + 30)
    )
    return data[: header + 30] + ENTRY.upper().encode() + data[header + 30 + len(ENTRY) :]


def _with_gap(data: bytes) -> bytes:
    """Bytes between the files and the directory, with the end saying so."""
    start = struct.unpack("<L", data[-6:-2])[0]
    return data[:start] + b"gap" + data[start:-6] + struct.pack("<L", start + 3) + data[-2:]


def _counted(data: bytes) -> bytes:
    return data[:-14] + struct.pack("<2H", 60_000, 60_000) + data[-10:]


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda data: b"", "it is no zip"),
        (lambda data: b"#!/bin/sh\n" + data, "does not end where the file does"),
        (lambda data: data + b"more", "something follows the zip"),
        (lambda data: data[:-1], "it is no zip"),
        (lambda data: data[: len(data) // 2], "it is no zip"),
        (lambda data: data[:-2] + b"\4\0more", "something follows the zip"),
        (_counted, "60000 files"),
        (_with_gap, "between its files and its directory"),
        (_in_local_header, "says something else than the directory"),
        (lambda data: data.replace(bytes(300), bytes(299) + b"\1"), "Bad CRC-32"),
    ],
)
def test_bytes_that_are_changed(made: Path, change: Change, reason: str) -> None:
    made.write_bytes(change(made.read_bytes()))
    with pytest.raises(RefusedArchive, match=rf"made\.mar is refused: .*{reason}.*`resformer archive` built"):
        check_archive(made)


def test_every_byte_counts(made: Path) -> None:
    data = made.read_bytes()
    let_through = []
    for position in range(0, len(data), 11):
        made.write_bytes(data[:position] + bytes([data[position] ^ 1]) + data[position + 1 :])
        try:
            check_archive(made)
        except RefusedArchive:
            continue
        let_through.append(position)
    assert let_through == []


def test_no_archive_says_how_to_build_it(tmp_path: Path) -> None:
    with pytest.raises(RefusedArchive, match=r"no archive at .*none\.mar; build it: `resformer archive --out"):
        check_archive(tmp_path / "none.mar")


def test_a_list_of_hashes_is_read_strictly() -> None:
    for text in (
        "abc  name",
        "0" * 64 + " name",
        "G" * 64 + "  name",
        f"{'0' * 64}  a\n{'1' * 64}  a",
        "0" * 64 + "  ",
    ):
        with pytest.raises(ValueError, match="has the line"):
            read_sums(text)
