"""The simulation of many machines: photos are conserved, and its rates are those of its limits."""

import math
from dataclasses import replace

import pytest

from resformer.train.evaluation.scale_simulation import (
    Costs,
    Downloads,
    Job,
    Machines,
    Troubles,
    limits,
    simulate,
)

COSTS = Costs(core_seconds=0.1, deviation=0.03, node_core_seconds=0.005, head_core_seconds=0.001, size=100_000)
DOWNLOADS = Downloads(median_seconds=0.1, spread=1.0, hosts=20, slow_hosts=0.1, slowness=10.0, host_rate=500.0)
TROUBLES = Troubles(failing=0.05, attempts=2, dead=0.01, node_seconds=600.0, replacement_seconds=60.0)
MACHINES = Machines(nodes=5, cores=4, bytes_per_second=12.5e6, start_seconds=20.0)


@pytest.mark.parametrize("seed", range(8))
@pytest.mark.parametrize("photos", [1, 999, 20_001])
def test_each_photo_has_one_outcome_whatever_fails(photos: int, seed: int) -> None:
    run = simulate(Job(photos=photos, chunk=50), COSTS, MACHINES, DOWNLOADS, TROUBLES, seed=seed)
    assert run.answered + run.failed == photos
    assert min(run.answered, run.failed, run.repeated) >= 0
    assert all(0 <= used <= 1.0001 for used in run.use.values())


def test_lost_nodes_cost_time_and_repeat_photos() -> None:
    job = Job(photos=20_000, chunk=50)
    calm = simulate(job, COSTS, MACHINES)
    lossy = simulate(job, COSTS, MACHINES, None, Troubles(node_seconds=200.0, replacement_seconds=60.0))
    assert calm.lost_nodes == calm.repeated == 0
    assert lossy.lost_nodes > 2 and lossy.repeated > 0
    assert lossy.answered == calm.answered == 20_000
    assert lossy.seconds > 1.2 * calm.seconds
    assert calm.node_seconds == pytest.approx(MACHINES.nodes * calm.seconds)
    assert lossy.node_seconds < MACHINES.nodes * lossy.seconds


@pytest.mark.parametrize("nodes", [1, 10])
def test_the_rate_without_troubles_is_that_of_the_cores(nodes: int) -> None:
    machines = Machines(nodes=nodes, cores=4, start_seconds=30.0)
    run = simulate(Job(photos=100_000, chunk=50), COSTS, machines)
    of_core = 0.1 + 0.005 + (0.001 if nodes == 1 else 0.0)
    assert limits(COSTS, machines)["cores"] == pytest.approx(4 * nodes / of_core)
    assert run.seconds - 30.0 == pytest.approx(100_000 * of_core / (4 * nodes), rel=0.03)
    assert run.bottleneck == "cores"


@pytest.mark.parametrize(
    ("bottleneck", "costs", "machines", "downloads"),
    [
        ("head", replace(COSTS, head_core_seconds=0.01), MACHINES, None),
        ("link", replace(COSTS, size=5e6), MACHINES, Downloads(median_seconds=0.01)),
        ("connections", COSTS, MACHINES, Downloads(median_seconds=5.0, spread=0.5, hosts=50)),
        ("hosts", COSTS, MACHINES, Downloads(median_seconds=0.01, hosts=1, host_rate=20.0)),
    ],
)
def test_the_narrowest_resource_sets_the_rate(
    bottleneck: str, costs: Costs, machines: Machines, downloads: Downloads | None
) -> None:
    allowed = limits(costs, machines, downloads)
    run = simulate(Job(photos=40_000, chunk=50), costs, machines, downloads)
    assert min(allowed, key=allowed.__getitem__) == run.bottleneck == bottleneck
    assert run.photos_per_second == pytest.approx(allowed[bottleneck], rel=0.15)


def test_limits_foresee_troubles() -> None:
    machines = replace(MACHINES, nodes=2)
    downloads = Downloads(median_seconds=2.0, spread=0.5, hosts=50)
    troubles = Troubles(failing=0.2, dead=0.002, time_limit=60.0, node_seconds=2000.0, replacement_seconds=300.0)
    allowed = limits(COSTS, machines, downloads, troubles)
    run = simulate(Job(photos=100_000, chunk=50), COSTS, machines, downloads, troubles)
    assert run.lost_nodes > 0 and run.bottleneck == "connections"
    assert run.photos_per_second == pytest.approx(min(allowed.values()), rel=0.2)


def test_several_heads_share_the_journal() -> None:
    costs = replace(COSTS, head_core_seconds=0.01)
    job = Job(photos=20_000, chunk=50)
    one, three = (simulate(job, costs, replace(MACHINES, heads=heads)) for heads in (1, 3))
    assert one.bottleneck == "head" and three.bottleneck == "cores"
    assert three.seconds < 0.7 * one.seconds


def test_dead_links_and_exhausted_attempts_are_failures() -> None:
    troubles = Troubles(failing=0.1, attempts=2, dead=0.05)
    run = simulate(Job(photos=50_000), COSTS, MACHINES, Downloads(median_seconds=0.05), troubles)
    expected = 1 - (1 - 0.05) * (1 - 0.1**2)
    assert run.failed / 50_000 == pytest.approx(expected, abs=4 * math.sqrt(expected / 50_000))
    nothing = simulate(Job(photos=500), COSTS, MACHINES, Downloads(median_seconds=0.05), Troubles(failing=1.0))
    assert (nothing.answered, nothing.failed) == (0, 500)


def test_a_seed_repeats_a_run() -> None:
    job = Job(photos=10_000, chunk=50)
    first, again, other = (simulate(job, COSTS, MACHINES, DOWNLOADS, TROUBLES, seed=seed) for seed in (1, 1, 2))
    assert first == again
    assert first != other


def test_impossible_settings_are_refused() -> None:
    with pytest.raises(ValueError, match="take smaller chunks, or nodes that live longer"):
        simulate(Job(photos=1000), COSTS, MACHINES, None, Troubles(node_seconds=30.0))
    with pytest.raises(ValueError, match="core_seconds is 0"):
        Costs(core_seconds=0)
    with pytest.raises(ValueError, match="nodes is 0; it must be more than 0"):
        Machines(nodes=0, cores=1)
    with pytest.raises(ValueError, match=r"dead is 1\.5; it is a fraction"):
        Troubles(dead=1.5)
    with pytest.raises(ValueError, match="host_connections is 16, of 8 connections"):
        Downloads(median_seconds=0.1, connections=8)
