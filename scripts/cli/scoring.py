"""`resformer score | sanity | draw`: answers of whole tables and of single photos."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from resformer.scripts.cli.invoke import DONE, FAILED, INCOMPLETE
from resformer.scripts.cli.options import (
    AssumePresent,
    Attempts,
    CacheAge,
    CacheSize,
    Concurrency,
    Description,
    Endpoint,
    Entities,
    HostConnections,
    HostRate,
    Jobs,
    KeyFile,
    Limit,
    LinkSeconds,
    MaxBytes,
    MinConfidence,
    Reader,
    SchemaFile,
    SilentSeconds,
    Title,
    Token,
    Weights,
    comma_separated,
    reader_value,
)

__all__ = ["check_predictions", "draw", "sanity", "score"]

Strict = Annotated[bool, typer.Option("--strict", help="Refuse ranges, as the checker of the public challenge does.")]


def score(
    table: Annotated[Path, typer.Argument(metavar="IN.csv")],
    out: Annotated[Path, typer.Argument(metavar="OUT.csv")],
    photos: Annotated[
        Path | None,
        typer.Option("--photos", "--images", metavar="DIR", help="Folder of the photos. [default: download them]"),
    ] = None,
    cache: Annotated[
        Path | None, typer.Option("--cache", metavar="DIR", help="Folder of downloaded photos. [default: OUT.images]")
    ] = None,
    cache_size: CacheSize = 20.0,
    cache_age: CacheAge = 24.0,
    host_connections: HostConnections = 16,
    host_rate: HostRate = None,
    attempts: Attempts = 4,
    timeout: SilentSeconds = 20.0,
    time_limit: LinkSeconds = 120.0,
    max_bytes: MaxBytes = 20_000_000,
    entities: Entities = None,
    reader: Reader = None,
    weights: Weights = None,
    schema: SchemaFile = None,
    endpoint: Endpoint = None,
    token: Token = "",
    key_file: KeyFile = None,
    concurrency: Concurrency = 64,
    min_confidence: MinConfidence = None,
    assume_present: AssumePresent = None,
    details: Annotated[
        Path | None, typer.Option("--details", metavar="FILE.jsonl", help="All keys of every answer, JSON lines.")
    ] = None,
    limit: Limit = None,
    jobs: Jobs = 4,
    resume: Annotated[bool, typer.Option("--resume", help="Resume an interrupted run.")] = False,
) -> int:
    """Answer a table of questions about photos.

    IN.csv has the columns of the public challenge: `index`, `image_link`, `group_id`, `entity_name`. `image` will do
    for `image_link`; without `index` the rows count from 0; `group_id`, `title` and `description` may be missing. The
    products of such a table are presumed to have the values asked for; `--no-assume-present` presumes nothing.
    Cells are separated by commas, semicolons, tabs or bars. OUT.csv has `index`, the other columns of IN.csv, and
    `prediction`, in the same order.

    With `--entities` IN.csv has a row for each product and needs no `entity_name`. OUT.csv then has `index`, `image`,
    the other columns, and each entity's answer and confidence; a path has a column for each level (`category_1`, ...).

    Photos are files of the folder `--photos`, found by path, name or the last part of their link, or are downloaded and
    kept in `OUT.images`, or a cache that runs share. Of links with one file name, the first gets the photo of the
    folder. Rows without an answer are listed in `OUT.errors.csv` (index, image, error). An interrupted
    run leaves `OUT.csv.journal`, from which `--resume` continues.

    Exit codes: 0 every row is answered, 1 the server failed, 2 the input cannot be used, 3 some rows have no answer.

    Examples:

        resformer score in.csv out.csv --photos photos/

        resformer score products.csv out.csv --photos photos/ --entities category,baseColour,title

        resformer score in.csv out.csv --key-file build/serve-8080/key_file.json
        --endpoint http://127.0.0.1:8080/predictions/resformer
    """
    from resformer.scripts.lib.downloads import DownloadLimits
    from resformer.scripts.lib.score_table import ScoreOptions, score_table

    options = ScoreOptions(
        table=table,
        out=out,
        entities=comma_separated(entities),
        photos=photos,
        cache=cache,
        cache_bytes=round(cache_size * 1e9),
        cache_max_age=cache_age * 3600,
        downloads=DownloadLimits(
            attempts=attempts,
            timeout=timeout,
            time_limit=time_limit,
            max_bytes=max_bytes,
            host_connections=host_connections,
            host_rate=host_rate,
        ),
        limit=limit,
        weights=weights,
        schema=schema,
        endpoints=comma_separated(endpoint),
        token=token,
        key_files=[Path(file) for file in comma_separated(key_file)],
        concurrency=concurrency,
        reader=reader_value(reader),
        jobs=jobs,
        details=details,
        min_confidence=min_confidence,
        assume_present=assume_present,
        resume=resume,
    )
    rows, failed = score_table(options)
    print(f"{rows} rows are in {out}", file=sys.stderr)
    if failed:
        print(f"not answered: {failed} of them; {options.errors} says why", file=sys.stderr)
    return INCOMPLETE if failed else DONE


def sanity(
    table: Annotated[Path, typer.Argument(metavar="IN.csv", help="The table that was scored.")],
    out: Annotated[Path, typer.Argument(metavar="OUT.csv", help="The answers.")],
    entities: Entities = None,
    schema: SchemaFile = None,
    strict: Strict = False,
) -> int:
    """Check a table of answers.

    Every row of IN.csv has one row in OUT.csv, and every answer is empty or valid for its entity: `500 gram`,
    `[100, 240] volt`, a label of a choice, a node of a taxonomy. With `--entities` OUT.csv is a table of products.

    Exit codes: 0 every row is valid, 1 some rows are not, 2 a file cannot be used.

    Examples:

        resformer sanity in.csv out.csv

        resformer sanity products.csv out.csv --entities category,baseColour,title
    """
    return check_predictions(table, out, entities=comma_separated(entities), schema=schema, strict=strict)


def check_predictions(
    table: Path, out: Path, *, entities: list[str] | None = None, schema: Path | None = None, strict: bool = False
) -> int:
    """Prints what is wrong with a table of answers; returns the exit code of `sanity`."""
    from resformer.model.schema.schema import Schema
    from resformer.scripts.lib.prediction_check import product_faults, row_faults
    from resformer.scripts.lib.score_table import requested_entities

    known = Schema.load(schema)
    if entities:
        faults = product_faults(table, out, requested_entities(entities, known), strict=strict)
    else:
        faults = row_faults(table, out, known, strict=strict)
    count = 0
    for fault in faults:
        count += 1
        print(fault)
    print(f"{out}: {f'{count} faults' if count else 'every row is valid'}", file=sys.stderr)
    return FAILED if count else DONE


def draw(
    photo: Annotated[Path, typer.Argument(metavar="PHOTO")],
    picture: Annotated[Path, typer.Argument(metavar="PICTURE.png", help="The picture to write.")],
    entities: Entities = None,
    title: Title = "",
    description: Description = "",
    reader: Reader = None,
    weights: Weights = None,
    schema: SchemaFile = None,
    endpoint: Endpoint = None,
    token: Token = "",
    key_file: KeyFile = None,
    min_confidence: MinConfidence = None,
    assume_present: Annotated[
        bool, typer.Option("--assume-present", help="The product is known to have the values asked for.")
    ] = False,
) -> int:
    """Answer one photo and draw the answers beside it.

    The picture has a box around the text that an answer was read from. Entities without an answer are left out.

    Exit codes: 0 done, 1 the server failed, 2 the input cannot be used.

    Examples:

        resformer draw photo.jpg row.png

        resformer draw photo.jpg row.png --entities item_weight,category --title "Rolled oats"
    """
    from resformer.scripts.lib.answerers import answerer_for
    from resformer.scripts.lib.row_picture import write_row_picture

    answerer = answerer_for(
        weights=weights,
        schema=schema,
        reader=reader_value(reader),
        min_confidence=min_confidence,
        assume_present=assume_present,
        endpoints=comma_separated(endpoint),
        token=token,
        key_files=[Path(file) for file in comma_separated(key_file)],
    )
    about = {name: text for name, text in (("title", title), ("description", description)) if text}
    predictions = write_row_picture(
        photo,
        picture,
        entities=comma_separated(entities),
        answerer=answerer,
        about=about,
    )
    for name, prediction in predictions.items():
        print(f"{name:32}{prediction.confidence:6.2f}  {prediction.prediction}")
    return DONE
