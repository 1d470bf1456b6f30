"""`resformer benchmark ...`: the figures of BENCHMARKS.md."""

import shlex
import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from resformer.model.files.whole_file import refuse_overwriting, written_whole
from resformer.scripts.cli.options import SchemaFile, Weights

__all__ = ["app"]

app = typer.Typer(
    no_args_is_help=True,
    help="Measure accuracy and time. Each command writes NAME.json into the folder of `--out`.",
    epilog="Example: `resformer benchmark quantities ../shared/data --out build/benchmarks`",
)

DATA_HELP = "Folder of labelled photos, see the model card."
DataArgument = Annotated[Path, typer.Argument(help=DATA_HELP, exists=True, file_okay=False)]
TablesArgument = Annotated[
    Path, typer.Argument(help="YAML file with the tables to predict.", exists=True, dir_okay=False)
]
OutOption = Annotated[Path, typer.Option("--out", help="Folder for the JSON file and for plots.", file_okay=False)]
ReadersOption = Annotated[
    list[str] | None, typer.Option("--reader", help="ppocr, crops or builtin; may be repeated. Default: all.")
]
LimitOption = Annotated[int | None, typer.Option("--limit", help="Photos of each set; default: all.", min=1)]


@app.callback()
def _root() -> None:
    """Measure accuracy and time. Each command writes NAME.json into the folder of `--out`."""


@app.command()
def quantities(
    data: DataArgument,
    out: OutOption,
    reader: ReadersOption = None,
    weights: Weights = None,
    limit: LimitOption = None,
) -> None:
    """Accuracy and calibration of quantities, by validation set and reader."""
    from resformer.train.evaluation.quantity_benchmark import benchmark_quantities

    out.mkdir(parents=True, exist_ok=True)
    _finish(
        out,
        "quantities",
        benchmark_quantities(data, _readers(reader), weights=weights, limit=limit, curves=out),
        weights,
    )


@app.command()
def rows(
    data: DataArgument,
    out: OutOption,
    reader: ReadersOption = None,
    weights: Weights = None,
    limit: LimitOption = None,
) -> None:
    """Accuracy of whole rows: every entity of every photo, beside boosted trees (ten minutes)."""
    from resformer.train.evaluation.row_benchmark import benchmark_rows

    _finish(out, "rows", benchmark_rows(data, _readers(reader), weights=weights, limit=limit), weights)


@app.command()
def labels(out: OutOption, reader: ReadersOption = None, weights: Weights = None) -> None:
    """Answers about drawn labels and titles, by kind: numbers, roles, axes, directions, scripts (five minutes)."""
    from resformer.train.evaluation.label_benchmark import benchmark_labels
    from resformer.train.evaluation.label_cases import fonts_are_missing

    if missing := fonts_are_missing():
        raise typer.BadParameter(missing)
    _finish(out, "labels", benchmark_labels(_readers(reader), weights=weights), weights)


@app.command()
def attributes(
    tables: TablesArgument,
    out: OutOption,
    weights: Weights = None,
    schema: SchemaFile = None,
    limit: LimitOption = None,
) -> None:
    """Accuracy of choices, paths and texts, from images alone and with text (twenty minutes)."""
    from resformer.model.schema.schema import Schema
    from resformer.train.evaluation.attribute_predictions import predict_tables
    from resformer.train.evaluation.attribute_scores import attribute_figures, write_label_details
    from resformer.train.settings.sources import ProductTables
    from resformer.train.settings.yaml_settings import load_yaml, validate

    sources = validate(load_yaml(tables), ProductTables, tables).sources
    predictions = predict_tables(sources, weights=weights, schema=schema, limit=limit)
    entities = Schema.load(schema)
    out.mkdir(parents=True, exist_ok=True)
    write_label_details(out, predictions, entities)
    _finish(out, "attributes", attribute_figures(predictions, entities), weights)


