"""Fuzzes one target until its time is over or a fault is found: a process of its own, started by `run_fuzzers`.

Atheris guides it by the branches of the Python code; what Pillow and other packages do in C is tried, but not seen.
"""

import sys
from collections.abc import Sequence

import atheris

from resformer.scripts.fuzz.bounds import bounded, limit_address_space
from resformer.scripts.fuzz.target import load_target

__all__ = ["main"]

# Beside what is no target: functions with closures keep their variables for ever where Atheris 3.0 instruments them,
# here whole photos.
UNINSTRUMENTED = ["resformer.scripts", "resformer.model.images.transparency"]


def main(arguments: Sequence[str]) -> None:
    """Does not return: exits with 0, or another code where a fault was found.

    Args:
        arguments: the target's name, what it instruments, separated by commas, and the options of libFuzzer.
    """
    name, instrumented, *options = arguments
    with atheris.instrument_imports(include=instrumented.split(","), exclude=UNINSTRUMENTED):
        target = load_target(name)
    # What the first call imports and keeps is no growth.
    for data in target.seeds():
        target.check(data)
        break
    limit_address_space()

    def check(data: bytes) -> None:
        with bounded():
            target.check(data)

    atheris.Setup([name, *options], check)
    atheris.Fuzz()


if __name__ == "__main__":
    main(sys.argv[1:])
