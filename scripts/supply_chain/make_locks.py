"""Makes `locks/` anew from the requirements files: `make lock`. Asks the package index for versions and hashes."""

import os
import subprocess
import sys
import tempfile
from pathlib import Path

from packaging.utils import canonicalize_name

from resformer.scripts.lib.external_error import ExternalError
from resformer.scripts.supply_chain.lock_files import FOLDER, HASH_OPTION, LOCKS, Lock, LockedPackage, read_lock

__all__ = ["make_locks"]

# The tests are locked for one kind of machine: not every package that they compare with has wheels for others.
TESTED_PLATFORM = "x86_64-manylinux_2_34"
SERVED_PLATFORMS = ("x86_64-manylinux_2_28", "aarch64-manylinux_2_28")
# With the oldest 3.11, for which a package may be older than for the newest.
OPTIONS = ("--generate-hashes", "--python-version", "3.11", "--only-binary", ":all:", "--no-annotate", "--no-header")


class LockError(ExternalError):
    """The locks cannot be made, and why."""


def make_locks(root: Path) -> None:
    """Resolves all requirements together and writes each lock.

    Args:
        root: The folder of the checkout.

    Raises:
        LockError: The requirements contradict each other, a wheel is missing, or the index does not answer.
    """
    with tempfile.TemporaryDirectory() as name:
        work = Path(name)
        whole = work / "whole.txt"
        together = [root / source for lock in LOCKS.values() if lock.dependencies for source in lock.sources]
        _resolve(together, whole, TESTED_PLATFORM)
        packages = read_lock(whole)
        for lock_name, lock in LOCKS.items():
            if lock.dependencies:
                found = _needed(root, lock, whole, work)
                below = {package for other in lock.below for package in read_lock(root / FOLDER / f"{other}.txt")}
                entries = [packages[package] for package in sorted(found - below)]
            else:
                own = work / f"{lock_name}.txt"
                _resolve([root / source for source in lock.sources], own, TESTED_PLATFORM, "--no-deps")
                entries = list(read_lock(own).values())
            path = root / FOLDER / f"{lock_name}.txt"
            path.write_text(_text(lock, entries), encoding="utf-8")
            print(f"{path.relative_to(root)}: {len(entries)} packages", flush=True)


def _needed(root: Path, lock: Lock, whole: Path, work: Path) -> set[str]:
    """Names of the packages that a lock's requirements need, those of the locks below among them."""
    below = [source for name in lock.below for source in LOCKS[name].sources]
    sources = [root / source for source in (*below, *lock.sources)]
    platforms = SERVED_PLATFORMS if not lock.below else (TESTED_PLATFORM,)
    names = []
    for platform in platforms:
        target = work / f"{platform}.txt"
        _resolve(sources, target, platform, "--constraints", str(whole))
        names.append(set(read_lock(target)))
    if any(other != names[0] for other in names[1:]):
        raise LockError(f"{', '.join(lock.sources)} need other packages on {' than on '.join(platforms)}")
    return names[0]


def _resolve(sources: list[Path], target: Path, platform: str, *more: str) -> None:
    command = [sys.executable, "-m", "uv", "pip", "compile", "--quiet", *OPTIONS, "--python-platform", platform, *more]
    command += ["--output-file", str(target), *map(str, sources)]
    # What this machine sets for uv would else get into the locks.
    environment = {name: value for name, value in os.environ.items() if not name.startswith("UV_")}
    done = subprocess.run(command, env=environment, capture_output=True, text=True)
    if done.returncode:
        raise LockError(f"the requirements cannot be resolved for {platform}: {done.stderr.strip()}")


def _text(lock: Lock, entries: list[LockedPackage]) -> str:
    lines = [f"# Made by `make lock` from {', '.join(lock.sources)}."]
    if lock.below:
        lines.append(f"# Beyond locks/{', locks/'.join(lock.below)}.")
    lines += ["--require-hashes", "--only-binary :all:"]
    for package in sorted(entries, key=lambda package: canonicalize_name(package.name)):
        hashes = sorted(package.hashes)
        lines.append(f"{package.name}=={package.version} \\")
        lines += [f"    {HASH_OPTION}{digest} \\" for digest in hashes[:-1]]
        lines.append(f"    {HASH_OPTION}{hashes[-1]}")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    try:
        make_locks(Path.cwd())
    except ExternalError as error:
        sys.exit(f"make lock: {error}")