@app.command()
def attribute_baselines(
    config: Annotated[
        Path, typer.Argument(help="Training config, whose tables the baselines learn.", exists=True, dir_okay=False)
    ],
    tables: TablesArgument,
    out: OutOption,
) -> None:
    """Accuracy of text alone, and of the text of the nearest photo (half an hour)."""
    from resformer.model.schema.schema import Schema
    from resformer.train.evaluation.attribute_comparison import benchmark_attribute_baselines
    from resformer.train.settings.run_settings import NetworkConfig, load_config_of
    from resformer.train.settings.sources import ProductTable, ProductTables
    from resformer.train.settings.yaml_settings import load_yaml, validate

    train = [source for source in load_config_of(NetworkConfig, config).sources if isinstance(source, ProductTable)]
    val = validate(load_yaml(tables), ProductTables, tables).sources
    figures = benchmark_attribute_baselines(train, val, Schema.load())
    _finish(out, "attribute-baselines", figures)


@app.command()
def systems(
    data: DataArgument,
    out: OutOption,
    without: Annotated[list[str] | None, typer.Option(help="An OCR engine to leave out; may be repeated.")] = None,
    work: Annotated[Path, typer.Option(help="Folder for OCR caches, which a second run uses.", file_okay=False)] = Path(
        "build/systems"
    ),
) -> None:
    """Accuracy and time beside OCR engines with rules and with boosted trees (half an hour)."""
    from resformer.train.evaluation.system_comparison import ENGINES, benchmark_systems

    if unknown := set(without or []) - set(ENGINES):
        raise typer.BadParameter(f"unknown engine {unknown.pop()!r}; known are {', '.join(ENGINES)}")
    out.mkdir(parents=True, exist_ok=True)
    engines = [engine for engine in ENGINES if engine not in (without or [])]
    _finish(out, "systems", benchmark_systems(data, work, engines, plot=out / "f1-time.png"))


@app.command()
def detection(
    config: Annotated[Path, typer.Argument(help="Config of a text detector's training.", exists=True, dir_okay=False)],
    out: OutOption,
    weights: Weights = None,
    limit: LimitOption = None,
) -> None:
    """Recall and time of text detectors."""
    from resformer.train.evaluation.detection_accuracy import benchmark_detection

    _finish(out, "detection", benchmark_detection(config, weights=weights, limit=limit), weights)


@app.command()
def recognition(
    out: OutOption,
    recognizer: Annotated[
        list[str] | None, typer.Option(help="builtin, PP-OCRv6 tiny or PP-OCRv6 small; may be repeated. Default: all.")
    ] = None,
    weights: Weights = None,
    limit: Annotated[int, typer.Option(help="Values of each text height.", min=1)] = 500,
) -> None:
    """Accuracy of text recognizers on drawn values, by text height."""
    from resformer.train.evaluation.recognition_accuracy import RECOGNIZERS, benchmark_recognition

    _finish(out, "recognition", benchmark_recognition(recognizer or RECOGNIZERS, weights=weights, limit=limit), weights)


@app.command()
def localisation(
    data: DataArgument,
    out: OutOption,
    reader: Annotated[str, typer.Option(help="ppocr, crops or builtin.")] = "crops",
    weights: Weights = None,
    limit: LimitOption = None,
) -> None:
    """How often the box of an answer is where another reader finds the same quantity."""
    from resformer.train.evaluation.localisation import benchmark_localisation

    (name,) = _readers([reader])
    _finish(out, "localisation", benchmark_localisation(data, name, weights=weights, limit=limit), weights)


@app.command()
def latency(
    data: DataArgument,
    out: OutOption,
    reader: ReadersOption = None,
    engine: Annotated[str, typer.Option(help="The OCR engine to compare with.")] = "PP-OCRv6 small",
    weights: Weights = None,
    limit: LimitOption = 100,
) -> None:
    """Time of whole answers beside an OCR engine alone, in turn; run it on an idle machine."""
    from resformer.train.evaluation.latency import benchmark_latency

    figures = benchmark_latency(data, _readers(reader), engine, weights=weights, limit=limit)
    _finish(out, "latency", figures, weights)


