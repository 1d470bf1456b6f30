"""Frequencies of labels and sampling weights."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from resformer.model.inference.inputs import Preprocessor
from resformer.train.network.label_frequencies import balance_labels, label_log_priors, read_label_counts
from resformer.train.network.label_targets import target_index
from resformer.train.network.labelled_photos import LabelledPhoto


def product(**labels: int) -> LabelledPhoto:
    return LabelledPhoto("p", Path("p.jpg"), labels=labels)


def test_rare_labels_are_sampled_more_often(preprocessor: Preprocessor) -> None:
    products = [product(colour=label) for label, count in ((0, 100), (1, 25), (2, 1)) for _ in range(count)]
    colour = preprocessor.schema["colour"]
    balanced = balance_labels([*products, product()], colour, {0: 500.0, 1: 10.0}, min_count=100, max_factor=3)
    weights = {p.labels.get("colour"): p.sampling_weight for p in balanced}
    assert weights == {0: 1, 1: 2, 2: 3, None: 1}
    natural = {p.labels.get("colour"): p.natural_weight for p in balanced}
    # 500 products of the first label stand for 5 each; the sum is that of the sampling weights.
    scale = (100 + 50 + 3 + 1) / (500 + 25 + 1 + 1)
    assert natural == pytest.approx({0: 5 * scale, 1: scale, 2: scale, None: scale})


def test_priors_count_products_of_an_epoch_or_of_the_catalogue(preprocessor: Preprocessor) -> None:
    tokenizer, kind = preprocessor.tokenizer, preprocessor.schema["kind"]
    shirts, apparel = (target_index(kind, cell, exact=False) or 0 for cell in ("Shirts", "Apparel"))
    products = [replace(product(kind=shirts, colour=1), sampling_weight=2.0) for _ in range(500)]
    products += [replace(product(kind=apparel, colour=2), natural_weight=3.0) for _ in range(1000)]
    colours, leaves = (tokenizer.answers(preprocessor.schema[name]) for name in ("colour", "kind"))
    epoch = label_log_priors(products, tokenizer, in_catalogue=False)
    np.testing.assert_allclose(np.exp(epoch[colours]), [0, 0.5, 0.5, 0], atol=0.01)
    catalogue = label_log_priors(products, tokenizer, in_catalogue=True)
    np.testing.assert_allclose(np.exp(catalogue[colours]), [0, 0.25, 0.75, 0], atol=0.01)
    # A product that is labelled with a parent counts for each of its leaves: 1000 of shirts, and 500 each.
    np.testing.assert_allclose(np.exp(epoch[leaves]), [0, 0.75, 0.25, 0], atol=0.01)
    assert not epoch[: leaves.start].any()


def test_label_counts_are_read_and_unknown_leaves_left_out(preprocessor: Preprocessor, tmp_path: Path) -> None:
    (tmp_path / "counts.csv").write_text("label,count\nShirts,70\nQ,5\n")
    kind = preprocessor.schema["kind"]
    assert read_label_counts(tmp_path / "counts.csv", kind) == {target_index(kind, "Shirts", exact=False): 70.0}
    (tmp_path / "counts.csv").write_text("label,count\nShirts,many\n")
    with pytest.raises(ValueError, match=r"counts\.csv, line 2, column count: 'many' is no number"):
        read_label_counts(tmp_path / "counts.csv", kind)
