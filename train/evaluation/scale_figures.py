"""What millions of photos take, from what one was measured to take: rates, prices, bottlenecks, simulated runs."""

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Final

from resformer.train.evaluation.benchmark_file import read_benchmark
from resformer.train.evaluation.scale_simulation import (
    Costs,
    Downloads,
    Job,
    Machines,
    SimulatedRun,
    Troubles,
    limits,
    simulate,
)

__all__ = [
    "MACHINE_TYPES",
    "MachineType",
    "photo_costs",
    "read_stages",
    "scale_figures",
    "simulate_measured_run",
    "with_prices",
]

Figures = dict[str, Any]
MILLION: Final = 1_000_000
GIB: Final = 1 << 30
NETWORK_STAGES = ("detect", "recognise", "choose", "write")
FASTER = 10  # times: an accelerator for the networks
LINKS = (12.5e6, 125e6, 1.25e9)  # bytes a second: 100 Mbit, 1 Gbit, 10 Gbit
START_SECONDS = 60.0  # of a node: a container and its weights


@dataclass(frozen=True)
class MachineType:
    """A machine to rent.

    Attributes:
        name: What it is called here.
        cores: A worker each, where memory suffices.
        memory: Bytes.
        price: Of a core for an hour, an assumption.
    """

    name: str
    cores: int
    memory: int
    price: float


MACHINE_TYPES = (
    MachineType("small", 2, 4 * GIB, 0.03),
    MachineType("medium", 16, 32 * GIB, 0.05),
    MachineType("large, spot", 64, 128 * GIB, 0.02),
)
PRICES_DATE = "2026-11-28"


def with_prices(machine_types: Sequence[MachineType], prices: Sequence[float]) -> list[MachineType]:
    """Machine types with other prices of a core-hour: one for all, one for each, or none to keep theirs.

    Raises:
        ValueError: There is another number of prices, or one is negative.
    """
    if not prices:
        return list(machine_types)
    if len(prices) not in (1, len(machine_types)):
        raise ValueError(
            f"{len(prices)} prices of a core-hour; name one, or one for each of {len(machine_types)} types"
        )
    if min(prices) < 0:
        raise ValueError(f"the price of a core-hour is {min(prices)}; it must be at least 0")
    each = prices if len(prices) > 1 else [prices[0]] * len(machine_types)
    return [replace(machine, price=price) for machine, price in zip(machine_types, each, strict=True)]


# Photos of a catalogue on fifty servers, a tenth of them slow, and machines that are lost once a day.
DOWNLOADS = Downloads(
    median_seconds=0.1, spread=1.0, connections=64, host_connections=16, hosts=50, slow_hosts=0.1, slowness=10.0
)
TROUBLES = Troubles(failing=0.02, dead=0.001, node_seconds=86_400.0, replacement_seconds=300.0)
RUN_READERS = ("crops", "builtin")
NODES: Final = ((1, 1), (10, 1), (100, 1), (100, 20))  # and runs that the table is split into
CORES = 16


def read_stages(folder: Path) -> Figures:
    """The figures of `resformer benchmark stages`.

    Raises:
        ValueError: They are not in the folder.
    """
    path = folder / "stages.json"
    if not path.exists():
        raise ValueError(f"{path} is missing; measure it first: resformer benchmark stages --out {folder}")
    return read_benchmark(path).figures


def photo_costs(row: Figures, stages: Figures, size: float) -> Costs:
    """Costs of a photo with the reader and the questions of a row.

    Args:
        row: Of `stages`.
        stages: Figures of the benchmark.
        size: Bytes of a photo.
    """
    journal = stages["journal_core_seconds"]
    return Costs(
        core_seconds=row["core_seconds"],
        deviation=row["deviation"],
        # The process that fetches keeps the journal, too; on a cluster another one does.
        node_core_seconds=max(0.0, row["run"]["main_core_seconds"] - journal),
        head_core_seconds=journal,
        size=size,
    )


def simulate_measured_run(row: Figures, stages: Figures, seed: int = 0) -> SimulatedRun:
    """The run of `resformer score` that a row of `stages` has, photo by photo, behind its first answer."""
    costs = photo_costs(row, stages, stages["bytes_per_photo"])
    machines = Machines(nodes=1, cores=stages["cores"])
    return simulate(Job(photos=stages["photos"], chunk=1), costs, machines, seed=seed)


