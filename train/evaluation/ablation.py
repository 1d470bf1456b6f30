"""Ablation of the quantity network: networks trained without one ingredient, scored on the same photos."""

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from resformer.model.ocr.text_line import TextLine
from resformer.model.predictor import Predictor
from resformer.model.schema.schema import Schema
from resformer.train.data.quantity_records import Record
from resformer.train.engine.fabric import make_fabric
from resformer.train.evaluation.labelled_rows import LabelledRow, read_rows
from resformer.train.evaluation.quantity_metrics import ScoredAnswer, f1_interval, p_not_better
from resformer.train.evaluation.quantity_scores import score_rows
from resformer.train.evaluation.record_answers import answer_records
from resformer.train.evaluation.validation_sets import read_photos_of, validation_sets
from resformer.train.quantities.quantity_trainer import QuantityTrainer
from resformer.train.settings.run_settings import QuantityConfig, load_config_of

__all__ = ["VARIANTS", "Variant", "benchmark_ablation", "without_drawing", "without_geometry"]


def without_drawing(record: Record) -> Record:
    """The record without its line drawing: text lines alone."""
    return replace(record, drawing=None)


def without_geometry(record: Record) -> Record:
    """The record with all lines equally large, one far below the other, in their order."""
    text_height, pitch = 10.0, 50.0
    lines = []
    for i, line in enumerate(record.lines):
        x, y = 0.5 * text_height * len(line.text), pitch * i
        lines.append(TextLine(((0.0, y), (x, y), (x, y + text_height), (0.0, y + text_height)), line.text, line.score))
    width = max((line.corners[1][0] for line in lines), default=1.0)
    height = pitch * max(len(lines), 1)
    return replace(record, lines=tuple(lines), width=int(width) + 1, height=int(height), drawing=None)


@dataclass(frozen=True)
class Variant:
    """One network of the ablation.

    Attributes:
        without: the ingredient that it lacks; "" for none.
        config: its training settings, made from those of the whole network.
        view: what is left of a record, in training and in evaluation.
        min_confidence: see Predictor.predict.
    """

    without: str
    config: Callable[[QuantityConfig], QuantityConfig] = lambda config: config
    view: Callable[[Record], Record] = lambda record: record
    min_confidence: float | None = None

    @property
    def folder(self) -> str:
        """Name of the folder of its run. Without abstention it is the whole network, decoded otherwise."""
        return self.without.replace(" ", "-") if self.min_confidence is None and self.without else "whole"


VARIANTS = (
    Variant(""),
    Variant("another seed", config=lambda config: config.model_copy(update={"seed": config.seed + 1})),
    Variant("line drawing", view=without_drawing),
    Variant("geometry", view=without_geometry),
    Variant(
        "augmented layouts", config=lambda config: config.model_copy(update={"p_unaugmented": 1.0, "p_title": 0.0})
    ),
    Variant(
        "hand labels",
        config=lambda config: config.model_copy(
            update={"sources": tuple(source for source in config.sources if source.kind != "hand")}
        ),
    ),
    Variant("abstention", min_confidence=0.0),
)


@dataclass(frozen=True)
class AblationScore:
    """The score of one network on one set.

    Attributes:
        without: the ingredient that it lacks; "" for none.
        photos: name of the set.
        f1: micro-F1.
        f1_interval: its 95 % interval.
        mix: F1 weighted as the challenge's test set.
        p_not_below: fraction of paired bootstrap samples in which it is not below the whole network.
    """

    without: str
    photos: str
    f1: float
    f1_interval: tuple[float, float]
    mix: float
    p_not_below: float


def benchmark_ablation(data: Path, config: Path, runs: Path) -> dict[str, Any]:
    """Trains every variant and scores it with the OCR caches that came with the validation photos.

    The same call resumes runs that were interrupted.

    Args:
        data: the folder of labelled photos that the model card describes.
        config: of the training of the whole network.
        runs: folder of the runs, one folder a variant.

    Raises:
        ValueError: the data or the config cannot be used, or the time budget of a run ends before its epochs.
    """
    settings = load_config_of(QuantityConfig, config)
    schema = Schema.load()
    # Before hours of training: a wrong path shows here.
    rows_of = {photos: read_rows(photos.labels, schema) for photos in validation_sets(data)}
    records_of = {p: read_photos_of(rows, p.ocr, p.photos, schema).records for p, rows in rows_of.items()}
    scores = []
    whole: dict[str, list[ScoredAnswer]] = {}
    for variant in VARIANTS:
        weights = _train(variant, settings, runs)
        predictor = Predictor.load(weights, reader="builtin")
        for photos, rows in rows_of.items():
            predictions = _predict(variant, predictor, rows, records_of[photos])
            scored = [(row.photo, p, row.accepted) for row, p in zip(rows, predictions, strict=True)]
            whole.setdefault(photos.name, scored)
            score = score_rows(rows, predictions)
            scores.append(
                AblationScore(
                    variant.without,
                    photos.name,
                    f1=score.micro.f1,
                    f1_interval=f1_interval(scored),
                    mix=score.mix,
                    p_not_below=p_not_better(whole[photos.name], scored),
                )
            )
    return {"scores": [asdict(score) for score in scores]}


def _train(variant: Variant, config: QuantityConfig, runs: Path) -> Path:
    """Trains the network of a variant, or resumes its run; its weights."""
    folder = runs / variant.folder
    trainer = QuantityTrainer(variant.config(config), folder, make_fabric(accelerator="cpu"), view=variant.view)
    trainer.run()
    if not trainer.done:
        raise ValueError(f"{folder}: the time budget of the config ended before its epochs; run the same command again")
    return folder / "weights.safetensors"


def _predict(
    variant: Variant, predictor: Predictor, rows: Sequence[LabelledRow], records: Sequence[Record]
) -> list[str]:
    """Canonical predictions for the rows, whose photos are the records."""
    answers = answer_records(predictor, [variant.view(record) for record in records], variant.min_confidence)
    return [answers[row.photo][row.entity].prediction for row in rows]
