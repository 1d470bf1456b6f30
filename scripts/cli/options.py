"""Options that several commands have; each means the same everywhere."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from resformer.scripts.lib.table_formats.format_names import TableFormat

__all__ = [
    "AssumePresent",
    "Attempts",
    "CacheAge",
    "CacheSize",
    "Concurrency",
    "Description",
    "Endpoint",
    "Entities",
    "Format",
    "HostConnections",
    "HostRate",
    "Jobs",
    "KeyFile",
    "Limit",
    "LinkSeconds",
    "MaxBytes",
    "MinConfidence",
    "OutFormat",
    "Port",
    "PublicKey",
    "Reader",
    "ReaderName",
    "SchemaFile",
    "SilentSeconds",
    "Title",
    "Token",
    "Weights",
    "comma_separated",
    "reader_value",
]


class ReaderName(StrEnum):
    """How text gets off a photo."""

    CROPS = "crops"
    PPOCR = "ppocr"
    BUILTIN = "builtin"
    NONE = "none"


def reader_value(reader: ReaderName | None) -> str | None:
    """The reader's name as the predictor takes it."""
    return None if reader is None else reader.value


def comma_separated(names: str | None) -> list[str]:
    """The names of `--entities`.

    Raises:
        typer.BadParameter: There are only commas and spaces.
    """
    found = [name for part in (names or "").split(",") if (name := part.strip())]
    if names and not found:
        raise typer.BadParameter(f"{names!r} names none", param_hint="--entities")
    return found


Port = Annotated[
    int, typer.Option("--port", metavar="N", help="Port of the predictions; the four after it are used too.")
]
PublicKey = Annotated[
    Path | None,
    typer.Option(
        "--public-key", metavar="FILE", help="Refuse an archive that is not signed with this key of minisign's."
    ),
]
Reader = Annotated[
    ReaderName | None,
    typer.Option(
        "--reader", metavar="NAME", help="How text is read: crops, ppocr or builtin (also none). [default: crops]"
    ),
]
Entities = Annotated[str | None, typer.Option("--entities", metavar="A,B", help="Names of the entities to answer.")]
SchemaFile = Annotated[
    Path | None, typer.Option("--schema", metavar="FILE", help="Entities that the weights answer. [default: shipped]")
]
Weights = Annotated[
    Path | None, typer.Option("--weights", metavar="FILE", help="Weights of the network. [default: shipped]")
]
Format = Annotated[
    TableFormat | None,
    typer.Option("--format", metavar="NAME", help="Of IN: csv, tsv, jsonl or parquet. [default: by its name]"),
]
OutFormat = Annotated[
    TableFormat | None, typer.Option("--out-format", metavar="NAME", help="Of OUT. [default: by its name]")
]
Jobs = Annotated[int, typer.Option("--jobs", min=1, help="Photos fetched at once.")]
Limit = Annotated[
    int | None, typer.Option("--limit", metavar="N", min=1, help="Stop after this many rows. [default: all]")
]
Concurrency = Annotated[int, typer.Option("--concurrency", min=1, help="Photos under way at each endpoint, at most.")]
Endpoint = Annotated[
    str | None,
    typer.Option("--endpoint", metavar="URL[,URL]", help="Ask servers instead of loading the network."),
]
Token = Annotated[str, typer.Option("--token", metavar="KEY", help="The server's inference key. [$RESFORMER_TOKEN]")]
KeyFile = Annotated[
    str | None,
    typer.Option(
        "--key-file", metavar="FILE[,FILE]", help="File with the key of the server, or of each in their order."
    ),
]
MinConfidence = Annotated[
    float | None,
    typer.Option(
        "--min-confidence",
        metavar="P",
        min=0.0,
        max=1.0,
        help="Leave less confident answers empty; 0 gives every best guess. [default: what scored best]",
    ),
]
AssumePresent = Annotated[
    bool | None,
    typer.Option(
        "--assume-present/--no-assume-present",
        help="Whether the products are known to have the values asked for. [default: with a column entity_name]",
    ),
]
CacheSize = Annotated[
    float,
    typer.Option(
        "--cache-size", metavar="GB", min=0.001, help="Downloaded photos to keep; those not used for longest go first."
    ),
]
CacheAge = Annotated[
    float,
    typer.Option(
        "--cache-age", metavar="HOURS", min=0, help="Ask the server whether a kept photo has changed after this time."
    ),
]
Attempts = Annotated[int, typer.Option("--attempts", min=1, help="Attempts for each link.")]
SilentSeconds = Annotated[
    float, typer.Option("--timeout", metavar="S", min=0.01, help="Seconds to wait for a sign of a photo's server.")
]
LinkSeconds = Annotated[
    float, typer.Option("--time-limit", metavar="S", min=0.01, help="Seconds for a link, all attempts together.")
]
MaxBytes = Annotated[int, typer.Option("--max-bytes", metavar="N", min=1, help="Larger photos are refused.")]
HostConnections = Annotated[int, typer.Option("--host-connections", min=1, help="Downloads from one host at once.")]
HostRate = Annotated[
    float | None,
    typer.Option("--host-rate", metavar="N", min=0.001, help="Downloads from one host per second. [default: no limit]"),
]
Title = Annotated[str, typer.Option("--title", help="Title that came with the photo.")]
Description = Annotated[str, typer.Option("--description", help="Description that came with the photo.")]
