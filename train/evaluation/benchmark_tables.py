"""Markdown from benchmark files: one section a benchmark, and the whole of BENCHMARKS.md."""

import textwrap
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

from resformer.train.evaluation.benchmark_file import Benchmark, read_benchmark
from resformer.train.evaluation.label_benchmark import TITLE
from resformer.train.evaluation.markdown_tables import markdown_table
from resformer.train.evaluation.safety_tables import hostile_lines, soak_lines
from resformer.train.evaluation.scale_tables import (
    downloads_lines,
    long_table_lines,
    scale_lines,
    scoring_lines,
    stages_lines,
)

__all__ = ["render_document", "render_section"]

INTRODUCTION = """\
# Benchmarks
Accuracy and speed of the shipped weights, on photos that nothing is trained on. The commands below write JSON into
[docs/benchmarks](docs/benchmarks), and `resformer benchmark tables docs/benchmarks BENCHMARKS.md` writes this page from
it. Others: [attacks, faults, load](docs/security-tests.md), [millions of photos](docs/scale.md),
[experiments](docs/experiments.md). `../shared/data`: see the [model card](model/weights/README.md).

F1 is the public challenge's: answers must be equal as strings, and a wrong answer is a false positive only. *Mix*
weights the F1 of the entities as the challenge's test set does; intervals hold 95 % of bootstrap samples of photos. Of
*amazon val* (catalogue labels) one value in six cannot be read on the photo; *hand val* is labelled by eye. Readers:
`builtin` has the built-in networks, `crops` (default) PP-OCR as well for doubtful lines, `ppocr` PP-OCR alone.
"""

Figures = dict[str, Any]
DECIMALS = {"SacreBLEU": 1, "CIDEr": 2}


def render_document(folder: Path) -> str:
    """BENCHMARKS.md.

    Args:
        folder: of benchmark files; one that is missing has no section.

    Raises:
        ValueError: there is no file, or one is no benchmark, or of none that is known.
    """
    benchmarks = {path.stem: read_benchmark(path) for path in sorted(folder.glob("*.json"))}
    if not benchmarks:
        raise ValueError(f"{folder} has no benchmark files; `resformer benchmark` writes them")
    if unknown := sorted(benchmarks.keys() - SECTIONS.keys()):
        raise ValueError(f"{folder / unknown[0]}.json is of no known benchmark; known are {', '.join(SECTIONS)}")
    shown = [name for name in SECTIONS if name in benchmarks and name not in ELSEWHERE]
    return "\n".join([INTRODUCTION, *(render_section(benchmarks[name]) for name in shown)])


def render_section(benchmark: Benchmark) -> str:
    """The title of a benchmark, how it was measured, and its tables."""
    title, description, body = SECTIONS[benchmark.name]
    machine = benchmark.machine
    measured = f"`{benchmark.command}` ({machine['cpu']}, {machine['cores']} cores, {benchmark.date})"
    text = textwrap.fill(f"{description} {benchmark.note}".strip(), 120)
    lines = body(benchmark.figures)
    # A table needs a blank line above it, a list does not.
    return "\n".join([f"## {title}", text, measured, *([""] if lines[0].startswith("|") else []), *lines, ""])


def _bullet(name: str, parts: Iterable[str]) -> list[str]:
    return textwrap.wrap(f"- {name}: {'; '.join(parts)}", 120, subsequent_indent="  ")


def _number(value: float | None, decimals: int = 3) -> str:
    return "" if value is None else f"{value:,.{decimals}f}"


def _metric(name: str, value: float | None) -> str:
    return _number(value, DECIMALS.get(name, 3))


def _interval(value: float, interval: Sequence[float], decimals: int = 3) -> str:
    low, high = interval
    return f"{value:.{decimals}f} ({low:.{decimals}f} to {high:.{decimals}f})"


