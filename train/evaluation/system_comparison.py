"""Resformer beside OCR engines with rules and with boosted trees, on the same photos."""

from collections.abc import Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from resformer.model.inference.inputs import Preprocessor
from resformer.model.inference.tokenizer import Tokenizer
from resformer.model.ocr.readers import DEFAULT_READER, READERS
from resformer.model.predictor import Predictor
from resformer.model.quantities.label_priors import LabelPriors
from resformer.model.schema.schema import Schema
from resformer.train.data.quantity_records import Record, read_challenge, read_hand
from resformer.train.data.splitting import split_by_hash
from resformer.train.evaluation.baselines.trees import Trees
from resformer.train.evaluation.cached_ocr import make_ocr_cache
from resformer.train.evaluation.labelled_rows import read_rows
from resformer.train.evaluation.plots import plot_f1_against_time
from resformer.train.evaluation.quantity_metrics import p_not_better
from resformer.train.evaluation.system_table import SystemTable
from resformer.train.evaluation.systems import (
    best_threshold,
    resformer_system,
    rules_system,
    trees_system,
    without_optional_inputs,
)
from resformer.train.evaluation.validation_sets import ReadPhotos, ValidationSet, read_photos_of, validation_sets

__all__ = ["ENGINES", "benchmark_systems"]

ENGINES = ("PP-OCRv6 small", "PP-OCRv6 tiny", "faster-paddle small", "faster-paddle tiny", "Tesseract")
# Sizes of photos beside the readers' own, pixels of the longer side.
SIZES = (("crops", 512), ("crops", 800), ("builtin", 384), ("builtin", 640))
LARGER_PHOTOS = "PP-OCRv6 small, larger photos"
VAL_FRACTION = 0.1  # of the training photos, by which the threshold of the trees is chosen


def benchmark_systems(
    data: Path, work: Path, engines: Sequence[str] = ENGINES, *, plot: Path | None = None
) -> dict[str, Any]:
    """Scores and times of every system with the text of every reader.

    Rules and trees choose among the candidates that Resformer has, too; the trees learn from the same
    catalogue labels and labels by hand.

    Args:
        data: the folder of labelled photos that the model card describes.
        work: folder for OCR caches; a second run makes only those whose reader has changed.
        engines: OCR engines beside the readers of Resformer.
        plot: PNG of F1 against time to write.

    Returns:
        `scores`: one a set, system and reader; `trees_threshold`; `p_not_above_trees`: by reader, the fraction of
        bootstrap samples of both sets in which Resformer is not above the trees on the same text.

    Raises:
        ValueError, OSError: a file of the data is missing or broken, or an engine fails.
    """
    comparison = _Comparison(data, work)
    sets = validation_sets(data)
    for photos in sets:
        for reader in (*comparison.predictor.readers, *engines):
            comparison.add_reader(photos, reader)
        for reader, max_side in SIZES:
            comparison.add_size(photos, reader, max_side)
        if photos.larger_photos:
            comparison.add_larger_photos(photos)
    table = comparison.table
    if plot is not None:
        plot_f1_against_time(plot, table.timed_scores())
    names = [photos.name for photos in sets]
    return {
        "scores": [asdict(score) for score in table.scores],
        "trees_threshold": comparison.threshold,
        "p_not_above_trees": {
            reader: p_not_better(table.pooled("Resformer", reader, names), table.pooled("trees", reader, names))
            for reader in comparison.predictor.readers
        },
    }


class _Comparison:
    """The systems, fitted, and the table that they fill."""

    def __init__(self, data: Path, work: Path) -> None:
        self.predictor = Predictor.load(reader="builtin", threads=2)
        self._schema = self.predictor.schema
        preprocessor = Preprocessor(self._schema, Tokenizer(self._schema), LabelPriors.load())
        train, val = split_by_hash(_training_records(data, self._schema), VAL_FRACTION)
        trees = Trees(train, preprocessor)
        self.threshold = best_threshold(trees, preprocessor, val)
        self.table = SystemTable(self._schema)
        self._resformer = resformer_system(self.predictor)
        self._trees = trees_system(trees, preprocessor, self.threshold)
        self._rules = rules_system(preprocessor)
        self._systems = {"Resformer": self._resformer, "trees": self._trees, "rules": self._rules}
        self._work = work

    def _read(self, photos: ValidationSet, reader: str, max_side: int | None = None) -> ReadPhotos:
        name = "-".join([photos.name, reader, *([str(max_side)] if max_side else [])]).replace(" ", "-")
        path = self._work / "ocr" / f"{name}.jsonl"
        seconds, memory = make_ocr_cache(photos.photos, path, reader, max_side)
        read = read_photos_of(read_rows(photos.labels, self._schema), path, photos.photos, self._schema)
        return replace(read, reading_s=seconds, memory_mib=memory)

    def add_reader(self, photos: ValidationSet, reader: str) -> None:
        """Every system that is run with the text of a reader."""
        rows, read = read_rows(photos.labels, self._schema), self._read(photos, reader)
        if reader in READERS:
            self.table.add(photos.name, "Resformer", reader, rows, read, self._resformer)
            for absent, records in without_optional_inputs(read.records).items():
                system = f"Resformer without {absent}"
                self.table.add(photos.name, system, reader, rows, ReadPhotos(records), self._resformer)
        else:
            self.table.add(photos.name, "rules", reader, rows, read, self._rules)
        if reader != "Tesseract":
            self.table.add(photos.name, "trees", reader, rows, read, self._trees)
        unambiguous = [row for row in rows if row.unambiguous]
        if reader == DEFAULT_READER and len(unambiguous) < len(rows):
            name = f"{photos.name}, unambiguous rows"
            self.table.add(name, "Resformer", reader, unambiguous, read, self._resformer)
            self.table.add(name, "trees", reader, unambiguous, read, self._trees)

    def add_size(self, photos: ValidationSet, reader: str, max_side: int) -> None:
        """Resformer with a reader that sees photos at another size."""
        rows, read = read_rows(photos.labels, self._schema), self._read(photos, reader, max_side)
        self.table.add(photos.name, "Resformer", f"{reader}, {max_side} pixels", rows, read, self._resformer)

    def add_larger_photos(self, photos: ValidationSet) -> None:
        """Every system with the text that came with the photos, read on larger versions of them."""
        rows = read_rows(photos.labels, self._schema)
        read = read_photos_of(rows, photos.ocr, photos.photos, self._schema)
        for name, system in self._systems.items():
            self.table.add(photos.name, name, LARGER_PHOTOS, rows, read, system)


def _training_records(data: Path, schema: Schema) -> list[Record]:
    """The training photos with catalogue labels and with labels by hand."""
    amazon, hand = data / "amazon", data / "hand"
    return [
        *read_challenge(
            amazon / "labels_train.csv", amazon / "train", amazon / "words_train.jsonl.gz", schema, in_priors=True
        ),
        *read_hand(hand / "labels_hand_train.csv", hand / "train", hand / "words_train.jsonl.gz", schema),
    ]
