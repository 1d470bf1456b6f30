"""The accuracy table: this project beside what people use instead, on the same photos.

    python -m train.evaluation.system_comparison DATA build/compare

DATA is the folder of labelled photos that the model card describes. Words are kept in the output folder, beside
results.md, results.json, times.png and a curve of each reader: a second run reads no photo again, unless its reader
changed. Run it with nothing else on the machine; the times are part of the table.
"""

import argparse
import inspect
import json
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from tqdm import tqdm

from resformer.model.inference.checkpoint import WEIGHTS_DIR
from resformer.model.inference.quantity_inputs import QuantityPreprocessor
from resformer.model.inference.tokenizer import Tokenizer
from resformer.model.ocr.readers import DEFAULT_READER, READERS
from resformer.model.ocr.text_line import TextLine
from resformer.model.prediction import Prediction
from resformer.model.predictor import Predictor
from resformer.model.quantities.candidates import find_candidates
from resformer.model.quantities.label_priors import LabelPriors
from resformer.model.schema.schema import Entity, Schema
from resformer.train.config import load_config
from resformer.train.data.quantity_records import Record, read_words
from resformer.train.evaluation.baselines import ocr_engines
from resformer.train.evaluation.baselines.rules import Rules
from resformer.train.evaluation.baselines.trees import Trees
from resformer.train.evaluation.localisation import evidence_share
from resformer.train.evaluation.plots import Timed, f1_against_time, precision_coverage
from resformer.train.evaluation.quantity_metrics import (
    Answered,
    Counts,
    calibration_error,
    f1_interval,
    precision_at,
    worse_share,
)
from resformer.train.evaluation.quantity_scores import Row, read_rows, score_rows
from resformer.train.evaluation.record_answers import answer_record
from resformer.train.evaluation.validation_sets import ValidationSet, Words, validation_sets, words_of
from resformer.train.quantities.quantity_trainer import read_sources

CONFIG = Path(__file__).parents[1] / "configs" / "small.yaml"
OURS = DEFAULT_READER  # sure rows and places of answers are told of this reader alone
ALL_LENGTHS = "all lengths"
OCR = ("PP-OCRv6 small", "PP-OCRv6 tiny", "faster-paddle small", "faster-paddle tiny", "Tesseract")
# Other sizes of photos, pixels of the longer side, that our readers are shown with.
SIZES = (("crops", 512), ("crops", 800), ("builtin", 384), ("builtin", 640))

Answers = list[tuple[str, float]]  # canonical answer and confidence of each question of a record
System = Callable[[Record], Answers]


@dataclass(frozen=True)
class Result:
    """How one system did on one set of photos.

    Attributes:
        entities: F1 of each, and of all lengths together.
        reachable: share of the rows with a truth whose truth is among the candidates parsed from the words.
        reading_s, choosing_s: means per photo.
        memory_mib: the reader's peak.
    """

    photos: str
    system: str
    words: str
    f1: float
    low: float
    high: float
    mix: float
    precision: float
    recall: float
    entities: Mapping[str, float]
    reachable: float
    reading_s: float | None
    choosing_s: float
    memory_mib: int | None


def reachable(rows: Sequence[Row], records: Sequence[Record]) -> float:
    """Share of the rows with a truth that a perfect choice among the candidates would get right."""
    units = {q.entity.name: (q.entity.units, q.entity.ranges) for record in records for q in record.questions}
    lines = {record.name: record.lines for record in records}
    hits = []
    for row in rows:
        if row.accepted:
            allowed, ranges = units[row.entity]
            found = find_candidates(lines[row.photo], allowed, ranges=ranges)
            hits.append(any(str(c.quantity) in row.accepted for c in found))
    return sum(hits) / len(hits)


