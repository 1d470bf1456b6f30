"""Markdown of the benchmarks that docs/scale.md has, and a document with tables between its marks."""

import re
import textwrap
from collections.abc import Callable
from pathlib import Path
from typing import Any

from resformer.train.evaluation.benchmark_file import read_benchmark
from resformer.train.evaluation.markdown_tables import joined_tables, markdown_table
from resformer.train.evaluation.safety_tables import hostile_tables, soak_tables

__all__ = [
    "downloads_lines",
    "fill_document",
    "long_table_lines",
    "scale_lines",
    "scoring_lines",
    "stages_lines",
]

Figures = dict[str, Any]
MARK = re.compile(r"(<!-- figures: ([\w-]+?)(?:, ([\w ]+))? -->\n).*?(<!-- end -->)", re.DOTALL)
MBIT = 125_000  # bytes a second
MB = 10**6


def fill_document(text: str, folder: Path) -> str:
    """A document with the newest figures between its marks `<!-- figures: NAME -->` and `<!-- end -->`.

    A mark may name one table of the benchmark: `<!-- figures: scale, prices -->`.

    Args:
        text: The document.
        folder: Of benchmark files.

    Raises:
        ValueError: A mark names no benchmark of LINES, or the benchmark or the table is missing.
    """

    def figures(match: re.Match[str]) -> str:
        begin, name, table, end = match.groups()
        path = folder / f"{name}.json"
        if name not in LINES or not path.exists():
            raise ValueError(f"{path} is missing; `resformer benchmark {name}` writes it, if there is such a command")
        benchmark = read_benchmark(path)
        tables = LINES[name](benchmark.figures)
        if table and table not in tables:
            raise ValueError(f"{name} has no table {table!r}; it has {', '.join(tables)}")
        chosen = [tables[table]] if table else list(tables.values())
        machine = benchmark.machine
        how = f"`{benchmark.command}` ({machine['cpu']}, {machine['cores']} cores, {benchmark.date})"
        lines = [*([] if table else [how, ""]), *joined_tables(chosen)]
        return "\n".join([begin.rstrip("\n"), *lines, end])

    return MARK.sub(figures, text)


def stages_lines(figures: Figures) -> list[str]:
    """All tables of `resformer benchmark stages`."""
    return joined_tables(_stages(figures).values())


def scale_lines(figures: Figures) -> list[str]:
    """All tables of `resformer benchmark scale`."""
    return joined_tables(_scale(figures).values())


def long_table_lines(figures: Figures) -> list[str]:
    """All tables of `resformer benchmark long-table`."""
    return joined_tables(_long_table(figures).values())


def scoring_lines(figures: Figures) -> list[str]:
    """The table of `resformer benchmark scoring`."""
    rows = [
        [
            name,
            str(run["processes"]),
            f"{run['photos_per_second']:.1f}",
            f"{run['start_seconds']:.1f}",
            f"{run['peak_bytes'] / 2**20:.0f}",
        ]
        for name, run in figures["engines"].items()
    ]
    return markdown_table(["engine", "processes", "photos/s", "start, s", "peak memory, MB"], rows)


def downloads_lines(figures: Figures) -> list[str]:
    """What `resformer benchmark downloads` found."""
    good_s, all_s, most_s = (f"{figures[key]:.1f}" for key in ("good_s", "all_s", "most_s"))
    kinds = ", ".join(f"{row['kind']} {row['as_it_must']} of {row['links']}" for row in figures["kinds"])
    text = (
        f"{figures['good_links']} good links alone took {good_s} s, with {figures['links'] - figures['good_links']} "
        f"failing ones {all_s} s (1.2 times the sum of {good_s} s and the limit of a link are {most_s} s). Afterwards "
        f"{figures['connections_after']} of {figures['connections']} connections were free. As they must end: {kinds}."
    )
    return [*textwrap.wrap(text, 120), *(f"- {outcome}" for outcome in figures["wrong"])]


def _stages(figures: Figures) -> dict[str, list[str]]:
    rows = figures["rows"]
    names = list(rows[0]["stages"])
    stages = [
        [
            f"`{row['reader']}`",
            row["questions"],
            f"{1 / row['core_seconds']:.1f}",
            *(f"{1000 * row['stages'][name]:.1f}" for name in names),
            f"{1000 * row['run']['main_core_seconds']:.1f}",
            f"{row['worker_bytes'] / MB:,.0f}",
        ]
        for row in rows
    ]
    runs = [
        [
            f"`{row['reader']}`",
            row["questions"],
            f"{row['core_share']:.2f}",
            f"{row['in_process_photos_per_second']:.1f}",
            f"{row['run']['photos_per_second']:.1f}",
            f"{row['run']['start_seconds']:.0f}",
            f"{row['run']['peak_bytes'] / MB:,.0f}",
        ]
        for row in rows
    ]
    columns = ["reader", "asked", "photos a core-second", *(f"{name}, ms" for name in names)]
    per_photo = textwrap.fill(
        f"{figures['photos']} drawn photos have {figures['bytes_per_photo'] / 1000:.0f} KB each. The journal of a run "
        f"takes {1000 * figures['journal_core_seconds']:.2f} ms of a photo about which everything is asked.",
        120,
    ).splitlines()
    return {
        "stages": markdown_table([*columns, "run, ms", "worker, MB"], stages),
        "photos": per_photo,
        "runs": markdown_table(
            [
                *("reader", "asked", "of a core", "predictor on all cores, photos/s", "run, photos/s", "start, s"),
                "peak memory, MB",
            ],
            runs,
        ),
    }


