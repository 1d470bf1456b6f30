"""What the parts bring: networks trained without one of them, scored on the same photos.

    python -m train.evaluation.ablation DATA build/ablate

DATA is the folder of labelled photos that the model card describes. Every network is trained with the same config and
kept in a folder of its own: the same command again goes on where it stopped. Writes results.md and results.json.
"""

import argparse
import json
import sys
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from resformer.model.inference.decoding import EMPTY_MARGIN
from resformer.model.ocr.text_line import TextLine
from resformer.model.predictor import Predictor
from resformer.model.schema.schema import Schema
from resformer.train.config import Config, load_config
from resformer.train.data.quantity_records import Record
from resformer.train.evaluation.quantity_metrics import Answered, f1_interval, worse_share
from resformer.train.evaluation.quantity_scores import Row, read_rows, score_rows
from resformer.train.evaluation.record_answers import answer_records
from resformer.train.evaluation.validation_sets import validation_sets, words_of
from resformer.train.quantities.quantity_trainer import Trainer

__all__ = ["PARTS", "Part", "main", "table", "without_geometry", "without_picture"]

CONFIG = Path(__file__).parents[1] / "configs" / "ablation.yaml"


def without_picture(record: Record) -> Record:
    """The record without what the picture adds to its words: segments and outline."""
    return replace(record, drawing=None)


def without_geometry(record: Record) -> Record:
    """The record with all its lines equally large, one far below the other, in reading order."""
    text_height, pitch = 10.0, 50.0
    lines = []
    for i, line in enumerate(record.lines):
        x, y = 0.5 * text_height * len(line.text), pitch * i
        lines.append(TextLine(((0.0, y), (x, y), (x, y + text_height), (0.0, y + text_height)), line.text, line.score))
    width = max((line.corners[1][0] for line in lines), default=1.0)
    height = pitch * max(len(lines), 1)
    return replace(record, lines=tuple(lines), width=int(width) + 1, height=int(height), drawing=None)


def _labelled_by_catalogue(config: Config) -> Config:
    return replace(config, sources=tuple(s for s in config.sources if s.kind != "hand"))


@dataclass(frozen=True)
class Part:
    """One network of the table.

    Attributes:
        name: what it does without; "" for nothing.
        config: the training settings without the part.
        view: what of a record is left without the part, in training and when asked.
        empty_margin: see model.inference.decoding.decode_quantities.
    """

    name: str
    config: Callable[[Config], Config] = lambda config: config
    view: Callable[[Record], Record] = lambda record: record
    empty_margin: float = EMPTY_MARGIN

    @property
    def folder(self) -> str:
        """Name of the folder of its network. Without abstention the whole network is asked in another way."""
        return self.name.replace(" ", "-") if self.empty_margin == EMPTY_MARGIN and self.name else "whole"


PARTS = (
    Part(""),
    Part("another seed", config=lambda config: replace(config, seed=config.seed + 1)),
    Part("picture", view=without_picture),
    Part("geometry", view=without_geometry),
    Part("synthetic layouts", config=lambda config: replace(config, as_printed_share=1.0, title_share=0.0)),
    Part("hand labels", config=_labelled_by_catalogue),
    Part("abstention", empty_margin=float("inf")),
)


@dataclass(frozen=True)
class Result:
    """Micro-F1 with its 95 % interval and mix of one network on one set, and how often, of bootstrap samples, it was
    not below the whole network."""

    without: str
    photos: str
    f1: float
    low: float
    high: float
    mix: float
    not_below: float


def train_part(part: Part, config: Config, out: Path) -> Path:
    """Trains, or goes on with, the network of a part; its weights. Raises ValueError: time ended before them."""
    folder = out / part.folder
    trainer = Trainer(part.config(config), folder, "cpu", view=part.view)
    trainer.run()
    if not trainer.done:
        raise ValueError(f"{folder}: the minutes of its config ended before its epochs; run the same command again")
    return folder / "weights.safetensors"


def ask(part: Part, predictor: Predictor, rows: Sequence[Row], records: Sequence[Record]) -> list[str]:
    """Answers of a part's network to the rows, of whose photos `records` hold the words."""
    answers = answer_records(predictor, [part.view(record) for record in records])
    return [answers[row.photo][row.entity].prediction for row in rows]


def table(results: Sequence[Result]) -> str:
    """The table as it stands in BENCHMARKS.md."""
    sets = list(dict.fromkeys(r.photos for r in results))
    lines = [f"| without | {' | '.join(f'{name} | mix' for name in sets)} |", "|---" * (1 + 2 * len(sets)) + "|"]
    for name in dict.fromkeys(r.without for r in results):
        cells = [f"{r.f1:.3f} | {r.mix:.3f}" for r in results if r.without == name]
        lines.append(f"| {name or 'nothing'} | {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


def ablate(data: Path, out: Path, config: Config) -> list[Result]:
    """Trains every network and scores it on every validation set, with the words that came with the photos."""
    schema = Schema.load()
    # Before hours of training: a wrong path shows here.
    asked = {photos: read_rows(photos.labels, schema) for photos in validation_sets(data)}
    records = {p: words_of(rows, p.words, p.photos, schema).records for p, rows in asked.items()}
    results = []
    whole: dict[str, list[Answered]] = {}
    for part in PARTS:
        weights = train_part(part, config, out)
        predictor = Predictor.load(weights, reader="builtin", empty_margin=part.empty_margin)
        for photos, rows in asked.items():
            predictions = ask(part, predictor, rows, records[photos])
            answered = [(row.photo, p, row.accepted) for row, p in zip(rows, predictions, strict=True)]
            whole.setdefault(photos.name, answered)
            result = score_rows(rows, predictions)
            low, high = f1_interval(answered)
            not_below = worse_share(whole[photos.name], answered)
            results.append(Result(part.name, photos.name, result.micro.f1, low, high, result.mix, not_below))
    return results


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("data", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--config", type=Path, default=CONFIG)
    args = parser.parse_args(arguments)
    args.out.mkdir(parents=True, exist_ok=True)
    try:
        results = ablate(args.data, args.out, load_config(args.config))
    except (ValueError, OSError) as error:
        print(error, file=sys.stderr)
        return 2
    (args.out / "results.md").write_text(table(results), encoding="utf-8")
    (args.out / "results.json").write_text(json.dumps([asdict(r) for r in results], indent=2) + "\n", encoding="utf-8")
    print(table(results))
    return 0


if __name__ == "__main__":
    sys.exit(main())
