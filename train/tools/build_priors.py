"""Counts the values of public labels, which describe candidates.

python -m train.tools.build_priors challenge_train.csv.gz
"""

import argparse
from pathlib import Path

from resformer.model.quantities.label_priors import PRIORS_FILE, LabelPriors
from resformer.model.schema.schema import Schema
from resformer.train.data.quantity_records import read_label_counts


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("labels", type=Path, help="challenge CSV, its photos are not needed")
    parser.add_argument("--output", type=Path, default=PRIORS_FILE)
    args = parser.parse_args()
    args.output.parent.mkdir(parents=True, exist_ok=True)
    LabelPriors.count(read_label_counts(args.labels, Schema.load())).save(args.output)
    print(f"{args.output}: {args.output.stat().st_size} bytes")


if __name__ == "__main__":
    main()
