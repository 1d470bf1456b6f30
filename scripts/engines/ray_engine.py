"""The engine that answers on a Ray cluster, or on Ray of this machine: read, fetch, decode and answer, collect.

The process that runs it keeps the journal. Nodes need this package, the weights and the photos under the same paths.
"""

import json
import logging
import socket
from collections.abc import Generator, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from itertools import islice
from typing import Any

import pyarrow as pa
import ray
from ray.data import ActorPoolStrategy, DataContext
from ray.exceptions import RayError

from resformer.scripts.engines.engine import Answered, EngineError, PhotoQuestions
from resformer.scripts.engines.network_settings import NetworkSettings
from resformer.scripts.lib.journal import Outcome, Questions
from resformer.scripts.lib.photo_sources import PhotoError, PhotoSource

__all__ = ["RayEngine"]

# Of the CPUs that an actor computes on it reserves less than half: those of a node that is lost then fit on the others,
# even on one of two, and there is room for what fetches.
ACTOR_CPUS, FETCH_CPUS = 0.45, 0.05
CONNECT_SECONDS = 10.0
MAX_BLOCK, BLOCKS_OF_WORKER = 256, 8
"""Photos that travel together: at most, and so few that each actor gets some blocks. A lost node costs its blocks."""


class RayEngine:
    """A pipeline of Ray Data, whose predictors are actors with one CPU, or one GPU, each.

    Blocks of questions go to tasks that fetch the photos' bytes, and on to the actors, which decode and answer: pixels
    are ten times their file, and stay where they are used. Ray holds back what comes first where what follows is busy,
    and repeats what was lost with a node.

    Args:
        photos: Where photos come from; is pickled.
        network: What answers.
        address: Of the cluster, as `ray.init` takes it; None starts Ray on this machine.
        workers: Actors; None are as many as the cluster has CPUs, or GPUs.
        open_photos: How many are to be answered.
        jobs: Photos that a task fetches at once.
        batch: Photos that an actor answers at once.

    Raises:
        EngineError: There is no such cluster.
    """

    def __init__(
        self,
        photos: PhotoSource,
        network: NetworkSettings,
        *,
        open_photos: int,
        address: str | None = None,
        workers: int | None = None,
        jobs: int = 4,
        batch: int = 1,
    ):
        self._photos, self._network, self._open_photos = photos, network, open_photos
        self._address, self._workers, self._jobs, self._batch = address, workers, jobs, batch

    def answers(self, questions: Iterable[Questions]) -> Generator[Answered]:
        """See Engine."""
        with _connected(self._address):
            try:
                yield from self._answers(questions)
            except RayError as error:
                cause = getattr(error, "cause", None)
                if isinstance(cause, Exception) and not isinstance(cause, RayError):
                    raise cause from error
                raise EngineError(f"Ray cannot go on: {error}") from error

    def _answers(self, questions: Iterable[Questions]) -> Iterator[Answered]:
        workers = self._workers or self._devices()
        blocks = []
        rows = 0
        for block in _blocks(questions, min(MAX_BLOCK, self._open_photos // (BLOCKS_OF_WORKER * workers) + 1)):
            rows += block.num_rows
            blocks.append(ray.put(block))
        answered = bytearray(rows)
        for batch in self._pipeline(blocks, workers).iter_batches(
            batch_size=None, batch_format="pyarrow", prefetch_batches=1
        ):
            for row in batch.to_pylist():
                if answered[row["number"]]:
                    raise EngineError(
                        f"Ray answered row {row['number']} twice; the journal has what was answered before"
                    )
                answered[row["number"]] = 1
                outcomes = {name: Outcome(*outcome) for name, outcome in json.loads(row["outcomes"]).items()}
                yield Answered(_questions(row), outcomes)
        if missing := answered.count(0):
            raise EngineError(f"Ray lost {missing} of {rows} rows; --resume answers them")

    @property
    def _gpu(self) -> bool:
        return self._network.device != "cpu"

    def _devices(self) -> int:
        """CPUs of the cluster, or its GPUs where these compute."""
        kind = "GPU" if self._gpu else "CPU"
        count = int(ray.cluster_resources().get(kind, 0))
        if not count:
            raise EngineError(f"the Ray cluster has no {kind}; start it with some, or choose another --device")
        return count

    def _pipeline(self, blocks: Sequence["ray.ObjectRef[pa.Table]"], workers: int) -> "ray.data.Dataset":
        network = self._network if self._gpu else self._network.with_threads(1)
        return (
            ray.data.from_arrow_refs(list(blocks))
            .map_batches(
                _Fetch(self._photos, self._jobs),
                batch_size=None,
                batch_format="pyarrow",
                num_cpus=FETCH_CPUS,
                udf_modifying_row_count=False,
            )
            .map_batches(
                _Predict,
                fn_constructor_args=(network, self._batch),
                compute=ActorPoolStrategy(size=workers, max_tasks_in_flight_per_actor=2),
                batch_size=None,
                batch_format="pyarrow",
                num_cpus=ACTOR_CPUS,
                num_gpus=1 if self._gpu else None,
                udf_modifying_row_count=False,
            )
        )


@contextmanager
def _connected(address: str | None) -> Iterator[None]:
    """Uses the cluster; what was connected before stays so."""
    if ray.is_initialized():
        yield
        return
    try:
        _knock(address or "local")
        ray.init(address=address or "local", logging_level=logging.WARNING, log_to_driver=False)
    except (OSError, RuntimeError, ValueError, RayError) as error:
        raise EngineError(f"--address {address}: no Ray cluster answers ({error}); start one: `ray start`") from error
    logging.getLogger("ray.data").setLevel(logging.WARNING)
    context = DataContext.get_current()
    context.enable_progress_bars = False
    try:
        yield
    finally:
        ray.shutdown()


def _knock(address: str) -> None:
    """Raises OSError where nobody listens, for which Ray itself tries for minutes."""
    host, colon, port = address.removeprefix("ray://").rpartition(":")
    if colon and port.isdecimal():
        socket.create_connection((host, int(port)), CONNECT_SECONDS).close()


def _blocks(questions: Iterable[Questions], rows: int) -> Iterator[pa.Table]:
    """Tables of questions with their numbers."""
    numbered = enumerate(questions)
    while block := list(islice(numbered, rows)):
        yield pa.table(
            {
                "number": pa.array([number for number, _ in block], pa.int64()),
                "image": [asked.image for _, asked in block],
                "about": [json.dumps(asked.about) for _, asked in block],
                "entities": [asked.entities for _, asked in block],
            }
        )


def _questions(row: dict[str, Any]) -> Questions:
    return Questions(row["image"], json.loads(row["about"]), row["entities"])


class _Fetch:
    """Adds the bytes of photos to a block, or why there are none."""

    def __init__(self, photos: PhotoSource, jobs: int):
        self._photos, self._jobs = photos, jobs

    def __call__(self, block: pa.Table) -> pa.Table:
        with ThreadPoolExecutor(self._jobs) as pool:
            fetched = list(pool.map(self._photo, block.column("image").to_pylist()))
        return block.append_column("photo", pa.array([photo for photo, _ in fetched], pa.large_binary())).append_column(
            "error", pa.array([error for _, error in fetched], pa.string())
        )

    def _photo(self, image: str) -> tuple[bytes | None, str]:
        try:
            return self._photos(image), ""
        except PhotoError as error:
            return None, str(error)


class _Predict:
    """An actor that answers blocks."""

    def __init__(self, network: NetworkSettings, batch: int):
        self._answer = network.batch_answerer()
        self._batch = batch

    def __call__(self, block: pa.Table) -> pa.Table:
        outcomes = [json.dumps(outcome) for outcome in self._outcomes(block.to_pylist())]
        return block.select(["number", "image", "about", "entities"]).append_column("outcomes", pa.array(outcomes))

    def _outcomes(self, rows: list[dict[str, Any]]) -> Iterator[dict[str, Outcome]]:
        asked = [row for row in rows if not row["error"]]
        answered = iter(
            [
                outcomes
                for start in range(0, len(asked), self._batch)
                for outcomes in self._answer([_asked(row) for row in asked[start : start + self._batch]])
            ]
        )
        for row in rows:
            yield {name: Outcome(None, row["error"]) for name in row["entities"]} if row["error"] else next(answered)


def _asked(row: dict[str, Any]) -> PhotoQuestions:
    return PhotoQuestions(row["photo"], row["entities"], json.loads(row["about"]))
