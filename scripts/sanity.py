"""The command `resformer sanity` with the options of the public challenge, as a file of the checkout.

python scripts/sanity.py --test_filename IN.csv --output_filename OUT.csv
"""

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

if not __package__:  # run as a file: import from the repository, not from this folder
    sys.path[0] = str(Path(__file__).resolve().parents[1])

from resformer.scripts.cli.invoke import invoke
from resformer.scripts.cli.options import Entities, SchemaFile, comma_separated
from resformer.scripts.cli.scoring import Strict, check_predictions

__all__ = ["main"]

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)


@app.command()
def sanity(
    test_filename: Annotated[Path, typer.Option("--test_filename", metavar="IN.csv", help="The table of questions.")],
    output_filename: Annotated[Path, typer.Option("--output_filename", metavar="OUT.csv", help="The predictions.")],
    entities: Entities = None,
    schema: SchemaFile = None,
    strict: Strict = False,
) -> int:
    """Check a table of predictions; every bad row is named.

    Exit codes: 0 every row is valid, 1 some rows are not, 2 a file cannot be used.
    """
    return check_predictions(
        test_filename, output_filename, entities=comma_separated(entities), schema=schema, strict=strict
    )


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the command and returns its exit code."""
    return invoke(app, arguments, "sanity")


if __name__ == "__main__":
    sys.exit(main())