@app.command()
def ablation(
    data: DataArgument,
    config: Annotated[
        Path, typer.Argument(help="Config of the whole network's training.", exists=True, dir_okay=False)
    ],
    out: OutOption,
    runs: Annotated[Path, typer.Option(help="Folder of the runs, which the same command resumes.", file_okay=False)] = (
        Path("runs/ablation")
    ),
) -> None:
    """Train networks that lack one ingredient each, and score them (an hour)."""
    from resformer.train.evaluation.ablation import benchmark_ablation

    _finish(out, "ablation", benchmark_ablation(data, config, runs))


@app.command()
def endpoint(
    photos: Annotated[Path, typer.Option(help="Folder of photos.", exists=True, file_okay=False)],
    out: OutOption,
    reader: ReadersOption = None,
    entities: Annotated[
        str, typer.Option(help="Names, separated by commas. Default: groups by kind, and everything.")
    ] = "",
    limit: Annotated[int, typer.Option(help="Requests of each kind.", min=1)] = 60,
    port: Annotated[int, typer.Option(help="Port of the running server.")] = 8080,
) -> None:
    """Latency and memory of a running server, one request at a time."""
    from resformer.model.schema.schema import Schema
    from resformer.scripts.torchserve.server_latency import benchmark_endpoint

    kinds = {entity.name: entity.kind for entity in Schema.load().entities}
    groups = {
        "quantities": [name for name, kind in kinds.items() if kind == "quantity"],
        "choices and paths": [name for name, kind in kinds.items() if kind in ("choice", "path")],
        "all but texts": [name for name, kind in kinds.items() if kind != "text"],
        "texts": [name for name, kind in kinds.items() if kind == "text"],
        "everything": [],
    }
    if entities:
        groups = {entities: entities.split(",")}
    _finish(out, "endpoint", benchmark_endpoint(photos, _readers(reader), groups, limit=limit, port=port))


@app.command()
def scoring(
    out: OutOption,
    photos: Annotated[int, typer.Option(help="Photos to draw and score.", min=16)] = 400,
    reader: Annotated[str, typer.Option(help="ppocr, crops or builtin.")] = "builtin",
    engine: Annotated[
        list[str] | None,
        typer.Option(help="threads, processes, independent or ray; may be repeated. Default: all."),
    ] = None,
) -> None:
    """Rate and memory of `resformer score` by engine, on drawn photos; run it on an idle machine."""
    from resformer.scripts.engines.scoring_benchmark import ENGINES, benchmark_scoring

    if unknown := set(engine or []) - set(ENGINES):
        raise typer.BadParameter(f"unknown engine {unknown.pop()!r}; known are {', '.join(ENGINES)}")
    (name,) = _readers([reader])
    _finish(out, "scoring", benchmark_scoring(photos, name, engine or ENGINES))


@app.command()
def stages(
    out: OutOption,
    photos: Annotated[int, typer.Option(help="Photos to draw and answer.", min=16)] = 600,
    reader: ReadersOption = None,
) -> None:
    """What a photo costs: core-seconds by stage, bytes, memory of a worker; run it on an idle machine (ten minutes)."""
    from resformer.scripts.engines.stage_benchmark import benchmark_stages

    _finish(out, "stages", benchmark_stages(photos, _readers(reader)))


