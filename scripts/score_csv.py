"""Answers a table of questions about photos: python scripts/score_csv.py IN.csv OUT.csv

IN.csv has the columns of the public challenge: index, image_link, group_id, entity_name. `image` will do for
`image_link`, without index the rows count from 0, and group_id, which tells the kind of product, may be missing, as may
title and description. OUT.csv gets index, prediction in the same order and passes scripts/sanity.py.

With --entities the table has a row per product and needs no entity_name:

    python scripts/score_csv.py IN.csv OUT.csv --images photos/ --entities category,baseColour,title,item_weight

OUT.csv then has index, image, and for each entity its answer and its confidence; a path has a column per level
(category_1, category_2, ...).

Photos are files of the folder --images, found by the last part of their link, or are downloaded into --cache. Each
is read once however many rows ask about it. The network runs in this process, or on the server --endpoint:

    python scripts/score_csv.py IN.csv OUT.csv --images photos/
    python scripts/score_csv.py IN.csv OUT.csv --images photos/ --key-file key_file.json \\
        --endpoint http://127.0.0.1:8080/predictions/resformer

A photo that is missing or unreadable, or an entity that is unknown, gives empty predictions and lines in
OUT.errors.csv (index, image, error). A run that is cut short leaves OUT.csv.journal: --resume goes on with it. Memory
does not grow with the table.

Exit code: 0 all rows answered, 2 the table, the settings or the server cannot be used, 3 some rows are in
OUT.errors.csv, 130 interrupted.
"""

import argparse
import csv
import json
import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import nullcontext
from itertools import groupby
from pathlib import Path
from typing import Any

from tqdm import tqdm

if not __package__:  # run as a file: import from the repository, not from this folder
    sys.path[0] = str(Path(__file__).resolve().parents[1])

from resformer.model.errors import ResformerError
from resformer.model.ocr.readers import ALIASES, DEFAULT_READER, READERS
from resformer.model.schema.schema import Entity, Schema
from resformer.model.schema.taxonomy import parse_path
from resformer.scripts.download_images import Downloader
from resformer.scripts.lib.answerers import Answerer, EndpointError, endpoint, in_process
from resformer.scripts.lib.files import written_whole
from resformer.scripts.lib.journal import Journal, Outcome, Questions, Row
from resformer.scripts.lib.parallel import mapped
from resformer.scripts.lib.photo_sources import Photo, PhotoError, downloaded, in_folder
from resformer.scripts.lib.tables import UnusableFile, read_table

__all__ = ["main", "score"]

NO_ANSWER: dict[str, Any] = {
    "prediction": "",
    "value": None,
    "unit": None,
    "si": None,
    "confidence": None,
    "evidence": None,
}


ABOUT = ("group_id", "title", "description")


def questions(table: Path, entities: Sequence[str] = ()) -> Iterator[Row]:
    """The questions of the input: one a row, or these entities of each row."""
    columns = ("image_link|image",) if entities else ("image_link|image", "entity_name")
    for number, row in enumerate(read_table(table, *columns)):
        image = (row["image_link"] if "image_link" in row else row["image"]).strip()
        index = row.get("index", str(number))
        about = {name: value for name in ABOUT if (value := row.get(name, "").strip())}
        if not entities:
            yield Row(index, image, row["entity_name"].strip(), about, number + 2)
        for entity in entities:
            yield Row(index, image, entity, about, number + 2, among=True)


def score(journal: Journal, photo: Photo, answerer: Answerer, schema: Schema, jobs: int) -> None:
    """Answers every question of the journal that has no answer yet.

    Args:
        journal: Holds the questions and takes the answers.
        photo: Where photos come from.
        answerer: Who answers.
        schema: The entities that can be asked about.
        jobs: How many photos are fetched and answered at once.

    Raises:
        EndpointError: The server cannot be used. What was answered before is in the journal.
    """

    def answered(questions: Questions) -> tuple[Questions, dict[str, Outcome]]:
        return questions, _outcomes(questions, photo, answerer, schema)

    results = mapped(answered, journal.questions(), jobs)
    for asked, outcomes in tqdm(results, total=journal.open_photos(), unit="photo", disable=None):
        journal.note(asked, outcomes)