def _unique(rows: Iterable[Figures], *keys: str) -> list[tuple[Any, ...]]:
    """The different values of some keys, in the order of the rows."""
    return list(dict.fromkeys(tuple(row[key] for key in keys) for row in rows))


def _find(rows: Iterable[Figures], **values: Any) -> Figures | None:
    """The first row with these values."""
    return next((row for row in rows if all(row[key] == value for key, value in values.items())), None)


def _quantities(figures: Figures) -> list[str]:
    sets, names = figures["sets"], [name for (name,) in _unique(figures["sets"], "photos")]
    columns = ["reader", *(f"{name}: {score}" for name in names for score in ("F1", "precision", "recall", "mix"))]
    rows = []
    for totals in figures["readers"]:
        cells = [f"`{totals['reader']}`"]
        for name in names:
            row = _find(sets, photos=name, reader=totals["reader"])
            assert row is not None
            cells += [_interval(row["f1_micro"], row["f1_interval"])]
            cells += [_number(row[key]) for key in ("precision", "recall", "f1_mix")]
        rows.append([*cells, *(_number(totals[key]) for key in ("calibration_error", "precision_at_half_coverage"))])
    lines = markdown_table([*columns, "calibration error", "precision at half coverage"], rows)
    entities = sorted({entity for row in sets for entity in row["entities"]})
    rows = []
    for (reader,) in _unique(sets, "reader"):
        found = [row["entities"] for row in sets if row["reader"] == reader]
        rows.append([f"`{reader}`", *(", ".join(_number(f[e]["f1"]) for f in found if e in f) for e in entities)])
    lines += ["", *markdown_table([f"F1 by entity, {' and '.join(names)}", *entities], rows)]
    return lines


def _rows(figures: Figures) -> list[str]:
    """A table of the quantities by system, and one of what the product is by reader."""
    columns = ["answers by", "strict F1", "less the trees'", "precision", "recall", "all right", "false answer"]
    columns += ["changed by a copy"]
    scores = figures["quantities"]
    entities = list(scores[0]["entities"])
    rows = []
    for row in scores:
        less = row.get("minus_trees")
        rows.append(
            [
                row["answers_by"] if less is None else f"`{row['answers_by']}`",
                _interval(row["f1"], row["f1_interval"]),
                "" if less is None else _interval(less["f1"], less["f1_interval"]),
                *(_number(row[key]) for key in ("precision", "recall")),
                *(_interval(row[key], row[f"{key}_interval"]) for key in ("all_right", "false_answer")),
                ", ".join(_number(copy["mean"]) for copy in row.get("changed_by_copies", {}).values()),
                *(_number(row["entities"][entity]["f1"]) for entity in entities),
            ]
        )
    lines = markdown_table([*columns, *entities], rows)
    if not figures["products"]:
        return lines
    first = figures["products"][0]
    names = list(first["empty"])
    columns = ["answers by", f"empty, no fashion: {', '.join(names)}", "answered, fashion: the same"]
    columns += ["fashion photos with a quantity", "best guess of the category: level 1, level 2"]
    columns += ["from the picture", "from the words"]
    columns += ["baseColour", "best guess of the title: token F1", "category: answered, right", "title: the same"]
    columns += [f"calibration error: {', '.join(first['calibration_error'])}"]
    rows = []
    for row in figures["products"]:
        fashion = row["fashion"]
        categories = (row["category"], row["category_from"]["picture"], row["category_from"]["words"])
        rows.append(
            [
                f"`{row['reader']}`",
                ", ".join(_number(row["empty"][name]["mean"]) for name in names),
                ", ".join(_number(fashion[name]["mean"]) for name in names),
                _number(fashion["quantity"]["mean"]),
                *(", ".join(_number(level["mean"]) for level in levels.values()) for levels in categories),
                *(_number(row[name]["mean"]) for name in ("baseColour", "title")),
                *(
                    f"{_number(row['answered'][name]['mean'])}, {_number(row['right'][name]['mean'])}"
                    for name in ("category", "title")
                ),
                ", ".join(_number(error) for error in row["calibration_error"].values()),
            ]
        )
    baseline = _number(figures["largest_lines"]["mean"])
    last = ["largest text lines, 12 words", *[""] * 7, baseline, "", "", ""]
    return [*lines, "", *markdown_table(columns, [*rows, last])]


