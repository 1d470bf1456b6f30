"""Rate and memory of `resformer score` by engine."""

import os
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from resformer.handler.threads import available_cores
from resformer.scripts.engines.drawn_photos import draw_photos
from resformer.scripts.engines.run_watch import QUANTITIES, score_command, watch_runs
from resformer.scripts.lib.external_error import ExternalError

__all__ = ["ENGINES", "benchmark_scoring"]

ENGINES = ("threads", "processes", "independent", "ray")


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
        draw_photos(folder, photos)
        runs = {}
        answers: dict[str, list[str]] = {}
        for engine in engines:
            parts = available_cores() if engine == "independent" else 1
            runs[engine], answers[engine] = _measure(folder, engine, reader, photos, parts)
        if len({tuple(rows) for rows in answers.values()}) > 1:
            raise ExternalError(f"answers differ between {', '.join(answers)}")
    return {"photos": photos, "reader": reader, "engines": runs}


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
        options = ["--entities", QUANTITIES, "--reader", reader, *how]
        commands.append(score_command(table, out, folder / "photos", *options))
    run = watch_runs(commands, outs, environment=environment)
    lines = [line for out in outs for line in out.read_text().splitlines()[1:]]
    figures = {
        "processes": 1 if engine == "threads" else available_cores(),
        "photos_per_second": (photos - parts) / (run.seconds - run.start_seconds),
        "start_seconds": run.start_seconds,
        "seconds": run.seconds,
        "peak_bytes": run.peak_bytes,
    }
    return figures, lines