def _outcomes(questions: Questions, photo: Photo, answerer: Answerer, schema: Schema) -> dict[str, Outcome]:
    outcomes = {}
    known = []
    for name in questions.entities:
        try:
            known.append(schema[name].name)
        except ResformerError as error:
            outcomes[name] = Outcome(None, f"{type(error).__name__}: {error}")
    try:
        answers = answerer(photo(questions.image), known, questions.about) if known else {}
        outcomes.update((name, Outcome(answers[name], "")) for name in known)
    except PhotoError as error:
        outcomes.update((name, Outcome(None, str(error))) for name in known)
    return outcomes


def write_results(
    journal: Journal, out: Path, errors: Path, details: Path | None, min_confidence: float
) -> tuple[int, int]:
    """Writes the files of a finished run and returns how many rows there are and how many have an error.

    An answer less confident than `min_confidence` is empty in `out`; the details have it all the same.
    """
    count = failed = 0
    with (
        written_whole(out) as out_file,
        written_whole(errors) as errors_file,
        written_whole(details) if details else nullcontext() as details_file,
    ):
        predictions = csv.writer(out_file, lineterminator="\n")
        predictions.writerow(["index", "prediction"])
        faults = csv.writer(errors_file, lineterminator="\n")
        faults.writerow(["index", "image", "error"])
        for row, (answer, error) in journal.scored_rows():
            count += 1
            answer = answer or NO_ANSWER
            sure = (answer["confidence"] or 0.0) >= min_confidence
            predictions.writerow([row.index, answer["prediction"] if sure else ""])
            if details_file:
                about = {"index": row.index, "image": row.image, "entity_name": row.entity}
                details_file.write(json.dumps({**about, **answer}, ensure_ascii=False) + "\n")
            if error:
                failed += 1
                faults.writerow([row.index, row.image, error])
    if not failed:
        errors.unlink()
    return count, failed


def write_products(
    journal: Journal, out: Path, errors: Path, details: Path | None, min_confidence: float, entities: Sequence[Entity]
) -> tuple[int, int]:
    """As write_results, with a row for each product."""
    header = ["index", "image"]
    for entity in entities:
        levels = [f"{entity.name}_{depth + 1}" for depth in range(_depth(entity))]
        header += [*(levels or [entity.name]), f"{entity.name}_confidence"]
    count = failed = 0
    with (
        written_whole(out) as out_file,
        written_whole(errors) as errors_file,
        written_whole(details) if details else nullcontext() as details_file,
    ):
        products = csv.writer(out_file, lineterminator="\n")
        products.writerow(header)
        faults = csv.writer(errors_file, lineterminator="\n")
        faults.writerow(["index", "image", "error"])
        for index, of_product in groupby(journal.scored_rows(), lambda scored: scored.row.index):
            scored = list(of_product)
            image = scored[0].row.image
            outcomes = {row.entity: outcome for row, outcome in scored}
            count += 1
            cells = []
            for entity in entities:
                answer = outcomes[entity.name].answer or NO_ANSWER
                sure = (answer["confidence"] or 0.0) >= min_confidence
                said = answer["prediction"] if sure else ""
                levels = [*(parse_path(said) if said and _depth(entity) else ()), *[""] * _depth(entity)]
                cells += [*(levels[: _depth(entity)] or [said]), answer["confidence"]]
                if details_file:
                    about = {"index": index, "image": image, "entity_name": entity.name}
                    details_file.write(json.dumps({**about, **answer}, ensure_ascii=False) + "\n")
            products.writerow([index, image, *cells])
            if faulty := [outcome.error for outcome in outcomes.values() if outcome.error]:
                failed += 1
                faults.writerow([index, image, faulty[0]])
    if not failed:
        errors.unlink()
    return count, failed


def _depth(entity: Entity) -> int:
    """How many levels a path has; 0 for what is no path."""
    return max(map(len, entity.paths), default=0)


def _asked(names: str, schema: Schema) -> list[Entity]:
    if names and not names.replace(",", "").strip():
        raise UnusableFile(f"--entities {names!r} names none; known are {', '.join(schema.names)}")
    try:
        return [schema[name] for name in dict.fromkeys(filter(None, (name.strip() for name in names.split(","))))]
    except ResformerError as error:
        raise UnusableFile(f"--entities: {error}") from error


