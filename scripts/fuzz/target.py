"""What a fuzzer needs to know about the code that it tries."""

import importlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

__all__ = ["TARGETS", "Target", "load_target"]

TARGETS = ("photos", "requests", "quantities")


@dataclass(frozen=True)
class Target:
    """Code that reads the bytes of strangers.

    Attributes:
        check: Reads one input. Any exception that it raises is a fault.
        seeds: Inputs to begin with.
        words: What inputs are changed by, beside random bytes.
        max_bytes: Of an input.
        instrumented: Packages and modules whose branches guide the fuzzer.
    """

    check: Callable[[bytes], None]
    seeds: Callable[[], Iterator[bytes]]
    words: Sequence[bytes]
    max_bytes: int
    instrumented: Sequence[str]


def load_target(name: str) -> Target:
    """One of TARGETS. Its module imports the code that is tried when it is first loaded."""
    target: Target = importlib.import_module(f"resformer.scripts.fuzz.fuzz_{name}").TARGET
    return target
