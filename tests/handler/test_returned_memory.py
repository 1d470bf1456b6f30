"""Memory that a photo took is given back."""

import subprocess
import sys

import pytest

from resformer.handler import returned_memory
from resformer.handler.returned_memory import ALLOWED_BYTES, ReturnedMemory, resident_bytes


def test_memory_is_given_back_where_there_is_much_more_than_usual(monkeypatch: pytest.MonkeyPatch) -> None:
    size = 10 * ALLOWED_BYTES
    monkeypatch.setattr(returned_memory, "resident_bytes", lambda: size)
    trimmed: list[int] = []

    def trim() -> None:
        nonlocal size
        trimmed.append(size)
        size -= 2 * ALLOWED_BYTES

    memory = ReturnedMemory(trim)
    memory.give_back()
    size += ALLOWED_BYTES
    memory.give_back()
    assert trimmed == []
    size += 5 * ALLOWED_BYTES
    memory.give_back()
    assert trimmed == [16 * ALLOWED_BYTES]
    memory.give_back()  # what stayed is usual now
    assert len(trimmed) == 1
    size -= 6 * ALLOWED_BYTES
    memory.give_back()
    size += 2 * ALLOWED_BYTES
    memory.give_back()  # what was freed since is not
    assert len(trimmed) == 2


def test_glibc_gives_free_memory_back() -> None:
    memory = ReturnedMemory()
    held = [bytes([1]) * 60_000 for _ in range(4000)]  # too small for mappings of their own
    above = resident_bytes()
    last = bytes(60_000)  # keeps the heap from shrinking by itself
    del held
    memory.give_back()
    assert len(last) == 60_000
    assert above - resident_bytes() > 100 << 20


# In a process of its own, which does nothing else.
LARGE_PIECES = """
import numpy as np
from resformer.handler.returned_memory import LARGE_PIECE_BYTES, ReturnedMemory, resident_bytes
ReturnedMemory()
for _ in range(3):
    before = resident_bytes()
    held = [np.ones(LARGE_PIECE_BYTES + 4096 * i, np.uint8) for i in range(8)]
    assert resident_bytes() - before > 7 * LARGE_PIECE_BYTES
    del held
    assert resident_bytes() - before < LARGE_PIECE_BYTES
"""


def test_large_pieces_are_given_back_at_once() -> None:
    done = subprocess.run([sys.executable, "-c", LARGE_PIECES], capture_output=True, text=True, timeout=120)
    assert (done.returncode, done.stderr) == (0, "")