@app.command()
def scale(
    out: OutOption,
    photos: Annotated[int, typer.Option(help="Photos of the simulated runs.", min=1000)] = 10_000_000,
    photo_bytes: Annotated[
        float | None, typer.Option(help="Bytes of a photo that is downloaded. Default: of the drawn ones.", min=1.0)
    ] = None,
    core_hour: Annotated[
        list[float] | None, typer.Option(help="Price of a core for an hour, once for all machine types or for each.")
    ] = None,
    seed: Annotated[int, typer.Option(help="Of the simulation.")] = 0,
) -> None:
    """What millions of photos take on 1, 10 and 100 machines, from the stages.json in `--out` (two minutes)."""
    from resformer.train.evaluation.plots import plot_scale
    from resformer.train.evaluation.scale_figures import MACHINE_TYPES, read_stages, scale_figures, with_prices

    figures = scale_figures(
        read_stages(out),
        photos=photos,
        photo_bytes=photo_bytes,
        machine_types=with_prices(MACHINE_TYPES, core_hour or []),
        seed=seed,
    )
    plot_scale(out / "scale.png", figures["runs"])
    _finish(out, "scale", figures)


@app.command()
def long_table(
    out: OutOption,
    rows: Annotated[int, typer.Option(help="Rows of the long table.", min=16)] = 100_000,
    photos: Annotated[int, typer.Option(help="Photos that it is about, to draw.", min=16)] = 20_000,
    few_rows: Annotated[int, typer.Option(help="Rows of the short table.", min=16)] = 1000,
    threads_rows: Annotated[int, typer.Option(help="Rows that threads of one process answer.", min=16)] = 10_000,
    in_process_photos: Annotated[int, typer.Option(help="Photos that the predictor alone answers.", min=16)] = 2000,
    reader: Annotated[str, typer.Option(help="ppocr, crops or builtin.")] = "builtin",
) -> None:
    """Memory and rate of `resformer score` on a long table; run it on an idle machine (half an hour)."""
    from resformer.scripts.engines.long_table_benchmark import benchmark_long_table

    (name,) = _readers([reader])
    figures = benchmark_long_table(
        rows,
        photos,
        reader=name,
        few_rows=few_rows,
        threads_rows=threads_rows,
        in_process_photos=in_process_photos,
    )
    _finish(out, "long-table", figures)


@app.command()
def hostile(
    out: OutOption,
    port: Annotated[int, typer.Option(help="Port of the running server, on this machine.")] = 8080,
    group: Annotated[
        list[str] | None, typer.Option("--group", help="A group of cases; may be repeated. Default: all.")
    ] = None,
    seconds: Annotated[float, typer.Option(help="Until an answer, at most.", min=0.0)] = 2.0,
    mebibytes: Annotated[float, typer.Option(help="Of memory above the idle server, at most.", min=0.0)] = 512.0,
) -> None:
    """Hostile requests: what each of them got, how long it took and how much memory (ten minutes).

    Exit codes: 0 all as they must be, 1 a status that is not listed, a limit that was passed, or a lost worker.

    Examples:

        resformer benchmark hostile --port 8080 --out build/benchmarks
    """
    from resformer.scripts.hostile.attack import Limits, attack
    from resformer.scripts.hostile.groups import all_cases, choose
    from resformer.scripts.lib.sample_photo import sample_photo_bytes
    from resformer.scripts.torchserve.server import Server

    cases = choose(all_cases(), group or [])
    figures = attack(Server(port), cases, sample_photo_bytes(), Limits(seconds, mebibytes))
    _finish(out, "hostile", figures)
    raise typer.Exit(any(case["failures"] for case in figures["cases"]))


@app.command()
def soak(
    out: OutOption,
    port: Annotated[int, typer.Option(help="Port of the running server, on this machine.")] = 8080,
    minutes: Annotated[float, typer.Option(help="For how long.", min=0.1, max=600.0)] = 10.0,
    clients: Annotated[int, typer.Option(help="At the same time.", min=1, max=256)] = 16,
    kill_every: Annotated[float, typer.Option(help="Seconds between kills of a worker; 0 = none.", min=0.0)] = 30.0,
    slope: Annotated[float, typer.Option(help="MiB a minute that memory may grow by, at most.", min=0.0)] = 16.0,
    seed: Annotated[int, typer.Option(help="Of the requests.")] = 0,
) -> None:
    """A server under valid, invalid, huge and slow requests, while its workers are killed.

    Exit codes: 0 as it must be, 1 a wrong answer, a lost request, or memory or descriptors that grow.

    Examples:

        resformer benchmark soak --minutes 10 --clients 16 --out build/benchmarks
    """
    from resformer.scripts.soak.soak import Plan, soak_server
    from resformer.scripts.torchserve.server import Server

    plan = Plan(seconds=60 * minutes, clients=clients, kill_every=kill_every, max_slope=slope, seed=seed)
    figures = soak_server(Server(port), plan)
    _finish(out, "soak", figures)
    raise typer.Exit(bool(figures["failures"]))