def read_photos(photos: Path, words: Path, reader: str, longest: int | None = None) -> tuple[float, int]:
    """Reads a folder in a process of its own, or takes what an earlier run kept: seconds per photo and peak MiB.

    Args:
        longest: pixels of the longer side that the reader looks at instead of its own.

    What was kept is older than the code of its reader: it is read again.
    """
    cost = words.with_suffix(".cost.json")
    if not cost.exists() or cost.stat().st_mtime < max(path.stat().st_mtime for path in _code_of(reader)):
        words.parent.mkdir(parents=True, exist_ok=True)
        command = [sys.executable, "-m", "resformer.train.tools.ocr_cache", str(photos), str(words), "--reader", reader]
        command += ["--longest", str(longest)] if longest else []
        done = subprocess.run(command, stdout=subprocess.PIPE, text=True)
        if done.returncode:
            raise ValueError(f"{' '.join(command)} failed with {done.returncode}")
        cost.write_text(done.stdout)
    summary = json.loads(cost.read_text())
    return summary["mean_seconds"], summary["peak_mib"]


def _code_of(reader: str) -> list[Path]:
    """The files that say what a reader reads."""
    if reader not in READERS:
        return [Path(inspect.getfile(ocr_engines))]
    return [*WEIGHTS_DIR.parent.rglob("*.py"), *WEIGHTS_DIR.glob("*.safetensors")]


def resformer(predictor: Predictor) -> System:
    """The shipped network on words read before."""

    def answer(record: Record) -> Answers:
        predictions = answer_record(predictor, record)
        return [
            (predictions[q.entity.name].prediction, predictions[q.entity.name].confidence) for q in record.questions
        ]

    return answer


def hidden_parts(records: Sequence[Record]) -> dict[str, list[Record]]:
    """The records without what a caller may lack: the segments of the picture, the group of the product."""
    parts = {"strokes": [replace(record, drawing=None) for record in records]}
    if any(record.group_id for record in records):
        parts["group"] = [replace(record, group_id="") for record in records]
    return parts


def rules(preprocessor: QuantityPreprocessor) -> System:
    """OCR and rules."""
    chooser = Rules(preprocessor.schema)

    def answer(record: Record) -> Answers:
        entities = [q.entity for q in record.questions]
        found = preprocessor.candidates(record.lines, entities)
        return [(chooser.choose(record.page, e, c), 1.0) for e, c in zip(entities, found, strict=True)]

    return answer


def trees(fitted: Trees, preprocessor: QuantityPreprocessor, threshold: float = 0.0) -> System:
    """OCR and boosted trees; a score below the threshold is taken for "not shown"."""

    def answer(record: Record) -> Answers:
        excluded_labels = [q.excluded_label for q in record.questions]
        example = preprocessor.example(
            record.page, [q.entity for q in record.questions], excluded_labels=excluded_labels
        )
        chosen = [fitted.choose(example, i) for i in range(len(record.questions))]
        return [(string if score >= threshold else "", score) for string, score in chosen]

    return answer


def best_threshold(fitted: Trees, preprocessor: QuantityPreprocessor, records: Sequence[Record]) -> float:
    """The threshold that scores the trees best on these records."""
    rows = _rows(records)
    answers = [answer for record in records for answer in trees(fitted, preprocessor)(record)]

    def f1(threshold: float) -> float:
        return score_rows(rows, [string if score >= threshold else "" for string, score in answers]).micro.f1

    return max((i / 20 for i in range(20)), key=f1)


def _rows(records: Sequence[Record]) -> list[Row]:
    return [Row(r.name, q.entity.name, tuple(map(str, q.accepted))) for r in records for q in r.questions]


