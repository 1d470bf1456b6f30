"""`resformer benchmark ...`: the figures of BENCHMARKS.md."""

import typer

__all__ = ["app"]

app = typer.Typer(no_args_is_help=True, help="Measure accuracy and time; each writes JSON and a table.")


@app.callback()
def _root() -> None:
    """Measure accuracy and time; each writes JSON and a table."""
