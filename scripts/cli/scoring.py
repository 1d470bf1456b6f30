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
    Format,
    HostConnections,
    HostRate,
    Jobs,
    KeyFile,
    Limit,
    LinkSeconds,
    MaxBytes,
    MinConfidence,
    OutFormat,
    Reader,
    SchemaFile,
    SilentSeconds,
    Title,
    Token,
    Weights,
    comma_separated,
    reader_value,
)
from resformer.scripts.engines.engine_name import EngineName

__all__ = ["check_predictions", "draw", "sanity", "score"]

Strict = Annotated[bool, typer.Option("--strict", help="Refuse ranges, as the checker of the public challenge does.")]


def score(
    table: Annotated[str, typer.Argument(metavar="IN")],
    out: Annotated[str, typer.Argument(metavar="OUT")],
    photos: Annotated[
        str | None,
        typer.Option(
            "--photos", "--images", metavar="WHERE", help="Folder or tar shards of photos. [default: download them]"
        ),
    ] = None,
    table_format: Format = None,
    out_format: OutFormat = None,
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
        str | None, typer.Option("--details", metavar="FILE.jsonl", help="All keys of every answer, JSON lines.")
    ] = None,
    limit: Limit = None,
    jobs: Jobs = 4,
    engine: Annotated[
        EngineName,
        typer.Option(
            "--engine",
            metavar="NAME",
            help="processes of this machine, ray, threads of this process, endpoint, or auto: servers where --endpoint "
            "names some, threads for a few photos, else processes.",
        ),
    ] = EngineName.AUTO,
    workers: Annotated[
        int | None, typer.Option("--workers", metavar="N", min=1, help="Processes that answer. [default: one a core]")
    ] = None,
    address: Annotated[
        str | None, typer.Option("--address", metavar="HOST:PORT", help="Ray cluster. [default: Ray on this machine]")
    ] = None,
    batch: Annotated[int, typer.Option("--batch", metavar="N", min=1, help="Photos a network answers at once.")] = 1,
    device: Annotated[str, typer.Option("--device", help="Where networks compute: cpu or cuda.")] = "cpu",
    summary: Annotated[
        Path | None,
        typer.Option("--summary", metavar="FILE.json", help="Counts of questions by entity and outcome, with reasons."),
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Check the table and look for its photos; answer nothing.")
    ] = False,
    resume: Annotated[bool, typer.Option("--resume", help="Resume an interrupted run.")] = False,
) -> int:
    """Answer a table of questions about photos.

    IN has the columns of the public challenge: `index`, `image_link`, `group_id`, `entity_name`. `image` will do
    for `image_link`; without `index` the rows count from 0; `group_id`, `title` and `description` may be missing. The
    products of such a table are presumed to have the values asked for; `--no-assume-present` presumes nothing.
    OUT has `index`, the other columns of IN, and `prediction`, in the same order.

    With `--entities` IN has a row for each product and needs no `entity_name`. OUT then has `index`, `image`,
    the other columns, and each entity's answer and confidence; a path has a column for each level (`category_1`, ...).

    IN and OUT are CSV (also with semicolons, tabs or bars), or by their names TSV (`.tsv`), JSON lines (`.jsonl`) or
    Parquet (`.parquet`); paths, `s3://`, `gs://` and, for IN, `https://`.

    Photos are files of the folder `--photos`, found by path, name or the last part of their link, or members of tar
    files (`shards/{000..099}.tar`, `s3://bucket/shards/*.tar`), or bytes in a column `image` of a Parquet file, or are
    downloaded and kept in `OUT.images`, or in a cache that runs share. Of links with one file name, the first gets the
    photo. Rows without an answer are listed in `OUT.errors.csv` (index, image, error). An interrupted run leaves
    `OUT.csv.journal`, from which `--resume` continues; where OUT is a URL it is in the working folder.

    Photos are answered in a process for each core. One that is killed is replaced, and its photo is tried once more.
    `--engine ray` answers on a Ray cluster, `--endpoint` by servers.

    Exit codes: 0 every row is answered, 1 the server failed, 2 the input cannot be used, 3 some rows have no answer.

    Examples:

        resformer score in.csv out.csv --photos photos/

        resformer score in.csv out.csv --photos photos/ --dry-run

        resformer score products.csv out.csv --photos photos/ --entities category,baseColour,title

        resformer score in.csv out.csv --key-file build/serve-8080/keys/inference
        --endpoint http://127.0.0.1:8080/predictions/resformer
    """
    from resformer.scripts.lib.downloads import DownloadLimits
    from resformer.scripts.lib.dry_run import dry_run as check_only
    from resformer.scripts.lib.locations import location
    from resformer.scripts.lib.score_options import ScoreOptions
    from resformer.scripts.lib.score_table import score_table

    options = ScoreOptions(
        table=location(table),
        out=location(out),
        table_format=table_format,
        out_format=out_format,
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
        details=location(details) if details else None,
        min_confidence=min_confidence,
        assume_present=assume_present,
        engine=engine,
        workers=workers,
        address=address,
        batch=batch,
        device=device,
        summary=summary,
        resume=resume,
    )
    if dry_run:
        found = check_only(options)
        print(found.as_text())
        return INCOMPLETE if found.problems else DONE
    rows, failed, outcomes = score_table(options)
    print(outcomes.as_text(), file=sys.stderr)
    print(f"{rows} rows are in {out}", file=sys.stderr)
    if failed:
        print(f"not answered: {failed} of them; {options.errors} says why", file=sys.stderr)
    return INCOMPLETE if failed else DONE


def sanity(
    table: Annotated[str, typer.Argument(metavar="IN", help="The table that was scored.")],
    out: Annotated[str, typer.Argument(metavar="OUT", help="The answers.")],
    table_format: Format = None,
    out_format: OutFormat = None,
    entities: Entities = None,
    schema: SchemaFile = None,
    strict: Strict = False,
) -> int:
    """Check a table of answers.

    Every row of IN has one row in OUT, and every answer is empty or valid for its entity: `500 gram`,
    `[100, 240] volt`, a label of a choice, a node of a taxonomy. With `--entities` OUT is a table of products. Both
    tables are those that `resformer score` reads and writes.

    Exit codes: 0 every row is valid, 1 some rows are not, 2 a file cannot be used.

    Examples:

        resformer sanity in.csv out.csv

        resformer sanity products.csv out.csv --entities category,baseColour,title
    """
    return check_predictions(
        table,
        out,
        table_format=table_format,
        out_format=out_format,
        entities=comma_separated(entities),
        schema=schema,
        strict=strict,
    )


def check_predictions(
    table: str | Path,
    out: str | Path,
    *,
    table_format: str | None = None,
    out_format: str | None = None,
    entities: list[str] | None = None,
    schema: Path | None = None,
    strict: bool = False,
) -> int:
    """Prints what is wrong with a table of answers; returns the exit code of `sanity`."""
    from resformer.model.schema.schema import Schema
    from resformer.scripts.lib.locations import location
    from resformer.scripts.lib.prediction_check import product_faults, row_faults
    from resformer.scripts.lib.score_run import requested_entities
    from resformer.scripts.lib.table_formats.open_table import open_table

    known = Schema.load(schema)
    questions, answers = open_table(location(table), table_format), open_table(location(out), out_format)
    if entities:
        faults = product_faults(questions, answers, requested_entities(entities, known), strict=strict)
    else:
        faults = row_faults(questions, answers, known, strict=strict)
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
