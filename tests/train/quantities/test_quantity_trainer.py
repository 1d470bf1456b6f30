"""Batches, augmentation, loss and training of the quantity network."""

from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors import safe_open

from resformer.model.inference.checkpoint import load_checkpoint
from resformer.model.inference.quantity_inputs import QuantityPreprocessor
from resformer.model.inference.tokenizer import Tokenizer
from resformer.model.networks.decoder import EMPTY, FIRST_CANDIDATE, UNREAD
from resformer.model.ocr.text_line import TextLine
from resformer.model.quantities.label_priors import LabelPriors
from resformer.model.quantities.quantity import Quantity
from resformer.model.schema.schema import Schema
from resformer.train.data.quantity_records import Question, Record
from resformer.train.data.synthetic_layouts import generate
from resformer.train.engine.fabric import make_fabric
from resformer.train.quantities.layout_augment import augment
from resformer.train.quantities.pseudo_labels import pseudo_label
from resformer.train.quantities.quantity_batches import Augmentation, QuantityBatches
from resformer.train.quantities.quantity_loss import make_targets, quantity_loss
from resformer.train.quantities.quantity_trainer import QuantityTrainer, read_sources
from resformer.train.settings.run_settings import QuantityConfig, load_config
from tests.paths import CONFIGS

SCHEMA = Schema.load()
TOKENIZER = Tokenizer(SCHEMA)
PREPROCESSOR = QuantityPreprocessor(SCHEMA, TOKENIZER, LabelPriors.count([]))
NONE = {"p_unaugmented": 1, "p_title": 0, "p_negative_question": 0, "p_drop_group": 0, "p_drop_drawing": 0}


def test_nano_learns_synthetic_layouts(tmp_path: Path) -> None:
    """In about a minute, exact answers to most questions about layouts of the validation split."""
    config = load_config(CONFIGS / "synthetic.yaml")
    assert isinstance(config, QuantityConfig)
    best = QuantityTrainer(config, tmp_path, make_fabric(accelerator="cpu")).run()
    assert best is not None
    micro = best.micro
    exact = (micro.true_positive + micro.true_negative) / micro.rows
    assert micro.rows > 300
    assert exact > 0.9
    loaded = load_checkpoint(tmp_path / "weights.safetensors", TOKENIZER)
    assert float(loaded.metadata["val_f1"]) == pytest.approx(micro.f1, abs=1e-4)
    with safe_open(tmp_path / "weights.safetensors", "pt") as file:
        assert file.get_tensor("quantities.decoder.pointer_key.weight").dtype == torch.float16
        assert file.get_tensor("quantities.feature_edges").dtype == torch.float32


def test_validation_photos_are_not_trained_on() -> None:
    config = load_config(CONFIGS / "synthetic.yaml", ["sources.0.num_photos=300", "val_fraction=0.2"])
    assert isinstance(config, QuantityConfig)
    train, val = read_sources(config, SCHEMA)
    assert not {r.name for r in train} & {r.name for r in val}
    assert 30 < len(val) < 90
    assert len(train) + len(val) == 300


def test_pseudo_labels_are_weighted_by_their_score() -> None:
    labelled, others = generate(40, 1, SCHEMA), generate(10, 2, SCHEMA)
    unlabelled = [replace(r, questions=tuple(replace(q, accepted=()) for q in r.questions)) for r in others]
    records = pseudo_label(unlabelled, labelled, PREPROCESSOR)
    assert 0 < len(records) <= len(others)
    for record in records:
        assert any(q.weight for q in record.questions)
        assert all((q.weight >= 0.6) == bool(q.accepted) for q in record.questions)


def test_an_epoch_has_every_photo_once() -> None:
    records = generate(70, 1, SCHEMA)
    augmentation = Augmentation(**NONE)
    batches = QuantityBatches(records, PREPROCESSOR, batch_size=16, seed=0, epoch=3, augmentation=augmentation)
    indices = np.concatenate(batches._batches)
    assert sorted(indices) == list(range(70))
    again = QuantityBatches(records, PREPROCESSOR, batch_size=16, seed=0, epoch=3, augmentation=augmentation)
    assert torch.equal(batches[2][0].words, again[2][0].words)