def _token(options: argparse.Namespace) -> str:
    if not options.key_file:
        return options.token or os.environ.get("RESFORMER_TOKEN", "")
    try:
        return str(json.loads(options.key_file.read_text())["inference"]["key"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise UnusableFile(f"{options.key_file} is not a key file of TorchServe: {error!r}") from error


def _answerer(options: argparse.Namespace) -> Answerer:
    if options.endpoint:
        return endpoint(options.endpoint, reader=options.reader, token=_token(options), connections=options.jobs)
    # Loads torch, which a run against a server need not wait for.
    from resformer.model.predictor import Predictor

    try:
        return in_process(Predictor.load(options.weights, reader=options.reader))
    except (OSError, ValueError) as error:
        raise UnusableFile(f"cannot load the network: {error}") from error


def _photo(options: argparse.Namespace) -> Photo:
    if not options.images:
        cache = options.cache or options.out.with_suffix(".images")
        return downloaded(cache, Downloader(threads=options.jobs))
    if not options.images.is_dir():
        raise UnusableFile(f"--images {options.images} is not a folder")
    return in_folder(options.images)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("table", type=Path, metavar="IN.csv")
    parser.add_argument("out", type=Path, metavar="OUT.csv")
    photos = parser.add_mutually_exclusive_group()
    photos.add_argument("--images", type=Path, metavar="DIR", help="photos are in this folder")
    photos.add_argument("--cache", type=Path, metavar="DIR", help="download photos to here (OUT.images)")
    where = parser.add_mutually_exclusive_group()
    where.add_argument("--weights", type=Path, metavar="FILE", help="a network other than the shipped one")
    where.add_argument("--endpoint", metavar="URL", help="ask a server instead")
    keys = parser.add_mutually_exclusive_group()
    keys.add_argument("--token", metavar="KEY", help="its inference key ($RESFORMER_TOKEN)")
    keys.add_argument("--key-file", type=Path, metavar="FILE", help="TorchServe's key_file.json")
    parser.add_argument(
        "--reader", choices=(*READERS, *ALIASES), default=DEFAULT_READER, help="who reads the words (%(default)s)"
    )
    parser.add_argument("--jobs", type=int, default=4, help="photos fetched and answered at once (4)")
    parser.add_argument("--details", type=Path, metavar="FILE.jsonl", help="all that is known of each answer")
    parser.add_argument(
        "--min-confidence", type=float, default=0.0, metavar="P", help="leave answers empty that are less sure (0)"
    )
    parser.add_argument("--entities", metavar="A,B", default="", help="answer these for every row, a row per product")
    parser.add_argument("--resume", action="store_true", help="go on with a run that was cut short")
    return parser


def main(arguments: list[str] | None = None) -> int:
    parser = _parser()
    options = parser.parse_args(arguments)
    if options.jobs < 1:
        parser.error("--jobs must be at least 1")
    if not 0 <= options.min_confidence <= 1:
        parser.error("--min-confidence must be between 0 and 1")
    try:
        return _run(options)
    except (UnusableFile, EndpointError) as error:
        print(error, file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        return 130


def _run(options: argparse.Namespace) -> int:
    out: Path = options.out
    if not out.parent.is_dir():
        raise UnusableFile(f"{out.parent} is not a folder")
    journal_file = out.with_name(f"{out.name}.journal")
    if journal_file.exists() and not options.resume:
        raise UnusableFile(f"{journal_file} is of a run that was cut short; add --resume, or delete it")
    schema = Schema.load()
    entities = _asked(options.entities, schema)
    photo, answerer = _photo(options), _answerer(options)
    weights = options.weights or ("those of the server" if options.endpoint else "those shipped")
    errors = out.with_suffix(".errors.csv")
    try:
        with Journal(journal_file, f"reader {options.reader}, weights {weights}") as journal:
            journal.ask(questions(options.table, [entity.name for entity in entities]))
            score(journal, photo, answerer, schema, options.jobs)
            files = (journal, out, errors, options.details, options.min_confidence)
            count, failed = write_products(*files, entities) if entities else write_results(*files)
    finally:
        if journal_file.exists():
            print(f"{journal_file} holds what was answered; --resume goes on with it", file=sys.stderr)
    print(f"{count} rows are in {out}", file=sys.stderr)
    if failed:
        print(f"{failed} of them have no answer for a reason told in {errors}", file=sys.stderr)
    return 3 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