class Table:
    """Results as they come, and the rows behind them for comparisons of pairs."""

    def __init__(self, schema: Schema) -> None:
        self._lengths = [e.name for e in schema.entities if e.is_length]
        self.results: list[Result] = []
        self.rows: dict[tuple[str, str, str], list[Answered]] = {}
        self.confidences: dict[tuple[str, str, str], list[float]] = {}

    def add(self, photos: str, system: str, words_name: str, rows: Sequence[Row], words: Words, ask: System) -> None:
        """Scores a system on the questions of the words' records."""
        began = time.perf_counter()
        answers: dict[tuple[str, str], tuple[str, float]] = {}
        for record in tqdm(words.records, desc=f"{photos}: {system}, {words_name}", disable=None):
            for question, answer in zip(record.questions, ask(record), strict=True):
                answers[record.name, question.entity.name] = answer
        seconds = (time.perf_counter() - began) / len(words.records)
        predictions = [answers[row.photo, row.entity][0] for row in rows]
        result = score_rows(rows, predictions)
        answered = [(row.photo, p, row.accepted) for p, row in zip(predictions, rows, strict=True)]
        key = (photos, system, words_name)
        self.rows[key] = answered
        self.confidences[key] = [answers[row.photo, row.entity][1] for row in rows]
        low, high = f1_interval(answered)
        entities = {name: counts.f1 for name, counts in sorted(result.entities.items())}
        if (lengths := result.over(self._lengths)).rows:
            entities[ALL_LENGTHS] = lengths.f1
        micro = result.micro
        self.results.append(
            Result(
                *(*key, micro.f1, low, high, result.mix, micro.precision, micro.recall, entities),
                *(reachable(rows, words.records), words.reading_s, words.drawing_s + seconds, words.memory),
            )
        )

    def timed(self) -> list[Timed]:
        """Scores and times of whole sets whose reading was timed."""
        return [
            Timed(r.photos, r.system, r.words, r.f1, 1000 * (r.reading_s + r.choosing_s))
            for r in self.results
            if r.reading_s and "," not in r.photos
        ]

    def pooled(self, system: str, words_name: str, sets: Sequence[str]) -> list[Answered]:
        """Rows of several sets."""
        return [row for name in sets for row in self.rows[name, system, words_name]]

    def entities_markdown(self) -> str:
        """F1 per entity of our own readers' words and of words read before."""
        shown = [r for r in self.results if r.words in (*READERS, "originals")]
        names = sorted({name for r in shown for name in r.entities}, key=lambda name: (name == ALL_LENGTHS, name))
        lines = [f"| photos | system | words of | {' | '.join(names)} |", "|---" * (3 + len(names)) + "|"]
        for r in shown:
            scores = [f"{r.entities[name]:.3f}" if name in r.entities else "" for name in names]
            lines.append(f"| {r.photos} | {r.system} | {r.words} | {' | '.join(scores)} |")
        return "\n".join(lines) + "\n"

    def markdown(self) -> str:
        """The table as it stands in BENCHMARKS.md."""
        columns = (
            *("photos", "system", "words of", "F1 micro", "95 % interval", "mix", "reachable"),
            *("reading s", "choosing s", "peak MiB"),
        )
        lines = [f"| {' | '.join(columns)} |", "|---" * len(columns) + "|"]
        for r in self.results:
            cells = (
                *(r.photos, r.system, r.words, f"{r.f1:.3f}", f"{r.low:.3f} to {r.high:.3f}", f"{r.mix:.3f}"),
                *(f"{r.reachable:.3f}", f"{r.reading_s:.3f}" if r.reading_s else "", f"{r.choosing_s:.3f}"),
                str(r.memory_mib or ""),
            )
            lines.append(f"| {' | '.join(cells)} |")
        return "\n".join(lines) + "\n"


