"""Checks a file of predictions: python scripts/sanity.py --test_filename T.csv --output_filename P.csv

Every row of T (index, entity_name) must have one row in P (index, prediction) and P no other. A prediction is empty,
`number unit`, or `[a, b] unit` where the entity takes ranges; the unit is one of the entity's own. A choice is one of
its labels, a path a place in its tree, a text anything. The checker of
the public challenge is laxer there, it lets the units of any entity pass, and stricter on ranges, which it refuses:
so does --strict.

Every bad row is named. Exit code: 0 all rows are fine, 1 some are not, 2 a file cannot be used.
"""

import argparse
import re
import sys
from collections.abc import Iterator
from pathlib import Path

if not __package__:  # run as a file: import from the repository, not from this folder
    sys.path[0] = str(Path(__file__).resolve().parents[1])

from resformer.model.quantities.parser import parse_quantity
from resformer.model.quantities.quantity import Quantity
from resformer.model.schema.schema import Entity, Schema
from resformer.model.schema.taxonomy import SEPARATOR
from resformer.scripts.lib.tables import UnusableFile, read_table

__all__ = ["main", "problem", "problems"]

NUMBER = r"\d+(?:\.\d+)?"
PREDICTION = re.compile(rf"(?:({NUMBER})|\[({NUMBER}), ({NUMBER})\]) (.+)", re.ASCII)


def problem(prediction: str, entity: Entity, *, strict: bool = False) -> str:
    """What is wrong with a prediction about `entity`, and what would be right; "" where nothing is wrong."""
    if not prediction or entity.kind == "text":
        return ""
    if entity.kind == "choice":
        return "" if prediction in entity.labels else f"{prediction!r} is no label of {entity.name}; leave it empty"
    if entity.kind == "path":
        known = tuple(prediction.split(SEPARATOR)) in entity.taxonomy
        return "" if known else f"{prediction!r} is no place in the tree of {entity.name}; leave it empty"
    if not (match := PREDICTION.fullmatch(prediction)):
        return f"{prediction!r} is not `number unit`; {_advice(prediction, entity)}"
    number, low, high, unit = match.groups()
    if unit not in entity.units:
        return f"{unit!r} is no unit of {entity.name}; {_advice(prediction, entity)}"
    if number is not None:
        return "" if float(number) > 0 else f"{prediction!r} is not positive; leave the prediction empty"
    if strict:
        return f"{prediction!r} is a range, which --strict refuses; write one number and a unit"
    if not entity.ranges:
        return f"{prediction!r} is a range, and {entity.name} takes none; write one number and a unit"
    if not 0 < float(low) < float(high):
        return f"the range of {prediction!r} does not rise; write [lower, higher] unit"
    return ""


def _advice(prediction: str, entity: Entity) -> str:
    meant: Quantity | None = parse_quantity(prediction, entity.units)
    if meant is not None:
        return f"write {str(meant)!r}"
    return f"write a number, a space and one of {', '.join(entity.units)}, or nothing"


def problems(test: Path, output: Path, schema: Schema, *, strict: bool = False) -> Iterator[str]:
    """Everything that is wrong with the predictions in `output`, a line each.

    Memory: the index and entity of every row of `test`.

    Raises:
        UnusableFile: A file cannot be used at all.
    """
    asked = _asked(test)
    entities = {entity.name: entity for entity in schema.entities}
    seen: set[str] = set()
    # Rows are counted as a spreadsheet shows them: the header is row 1.
    for number, row in enumerate(read_table(output, "index", "prediction"), 2):
        index = row["index"]
        name = asked.get(index)
        if name is None:
            fault = f"{test} has no such index; delete the row"
        elif index in seen:
            fault = "this index was there before; delete one of the two rows"
        elif name in entities:
            fault = problem(row["prediction"], entities[name], strict=strict)
        else:
            fault = row["prediction"] and f"the entity {name!r} is unknown; leave the prediction empty"
        seen.add(index)
        if fault:
            yield f"row {number}, index {index}: {fault}"
    for index, name in asked.items():
        if index not in seen:
            yield f"index {index}: no row; add one, with an empty prediction if there is no answer ({name})"


def _asked(test: Path) -> dict[str, str]:
    """Index to entity name. Without a column index the rows count from 0."""
    asked: dict[str, str] = {}
    for number, row in enumerate(read_table(test, "entity_name")):
        index = row.get("index", str(number))
        if index in asked:
            raise UnusableFile(f"{test}, row {number + 2}: the index {index} is there twice")
        asked[index] = sys.intern(row["entity_name"].strip())
    return asked


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--test_filename", type=Path, required=True, metavar="T.csv")
    parser.add_argument("--output_filename", type=Path, required=True, metavar="P.csv")
    parser.add_argument("--strict", action="store_true", help="refuse ranges, as the original checker does")
    options = parser.parse_args(arguments)
    bad = 0
    try:
        for fault in problems(options.test_filename, options.output_filename, Schema.load(), strict=options.strict):
            bad += 1
            print(fault)
    except UnusableFile as error:
        print(error, file=sys.stderr)
        return 2
    verdict = f"{bad} bad rows" if bad else "every row is fine"
    print(f"{options.output_filename}: {verdict}", file=sys.stderr)
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
