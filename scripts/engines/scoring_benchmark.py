"""Rate and memory of `resformer score` by engine."""

import os
import sqlite3
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import psutil
from PIL import Image

from resformer.handler.threads import available_cores
from resformer.scripts.lib.external_error import ExternalError
from resformer.scripts.page.sample_photos import write_samples

__all__ = ["ENGINES", "benchmark_scoring"]

ENGINES = ("threads", "processes", "independent", "ray")
ENTITIES = "item_weight,width,height,depth,voltage,wattage,item_volume"
SIDES = (500, 900, 1400)  # pixels of the longer side, in turn
INTERVAL = 0.5  # seconds between two looks at memory


def benchmark_scoring(photos: int, reader: str, engines: Sequence[str]) -> dict[str, Any]:
    """Scores the same drawn photos with each engine.

    Args:
        photos: How many; no two are the same.
        reader: How text is read.
        engines: Of ENGINES.

    Returns:
        By engine: processes that answered, photos a second behind the first answer, seconds until then, peak memory.

    Raises:
        ExternalError: A run failed, or engines differ in their answers.
    """
    with TemporaryDirectory() as name:
        folder = Path(name)
        _draw(folder, photos)
        runs = {}
        answers: dict[str, list[str]] = {}
        for engine in engines:
            parts = available_cores() if engine == "independent" else 1
            runs[engine], answers[engine] = _measure(folder, engine, reader, photos, parts)
        if len({tuple(rows) for rows in answers.values()}) > 1:
            raise ExternalError(f"answers differ between {', '.join(answers)}")
    return {"photos": photos, "reader": reader, "engines": runs}


def _draw(folder: Path, count: int) -> None:
    samples = [Image.open(path).convert("RGB") for path in write_samples(folder / "samples").values()]
    (folder / "photos").mkdir()
    for i in range(count):
        photo = samples[i % len(samples)].copy()
        photo.thumbnail((SIDES[i % len(SIDES)],) * 2)
        photo.putpixel((i % photo.width, i // photo.width), (255, 0, 0))  # another photo, with the same text
        photo.save(folder / "photos" / f"{i}.jpg", quality=90)


def _measure(folder: Path, engine: str, reader: str, photos: int, parts: int) -> tuple[dict[str, Any], list[str]]:
    """Figures of a run, and the lines of its answers; each part is a process with an equal share of the photos."""
    environment = dict(os.environ)
    if parts > 1:
        environment["OMP_NUM_THREADS"] = "1"
    outs = [folder / f"{engine}{part}.csv" for part in range(parts)]
    commands = []
    for part, out in enumerate(outs):
        table = folder / f"{engine}{part}.in.csv"
        names = [f"{i},{i}.jpg" for i in range(photos) if i * parts // photos == part]
        table.write_text("\n".join(["index,image", *names, ""]))
        how = ["--engine", "threads" if engine == "independent" else engine]
        command = [sys.executable, "-m", "resformer", "score", str(table), str(out), "--photos", str(folder / "photos")]
        commands.append([*command, "--entities", ENTITIES, "--reader", reader, *how])
    with open(folder / "log", "w+") as log:
        started = time.monotonic()
        processes = [subprocess.Popen(command, env=environment, stderr=log) for command in commands]
        first, peak = _watch(processes, outs)
        ended = time.monotonic()
        if any(process.returncode for process in processes):
            log.seek(0)
            raise ExternalError(f"scoring with {engine} failed: {log.read()[-2000:]}")
    lines = [line for out in outs for line in out.read_text().splitlines()[1:]]
    figures = {
        "processes": 1 if engine == "threads" else available_cores(),
        "photos_per_second": (photos - parts) / (ended - first),
        "start_seconds": first - started,
        "seconds": ended - started,
        "peak_bytes": peak,
    }
    return figures, lines


def _watch(processes: Sequence["subprocess.Popen[bytes]"], outs: Sequence[Path]) -> tuple[float, int]:
    """The time at which the last of the processes had its first answer, and the peak memory of all."""
    first = 0.0
    peak = 0
    waiting = list(outs)
    while any(process.poll() is None for process in processes):
        waiting = [out for out in waiting if not _has_answers(out)]
        if not waiting and not first:
            first = time.monotonic()
        peak = max(peak, sum(_bytes(process.pid) for process in processes))
        time.sleep(INTERVAL)
    return first or time.monotonic(), peak


def _has_answers(out: Path) -> bool:
    journal = out.with_name(f"{out.name}.journal")
    if not journal.exists():
        return out.exists()
    connection = sqlite3.connect(f"file:{journal}?mode=ro", uri=True)
    try:
        return bool(connection.execute("SELECT EXISTS (SELECT * FROM answers)").fetchone()[0])
    except sqlite3.OperationalError:  # it is being made
        return False
    finally:
        connection.close()


def _bytes(pid: int) -> int:
    """Memory of a process and of all that it started: pages that several share are divided among them."""
    try:
        parent = psutil.Process(pid)
        return sum(_proportional(process) for process in [parent, *parent.children(recursive=True)])
    except psutil.Error:  # it has ended
        return 0


def _proportional(process: psutil.Process) -> int:
    try:
        return int(process.memory_full_info().pss)
    except psutil.Error:
        return 0
