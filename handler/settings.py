"""The handler's own section of model-config.yaml."""

from pathlib import PurePosixPath
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, PositiveInt, ValidationError

from resformer.handler.link_rules import LinkRules
from resformer.model.ocr.readers import READERS, canonical_reader

__all__ = ["Settings"]


def _reader(name: str) -> str:
    if canonical_reader(name) not in READERS:
        raise ValueError(f"must be one of {', '.join(READERS)}")
    return canonical_reader(name)


def _inside(path: str) -> str:
    if PurePosixPath(path).is_absolute() or ".." in PurePosixPath(path).parts:
        raise ValueError("must be the path of a file in the archive")
    return path


ArchivePath = Annotated[str, AfterValidator(_inside)]


class Settings(BaseModel):
    """Settings of one worker.

    Attributes:
        reader: The default reader, one of READERS; `none` is another name of `builtin`.
        num_threads: Of one worker, or None for an equal part of the cores.
        max_bytes, max_pixels: Larger photos are refused.
        weights, schema_file: Files in the archive, the latter under the key `schema`; None are the shipped ones.
        texts: A catalogue of texts in the archive, or None.
        image_url: The links of photos that are followed; None follows none.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    reader: Annotated[str, AfterValidator(_reader)]
    num_threads: PositiveInt | None
    max_bytes: PositiveInt
    max_pixels: PositiveInt
    weights: ArchivePath | None
    schema_file: ArchivePath | None = Field(alias="schema")
    texts: ArchivePath | None
    image_url: LinkRules | None

    @classmethod
    def from_config(cls, section: Any) -> "Settings":
        """Checks the section as TorchServe parsed it.

        Raises:
            ValueError: The section is unusable; the message names everything that is wrong with it.
        """
        if not isinstance(section, dict):
            raise ValueError("model-config.yaml must have a section `handler` with keys and values")
        try:
            return cls.model_validate(section)
        except ValidationError as error:
            faults = [
                _fault(fault["type"], ".".join(map(str, fault["loc"])), fault["input"], fault["msg"])
                for fault in error.errors()
            ]
            keys = ", ".join(field.alias or name for name, field in cls.model_fields.items())
            raise ValueError(
                f"model-config.yaml, section `handler`: {'; '.join(faults)} (the keys are {keys})"
            ) from error


def _fault(kind: str, key: str, value: Any, message: str) -> str:
    if kind == "missing":
        return f"missing key {key!r}"
    if kind == "extra_forbidden":
        return f"unknown key {key!r}"
    return f"{key} is {value!r}: {message.removeprefix('Value error, ')}"