def test_augmented_layouts_keep_their_answers() -> None:
    rng = np.random.default_rng(0)
    for record in generate(40, 2, SCHEMA):
        found = PREPROCESSOR.candidates(record.lines, [q.entity for q in record.questions])
        right = {
            c.line: str(c.quantity)
            for question, candidates in zip(record.questions, found, strict=True)
            for c in candidates
            if c.quantity in question.accepted
        }
        changed = augment(record, rng, keep=frozenset(right), p_title=0.5)
        after = PREPROCESSOR.candidates(changed.lines, [q.entity for q in record.questions], changed.text)
        assert set(right.values()) <= {str(c.quantity) for candidates in after for c in candidates}
        assert len(changed.lines) <= len(record.lines)


def test_the_loss_raises_the_right_candidates_or_the_empty_answer() -> None:
    record = generate(1, 5, SCHEMA)[0]
    unread = replace(record.questions[0], accepted=(Quantity((Decimal(77),), "gram"),))  # no candidate equals it
    questions = [*record.questions, unread]
    example = PREPROCESSOR.example(record.page, [q.entity for q in questions])
    count = PREPROCESSOR.batch([example]).features.shape[1]
    targets = make_targets([example], [questions], count)
    logits = torch.zeros(len(questions), FIRST_CANDIDATE + count, requires_grad=True)
    quantity_loss(logits, targets).backward()
    gradient = logits.grad
    assert gradient is not None and torch.isfinite(gradient).all()
    for row, (question, candidates) in enumerate(zip(questions, example.candidates, strict=True)):
        right = {
            FIRST_CANDIDATE + c for c, candidate in enumerate(candidates) if candidate.quantity in question.accepted
        }
        right = right or {UNREAD if question.accepted else EMPTY}
        assert set((gradient[row] < 0).nonzero().flatten().tolist()) == right
    assert targets.right[:, FIRST_CANDIDATE:].any() and targets.right[-1, UNREAD]
    also_empty = [replace(question, empty_accepted=True) for question in questions]
    expected = targets.right.clone()
    expected[:, EMPTY], expected[:, UNREAD] = True, False
    assert torch.equal(make_targets([example], [also_empty], count).right, expected)


def test_negative_questions() -> None:
    """The text of the weight is not the volume; without a candidate the answer is empty. Whole rows need none."""
    weight, voltage = SCHEMA["item_weight"], SCHEMA["voltage"]
    line = TextLine(((10, 10), (200, 10), (200, 40), (10, 40)), "NET WT 12 OZ", 0.9)
    twelve = Quantity((Decimal(12),), "ounce")
    record = Record("a", None, 300, 300, (line,), (Question(weight, (twelve,)),))
    augmentation = Augmentation(**{**NONE, "p_negative_question": 1})
    batches = QuantityBatches([record], PREPROCESSOR, batch_size=1, seed=0, epoch=0, augmentation=augmentation)
    asked = {q.entity.name: q for i in range(60) for q in batches._negative_question(record, np.random.default_rng(i))}
    assert asked[voltage.name].negatives == frozenset()
    assert asked["item_volume"].negatives == frozenset({0})
    assert asked["maximum_weight_recommendation"].negatives == frozenset({0})
    assert weight.name not in asked
    for p_negative_question, labelled in ((0, True), (1, False)):
        augmentation = replace(augmentation, p_negative_question=p_negative_question)
        batches = QuantityBatches(
            [record] * 30, PREPROCESSOR, batch_size=30, seed=0, epoch=0, augmentation=augmentation
        )
        inputs, _ = batches[0]
        assert set(inputs.assume_present.tolist()) == {float(labelled)}
        assert (len(inputs.assume_present) == 30) == labelled  # labels bring no further question

    row = replace(record, assume_present=False)
    augmentation = Augmentation(**{**NONE, "p_negative_question": 0.5})
    batches = QuantityBatches([row] * 30, PREPROCESSOR, batch_size=30, seed=0, epoch=0, augmentation=augmentation)
    assert batches[0][0].assume_present.tolist() == [0.0] * 30

    question = asked["item_volume"]
    example = PREPROCESSOR.example(record.page, [question.entity])
    targets = make_targets([example], [[question]], 1)
    logits = torch.zeros(1, FIRST_CANDIDATE + 1, requires_grad=True)
    quantity_loss(logits, targets).backward()
    assert logits.grad is not None
    assert logits.grad[0, FIRST_CANDIDATE] > 0 > logits.grad[0, :FIRST_CANDIDATE].max()