def compare(data: Path, out: Path, ocr: Sequence[str] = OCR) -> tuple[Table, dict[str, float]]:
    """Runs every system, with these OCR engines beside our own; returns the table and the facts that are not per
    set."""
    predictor = Predictor.load(reader="builtin", threads=2)
    schema = predictor.schema
    preprocessor = QuantityPreprocessor(schema, Tokenizer(schema), LabelPriors.load())
    train, held = read_sources(load_config(CONFIG), schema)
    fitted = Trees(train, preprocessor)
    threshold = best_threshold(fitted, preprocessor, held)
    ours, chosen, ruled = resformer(predictor), trees(fitted, preprocessor, threshold), rules(preprocessor)
    table = Table(schema)
    spots: dict[str, tuple[float, int]] = {}
    sets = validation_sets(data)
    for photos in sets:
        name = photos.name
        rows = read_rows(photos.labels, schema)
        for reader in (*predictor.readers, *ocr):
            path = out / "words" / f"{name}-{reader}.jsonl".replace(" ", "-")
            seconds, memory = read_photos(photos.photos, path, reader)
            words = replace(words_of(rows, path, photos.photos, schema), reading_s=seconds, memory=memory)
            if reader in READERS:
                table.add(name, "Resformer", reader, rows, words, ours)
                for hidden, records in hidden_parts(words.records).items():
                    table.add(name, f"Resformer without {hidden}", reader, rows, Words(records), ours)
            else:
                table.add(name, "rules", reader, rows, words, ruled)
            if reader != "Tesseract":
                table.add(name, "trees", reader, rows, words, chosen)
            sure = [row for row in rows if row.sure]
            if reader == OURS and len(sure) < len(rows):
                table.add(f"{name}, sure rows", "Resformer", reader, sure, words, ours)
                table.add(f"{name}, sure rows", "trees", reader, sure, words, chosen)
            if reader == OURS:
                spots[name] = evidence_share(_predictions(predictor, words.records), _other_lines(photos))
        for reader, longest in SIZES:
            path = out / "words" / f"{name}-{reader}-{longest}.jsonl".replace(" ", "-")
            seconds, memory = read_photos(photos.photos, path, reader, longest)
            words = replace(words_of(rows, path, photos.photos, schema), reading_s=seconds, memory=memory)
            table.add(name, "Resformer", f"{reader}, {longest} pixels", rows, words, ours)
        if photos.originals:
            words = words_of(rows, photos.words, photos.photos, schema)
            for system, ask in (("Resformer", ours), ("trees", chosen), ("rules", ruled)):
                table.add(name, system, "originals", rows, words, ask)
    rows = _rows(held)
    for system, ask in (("Resformer", ours), ("trees", chosen), ("rules", ruled)):
        table.add("held back", system, "originals", rows, Words(held), ask)
    facts = {"threshold of the trees": threshold}
    for reader in predictor.readers:
        facts |= _facts(table, reader, [photos.name for photos in sets], out / f"curve-{reader}.png")
    for name, (share, count) in spots.items():
        facts[f"answers read where they say, {name}"] = share
        facts[f"of how many, {name}"] = count
    return table, facts


def _predictions(predictor: Predictor, records: Sequence[Record]) -> Iterator[tuple[str, Entity, Prediction]]:
    for record in records:
        predictions = answer_record(predictor, record)
        for question in record.questions:
            yield record.name, question.entity, predictions[question.entity.name]


def _other_lines(photos: ValidationSet) -> dict[str, Sequence[TextLine]]:
    """Lines that another finder than ours found, by photo."""
    return {photo: record.lines for photo, record in read_words(photos.words).items()}


def _facts(table: Table, reader: str, sets: Sequence[str], curve: Path) -> dict[str, float]:
    """F1 over all sets, calibration, precision at half coverage (draws the curve), and the comparison with trees on the
    same words."""
    rows = table.pooled("Resformer", reader, sets)
    confidences = [c for name in sets for c in table.confidences[name, "Resformer", reader]]
    right = [p in accepted if p else not accepted for _, p, accepted in rows]
    answered = [(c, r) for c, r, (_, p, _) in zip(confidences, right, rows, strict=True) if p]
    if not answered:
        raise ValueError("the network answered nothing at all; look at its weights")
    precision_coverage(curve, [c for c, _ in answered], [r for _, r in answered])
    pooled = Counts()
    for _, prediction, accepted in rows:
        pooled.add(prediction, accepted)
    return {
        f"{reader}, F1 over both sets": pooled.f1,
        f"{reader}, expected calibration error": calibration_error(confidences, right),
        f"{reader}, precision at 50 % coverage": precision_at(0.5, *zip(*answered, strict=True)),
        f"{reader}, share of bootstrap samples not above trees": worse_share(rows, table.pooled("trees", reader, sets)),
    }


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("data", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--without", choices=OCR, action="append", default=[], help="an OCR engine to leave out")
    args = parser.parse_args(arguments)
    args.out.mkdir(parents=True, exist_ok=True)
    try:
        table, facts = compare(args.data, args.out, [name for name in OCR if name not in args.without])
    except (ValueError, OSError) as error:
        print(error, file=sys.stderr)
        return 2
    text = f"{table.markdown()}\n{table.entities_markdown()}\n" + "".join(
        f"{name}: {value:.3f}\n" for name, value in facts.items()
    )
    (args.out / "results.md").write_text(text, encoding="utf-8")
    f1_against_time(args.out / "times.png", table.timed())
    results = {"results": [asdict(r) for r in table.results], **facts}
    (args.out / "results.json").write_text(json.dumps(results, indent=2) + "\n", encoding="utf-8")
    print(text)
    return 0


if __name__ == "__main__":
    sys.exit(main())
