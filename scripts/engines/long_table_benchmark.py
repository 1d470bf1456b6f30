"""A long table beside a short one: does memory grow, and how near does a run come to the predictor alone?"""

from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from resformer.scripts.engines.drawn_photos import draw_photos
from resformer.scripts.engines.run_watch import QUANTITIES, score_command, watch_runs
from resformer.scripts.engines.stage_benchmark import answer_on_all_cores

__all__ = ["benchmark_long_table"]


def benchmark_long_table(
    rows: int, photos: int, *, reader: str, few_rows: int, threads_rows: int, in_process_photos: int
) -> dict[str, Any]:
    """Scores a short and a long table of drawn photos with the default engine, and a part with threads of one process.

    Args:
        rows: Of the long table, which asks about each photo several times.
        photos: How many it is about; no two are the same.
        reader: How text is read.
        few_rows: Of the short table, with the same number of rows a photo.
        threads_rows: Of the table that threads of one process answer.
        in_process_photos: That the predictor alone answers, in a process on each core.

    Returns:
        `in_process_photos_per_second`, `peak_ratio` of long and short table, and `runs`: photos a second behind the
        first answer, seconds, peak memory.

    Raises:
        ValueError: A table is longer than the long one, or has fewer rows than photos.
        ExternalError: A run failed.
    """
    if not photos <= rows:
        raise ValueError(f"{rows} rows cannot be about {photos} photos; take as many rows or more")
    if max(few_rows, threads_rows) > rows:
        raise ValueError(f"the long table has {rows} rows, others {max(few_rows, threads_rows)}; they must be shorter")
    with TemporaryDirectory() as name:
        folder = Path(name)
        draw_photos(folder, photos)
        files = [folder / "photos" / f"{i}.jpg" for i in range(min(photos, in_process_photos))]
        answered = answer_on_all_cores(files, reader, QUANTITIES.split(","))
        sizes = [("processes", few_rows), ("threads", threads_rows), ("processes", rows)]
        runs = [_run(folder, engine, count, max(1, photos * count // rows), reader) for engine, count in sizes]
    return {
        "reader": reader,
        "in_process_photos": len(files),
        "in_process_photos_per_second": sum(one.photos / one.seconds for one in answered),
        "peak_ratio": runs[-1]["peak_bytes"] / runs[0]["peak_bytes"],
        "runs": runs,
    }


def _run(folder: Path, engine: str, rows: int, photos: int, reader: str) -> dict[str, Any]:
    table, out = folder / f"{engine}-{rows}.in.csv", folder / f"{engine}-{rows}.csv"
    table.write_text("\n".join(["index,image", *_lines(rows, photos), ""]))
    options = ["--entities", QUANTITIES, "--reader", reader, "--engine", engine]
    run = watch_runs([score_command(table, out, folder / "photos", *options)], [out])
    return {
        "engine": engine,
        "rows": rows,
        "photos": photos,
        "photos_per_second": (photos - 1) / (run.seconds - run.start_seconds),
        "start_seconds": run.start_seconds,
        "seconds": run.seconds,
        "peak_bytes": run.peak_bytes,
    }


def _lines(rows: int, photos: int) -> Sequence[str]:
    return [f"{i},{i % photos}.jpg" for i in range(rows)]