def scale_figures(
    stages: Figures,
    *,
    photos: int = 10 * MILLION,
    photo_bytes: float | None = None,
    machine_types: Sequence[MachineType] = MACHINE_TYPES,
    seed: int = 0,
) -> Figures:
    """All figures of docs/scale.md.

    Args:
        stages: Figures of `resformer benchmark stages`.
        photos: Of the simulated runs.
        photo_bytes: Of a photo that is downloaded; None: as those that were measured.
        machine_types: That prices are computed for.
        seed: Of the simulation.
    """
    size = photo_bytes or stages["bytes_per_photo"]
    simulated = [r for r in stages["rows"] if r["questions"] == "everything" and r["reader"] in RUN_READERS]
    return {
        "photos": photos,
        "photo_bytes": size,
        "prices_date": PRICES_DATE,
        "prices": [_prices(row, stages, machine_types) for row in stages["rows"]],
        "bottlenecks": [_bottlenecks(row, stages, size) for row in stages["rows"]],
        "checks": [_check(row, stages, seed) for row in stages["rows"]],
        "assumed": {"cores": CORES, "downloads": _finite(DOWNLOADS), "troubles": _finite(TROUBLES)},
        "runs": [run for row in simulated for run in _runs(row, stages, size, photos, seed)],
    }


def _prices(row: Figures, stages: Figures, machine_types: Sequence[MachineType]) -> Figures:
    costs = photo_costs(row, stages, stages["bytes_per_photo"])
    priced = []
    for machine in machine_types:
        # Cores that memory has no worker for are paid, too.
        workers = max(1, min(machine.cores, int(machine.memory // row["worker_bytes"])))
        rate = limits(costs, Machines(nodes=1, cores=workers))["cores"]
        core_hours = machine.cores * MILLION / rate / 3600
        priced.append(
            {
                "machine": machine.name,
                "cores": machine.cores,
                "memory": machine.memory,
                "workers": workers,
                "photos_per_second": rate,
                "core_hours_per_million": core_hours,
                "core_hour": machine.price,
                "price_per_million": core_hours * machine.price,
            }
        )
    of_core = limits(costs, Machines(nodes=1, cores=1))["cores"]
    return {
        "reader": row["reader"],
        "questions": row["questions"],
        "core_hours_per_million": MILLION / of_core / 3600,
        "machines": priced,
    }


def _bottlenecks(row: Figures, stages: Figures, size: float) -> Figures:
    """The slowest stage, with and without an accelerator, and the cores at which something else than them binds."""
    costs = photo_costs(row, stages, size)
    of_core = costs.core_seconds + costs.node_core_seconds
    faster = {name: value / (FASTER if name in NETWORK_STAGES else 1) for name, value in row["stages"].items()}
    connections = limits(costs, Machines(nodes=1, cores=1), DOWNLOADS, TROUBLES)["connections"]
    return {
        "reader": row["reader"],
        "questions": row["questions"],
        "slowest": _largest(row["stages"]),
        "slowest_with_accelerator": _largest(faster),
        "cores_by_link": {f"{link:.0f}": link / size * of_core for link in LINKS},
        "cores_by_connections": connections * of_core,
        "cores_by_head": of_core / costs.head_core_seconds if costs.head_core_seconds else None,
    }


def _largest(stages: dict[str, float]) -> Figures:
    name = max(stages, key=stages.__getitem__)
    return {"stage": name, "fraction": stages[name] / sum(stages.values())}


def _check(row: Figures, stages: Figures, seed: int) -> Figures:
    simulated = simulate_measured_run(row, stages, seed)
    return {
        "reader": row["reader"],
        "questions": row["questions"],
        "measured": row["run"]["photos_per_second"],
        "simulated": simulated.photos_per_second,
        "core_share": row["core_share"],
    }


def _runs(row: Figures, stages: Figures, size: float, photos: int, seed: int) -> list[Figures]:
    costs = photo_costs(row, stages, size)
    found = []
    for nodes, heads in NODES:
        machines = Machines(
            nodes=nodes, cores=CORES, bytes_per_second=LINKS[1], start_seconds=START_SECONDS, heads=heads
        )
        for downloads, troubles in ((None, None), (DOWNLOADS, TROUBLES)):
            run = simulate(Job(photos=photos), costs, machines, downloads, troubles, seed=seed)
            found.append(
                {
                    "reader": row["reader"],
                    "nodes": nodes,
                    "parts": heads,
                    "troubles": troubles is not None,
                    **asdict(run),
                    "bottleneck": run.bottleneck,
                    "closed_form_photos_per_second": min(limits(costs, machines, downloads, troubles).values()),
                }
            )
    return found


def _finite(settings: Downloads | Troubles) -> Figures:
    """As JSON has it; what is not limited is None."""
    return {name: value if math.isfinite(value) else None for name, value in asdict(settings).items()}
