"""`resformer data ...`: preparation of training data."""

from pathlib import Path
from typing import Annotated

import typer

from resformer.model.files.whole_file import refuse_overwriting
from resformer.scripts.cli.invoke import DONE, INCOMPLETE

__all__ = ["app"]

app = typer.Typer(no_args_is_help=True, help="Prepare training data.")

Photos = Annotated[Path, typer.Option("--photos", metavar="DIR", help="Folder of the photos.")]
Seed = Annotated[int, typer.Option("--seed", min=0, help="The same seed gives the same result.")]


@app.callback()
def _root() -> None:
    """Prepare training data."""


@app.command()
def ocr(
    photos: Photos,
    out: Annotated[Path, typer.Option("--out", metavar="FILE", help="JSON lines; gzipped if the name ends with .gz.")],
    reader: Annotated[str, typer.Option("--reader", help="crops, ppocr, builtin or another engine.")] = "ppocr",
    max_side: Annotated[
        int | None, typer.Option("--max-side", min=1, help="Pixels that crops and builtin scale photos to.")
    ] = None,
    limit: Annotated[int | None, typer.Option("--limit", metavar="N", min=1, help="Photos to read.")] = None,
    copies: Annotated[
        bool, typer.Option("--copies", help="Read copies instead: WebP, JPEG and 90 % of the size in turn.")
    ] = False,
    threads: Annotated[int, typer.Option("--threads", min=1, help="CPU threads.")] = 2,
) -> int:
    """Read the text lines of a folder of photos into an OCR cache.

    Files that are no photos, and folders in the folder, are named and left out. Ends with a line of JSON: photos, what
    was left out, mean and median seconds, peak memory.

    Exit codes: 0 all files are read, 2 the input cannot be used, 3 some are left out.

    Example:

    - `resformer data ocr --photos photos/ --out photos.jsonl.gz`
    """
    import json
    from dataclasses import asdict

    from resformer.train.tools.ocr_cache import load_reader, write_ocr_cache

    cached = load_reader(reader, max_side=max_side, threads=threads)
    summary = write_ocr_cache(photos, out, cached, limit=limit, copies=copies)
    print(json.dumps(asdict(summary)))
    return INCOMPLETE if summary.left_out else DONE


@app.command()
def split(
    table: Annotated[Path, typer.Argument(metavar="TABLE.csv")],
    photos: Photos,
    out: Annotated[Path, typer.Option("--out", metavar="DIR", help="Folder of train.csv, val.csv and test.csv.")],
    image_column: Annotated[str, typer.Option(metavar="COLUMN", help="Names the photo: file, path, link or number.")],
    group_column: Annotated[str, typer.Option(metavar="COLUMN", help="Rows that are equal in it stay together.")] = "",
    val: Annotated[float, typer.Option(min=0, help="Fraction of the groups, or rows from 1 on.")] = 0.1,
    test: Annotated[float, typer.Option(min=0, help="Fraction of the groups, or rows from 1 on.")] = 0.1,
    seed: Seed = 0,
) -> None:
    """Split a table into train, val and test tables that have no group and no photo in common.

    Rows without a photo are left out, of photos with equal pixels all but the first, and of links with one file name
    too; how many are is said for each reason.

    Example:

    - `resformer data split products.csv --photos photos/ --image-column id --group-column title --out split/`
    """
    from resformer.train.tools.split_dataset import split_table

    refuse_overwriting([table], [out / f"{side}.csv" for side in ("train", "val", "test")])
    result = split_table(
        table, photos, out, image_column=image_column, group_column=group_column, val=val, test=test, seed=seed
    )
    for side, rows in result.sides.items():
        print(f"{side}: {len(rows)} rows")
    for reason, count in result.left_out.items():
        print(f"left out, {reason}: {count} (first in line {result.first[reason].line})")


@app.command()
def priors(
    labels: Annotated[Path, typer.Argument(metavar="LABELS.csv", help="A challenge CSV; photos are not needed.")],
    out: Annotated[
        Path | None,
        typer.Option("--out", metavar="FILE", help="[default: the file of the package]"),
    ] = None,
    schema: Annotated[
        Path | None, typer.Option("--schema", metavar="FILE", help="The entities. [default: shipped]")
    ] = None,
) -> None:
    """Count the values of public labels, which describe candidates.

    Example:

    - `resformer data priors challenge_train.csv.gz --out priors.safetensors`
    """
    from resformer.train.tools.build_priors import build_priors

    refuse_overwriting([labels, schema], [out])
    file = build_priors(labels, out, schema=schema)
    print(f"{file}: {file.stat().st_size} bytes")


