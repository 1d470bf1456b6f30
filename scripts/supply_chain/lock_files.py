"""The files in `locks/`: every package that is installed, at one version, with the SHA-256 of its wheels.

One resolution of all requirements is divided among the files, so that the tests run on what is served. A lock holds
what its requirements need beyond the locks that are installed before it.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

__all__ = ["FOLDER", "LOCKS", "Lock", "LockedPackage", "read_lock", "read_requirements"]

FOLDER = "locks"
HASH_OPTION = "--hash=sha256:"


@dataclass(frozen=True)
class Lock:
    """One lock.

    Attributes:
        sources: The requirements files whose packages it holds.
        below: Names of the locks that are installed before it.
        dependencies: Whether it holds what its packages depend on.
    """

    sources: tuple[str, ...]
    below: tuple[str, ...] = ()
    dependencies: bool = True


LOCKS: Mapping[str, Lock] = {
    "serve": Lock(("requirements.txt", "requirements-serve.txt")),
    "demo": Lock(("requirements-demo.txt",), ("serve",)),
    "gradio": Lock(("requirements-gradio.txt",), ("serve", "demo"), dependencies=False),
    "docs": Lock(("requirements-docs.txt",), ("serve",)),
    "test": Lock(
        (
            "requirements-client.txt",
            "requirements-s3.txt",
            "requirements-train.txt",
            "requirements-supply-chain.txt",
            "requirements-test.txt",
        ),
        ("serve", "demo", "docs"),
    ),
    "ray": Lock(("requirements-ray.txt",), ("serve", "demo", "docs", "test")),
    "fuzz": Lock(("requirements-fuzz.txt",), ("serve", "demo", "docs", "test")),
}


@dataclass(frozen=True)
class LockedPackage:
    """A package of a lock. `hashes` are hexadecimal SHA-256 of its files."""

    name: str
    version: str
    hashes: tuple[str, ...]


def read_requirements(path: Path) -> dict[str, str]:
    """The version of each package in a requirements file, by its normalized name.

    Raises:
        ValueError: A line does not pin one version.
    """
    pins = {}
    for line in path.read_text(encoding="utf-8").splitlines():
        if text := line.partition("#")[0].strip():
            name, version = _pin(text, path)
            pins[name] = version
    return pins


def read_lock(path: Path) -> dict[str, LockedPackage]:
    """The packages of a lock by their normalized names.

    Raises:
        ValueError: A package has no version or no hash, or is there twice.
    """
    packages: dict[str, LockedPackage] = {}
    lines = path.read_text(encoding="utf-8").replace("\\\n", " ").splitlines()
    for line in lines:
        if not line.strip() or line.startswith(("#", "--")):
            continue
        words = line.split()
        hashes = [word for word in words if word.startswith("--hash")]
        if not hashes or not all(word.startswith(HASH_OPTION) for word in hashes):
            raise ValueError(f"{path}: {words[0]} has no SHA-256; make the locks again: make lock")
        name, version = _pin(" ".join(word for word in words if word not in hashes), path)
        if name in packages:
            raise ValueError(f"{path}: {name} is there twice; make the locks again: make lock")
        packages[name] = LockedPackage(name, version, tuple(word.removeprefix(HASH_OPTION) for word in hashes))
    return packages


def _pin(text: str, path: Path) -> tuple[str, str]:
    requirement = Requirement(text)
    pins = list(requirement.specifier)
    if len(pins) != 1 or pins[0].operator != "==" or requirement.marker:
        raise ValueError(f"{path}: {text} names no single version; write NAME==VERSION")
    return canonicalize_name(requirement.name), pins[0].version
