"""What a photo costs: core-seconds by stage, bytes, memory of a worker, and what a run adds to it."""

import os
import resource
import threading
import time
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from multiprocessing.synchronize import Barrier
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple

from resformer.handler.threads import available_cores
from resformer.scripts.engines.drawn_photos import draw_photos
from resformer.scripts.engines.run_watch import QUANTITIES, score_command, watch_runs
from resformer.scripts.lib.journal import Journal, Outcome, Row

__all__ = ["Answered", "answer_on_all_cores", "benchmark_stages"]

QUESTIONS = {"quantities": QUANTITIES.split(","), "everything": []}
"""Names of entities; none are all."""
WARM_UP = 3  # photos
BARRIER_SECONDS = 600.0


class Answered(NamedTuple):
    """What a process took for its share of the photos.

    Attributes:
        photos: How many.
        seconds: Of the clock.
        core_seconds: Of the processor.
        stages: Core-seconds by STAGES.
        photo_seconds: Of the processor, for each photo.
        peak_bytes: Memory of the process.
    """

    photos: int
    seconds: float
    core_seconds: float
    stages: dict[str, float]
    photo_seconds: list[float]
    peak_bytes: int


def benchmark_stages(
    photos: int, readers: Sequence[str], questions: Sequence[str] = tuple(QUESTIONS)
) -> dict[str, Any]:
    """Answers the same drawn photos with each reader, in a process on each core, and in a run of `resformer score`.

    Args:
        photos: How many; no two are the same.
        readers: How text is read.
        questions: Of QUESTIONS.

    Returns:
        `photos`, `cores`, `bytes_per_photo`, `journal_core_seconds` of a photo about which everything is asked, and
        `rows`: a reader with questions each. Core-seconds are those of a photo; `other` is what is in no stage, and
        `deviation` the standard deviation among photos. `core_share` is the part of a core that each process had: much
        less than 1 where the machine was busy. `run` is `resformer score`: photos a second behind the first
        answer, seconds until then, peak memory, and `main_core_seconds` of the process that reads, fetches and keeps
        the journal.

    Raises:
        ExternalError: A run failed.
    """
    with TemporaryDirectory() as name:
        folder = Path(name)
        draw_photos(folder, photos)
        files = [folder / "photos" / f"{i}.jpg" for i in range(photos)]
        table = folder / "in.csv"
        table.write_text("\n".join(["index,image", *(f"{i},{file.name}" for i, file in enumerate(files)), ""]))
        rows = [_row(folder, table, files, reader, asked) for reader in readers for asked in questions]
        return {
            "photos": photos,
            "cores": available_cores(),
            "bytes_per_photo": sum(file.stat().st_size for file in files) / photos,
            "journal_core_seconds": _journal_core_seconds(folder / "journal", photos),
            "rows": rows,
        }


def answer_on_all_cores(files: Sequence[Path], reader: str, entities: Sequence[str]) -> list[Answered]:
    """Answers photos in as many processes with one thread each as there are cores, which begin at one time.

    Args:
        files: Photos; each process has an equal share.
        reader: How text is read.
        entities: Names; none are all.
    """
    cores = min(available_cores(), len(files))
    context = get_context("spawn")
    barrier = context.Barrier(cores)
    # Before a process loads torch, which reads it then.
    before = os.environ.get("OMP_NUM_THREADS")
    os.environ["OMP_NUM_THREADS"] = "1"
    try:
        with ProcessPoolExecutor(cores, context, _begin, (barrier,)) as pool:
            shares = [pool.submit(_answer, files[part::cores], reader, list(entities)) for part in range(cores)]
            return [share.result() for share in shares]
    finally:
        if before is None:
            del os.environ["OMP_NUM_THREADS"]
        else:
            os.environ["OMP_NUM_THREADS"] = before


_barrier: Barrier


def _begin(barrier: Barrier) -> None:
    global _barrier
    _barrier = barrier


def _answer(files: Sequence[Path], reader: str, entities: Sequence[str]) -> Answered:
    from resformer.model.predictor import Predictor  # loads torch, which the first process does not need
    from resformer.model.runtime.stage_times import counted_stages

    predictor = Predictor.load(reader=reader, threads=1)
    for file in files[:WARM_UP]:
        predictor.predict(file.read_bytes(), entities)
    try:
        _barrier.wait(BARRIER_SECONDS)
    except threading.BrokenBarrierError as error:
        raise RuntimeError("another process could not begin") from error
    each = []
    with counted_stages() as stages:
        begun, core = time.perf_counter(), time.process_time()
        for file in files:
            start = time.process_time()
            predictor.predict(file.read_bytes(), entities).as_dict()
            each.append(time.process_time() - start)
        seconds, core_seconds = time.perf_counter() - begun, time.process_time() - core
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    return Answered(len(files), seconds, core_seconds, stages.seconds, each, peak)


def _row(folder: Path, table: Path, files: Sequence[Path], reader: str, questions: str) -> dict[str, Any]:
    entities = QUESTIONS[questions] or _all_entities()
    answered = answer_on_all_cores(files, reader, entities)
    count = len(files)
    stages = {name: sum(one.stages[name] for one in answered) / count for name in answered[0].stages}
    core_seconds = sum(one.core_seconds for one in answered) / count
    each = [seconds for one in answered for seconds in one.photo_seconds]
    mean = sum(each) / count
    out = folder / f"{reader}-{questions}.csv"
    options = ["--entities", ",".join(entities), "--reader", reader, "--engine", "processes"]
    run = watch_runs([score_command(table, out, folder / "photos", *options)], [out])
    behind = run.seconds - run.start_seconds
    return {
        "reader": reader,
        "questions": questions,
        "core_seconds": core_seconds,
        "core_share": sum(one.core_seconds for one in answered) / sum(one.seconds for one in answered),
        "deviation": (sum((seconds - mean) ** 2 for seconds in each) / count) ** 0.5,
        "stages": {**stages, "other": max(0.0, core_seconds - sum(stages.values()))},
        "worker_bytes": max(one.peak_bytes for one in answered),
        "in_process_photos_per_second": sum(one.photos / one.seconds for one in answered),
        "run": {
            "photos_per_second": (count - 1) / behind,
            "start_seconds": run.start_seconds,
            "seconds": run.seconds,
            "peak_bytes": run.peak_bytes,
            "main_core_seconds": run.main_core_seconds / count,
        },
    }


def _all_entities() -> list[str]:
    from resformer.model.schema.schema import Schema

    return [entity.name for entity in Schema.load().entities]


def _journal_core_seconds(path: Path, photos: int) -> float:
    """What a journal takes for a photo with all entities: read from a table, asked, recorded, written."""
    entities = _all_entities()
    answer = {"prediction": "500 gram", "value": 500.0, "unit": "gram", "confidence": 0.5, "evidence": [0.0] * 4}
    rows = (Row(str(i), f"{i}.jpg", name, shares_index=True) for i in range(photos) for name in entities)
    start = time.process_time()
    with Journal(path, "") as journal:
        journal.add(rows, path)
        for asked in list(journal.questions()):
            journal.record(asked, {name: Outcome(answer, "") for name in asked.entities})
        for _ in journal.scored_rows():
            pass
    return (time.process_time() - start) / photos
