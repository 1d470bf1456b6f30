"""`resformer data ...`: preparation of training data."""

import typer

__all__ = ["app"]

app = typer.Typer(no_args_is_help=True, help="Prepare training data.")


@app.callback()
def _root() -> None:
    """Prepare training data."""
