"""Ablation: small networks trained without one ingredient, scored on the same photos."""

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, TypeVar

from lightning_fabric import Fabric

from resformer.model.ocr.text_line import TextLine
from resformer.model.predictor import Predictor
from resformer.model.schema.schema import Schema
from resformer.train.data.quantity_records import Record
from resformer.train.engine.fabric import make_fabric
from resformer.train.evaluation.labelled_rows import LabelledRow, read_rows
from resformer.train.evaluation.quantity_metrics import f1_interval
from resformer.train.evaluation.quantity_scores import score_rows
from resformer.train.evaluation.record_answers import answer_record
from resformer.train.evaluation.row_scores import score_photo_rows
from resformer.train.evaluation.validation_sets import read_photos_of, read_row_records, validation_sets
from resformer.train.network.labelled_photos import LabelledPhoto
from resformer.train.network.network_trainer import NetworkTrainer
from resformer.train.settings.run_settings import NetworkConfig, load_config_of

__all__ = ["VARIANTS", "Variant", "benchmark_ablation", "without_drawing", "without_geometry", "without_picture"]

ROWS = "rows val"

Shown = TypeVar("Shown", LabelledPhoto, Record)
View = Callable[[Shown], Shown]


def without_picture(photo: Shown) -> Shown:
    """The photo without its pixels."""
    return replace(photo, photo=None)


def without_drawing(photo: Shown) -> Shown:
    """The photo without its line drawing."""
    return replace(photo, drawing=None)


def without_geometry(photo: Shown) -> Shown:
    """The photo with all lines equally large, one far below the other, in their order."""
    text_height, pitch = 10.0, 50.0
    lines = []
    for i, line in enumerate(photo.lines):
        x, y = 0.5 * text_height * len(line.text), pitch * i
        lines.append(TextLine(((0.0, y), (x, y), (x, y + text_height), (0.0, y + text_height)), line.text, line.score))
    width = max((line.corners[1][0] for line in lines), default=1.0)
    height = pitch * max(len(lines), 1)
    return replace(photo, lines=tuple(lines), width=int(width) + 1, height=int(height), drawing=None)


def _whole(photo: Shown) -> Shown:
    return photo


def _without_source(kind: str) -> Callable[[NetworkConfig], NetworkConfig]:
    return lambda config: config.model_copy(
        update={"sources": tuple(source for source in config.sources if source.kind != kind)}
    )


@dataclass(frozen=True)
class Variant:
    """One network of the ablation.

    Attributes:
        without: the ingredient that it lacks; "" for none.
        config: its training settings, made from those of the whole network.
        view: what is left of a photo, in training and in evaluation.
    """

    without: str
    config: Callable[[NetworkConfig], NetworkConfig] = lambda config: config
    view: View[Any] = _whole

    @property
    def folder(self) -> str:
        """Name of the folder of its run."""
        return self.without.replace(" ", "-") or "whole"


VARIANTS = (
    Variant(""),
    Variant("another seed", config=lambda config: config.model_copy(update={"seed": config.seed + 1})),
    Variant("picture", view=without_picture),
    Variant("line drawing", view=without_drawing),
    Variant("geometry", view=without_geometry),
    Variant(
        "augmented layouts", config=lambda config: config.model_copy(update={"p_unaugmented": 1.0, "p_title": 0.0})
    ),
    Variant("whole rows", config=_without_source("rows")),
    Variant("hand labels", config=_without_source("hand")),
)


class _ViewTrainer(NetworkTrainer):
    """A trainer that shows the network a view of each photo."""

    def __init__(self, config: NetworkConfig, out: Path, fabric: Fabric, view: View[LabelledPhoto]):
        self._view = view
        super().__init__(config, out, fabric)

    def split_items(self) -> tuple[list[LabelledPhoto], list[LabelledPhoto]]:
        """See PartTrainer."""
        train, val = super().split_items()
        return [self._view(photo) for photo in train], [self._view(photo) for photo in val]


@dataclass(frozen=True)
class AblationScore:
    """The score of one network on one set.

    Attributes:
        without: the ingredient that it lacks; "" for none.
        photos: name of the set.
        f1: micro-F1 of presumed values; of whole rows, strict F1.
        f1_interval: its 95 % interval.
    """

    without: str
    photos: str
    f1: float
    f1_interval: tuple[float, float]


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
    settings = load_config_of(NetworkConfig, config)
    schema = Schema.load()
    # Before hours of training: a wrong path shows here.
    rows_of = {photos: read_rows(photos.labels, schema) for photos in validation_sets(data)}
    records_of = {p: read_photos_of(rows, p.ocr, p.photos, schema).records for p, rows in rows_of.items()}
    whole_rows = read_row_records(data, "val", schema)
    scores = []
    for variant in VARIANTS:
        predictor = Predictor.load(_train(variant, settings, runs), reader="builtin")
        for photos, rows in rows_of.items():
            predictions = _predict(variant, predictor, rows, records_of[photos])
            interval = f1_interval([(row.photo, p, row.accepted) for row, p in zip(rows, predictions, strict=True)])
            f1 = score_rows(rows, predictions).micro.f1
            scores.append(AblationScore(variant.without, photos.name, f1, interval))
        score = score_photo_rows(whole_rows, [_answers(variant, predictor, record) for record in whole_rows]).as_dict()
        scores.append(AblationScore(variant.without, ROWS, score["f1"], score["f1_interval"]))
    return {"scores": [asdict(score) for score in scores]}


def _train(variant: Variant, config: NetworkConfig, runs: Path) -> Path:
    """Trains the network of a variant, or resumes its run; its weights."""
    folder = runs / variant.folder
    trainer = _ViewTrainer(variant.config(config), folder, make_fabric(accelerator="cpu"), variant.view)
    trainer.run()
    if not trainer.done:
        raise ValueError(f"{folder}: the time budget of the config ended before its epochs; run the same command again")
    return folder / "weights.safetensors"


def _predict(
    variant: Variant, predictor: Predictor, rows: Sequence[LabelledRow], records: Sequence[Record]
) -> list[str]:
    """Canonical predictions for the rows, whose photos are the records."""
    answers = {record.name: _answers(variant, predictor, record) for record in records}
    return [answers[row.photo][row.entity] for row in rows]


def _answers(variant: Variant, predictor: Predictor, record: Record) -> dict[str, str]:
    """Canonical answers by entity to the questions of a record, as the variant shows it."""
    predictions = answer_record(predictor, variant.view(record))
    return {name: prediction.prediction for name, prediction in predictions.items()}
