"""Markdown of the benchmarks that docs/security-tests.md has."""

from typing import Any

from resformer.train.evaluation.markdown_tables import joined_tables, markdown_table

__all__ = ["hostile_lines", "hostile_tables", "soak_lines", "soak_tables"]

Figures = dict[str, Any]


def hostile_tables(figures: Figures) -> dict[str, list[str]]:
    """What hostile requests got, by group."""
    cases = figures["cases"]
    rows = []
    for group in dict.fromkeys(case["group"] for case in cases):
        members = [case for case in cases if case["group"] == group]
        statuses = sorted({str(status) for case in members for status in case["statuses"]})
        rows.append(
            [
                group,
                str(len(members)),
                ", ".join(statuses) or "none",
                f"{max(case['seconds'] for case in members):.2f}",
                str(max(case["memory_mib"] for case in members)),
                str(sum(bool(case["failures"]) for case in members)),
            ]
        )
    failed = [f"- {case['group']}, {case['name']}: {'; '.join(case['failures'])}" for case in cases if case["failures"]]
    text = (
        f"{len(cases)} inputs. The idle server has {figures['idle_mib']} MiB and answers an ordinary photo in "
        f"{figures['ordinary_seconds']:.2f} s."
    )
    columns = ["group", "inputs", "answers", "slowest, s", "most memory above idle, MiB", "failures"]
    return {"groups": [text, "", *markdown_table(columns, rows)], **({"failures": failed} if failed else {})}


def soak_tables(figures: Figures) -> dict[str, list[str]]:
    """What came of a soak test."""
    kinds = ", ".join(f"{count:,} {kind}" for kind, count in figures["by_kind"].items())
    errors = ", ".join(f"{count:,} times {status}" for status, count in figures["errors"].items()) or "none"
    recovery = (
        f"{figures['kills']} workers were killed; the next answer came after {figures['recovery_p50']:.1f} s (median), "
        f"{figures['recovery_p95']:.1f} s (95th percentile)."
        if figures["kills"]
        else "No worker was killed."
    )
    lines = [
        f"- {figures['clients']} clients for {figures['seconds'] / 60:.0f} minutes, {figures['requests']:,} requests: "
        f"{kinds}.",
        f"- Errors 5xx: {errors}. {100 * figures['failed_first_share']:.1f} % of the requests had one and got their "
        "answer when they were sent again.",
        f"- {recovery}",
        f"- Wrong answers, lost requests, growth: {figures['faults']}.",
    ]
    rows = [
        [
            row["process"],
            f"{row['peak_mib']:,}",
            f"{row['mib_a_minute']:+.1f}",
            str(row["peak_descriptors"]),
            f"{row['descriptors_a_minute']:+.1f}",
        ]
        for row in figures["processes"]
    ]
    columns = ["process", "peak, MiB", "MiB a minute", "descriptors", "descriptors a minute"]
    failures = [f"- {failure}" for failure in figures["failures"]]
    return {
        "summary": lines,
        "processes": markdown_table(columns, rows),
        **({"failures": failures} if failures else {}),
    }


def hostile_lines(figures: Figures) -> list[str]:
    """All tables of `resformer benchmark hostile`."""
    return joined_tables(hostile_tables(figures).values())


def soak_lines(figures: Figures) -> list[str]:
    """All tables of `resformer benchmark soak`."""
    return joined_tables(soak_tables(figures).values())
