"""How many processes pay."""

import pytest

from resformer.scripts.engines.worker_plan import plan_workers

GIB = 1 << 30


@pytest.mark.parametrize(
    ("photos", "cores", "memory", "plan"),
    [
        (1000, 8, 64 * GIB, (8, 1)),
        (1000, 8, 3 * GIB, (3, 2)),
        (1000, 8, 0, (1, 8)),
        (2, 8, 64 * GIB, (2, 4)),
    ],
)
def test_a_process_for_each_core_that_memory_carries(
    photos: int, cores: int, memory: int, plan: tuple[int, int]
) -> None:
    assert plan_workers(photos, cores=cores, memory=memory) == plan


def test_what_a_person_chose() -> None:
    assert plan_workers(1000, workers=3, cores=8, memory=0) == (3, 2)
    assert plan_workers(1000, device="cuda", cores=8, memory=64 * GIB) == (1, 8)
