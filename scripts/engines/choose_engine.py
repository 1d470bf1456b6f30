"""Which engine answers a run."""

from resformer.scripts.engines.engine import Engine
from resformer.scripts.engines.engine_name import EngineName
from resformer.scripts.engines.network_settings import NetworkSettings
from resformer.scripts.engines.process_engine import AnswersByContent, ProcessEngine
from resformer.scripts.engines.threads_engine import ThreadsEngine
from resformer.scripts.engines.worker_plan import plan_workers
from resformer.scripts.lib.photo_sources import PhotoSource

__all__ = ["make_engine"]

FEW_PHOTOS = 32
"""The network of this process has answered so many before workers have loaded theirs."""


def make_engine(
    name: EngineName,
    network: NetworkSettings,
    photos: PhotoSource,
    known: AnswersByContent,
    *,
    open_photos: int,
    jobs: int,
    workers: int | None = None,
    batch: int = 1,
    address: str | None = None,
) -> Engine:
    """The engine of this name.

    Args:
        name: AUTO is THREADS for a few photos, else PROCESSES.
        network: What answers.
        photos: Where photos come from.
        known: What was answered before.
        open_photos: How many are to be answered.
        jobs: Photos that are fetched at once, by each process that fetches.
        workers: Processes that answer; None are as many as pay.
        batch: Photos that a network answers at once.
        address: Of a Ray cluster; None starts Ray on this machine.

    Raises:
        UnusableFile: The network cannot be loaded.
        EngineError: Ray cannot be used.
    """
    if name is EngineName.AUTO:
        few = open_photos <= FEW_PHOTOS and workers is None and batch == 1
        name = EngineName.THREADS if few else EngineName.PROCESSES
    if name is EngineName.THREADS:
        return ThreadsEngine(photos, network.answerer(), jobs)
    if name is EngineName.RAY:
        from resformer.scripts.engines.ray_engine import RayEngine  # an optional package

        return RayEngine(
            photos, network, open_photos=open_photos, address=address, workers=workers, jobs=jobs, batch=batch
        )
    plan = plan_workers(open_photos, workers=workers, device=network.device)
    load = network.with_threads(plan.threads).batch_answerer
    return ProcessEngine(photos, load, known, workers=plan.workers, jobs=jobs, batch=batch)
