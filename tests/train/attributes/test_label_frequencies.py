"""Frequencies of labels and sampling weights."""

from dataclasses import replace
from pathlib import Path

import numpy as np

from resformer.model.inference.label_tokenizer import LabelTokenizer
from resformer.model.schema.schema import Schema
from resformer.train.attributes.label_frequencies import balance_labels, label_log_priors, read_label_counts
from resformer.train.attributes.labelled_products import LabelledProduct


def product(**labels: int) -> LabelledProduct:
    return LabelledProduct("p", Path("p.jpg"), "", "", labels, {})


def test_rare_labels_are_sampled_more_often() -> None:
    products = [product(usage=label) for label, count in ((0, 100), (1, 25), (2, 1)) for _ in range(count)]
    usage = Schema.load()["usage"]
    balanced = balance_labels([*products, product()], usage, {0: 500.0, 1: 10.0}, min_count=100, max_factor=3)
    weights = {p.labels.get("usage"): (p.sampling_weight, p.catalogue_count) for p in balanced}
    assert weights == {0: (1, 5), 1: (2, 1), 2: (3, 1), None: (1, 1)}


def test_priors_count_products_of_an_epoch_or_of_the_catalogue(small_tokenizer: LabelTokenizer) -> None:
    kind, colour = small_tokenizer.entities[:2]
    node = kind.taxonomy.index
    products = [replace(product(kind=node(("A", "x")), colour=0), sampling_weight=2.0) for _ in range(50)]
    products += [replace(product(kind=node(("A",)), colour=1), catalogue_count=3.0) for _ in range(100)]
    colours, leaves = (slice(r.start, r.stop) for r in map(small_tokenizer.labels, (colour, kind)))
    epoch = label_log_priors(products, small_tokenizer, in_catalogue=False)
    np.testing.assert_allclose(np.exp(epoch[colours]), [0.5, 0.5], atol=0.01)
    catalogue = label_log_priors(products, small_tokenizer, in_catalogue=True)
    np.testing.assert_allclose(np.exp(catalogue[colours]), [50 / 350, 300 / 350], atol=0.01)
    # A product that is labelled with a parent counts for each of its leaves: 100 of x, and 50 each of x and y.
    np.testing.assert_allclose(np.exp(epoch[leaves]), [0.75, 0.25, 0], atol=0.01)
    assert not epoch[: small_tokenizer.first_prompt + 3].any()


def test_label_counts_are_read_and_unknown_leaves_left_out(small_tokenizer: LabelTokenizer, tmp_path: Path) -> None:
    (tmp_path / "counts.csv").write_text("label,count\nx,70\nQ,5\n")
    kind = small_tokenizer.entities[0]
    assert read_label_counts(tmp_path / "counts.csv", kind) == {kind.taxonomy.index(("A", "x")): 70.0}