def _labels(figures: Figures) -> list[str]:
    kinds = figures["kinds"]
    readers = [reader for (reader,) in _unique(kinds, "reader") if reader != TITLE]
    rows = []
    for (kind,) in _unique(kinds, "kind"):
        of_kind = {row["reader"]: row for row in kinds if row["kind"] == kind}
        right = {reader: str(row["tried"] - len(row["wrong"])) for reader, row in of_kind.items()}
        tried = next((str(of_kind[reader]["tried"]) for reader in readers if reader in of_kind), "")
        title = f"{right[TITLE]} of {of_kind[TITLE]['tried']}" if TITLE in of_kind else ""
        rows.append([kind, tried, *(right.get(reader, "") for reader in readers), title])
    return markdown_table(["kind", "photos", *(f"`{reader}`" for reader in readers), "titles"], rows)


def _systems(figures: Figures) -> list[str]:
    scores = [s for s in figures["scores"] if s["reading_s"] and "," not in s["photos"] + s["reader"]]
    names = [name for (name,) in _unique(scores, "photos")]
    systems = ("rules", "trees", "Resformer")
    columns = ["text by"]
    for name in names:
        columns += [f"{name}: {column}" for column in (*systems, "oracle recall", "s a photo")]
    rows = []
    for (reader,) in _unique(scores, "reader"):
        cells = [reader]
        memory = 0
        for name in names:
            found = [_find(scores, photos=name, system=system, reader=reader) for system in systems]
            cells += [_interval(row["f1"], row["f1_interval"]) if row else "" for row in found]
            row = next(row for row in reversed(found) if row)
            cells += [_number(row["oracle_recall"]), _number(row["reading_s"] + row["choosing_s"], 2)]
            memory = max(memory, row["memory_mib"])
        rows.append([*cells, _number(memory, 0)])
    return markdown_table([*columns, "peak MiB"], rows)


def _localisation(figures: Figures) -> list[str]:
    parts = [f"{row['photos']} {_number(row['accuracy'])} of {row['compared_answers']}" for row in figures["sets"]]
    return [f"`{figures['sets'][0]['reader']}`: {'; '.join(parts)} answers."]


def _latency(figures: Figures) -> list[str]:
    lines = []
    for (name,) in _unique(figures["sets"], "photos"):
        parts = []
        for row in (row for row in figures["sets"] if row["photos"] == name):
            interval = row["ratio_interval"]
            ratio = _interval(row["ratio"], interval, 2) if interval else _number(row["ratio"], 2)
            parts.append(f"`{row['reader']}` {_number(row['seconds'])}, {ratio}")
        lines += _bullet(f"{name} (s a photo, of the engine's time)", parts)
    return lines


def _endpoint(figures: Figures) -> list[str]:
    requests = figures["requests"]
    groups = [name for (name,) in _unique(requests, "entities")]
    rows = []
    for photos, reader in _unique(requests, "photos", "reader"):
        found = [_find(requests, photos=photos, reader=reader, entities=group) for group in groups]
        times = [f"{_number(row['median_ms'], 0)}, {_number(row['p95_ms'], 0)}" if row else "" for row in found]
        memory = [row["memory_mib"] for row in found if row and row["memory_mib"] is not None]
        rows.append([photos, f"`{reader}`", *times, _number(max(memory, default=None), 0)])
    return markdown_table(["photos", "reader", *groups, "memory MiB"], rows)


