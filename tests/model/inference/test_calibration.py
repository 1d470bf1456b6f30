"""Calibrations in the metadata of weights."""

from resformer.model.inference.calibration import Calibration, read_calibrations, write_calibrations


def test_what_is_written_is_read() -> None:
    calibrations = {"quantity": Calibration(1.5, 0.4), "text": Calibration(0.8, 0.2)}
    metadata = write_calibrations(calibrations)
    assert all(isinstance(value, str) for value in metadata.values())
    assert read_calibrations({"preset": "nano", **metadata}) == calibrations


def test_weights_without_calibrations_have_none() -> None:
    assert read_calibrations({"preset": "nano"}) == {}
    assert Calibration().temperature == 1.0
