"""Losses that a run logs."""

from pathlib import Path

from tensorboard.backend.event_processing.event_accumulator import EventAccumulator  # type: ignore[import-untyped]

__all__ = ["logged_losses"]


def logged_losses(run: Path) -> list[float]:
    """The training losses in the TensorBoard events of a run's folder, by step."""
    events = EventAccumulator(str(run))
    events.Reload()
    return [event.value for event in events.Scalars("loss/train")]
