"""Scores of what is used instead of the network, or beside it: text alone, and the texts of similar photos."""

from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
from tqdm import tqdm

from resformer.model.inference.text_catalogue import TextCatalogue
from resformer.model.predictor import Predictor
from resformer.model.schema.schema import Entity, Schema
from resformer.model.schema.taxonomy import SEPARATOR, parse_path
from resformer.train.evaluation.attribute_metrics import score_labels, score_paths, score_texts
from resformer.train.evaluation.attribute_predictions import read_evaluation_table, right_answer, table_name
from resformer.train.evaluation.baselines.attribute_baselines import classify_texts, nearest_texts
from resformer.train.network.labelled_photos import LabelledPhoto
from resformer.train.settings.sources import ProductTable

__all__ = ["benchmark_attribute_baselines"]

TEXT_CLASSIFIER = "text alone"
NEAREST_PHOTO = "text of the nearest photo"
CATALOGUE = "Resformer with a catalogue of texts"

Labelled = list[tuple[LabelledPhoto, str]]
"""Products with their right answers."""


def benchmark_attribute_baselines(
    train: Sequence[ProductTable], val: Sequence[ProductTable], schema: Schema
) -> dict[str, Any]:
    """Scores of the baselines by table and entity.

    Args:
        train: tables that the baselines learn from, for each of `val` those in its folder.
        val: tables to predict, whose settings hold for both.
        schema: the entities.

    Raises:
        ValueError: there is no table to learn from.
    """
    rows = []
    for source in val:
        known = [
            product
            for other in train
            if other.table.parent == source.table.parent
            for product in read_evaluation_table(_with_settings_of(source, other), schema)
        ]
        if not known:
            raise ValueError(f"{source.table.parent} has no table to learn from; add it to the training config")
        rows += _scores(source, known, read_evaluation_table(source, schema), schema)
    return {"scores": rows}


def _with_settings_of(source: ProductTable, other: ProductTable) -> ProductTable:
    """The photos of another table with the settings of `source`."""
    return source.model_copy(update={"table": other.table, "photos": other.photos, "image_column": other.image_column})


def _scores(
    source: ProductTable, known: Sequence[LabelledPhoto], queries: Sequence[LabelledPhoto], schema: Schema
) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = []
    table = table_name(source)
    has_text = bool(source.title_column or source.description_column)
    for entity in (schema[name] for name in source.label_columns):
        learned, asked = ([(p, a) for p in side if (a := right_answer(p, entity))] for side in (known, queries))
        if not (learned and asked):
            continue
        if entity.kind == "text":
            systems = {NEAREST_PHOTO: _nearest_scores, CATALOGUE: _catalogue_scores}
        else:
            systems = {TEXT_CLASSIFIER: _classifier_scores} if has_text else {}
        for system, score in systems.items():
            scores = score(entity, learned, asked)
            rows.append({"table": table, "entity": entity.name, "system": system, "scores": scores})
    return rows


def _nearest_scores(entity: Entity, learned: Labelled, asked: Labelled) -> dict[str, Any]:
    texts = nearest_texts(_photos(learned), [text for _, text in learned], _photos(asked))
    return score_texts([text for _, text in asked], texts)


def _catalogue_scores(entity: Entity, learned: Labelled, asked: Labelled) -> dict[str, Any]:
    """Scores of the shipped network that has the known texts as its catalogue."""
    predictor = Predictor.load(reader="builtin")
    photos = tqdm(_photos(learned), desc="catalogue", disable=None)
    features = np.stack([predictor.picture_features(photo) for photo in photos])
    with TemporaryDirectory() as folder:
        file = Path(folder) / "texts.safetensors"
        TextCatalogue(features, {entity.name: [text for _, text in learned]}, predictor.version).save(file)
        predictor = Predictor.load(reader="builtin", texts=file)
    results = [predictor.predict(photo, [entity.name], min_confidence=0.0) for photo in _photos(asked)]
    return score_texts([text for _, text in asked], [r.predictions[entity.name].prediction for r in results])


def _classifier_scores(entity: Entity, learned: Labelled, asked: Labelled) -> dict[str, Any]:
    """Scores of a classifier of the text; the first levels of a path have a classifier each."""
    guesses = _classify(learned, asked, depth=None)
    if entity.kind == "choice":
        score = score_labels([label for _, label in asked], [first for first, *_ in guesses], guesses)
        return {"accuracy": score.accuracy, "macro-F1": score.macro_f1}
    truths = [parse_path(label) for _, label in asked]
    nodes = [[parse_path(text) for text in pair] for pair in guesses]
    scores = score_paths(truths, [first for first, *_ in nodes], nodes)
    for depth in (1, 2):
        firsts = [parse_path(first) for first, *_ in _classify(learned, asked, depth)]
        scores[f"first {depth}"] = score_paths(truths, firsts, nodes)[f"first {depth}"]
    return {name: value for name, value in scores.items() if name != "rows"}


def _classify(learned: Labelled, asked: Labelled, depth: int | None) -> list[list[str]]:
    """The two most probable labels of each product, or of the first `depth` levels of them."""
    labels = [SEPARATOR.join(label.split(SEPARATOR)[:depth]) for _, label in learned]
    return classify_texts([_text(product) for product, _ in learned], labels, [_text(product) for product, _ in asked])


def _text(product: LabelledPhoto) -> str:
    return f"{product.title} {product.description}"


def _photos(labelled: Labelled) -> list[Path]:
    return [product.photo for product, _ in labelled if isinstance(product.photo, Path)]
