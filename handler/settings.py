"""The handler's own section of model-config.yaml."""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

from resformer.model.ocr.readers import READERS, canonical_reader

__all__ = ["Settings"]


@dataclass(frozen=True, kw_only=True)
class Settings:
    """Settings of one worker.

    Attributes:
        reader: the default reader, one of READERS; `none` is another name of `builtin`.
        num_threads: of one worker, or None for an equal share of the cores.
        max_pixels: larger photos are refused.
    """

    reader: str
    num_threads: int | None
    max_pixels: int

    @classmethod
    def from_config(cls, section: Any) -> "Settings":
        """Checks the section as TorchServe parsed it.

        Raises:
            ValueError: the section is unusable; the message names everything that is wrong with it.
        """
        if not isinstance(section, Mapping):
            raise ValueError("model-config.yaml must have a section `handler` with keys and values")
        known = [field.name for field in fields(cls)]
        errors = [f"unknown key {key!r}" for key in section if key not in known]
        errors += [f"missing key {key!r}" for key in known if key not in section]
        reader = section.get("reader")
        if "reader" in section and not (isinstance(reader, str) and canonical_reader(reader) in READERS):
            errors.append(f"reader is {reader!r}, must be one of {', '.join(READERS)}")
        if not (section.get("num_threads") is None or _is_positive(section["num_threads"])):
            errors.append(f"num_threads is {section['num_threads']!r}, must be null or a number from 1")
        if "max_pixels" in section and not _is_positive(section["max_pixels"]):
            errors.append(f"max_pixels is {section['max_pixels']!r}, must be a number from 1")
        if errors:
            raise ValueError(
                f"model-config.yaml, section `handler`: {'; '.join(errors)} (the keys are {', '.join(known)})"
            )
        return cls(**section)


def _is_positive(value: Any) -> bool:
    return type(value) is int and value > 0
