"""Scores answers to labelled photos, as the public challenge does.

    python -m train.evaluate --labels labels_val.csv --photos val/
    python -m train.evaluate --labels labels_val.csv --words words_val.jsonl.gz
    python -m train.evaluate --labels labels_val.csv --predictions answers.csv

Labels are the challenge's (image, entity_name, entity_value) or made by eye (image, entity_name, accept).
Photos are read by --reader; words that were read before make that needless, and with both the picture is looked at
beside those words. A CSV of answers (index,prediction) is scored as it is.
"""

import argparse
import csv
import json
import sys
from collections.abc import Sequence
from pathlib import Path

from tqdm import tqdm

from model.photo import decode
from model.predictor import Predictor
from model.quantity import parse_quantity
from model.reader import READERS
from model.schema import Schema
from train.datasets import label_rows, read_words
from train.metrics import Score, score

# Row = image, entity name, canonical accepted answers
Row = tuple[str, str, tuple[str, ...]]


def read_rows(labels: Path, schema: Schema) -> list[Row]:
    """Every row of a label file, in its order; a label outside its entity's units is never right."""
    rows = []
    for row in label_rows(labels):
        entity = schema[row["entity_name"]]
        texts = row["accept"].split("|") if "accept" in row else [row["entity_value"]]
        accepted = [str(parse_quantity(text, entity.units) or text) for text in texts if text]
        name = (row.get("image") or row["image_link"]).rsplit("/", 1)[-1]
        rows.append((name, entity.name, tuple(accepted)))
    return rows


def predict_rows(rows: list[Row], predictor: Predictor, photos: Path) -> list[str]:
    """Predictions of the rows by the predictor's reader, each photo answered once for all its entities."""
    answers = {
        name: predictor.predict((photos / name).read_bytes(), entities).predictions
        for name, entities in tqdm(_asked(rows).items(), desc="photos")
    }
    return [answers[name][entity].prediction for name, entity, _ in rows]


def predict_rows_from_words(rows: list[Row], predictor: Predictor, words: Path, photos: Path | None) -> list[str]:
    """Predictions from words that were read before; with `photos` the image stream is on as well."""
    read = read_words(words)
    answers = {}
    for name, entities in tqdm(_asked(rows).items(), desc="photos"):
        record = read[name]
        image = decode((photos / name).read_bytes()) if photos else None
        asked = [predictor.schema[entity] for entity in entities]
        result = predictor.answer(record.lines, (record.width, record.height), asked, image=image)
        answers[name] = result.predictions
    return [answers[name][entity].prediction for name, entity, _ in rows]


def _asked(rows: list[Row]) -> dict[str, list[str]]:
    asked: dict[str, list[str]] = {}
    for name, entity, _ in rows:
        if entity not in asked.setdefault(name, []):
            asked[name].append(entity)
    return asked


def read_predictions(path: Path, labels: Path, schema: Schema) -> list[str]:
    """Predictions of a CSV in the order of the labels, brought to canonical form where they parse."""
    with path.open(newline="", encoding="utf-8") as file:
        by_index = {row["index"]: row["prediction"] for row in csv.DictReader(file)}
    predictions = []
    for number, row in enumerate(label_rows(labels)):
        index = row.get("index") or str(number)
        if index not in by_index:
            raise ValueError(f"{path} has no prediction for index {index}; scripts/sanity.py lists what is missing")
        text = by_index[index]
        predictions.append(str(parse_quantity(text, schema[row["entity_name"]].units) or text))
    return predictions


def evaluate(args: argparse.Namespace) -> Score:
    """The score of what the arguments name. Raises ValueError for unusable files."""
    schema = Schema.load()
    rows = read_rows(args.labels, schema)
    if args.predictions:
        predictions = read_predictions(args.predictions, args.labels, schema)
    else:
        predictor = Predictor.load(args.weights, reader="none" if args.words else args.reader)
        if args.words:
            predictions = predict_rows_from_words(rows, predictor, args.words, args.photos)
        else:
            predictions = predict_rows(rows, predictor, args.photos)
    return score((entity, p, accepted) for (_, entity, accepted), p in zip(rows, predictions, strict=True))


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--labels", type=Path, required=True)
    parser.add_argument("--photos", type=Path, help="folder of the labelled photos")
    parser.add_argument("--words", type=Path, help="JSON lines of words read before")
    parser.add_argument("--predictions", type=Path, help="CSV of answers to score instead of a network's")
    parser.add_argument("--weights", type=Path, help="default: the shipped small ones")
    parser.add_argument("--reader", choices=READERS, default="ppocr")
    parser.add_argument("--json", type=Path, help="write the scores here too")
    args = parser.parse_args(arguments)
    if not (args.photos or args.words or args.predictions):
        parser.error("name --photos, --words or --predictions")
    try:
        result = evaluate(args)
    except (ValueError, OSError) as error:
        print(error, file=sys.stderr)
        return 2
    print(result.table())
    if args.json:
        args.json.write_text(json.dumps(result.as_dict(), indent=2) + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
