"""Fitting of the bag-of-words classifier."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import torch

from resformer.model.inference.label_tokenizer import LabelTokenizer, hash_words
from resformer.train.attributes.fit_bag_of_words import fit_bag_of_words
from resformer.train.attributes.labelled_products import LabelledProduct


def make_products(tokenizer: LabelTokenizer) -> list[LabelledProduct]:
    """Products whose titles name a leaf, or `thing` where they are labelled with the node A; descriptions a colour."""
    kind, colour = tokenizer.entities[:2]
    rng = np.random.default_rng(0)
    products = []
    for i in range(240):
        is_red, leaf = i % 3 == 0, (0, 1, 2, None)[i % 4]
        node = ("A",) if leaf is None else kind.taxonomy.leaves[leaf]
        labels = {
            "colour": colour.labels.index("red" if is_red else "blue"),
            "kind": kind.taxonomy.index(node),
        }
        title = f"{'thing' if leaf is None else f'leaf{leaf}'} {' '.join(f'w{n}' for n in rng.integers(0, 300, 6))}"
        description = "Crimson!" if is_red else "navy"
        products.append(LabelledProduct(f"p{i}", Path("p.jpg"), title, description, labels, {}))
    return products


def test_words_give_labels(small_tokenizer: LabelTokenizer) -> None:
    classifier = fit_bag_of_words(make_products(small_tokenizer), small_tokenizer)
    kind, colour = small_tokenizer.entities[:2]
    kinds, colours = (slice(r.start, r.stop) for r in map(small_tokenizer.labels, (kind, colour)))

    def logits(title: str, description: str) -> torch.Tensor:
        values: torch.Tensor = classifier(torch.from_numpy(hash_words(title, description)))
        return values

    assert logits("the leaf2", "crimson")[colours].argmax() == colour.labels.index("red")
    assert logits("", "navy, w3")[colours].argmax() == colour.labels.index("blue")
    assert logits("the leaf2", "crimson")[kinds].argmax() == 2
    # A product that is labelled with A makes both leaves of A more probable.
    thing = logits("thing", "")[kinds]
    assert thing[:2].max() > thing[2] + 1
    assert not logits("", "...").any()


def test_products_without_text_fit_nothing(small_tokenizer: LabelTokenizer) -> None:
    product = replace(make_products(small_tokenizer)[0], title="", description="")
    assert not fit_bag_of_words([product], small_tokenizer).idf.any()


def test_kept_entities_are_answered_as_before(small_tokenizer: LabelTokenizer) -> None:
    kind, colour = small_tokenizer.entities[:2]
    products = make_products(small_tokenizer)
    before = fit_bag_of_words(products, small_tokenizer)
    others = [
        replace(p, title=p.title.replace("w", "v"), labels={"kind": p.labels["kind"]}) for p in products if p.labels
    ]
    after = fit_bag_of_words(others, small_tokenizer, init_from=before, kept_entities=[colour])
    colours, kinds = (slice(r.start, r.stop) for r in map(small_tokenizer.labels, (colour, kind)))
    buckets = torch.from_numpy(hash_words("w3 leaf2", "crimson"))
    torch.testing.assert_close(after(buckets)[colours], before(buckets)[colours])
    assert after(torch.from_numpy(hash_words("leaf2 v7", "")))[kinds].argmax() == 2
