"""Many calls at once."""

import asyncio
import threading
from collections.abc import Iterator

import pytest

from resformer.client.in_order import AHEAD, mapped, mapped_async


class Counted:
    """Counts the calls that are under way; the first ones wait until `together` of them are."""

    def __init__(self, together: int):
        self.now = self.most = 0
        self._lock = threading.Lock()
        self._together = together
        self._met = threading.Event()

    def begin(self) -> bool:
        with self._lock:
            self.now += 1
            self.most = max(self.most, self.now)
            if self.now == self._together:
                self._met.set()
        return self._met.is_set()

    def end(self) -> None:
        with self._lock:
            self.now -= 1

    def double(self, number: int) -> int:
        self.begin()
        assert self._met.wait(30)
        self.end()
        return 2 * number

    async def double_async(self, number: int) -> int:
        self.begin()
        while not self._met.is_set():
            await asyncio.sleep(0)
        await asyncio.sleep(0.001 * (number % 3))  # they end in another order
        self.end()
        return 2 * number


def test_results_are_in_order_and_calls_bounded() -> None:
    counted = Counted(3)
    assert list(mapped(counted.double, range(50), 3)) == list(range(0, 100, 2))
    assert counted.most == 3

    async def collect() -> list[int]:
        return [number async for number in mapped_async(counted.double_async, range(50), 3)]

    counted = Counted(3)
    assert asyncio.run(collect()) == list(range(0, 100, 2))
    assert counted.most == 3


def test_items_are_drawn_as_they_are_needed() -> None:
    drawn: list[int] = []

    def items() -> Iterator[int]:
        for number in range(1000):
            drawn.append(number)
            yield number

    found = mapped(abs, items(), 2)
    assert drawn == []
    assert next(found) == 0
    assert len(drawn) == 2 * AHEAD

    async def first() -> int:
        async def same(number: int) -> int:
            return number

        results = mapped_async(same, items(), 2)
        return await anext(results)

    drawn.clear()
    assert asyncio.run(first()) == 0
    assert len(drawn) == 2 * AHEAD


def test_the_first_exception_ends_it() -> None:
    asked: list[int] = []

    def inverse(number: int) -> float:
        asked.append(number)
        return 1 / (number - 2)

    results = mapped(inverse, range(1000), 1)
    assert [next(results), next(results)] == [-0.5, -1]
    with pytest.raises(ZeroDivisionError):
        next(results)
    assert len(asked) <= 3 + AHEAD

    async def collect() -> list[float]:
        async def call(number: int) -> float:
            return inverse(number)

        found = []
        with pytest.raises(ZeroDivisionError):
            async for result in mapped_async(call, range(1000), 1):
                found.append(result)
        assert len(asyncio.all_tasks()) == 1
        return found

    asked.clear()
    assert asyncio.run(collect()) == [-0.5, -1]
    assert len(asked) <= 3 + AHEAD


def test_a_concurrency_below_one_is_refused_at_once() -> None:
    with pytest.raises(ValueError, match="concurrency is 0; take 1 or more"):
        mapped(abs, [1], 0)
    with pytest.raises(ValueError, match="concurrency is -1"):
        mapped_async(asyncio.sleep, [1], -1)
