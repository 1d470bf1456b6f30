"""Scores answers to labelled photos, as the public challenge does.

    python -m train.evaluation.quantity_scores --labels labels_val.csv --photos val/
    python -m train.evaluation.quantity_scores --labels labels_val.csv --words words_val.jsonl.gz --photos val/
    python -m train.evaluation.quantity_scores --labels labels_val.csv --predictions answers.csv

Labels are the challenge's (image, entity_name, entity_value) or made by eye (image, entity_name, accept).
Photos are read by --reader. Words that were read before make that needless; with both, segments are looked for on the
photos as a request does. A CSV of answers (index,prediction) is scored as it is.
"""

import argparse
import csv
import json
import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from tqdm import tqdm

from resformer.model.ocr.readers import ALIASES, DEFAULT_READER, READERS
from resformer.model.prediction import Prediction
from resformer.model.predictor import Predictor
from resformer.model.quantities.parser import parse_quantity
from resformer.model.schema.schema import Schema
from resformer.train.data.quantity_records import Question, label_rows, photo_name, read_words, with_drawing
from resformer.train.evaluation.quantity_metrics import Score, score
from resformer.train.evaluation.record_answers import answer_record


@dataclass(frozen=True)
class Row:
    """One row of a label file: what is asked about which photo, and the canonical answers that are right.

    `sure`: nearly everybody would agree; all rows are where the file does not say.
    """

    photo: str
    entity: str
    accepted: tuple[str, ...]
    group_id: str = ""
    sure: bool = True


def read_rows(labels: Path, schema: Schema) -> list[Row]:
    """Every row of a label file, in its order; a label outside its entity's units is never right."""
    rows = []
    for row in label_rows(labels):
        entity = schema[row["entity_name"]]
        texts = row["accept"].split("|") if "accept" in row else [row["entity_value"]]
        accepted = [str(parse_quantity(text, entity.units) or text) for text in texts if text]
        sure = row.get("sure", "1") == "1"
        rows.append(Row(photo_name(row), entity.name, tuple(accepted), row.get("group_id", ""), sure))
    return rows


def predict_rows(rows: Sequence[Row], predictor: Predictor, photos: Path) -> list[Prediction]:
    """Predictions by the predictor's reader, each photo answered once for all its entities."""
    answers = {}
    for name, of_photo in tqdm(rows_by_photo(rows).items(), desc="photos", disable=None):
        entities = [row.entity for row in of_photo]
        result = predictor.predict((photos / name).read_bytes(), entities, group_id=of_photo[0].group_id)
        answers[name] = result.predictions
    return [answers[row.photo][row.entity] for row in rows]


def predict_rows_from_words(
    rows: Sequence[Row], predictor: Predictor, words: Path, photos: Path | None = None
) -> list[Prediction]:
    """Predictions from words that were read before.

    Args:
        photos: folder to look for segments in, as a request does; None answers from the words alone.

    Raises ValueError: `words` lacks a photo.
    """
    read = read_words(words)
    answers = {}
    for name, of_photo in tqdm(rows_by_photo(rows).items(), desc="photos", disable=None):
        if name not in read:
            raise ValueError(f"{words} lacks the words of {name}; read them first")
        questions = tuple(Question(predictor.schema[row.entity], ()) for row in of_photo)
        lengths = any(question.entity.is_length for question in questions)
        record = with_drawing(read[name], photos / name, wanted=lengths) if photos else read[name]
        asked = replace(record, questions=questions, group_id=of_photo[0].group_id)
        answers[name] = answer_record(predictor, asked)
    return [answers[row.photo][row.entity] for row in rows]


def score_rows(rows: Sequence[Row], predictions: Sequence[str]) -> Score:
    """Scores predictions in the order of the rows."""
    return score((row.entity, p, row.accepted) for row, p in zip(rows, predictions, strict=True))


def rows_by_photo(rows: Sequence[Row]) -> dict[str, list[Row]]:
    photos: dict[str, list[Row]] = {}
    for row in rows:
        photos.setdefault(row.photo, []).append(row)
    return photos


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
        return score_rows(rows, read_predictions(args.predictions, args.labels, schema))
    predictor = Predictor.load(args.weights, reader="builtin" if args.words else args.reader)
    if args.words:
        answers = predict_rows_from_words(rows, predictor, args.words, args.photos)
    else:
        answers = predict_rows(rows, predictor, args.photos)
    return score_rows(rows, [answer.prediction for answer in answers])


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--labels", type=Path, required=True)
    parser.add_argument("--photos", type=Path, help="folder of the labelled photos")
    parser.add_argument("--words", type=Path, help="JSON lines of words read before")
    parser.add_argument("--predictions", type=Path, help="CSV of answers to score instead of a network's")
    parser.add_argument("--weights", type=Path, help="default: the shipped small ones")
    parser.add_argument("--reader", choices=(*READERS, *ALIASES), default=DEFAULT_READER)
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