def _attributes(figures: Figures) -> list[str]:
    """A table for each set of metrics: those of choices, of paths and of texts."""
    by_metrics: dict[str, list[Figures]] = {}
    for row in figures["scores"]:
        kind = next(metric for metric in ("accuracy", "leaf", "CIDEr") if metric in row["scores"])
        by_metrics.setdefault(kind, []).append(row)
    lines: list[str] = []
    for rows in by_metrics.values():
        metrics = list(dict.fromkeys(metric for row in rows for metric in row["scores"]))
        inputs = [name for (name,) in _unique(rows, "inputs")]
        columns = [
            "table",
            "entity",
            *(f"{metric}, {name}" for name in inputs for metric in metrics if metric != "rows"),
        ]
        cells = []
        for table, entity in _unique(rows, "table", "entity"):
            found = [_find(rows, table=table, entity=entity, inputs=name) for name in inputs]
            scores = [row["scores"] if row else {} for row in found]
            cells.append([table, entity, *(_metric(m, s.get(m)) for s in scores for m in metrics if m != "rows")])
        lines += [*markdown_table(columns, cells), ""]
    return lines[:-1]


def _attribute_baselines(figures: Figures) -> list[str]:
    lines: list[str] = []
    for system, *metrics in dict.fromkeys((row["system"], *row["scores"]) for row in figures["scores"]):
        rows = [r for r in figures["scores"] if (r["system"], *r["scores"]) == (system, *metrics)]
        values = [
            f"{row['table']} {row['entity']} {', '.join(_metric(m, row['scores'][m]) for m in metrics)}" for row in rows
        ]
        lines += _bullet(f"{system} ({', '.join(metrics)})", values)
    return lines


def _detection(figures: Figures) -> list[str]:
    detectors = figures["detectors"]
    rows = [
        [name, *(_number(row[key], decimals) for row in detectors)]
        for name, key, decimals in (
            *(("recall", "recall", 3), ("boxes a photo", "boxes_per_photo", 1)),
            ("ms a photo", "ms_per_photo", 0),
        )
    ]
    return markdown_table(["", *(row["detector"] for row in detectors)], rows)


def _recognition(figures: Figures) -> list[str]:
    scores = figures["scores"]
    heights = _unique(scores, "min_height", "max_height")
    rows = []
    for (name,) in _unique(scores, "recognizer"):
        found = [_find(scores, recognizer=name, min_height=low, max_height=high) for low, high in heights]
        cells = [f"{_number(r['value_accuracy'])}, {_number(r['exact_accuracy'])}" for r in found if r is not None]
        rows.append([name, *cells])
    return markdown_table(["pixels", *(f"{low:.0f} to {high:.0f}" for low, high in heights)], rows)


def _ablation(figures: Figures) -> list[str]:
    lines = []
    for (name,) in _unique(figures["scores"], "photos"):
        scores = [row for row in figures["scores"] if row["photos"] == name]
        parts = [f"{row['without'] or 'nothing'} {_number(row['f1'])}" for row in scores]
        lines += _bullet(f"{name}, without", parts)
    return lines