@app.command()
def vocabulary(
    sources: Annotated[list[str], typer.Argument(metavar="SOURCE", help="OCR caches, and columns: TABLE.csv:COLUMN.")],
    out: Annotated[
        Path | None,
        typer.Option("--out", metavar="FILE", help="[default: the file of the package]"),
    ] = None,
) -> None:
    """Learn the subwords of text; weights that were trained with others no longer fit.

    Example:

    - `resformer data vocabulary words.jsonl.gz styles.csv:productDisplayName --out subwords.json`
    """
    from resformer.train.tools.build_vocabulary import VOCABULARY_SIZE, build_vocabulary

    refuse_overwriting([Path(source.partition(":")[0]) for source in sources], [out])
    print(f"{build_vocabulary(sources, out)}: at most {VOCABULARY_SIZE} subwords")


@app.command()
def average(
    first: Annotated[Path, typer.Argument(metavar="A.safetensors")],
    second: Annotated[Path, typer.Argument(metavar="B.safetensors", help="Was trained from the first one.")],
    out: Annotated[Path, typer.Option("--out", metavar="FILE", help="The averaged checkpoint.")],
    weight: Annotated[float, typer.Option(min=0, max=1, help="Of the second one.")] = 0.5,
) -> None:
    """Average the weights of two checkpoints.

    Example:

    - `resformer data average small.safetensors runs/small/weights.safetensors --out mean.safetensors`
    """
    from resformer.train.tools.average_weights import average_weights

    refuse_overwriting([first, second], [out])
    average_weights(first, second, out, weight=weight)
    print(out)


@app.command()
def shard(
    config: Annotated[Path, typer.Argument(metavar="CONFIG", help="Of a Resformer, with its sources.")],
    overrides: Annotated[
        list[str] | None, typer.Argument(metavar="KEY=VALUE", help="In place of the config's.", show_default=False)
    ] = None,
    *,
    out: Annotated[Path, typer.Option("--out", metavar="DIR", help="A new folder.")],
    photos_per_shard: Annotated[int, typer.Option("--photos-per-shard", metavar="N", min=1)] = 1000,
) -> None:
    """Write the training data of a config as WebDataset shards, for runs on more photos than memory holds.

    Photos are copied as they are, each with its rows: labels, texts, printed words. A run has `kind: shards` as its
    only source then. There should be many more shards than a step has batches.

    Example:

    - `resformer data shard train/configs/small.yaml --out /mnt/shards`
    """
    from resformer.train.settings.run_settings import NetworkConfig, load_config
    from resformer.train.tools.write_shards import write_shards

    settings = load_config(config, overrides or ())
    if not isinstance(settings, NetworkConfig):
        raise ValueError(f"{config} is a config of {settings.part}; shards are of the data of a resformer")
    index = write_shards(settings, out, photos_per_shard=photos_per_shard)
    for side, shards in (("train", index.train), ("val", index.val)):
        photos, rows = sum(s.photos for s in shards), sum(s.rows for s in shards)
        print(f"{side}: {len(shards)} shards, {photos} photos, {rows} rows")


@app.command()
def synthetic(
    out: Annotated[Path, typer.Argument(metavar="DIR", help="A new folder.")],
    limit: Annotated[int, typer.Option("--limit", metavar="N", min=12, help="Photos of each kind.")] = 60,
    seed: Seed = 0,
) -> None:
    """Draw a small data set in the layout of the real one, with a config for each network.

    Example:

    - `resformer data synthetic build/synthetic`
    - `resformer train build/synthetic/resformer.yaml`
    """
    from resformer.train.data.synthetic_dataset import write_dataset

    for line in write_dataset(out, limit, seed):
        print(line)


@app.command()
def contact_sheet(
    out: Annotated[Path, typer.Option("--out", metavar="FILE", help="PNG.")],
    held_out_fonts: Annotated[
        bool, typer.Option("--held-out-fonts", help="With the fonts that nothing is trained on.")
    ] = False,
    seed: Seed = 0,
) -> None:
    """Draw synthetic line crops beside each other, to compare them with real ones.

    Example:

    - `resformer data contact-sheet --out build/lines.png`
    """
    from resformer.train.ocr.synthetic.contact_sheet import draw_contact_sheet

    draw_contact_sheet(out, held_out=held_out_fonts, seed=seed)
    print(out)
