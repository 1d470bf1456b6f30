"""The names of the engines, for options."""

from enum import StrEnum

__all__ = ["EngineName"]


class EngineName(StrEnum):
    """The engines of `resformer score`."""

    AUTO = "auto"
    PROCESSES = "processes"
    THREADS = "threads"
    RAY = "ray"
    ENDPOINT = "endpoint"