SECTIONS: dict[str, tuple[str, str, Callable[[Figures], list[str]]]] = {
    "quantities": (
        "Quantities",
        "Both sets: calibration error (five bins); [precision](docs/benchmarks/precision-coverage-crops.png) at half "
        "coverage.",
        _quantities,
    ),
    "rows": (
        "Whole rows",
        "`curl -T photo.jpg` against labels by eye. A wrong quantity is a false positive and, where one is shown, a "
        "false negative too. *All right*: photos with no wrong quantity; *false answer*: with one where none is shown. "
        "*Changed by a copy*: quantities of 60 photos that get another answer when the photo is saved as WebP (80), as "
        "JPEG (75), or at 90 % of its size. *Answered*: without `min_confidence`; *right*: of these, as far as a path "
        "goes, or token F1. "
        "Trees (LightGBM) learn from the training rows, and have the text that PP-OCRv6 small reads on larger photos.",
        _rows,
    ),
    "labels": (
        "Labels as they are printed",
        "How many drawn labels and titles are answered right in all that is asked, by the kind of difficulty. "
        "[labels.json](docs/benchmarks/labels.json) has the wrong answers.",
        _labels,
    ),
    "systems": (
        "Quantities, compared with OCR engines",
        "F1 of rules, boosted trees (LightGBM) and Resformer on the text of each reader, among the same candidates. "
        "Oracle recall is that of a perfect choice. The trees learn from both training sets. OCR engines have their "
        "packages' settings. [Plot](docs/benchmarks/f1-time.png): F1 against time.",
        _systems,
    ),
    "localisation": (
        "Localisation",
        "How often the box of an answer and that of the same quantity by another detector contain each other's centre.",
        _localisation,
    ),
    "latency": (
        "Latency of whole answers",
        "Compared with PP-OCRv6 small, which gives text alone; both take turns on the same photos.",
        _latency,
    ),
    "endpoint": (
        "Latency and memory at the endpoint",
        "Milliseconds (median, 95th percentile) of one request at a time, one worker, two threads; memory with Java.",
        _endpoint,
    ),
    "downloads": (
        "Failing downloads",
        "Links of which 30 % fail in fifteen ways, from a server on the same machine that takes 20 ms for a photo.",
        downloads_lines,
    ),
    "attributes": (
        "Attributes",
        "Best guesses (`min_confidence` 0) about products that have a label. *First n*: the first n levels of the "
        "product tree are right. *Hierarchical win*: arXiv 1709.01062. *With fallback*: the parent counts where both "
        "most probable leaves have it. 27 % of the fashion titles occur word for word in training.",
        _attributes,
    ),
    "attribute-baselines": (
        "Attributes, baselines",
        "A classifier of the text (TF-IDF, logistic regression), the nearest photo by EfficientNet-Lite0, and "
        "Resformer with `--texts` of the training table.",
        _attribute_baselines,
    ),
    "detection": (
        "Text detection",
        "Recall of the lines with digits that PP-OCRv6 small finds on larger versions of the validation photos. The "
        "reader `builtin` takes photos at 512 pixels, `crops` at 640.",
        _detection,
    ),
    "recognition": (
        "Text recognition",
        "Fraction of drawn values with the right quantity, and without any error, by height of the capitals in pixels.",
        _recognition,
    ),
    "ablation": (
        "Ablation",
        "F1 of the preset `nano`, on whole rows the strict one; another seed alone moves it by up to two points.",
        _ablation,
    ),
    "scoring": (
        "Batch scoring",
        "`resformer score` on drawn photos, with each engine: *threads* of one process, *processes* (the default), as "
        "many *independent* runs as there are cores with a part of the table each, and *ray* on this machine. Rates "
        "are those behind the first answer, *start* is the time to it. Memory is that of all processes, with what they "
        "share counted once.",
        scoring_lines,
    ),
    "stages": (
        "Stages",
        "What a photo takes on a core while all cores are busy: *photos a core-second*, and milliseconds by stage. "
        "*Run*: what `resformer score` adds, to read, fetch, pass on and write.",
        stages_lines,
    ),
    "scale": (
        "Millions of photos",
        "Computed and simulated from the stages.",
        scale_lines,
    ),
    "long-table": (
        "A long table",
        "Memory of `resformer score`, of all processes together, and its rate beside that of the predictor alone.",
        long_table_lines,
    ),
    "hostile": (
        "Hostile requests",
        "What each group got, the slowest answer (of an ordinary photo where the attack is slow by itself), and the "
        "memory of all processes of the server.",
        hostile_lines,
    ),
    "soak": (
        "Soak",
        "Valid, invalid, huge and slow requests while workers are killed.",
        soak_lines,
    ),
}
ELSEWHERE = {
    **dict.fromkeys(("stages", "scale", "long-table", "scoring", "downloads"), "scale.md"),
    **dict.fromkeys(("hostile", "soak"), "security-tests.md"),
}
"""Benchmarks whose figures stand on a page of their own in docs/."""