@app.command()
def downloads(
    out: OutOption,
    limit: Annotated[int, typer.Option("--limit", metavar="N", min=30, help="Links.")] = 1000,
    time_limit: Annotated[float, typer.Option("--time-limit", metavar="S", help="Seconds for each link.")] = 10.0,
) -> None:
    """Links of which 30 % fail, from a server on this machine: what becomes of each, and what they cost the others."""
    from resformer.scripts.lib.download_benchmark import benchmark_downloads

    _finish(out, "downloads", benchmark_downloads(limit, time_limit=time_limit))


@app.command()
def report(
    labels: Annotated[Path, typer.Argument(help="CSV with the answers that are right.", exists=True, dir_okay=False)],
    out: Annotated[Path, typer.Option("--out", help="HTML file to write.", dir_okay=False)],
    ocr: Annotated[Path, typer.Option(help="OCR cache of the photos.", exists=True, dir_okay=False)],
    photos: Annotated[Path, typer.Option(help="Folder of the photos.", exists=True, file_okay=False)],
    weights: Weights = None,
    schema: SchemaFile = None,
) -> None:
    """Write a page of wrong answers on their photos, with filters.

    Examples:

        resformer benchmark report labels_val.csv --ocr val.jsonl.gz --photos val/ --out errors.html
    """
    from resformer.train.evaluation.error_report import write_error_report

    refuse_overwriting([labels, ocr, weights, schema], [out])
    rows = write_error_report(out, labels=labels, ocr=ocr, photos=photos, weights=weights, schema=schema)
    print(f"{out}: {rows} rows")


@app.command()
def tables(
    folder: Annotated[Path, typer.Argument(help="Folder of benchmark files.", exists=True, file_okay=False)],
    document: Annotated[Path, typer.Argument(help="Markdown file to write.", dir_okay=False)],
    fill: Annotated[bool, typer.Option(help="Replace only what is between marks of the document.")] = False,
) -> None:
    """Write BENCHMARKS.md from benchmark files, or with `--fill` the tables of docs/scale.md.

    Examples:

        resformer benchmark tables docs/benchmarks BENCHMARKS.md

        resformer benchmark tables docs/benchmarks docs/scale.md --fill
    """
    from resformer.train.evaluation.benchmark_tables import render_document
    from resformer.train.evaluation.scale_tables import fill_document

    refuse_overwriting(list(folder.iterdir()), [document])
    text = fill_document(document.read_text(encoding="utf-8"), folder) if fill else render_document(folder)
    with written_whole(document) as file:
        file.write(text)
    print(document)


def _readers(names: list[str] | None) -> list[str]:
    from resformer.model.ocr.readers import READERS, canonical_reader

    return [canonical_reader(name) for name in names or READERS]


def _finish(out: Path, name: str, figures: dict[str, Any], weights: Path | None = None) -> None:
    """Writes the file of a benchmark and shows its tables."""
    from resformer.train.evaluation.benchmark_file import read_benchmark, write_benchmark
    from resformer.train.evaluation.benchmark_tables import render_section

    path = write_benchmark(out, name, figures, command=shlex.join(["resformer", *sys.argv[1:]]), weights=weights)
    print(render_section(read_benchmark(path)))
    print(path)