def _scale(figures: Figures) -> dict[str, list[str]]:
    machines = figures["prices"][0]["machines"]
    prices = [
        [
            f"`{row['reader']}`",
            row["questions"],
            f"{row['core_hours_per_million']:.1f}",
            *(f"{one['photos_per_second']:,.0f}, {one['price_per_million']:.2f}" for one in row["machines"]),
        ]
        for row in figures["prices"]
    ]
    heads = [
        f"{one['machine']}: {one['cores']} cores, {one['memory'] / 2**30:.0f} GiB, {one['core_hour']} a core-hour"
        for one in machines
    ]
    links = figures["bottlenecks"][0]["cores_by_link"]
    bottlenecks = [
        [
            f"`{row['reader']}`",
            row["questions"],
            *(_slowest(row[key]) for key in ("slowest", "slowest_with_accelerator")),
            *(f"{row['cores_by_link'][link]:,.0f}" for link in links),
            f"{row['cores_by_connections']:,.0f}",
            f"{row['cores_by_head']:,.0f}" if row["cores_by_head"] else "",
        ]
        for row in figures["bottlenecks"]
    ]
    by_link = [f"{float(link) / MBIT:,.0f} Mbit/s" for link in links]
    checks = [
        [
            f"`{row['reader']}`",
            row["questions"],
            f"{row['measured']:.1f}",
            f"{row['simulated']:.1f}",
            f"{row['simulated'] / row['measured']:.2f}",
        ]
        for row in figures["checks"]
    ]
    runs = [
        [
            f"`{row['reader']}`",
            str(row["nodes"]),
            str(row["parts"]),
            "yes" if row["troubles"] else "no",
            f"{row['seconds'] / 3600:,.1f}",
            f"{(row['answered'] + row['failed']) / row['seconds']:,.0f}",
            f"{row['closed_form_photos_per_second']:,.0f}",
            f"{row['failed']:,}",
            f"{row['lost_nodes']}, {row['repeated']:,}",
            f"{row['bottleneck']} {row['use'][row['bottleneck']]:.2f}",
            f"{row['use']['cores']:.2f}",
        ]
        for row in figures["runs"]
    ]
    return {
        "prices": markdown_table(["reader", "asked", "core-hours", *heads], prices),
        "bottlenecks": markdown_table(
            ["reader", "asked", "slowest stage", "networks 10 times faster", *by_link, "64 connections", "journal"],
            bottlenecks,
        ),
        "checks": markdown_table(["reader", "asked", "measured, photos/s", "simulated, photos/s", "ratio"], checks),
        "runs": markdown_table(
            [
                *("reader", "nodes", "runs", "troubles", "hours", "photos/s", "by the limits"),
                *("photos without an answer", "nodes lost, photos repeated", "used most", "cores used"),
            ],
            runs,
        ),
    }


def _slowest(figures: Figures) -> str:
    return f"{figures['stage']} {100 * figures['fraction']:.0f} %"


def _long_table(figures: Figures) -> dict[str, list[str]]:
    rows = [
        [
            row["engine"],
            f"{row['rows']:,}",
            f"{row['photos']:,}",
            f"{row['rows'] / row['seconds']:.1f}",
            f"{row['photos_per_second']:.1f}",
            f"{row['photos_per_second'] / figures['in_process_photos_per_second']:.2f}",
            f"{row['peak_bytes'] / MB:,.0f}",
        ]
        for row in figures["runs"]
    ]
    columns = ["engine", "rows", "photos", "rows/s", "photos/s", "of the predictor's rate", "peak memory, MB"]
    text = (
        f"The predictor alone, in a process on each core, answers {figures['in_process_photos_per_second']:.1f} photos "
        f"a second. The long table takes {figures['peak_ratio']:.3f} times the memory of the short one."
    )
    return {"runs": markdown_table(columns, rows), "ratios": textwrap.wrap(text, 120)}


LINES: dict[str, Callable[[Figures], dict[str, list[str]]]] = {
    "stages": _stages,
    "scale": _scale,
    "long-table": _long_table,
    "scoring": lambda figures: {"engines": scoring_lines(figures)},
    "downloads": lambda figures: {"kinds": downloads_lines(figures)},
    "hostile": hostile_tables,
    "soak": soak_tables,
}
