"""The locks agree with the requirements, with each other, and with what their packages declare."""

from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from resformer.scripts.supply_chain.lock_files import FOLDER, LOCKS, LockedPackage, read_lock, read_requirements
from tests.paths import ROOT


def lock(name: str) -> dict[str, LockedPackage]:
    return read_lock(ROOT / FOLDER / f"{name}.txt")


def installed(name: str) -> dict[str, LockedPackage]:
    """The packages of a lock and of those below it."""
    together = dict(lock(name))
    for below in LOCKS[name].below:
        together |= lock(below)
    return together


@pytest.mark.parametrize("name", LOCKS)
def test_every_requirement_is_locked_at_its_version(name: str) -> None:
    locked = installed(name)
    for source in LOCKS[name].sources:
        for package, version in read_requirements(ROOT / source).items():
            assert package in locked and locked[package].version == version, f"{package}; make the locks: make lock"


def test_every_requirements_file_is_locked() -> None:
    """But gcs, which nothing in the project installs."""
    sources = {source for entry in LOCKS.values() for source in entry.sources}
    assert {path.name for path in ROOT.glob("requirements*.txt")} - sources == {"requirements-gcs.txt"}


@pytest.mark.parametrize("name", LOCKS)
def test_a_package_is_in_one_lock(name: str) -> None:
    for below in LOCKS[name].below:
        assert not lock(name).keys() & lock(below).keys()


@pytest.mark.parametrize("name", [name for name, entry in LOCKS.items() if entry.dependencies])
def test_what_packages_depend_on_is_locked_and_nothing_else(name: str) -> None:
    """As far as this environment has the packages at the locked versions, which `make test` installs."""
    locked = installed(name)
    wanted = {p for source in LOCKS[name].sources for p in read_requirements(ROOT / source)}
    reached: set[tuple[str, str]] = set()
    todo = [(package, "") for package in wanted]
    for source in LOCKS[name].sources:
        for line in (ROOT / source).read_text().splitlines():
            if "[" in line and not line.startswith("#"):
                requirement = Requirement(line)
                todo += [(canonicalize_name(requirement.name), extra) for extra in requirement.extras]
    while todo:
        package, extra = todo.pop()
        if (package, extra) in reached:
            continue
        reached.add((package, extra))
        try:
            found = distribution(package)
        except PackageNotFoundError:
            pytest.skip(f"{package} is not installed here")
        if found.version != locked[package].version:
            pytest.skip(f"{package} {found.version} is installed, {locked[package].version} is locked")
        for text in found.requires or ():
            requirement = Requirement(text)
            if requirement.marker is None or requirement.marker.evaluate({"extra": extra}):
                dependency = canonicalize_name(requirement.name)
                assert dependency in locked, f"{package} needs {text}"
                assert locked[dependency].version in requirement.specifier, f"{package} needs {text}"
                todo += [(dependency, ""), *((dependency, e) for e in requirement.extras)]
    assert lock(name).keys() <= {package for package, _ in reached}


@pytest.mark.parametrize("name", LOCKS)
def test_a_lock_names_no_place_and_takes_wheels_alone(name: str) -> None:
    text = (ROOT / FOLDER / f"{name}.txt").read_text()
    options = [line for line in text.splitlines() if line.startswith("-")]
    assert options == ["--require-hashes", "--only-binary :all:"]
    assert "://" not in text and "index" not in text and " @ " not in text


def test_what_is_installed_comes_from_locks() -> None:
    """In the Makefile and the container; the project itself is installed with what is locked."""
    makefile, dockerfile = (ROOT / "Makefile").read_text(), (ROOT / "Dockerfile").read_text()
    for line in [*makefile.splitlines(), *dockerfile.splitlines()]:
        if "$(PIP)" in line or "pip install" in line:
            known = ("locks/", "-r serve.txt", "-r torch.txt", "--no-build-isolation", "PIP :=")
            assert any(part in line for part in known), line
    assert "COPY locks/serve.txt /build/" in dockerfile


def test_a_lock_is_read_strictly(tmp_path: Path) -> None:
    path = tmp_path / "lock.txt"
    for text, reason in [
        ("a==1\n", "a==1 has no SHA-256"),
        ("a==1 \\\n    --hash=md5:00\n", "a==1 has no SHA-256"),
        ("a>=1 --hash=sha256:00\n", "names no single version"),
        ("a==1 --hash=sha256:00\nA==1 --hash=sha256:00\n", "a is there twice"),
    ]:
        path.write_text(text)
        with pytest.raises(ValueError, match=reason):
            read_lock(path)
