"""Batches of questions about labelled photos, and random layouts."""

import random
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from resformer.model.inference.inputs import Preprocessor
from resformer.model.networks.batch import DESCRIPTION, TITLE, Batch
from resformer.train.data.synthetic_layouts import generate
from resformer.train.network.batches import RowBatches
from resformer.train.network.labelled_photos import LabelledPhoto, labelled_photo
from resformer.train.network.layouts import augment_layout
from resformer.train.network.targets import Targets
from tests.train.network.conftest import ConfigFactory, text_line

PHOTOS = [
    LabelledPhoto(
        f"p{i}",
        Path(f"{i}.jpg"),
        title=f"Acme shirt {i}",
        labels={"colour": 1 + i % 3},
        texts={"title": f"Acme shirt {i}"},
    )
    for i in range(40)
]


def equal(one: tuple[Batch, Targets], other: tuple[Batch, Targets]) -> bool:
    pairs = [(vars(a), vars(b)) for a, b in zip(one, other, strict=True)]
    return all(torch.equal(a[k], b[k]) for a, b in pairs for k in a if isinstance(a[k], torch.Tensor) and k != "pixels")


def test_a_batch_is_made_from_seed_epoch_and_index(make_config: ConfigFactory, preprocessor: Preprocessor) -> None:
    def make(epoch: int, **changes: object) -> RowBatches:
        return RowBatches(PHOTOS, preprocessor, make_config(batch_size=8, **changes), epoch, {})

    batches = make(3)
    assert len(batches) == 5
    assert equal(batches[2], make(3)[2])
    assert not equal(batches[2], make(3)[1])
    assert not torch.equal(batches[2][1].products, make(4)[2][1].products)
    assert not torch.equal(batches[2][1].products, make(3, seed=1)[2][1].products)
    assert sorted(torch.cat([batches[i][1].products for i in range(5)]).tolist()) == list(range(40))


def test_sampling_weights_repeat_photos(make_config: ConfigFactory, preprocessor: Preprocessor) -> None:
    photos = [replace(p, sampling_weight=3.0 if i == 0 else 0.5) for i, p in enumerate(PHOTOS)]
    counts = []
    for epoch in range(20):
        batches = RowBatches(photos, preprocessor, make_config(batch_size=2), epoch, {})
        assert len(batches) == 11  # of 22.5 photos
        counts.append(torch.cat([batches[i][1].products for i in range(11)]).bincount(minlength=40))
    mean = torch.stack(counts).float().mean(dim=0)
    assert mean[0] == pytest.approx(3, abs=0.5) and mean[1:].mean() == pytest.approx(0.5, abs=0.1)


def test_a_text_is_not_asked_where_it_is_sent(make_config: ConfigFactory, preprocessor: Preprocessor) -> None:
    config = make_config(batch_size=8, p_text=1.0, p_drop_word=0.0, p_drop_image=0.0)
    inputs, targets = RowBatches(PHOTOS, preprocessor, config, 0, {})[0]
    sent = (inputs.word_field == TITLE) & inputs.word_mask
    assert sent.sum(dim=1).tolist() == [0, 3] * 8  # alone, and with its title
    assert targets.texts[:, 0].tolist() == list(range(0, 16, 2))
    assert targets.labels["colour"][:, 0].tolist() == list(range(16))
    assert inputs.image_index.tolist() == [i // 2 for i in range(16)] and inputs.has_image.all()
    assert not (inputs.word_field == DESCRIPTION).any()


def test_answers_that_are_in_the_title_alone_are_asked_with_it(
    make_config: ConfigFactory, preprocessor: Preprocessor
) -> None:
    titles = [labelled_photo(record) for record in generate(8, 0, preprocessor.schema, titles=1.0)]
    batches = RowBatches(titles, preprocessor, make_config(batch_size=8), 0, {})
    answered = [photo for photo in titles if any(q.accepted for q in photo.questions)]
    assert len(answered) >= 4
    batch, _ = batches[0]
    assert ((batch.word_field == TITLE) & batch.word_mask).any(dim=1).sum() >= len(answered)


def test_a_batch_has_a_question(make_config: ConfigFactory, preprocessor: Preprocessor) -> None:
    photos = [LabelledPhoto(f"p{i}", None, texts={"title": "Tea"}) for i in range(4)]
    inputs, targets = RowBatches(photos, preprocessor, make_config(batch_size=4, p_text=0.0), 0, {})[0]
    assert targets.num_samples == len(targets.texts) == 1
    assert not inputs.has_image.any()  # there is no photo


def test_quantities_are_asked_with_what_is_presumed(make_config: ConfigFactory, preprocessor: Preprocessor) -> None:
    records = generate(8, 0, preprocessor.schema)
    for presumed in (False, True):
        photos = [labelled_photo(replace(record, assume_present=presumed)) for record in records]
        inputs, targets = RowBatches(photos, preprocessor, make_config(batch_size=8), 0, {})[0]
        assert len(targets.quantities) == 16 and targets.right.any(dim=1).all()
        assert (inputs.assume_present == float(presumed)).all()


def test_random_layouts_keep_the_answers(preprocessor: Preprocessor) -> None:
    entities = [e for e in preprocessor.schema.entities if e.kind == "quantity"]
    rng, moved = random.Random(0), 0
    for record in generate(40, 2, preprocessor.schema):
        photo = labelled_photo(record)
        right = {str(q.accepted[0]) for q in photo.questions if q.accepted}
        changed = augment_layout(photo, preprocessor, rng, p_title=0.5)
        found = preprocessor.candidates(changed.lines, entities, changed.title)
        assert right <= {str(c.quantity) for candidates in found for c in candidates}
        assert len(changed.lines) <= len(photo.lines)
        moved += bool(changed.title)
    assert 5 < moved < 35


def test_a_unit_in_another_line_keeps_the_layout(preprocessor: Preprocessor) -> None:
    record = generate(1, 0, preprocessor.schema)[0]
    weight = next(q for q in record.questions if q.entity.name == "item_weight")
    lines = (text_line("Net weight"), text_line("500", y=30), text_line("g", y=44))
    (candidates,) = preprocessor.candidates(lines, [weight.entity])
    spanning = [c for c in candidates if c.spans_lines or c.unit_from_context]
    assert spanning
    question = replace(weight, accepted=(spanning[0].quantity,))
    photo = replace(labelled_photo(record), lines=lines, questions=(question,))
    assert augment_layout(photo, preprocessor, random.Random(0), p_title=1.0) == photo
