"""How many requests TorchServe holds at once, and the memory that this takes."""

from dataclasses import dataclass

__all__ = ["LARGE", "Admission"]

# Bytes of a body of each class, at most; proxy.conf has the first two as well. A body of unknown length is large.
# The last is a little above `max_bytes` of handler/model-config.yaml: a form has headers around its photo.
SMALL, MEDIUM, LARGE = 300_000, 3_000_000, 20_100_000
MIN_MEBIBYTES = 256


@dataclass(frozen=True)
class Admission:
    """Requests that are passed on at once, by the size of their bodies; others get 503."""

    small: int
    medium: int
    large: int

    @classmethod
    def for_this_machine(cls) -> "Admission":
        """Enough that each core has a request, and others that wait for it."""
        # Here, as a busy port is reported before psutil is installed.
        from resformer.handler.threads import available_cores

        cores = available_cores()
        return cls(small=max(64, 8 * cores), medium=max(16, 2 * cores), large=max(4, cores))

    @property
    def mebibytes(self) -> int:
        """Of Java's heap, and as much of its buffers: the bodies at once and three quarters more."""
        bodies = self.small * SMALL + self.medium * MEDIUM + self.large * LARGE
        return max(MIN_MEBIBYTES, round(1.75 * bodies / 2**20))
