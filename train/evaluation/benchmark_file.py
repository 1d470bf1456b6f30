"""JSON files of benchmarks: figures, and what they were measured with."""

import hashlib
import json
import os
import platform
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from resformer import __version__
from resformer.model.files.whole_file import written_whole
from resformer.model.inference.checkpoint import WEIGHTS_DIR

__all__ = ["Benchmark", "machine", "read_benchmark", "write_benchmark"]

PACKAGES = ("torch", "onnxruntime", "numpy")


@dataclass(frozen=True)
class Benchmark:
    """One benchmark.

    Attributes:
        name: of the command and of the file.
        command: the command line that measured it.
        date: day, ISO 8601.
        machine: see machine().
        versions: of Python, of Resformer and of the packages that compute.
        weights: SHA-256 of the checkpoint; None where none is used.
        figures: what was measured.
        note: what else a reader must know.
    """

    name: str
    command: str
    date: str
    machine: dict[str, Any]
    versions: dict[str, str]
    weights: str | None
    figures: dict[str, Any]
    note: str = field(default="")


def machine() -> dict[str, Any]:
    """CPU model, cores that this process may use, and whether the CPU has AVX-512."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        lines = []
    info = {key.strip(): value.strip() for key, _, value in (line.partition(":") for line in lines)}
    return {
        "cpu": info.get("model name") or platform.processor() or platform.machine(),
        "cores": len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count(),
        "avx512": "avx512f" in info.get("flags", "").split(),
    }


def write_benchmark(
    folder: Path, name: str, figures: dict[str, Any], *, command: str, weights: Path | None = None
) -> Path:
    """Writes NAME.json.

    Args:
        folder: made where it is missing.
        name: of the benchmark.
        figures: what was measured; values that JSON has.
        command: the command line.
        weights: checkpoint; None: the shipped one.

    Returns:
        The file.
    """
    digest = hashlib.sha256((weights or WEIGHTS_DIR / "small.safetensors").read_bytes()).hexdigest()
    benchmark = Benchmark(name, command, datetime.now(UTC).date().isoformat(), machine(), _versions(), digest, figures)
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{name}.json"
    with written_whole(path) as file:
        file.write(json.dumps(asdict(benchmark), indent=1, ensure_ascii=False) + "\n")
    return path


def read_benchmark(path: Path) -> Benchmark:
    """Reads a benchmark.

    Raises:
        ValueError: the file is no benchmark.
        OSError: it cannot be read.
    """
    try:
        return Benchmark(**json.loads(path.read_text(encoding="utf-8")))
    except (ValueError, TypeError) as error:
        raise ValueError(f"{path} is not a benchmark file: {error}") from error


def _versions() -> dict[str, str]:
    versions = {"python": platform.python_version(), "resformer": __version__}
    for package in PACKAGES:
        try:
            versions[package] = version(package)
        except PackageNotFoundError:
            continue
    return versions
