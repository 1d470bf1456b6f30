"""The loop learns, resumes to the same curve, and its parts do what they say."""

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
from resformer.train.config import Config, Source, load_config
from resformer.train.data.quantity_records import Question, Record
from resformer.train.data.synthetic_layouts import generate
from resformer.train.quantities.layout_augment import augment
from resformer.train.quantities.quantity_batches import Batches, Shares
from resformer.train.quantities.quantity_loss import answer_loss, make_targets
from resformer.train.quantities.quantity_trainer import Trainer, read_sources
from tests.paths import CONFIGS

SCHEMA = Schema.load()
TOKENIZER = Tokenizer(SCHEMA)
PREPROCESSOR = QuantityPreprocessor(SCHEMA, TOKENIZER, LabelPriors.count([]))
TINY = Config(
    preset="nano",
    sources=(Source("generated", photos_count=48),),
    minutes=5,
    epochs=2,
    batch_size=16,
    checkpoint_batches=1,
    hold_back=0.0,
)


def test_nano_learns_drawn_layouts(tmp_path: Path) -> None:
    """In about a minute, exact answers to most questions about layouts that it never saw."""
    config = load_config(CONFIGS / "generated.yaml")
    best = Trainer(config, tmp_path, "cpu").run()
    assert best is not None
    micro = best.micro
    exact = (micro.true_positive + micro.true_negative) / micro.rows
    assert micro.rows > 300
    assert exact > 0.9
    loaded = load_checkpoint(tmp_path / "weights.safetensors", TOKENIZER)
    assert float(loaded.metadata["held_back_f1"]) == pytest.approx(micro.f1, abs=1e-4)
    with safe_open(tmp_path / "weights.safetensors", "pt") as file:
        assert file.get_tensor("quantities.decoder.pointer_key.weight").dtype == torch.float16
        assert file.get_tensor("quantities.feature_edges").dtype == torch.float32


class _Stopped(Exception):
    pass


def _losses(out: Path, stop_after: int | None = None) -> list[float]:
    """Losses of a run, which may be killed after some steps, as a power cut would."""
    trainer = Trainer(TINY, out, "cpu")
    losses: list[float] = []
    step = trainer._step

    def recording(*batch):
        if stop_after is not None and len(losses) == stop_after:
            raise _Stopped
        losses.append(step(*batch))
        return losses[-1]

    trainer._step = recording  # type: ignore[method-assign]
    try:
        trainer.run()
    except _Stopped:
        assert len(losses) == stop_after
    return losses


def test_a_killed_run_resumes_to_the_same_losses(tmp_path: Path) -> None:
    whole = _losses(tmp_path / "whole")
    first = _losses(tmp_path / "parts", stop_after=4)
    rest = _losses(tmp_path / "parts")
    assert len(whole) == 6
    assert first + rest == pytest.approx(whole, rel=1e-4)


def test_half_precision_trains_as_well(tmp_path: Path) -> None:
    trainer = Trainer(replace(TINY, precision="bf16", epochs=1), tmp_path, "cpu")
    trainer.run()
    assert trainer.progress.step == 3
    assert all(torch.isfinite(p).all() for p in trainer.network.parameters())


def test_a_run_whose_time_is_up_goes_on_where_it_stopped(tmp_path: Path) -> None:
    hurried = Trainer(replace(TINY, minutes=1e-6), tmp_path, "cpu")
    hurried.run()
    assert (hurried.progress.epoch, hurried.progress.batch, hurried.done) == (0, 1, False)
    resumed = Trainer(replace(TINY, minutes=1e-6), tmp_path, "cpu")
    resumed.run()
    assert resumed.progress.batch == 2


def test_a_run_ends_with_its_patience(tmp_path: Path) -> None:
    trainer = Trainer(replace(TINY, hold_back=0.3, patience=1), tmp_path, "cpu")
    trainer.progress.best = 2.0
    trainer.run()
    assert (trainer.progress.epoch, trainer.done) == (1, True)
    assert not (tmp_path / "weights.safetensors").exists()


def test_a_loss_that_is_no_number_ends_the_run(tmp_path: Path) -> None:
    trainer = Trainer(TINY, tmp_path, "cpu")
    with torch.no_grad():
        trainer.network.quantities.assume_present_embedding.weight.fill_(float("nan"))
    with pytest.raises(FloatingPointError, match="step 0 is nan; lower learning_rate"):
        trainer.run()


def test_resuming_with_other_settings_is_refused(tmp_path: Path) -> None:
    _losses(tmp_path, stop_after=2)
    with pytest.raises(ValueError, match="learning_rate"):
        Trainer(replace(TINY, learning_rate=1.0), tmp_path, "cpu")


def test_held_back_photos_are_not_trained_on() -> None:
    train, held = read_sources(replace(TINY, sources=(Source("generated", photos_count=300),), hold_back=0.2), SCHEMA)
    assert not {r.name for r in train} & {r.name for r in held}
    assert 30 < len(held) < 90
    assert len(train) + len(held) == 300


def test_an_epoch_shows_every_photo_once() -> None:
    records = generate(70, 1, SCHEMA)
    shares = Shares(as_printed=1, title=0, all=0, no_group=0, no_drawing=0)
    batches = Batches(records, PREPROCESSOR, batch_size=16, seed=0, epoch=3, shares=shares)
    numbers = np.concatenate(batches._batches)
    assert sorted(numbers) == list(range(70))
    again = Batches(records, PREPROCESSOR, batch_size=16, seed=0, epoch=3, shares=shares)
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
        changed = augment(record, rng, keep=frozenset(right), text_share=0.5)
        after = PREPROCESSOR.candidates(changed.lines, [q.entity for q in record.questions], changed.text)
        assert set(right.values()) <= {str(c.quantity) for candidates in after for c in candidates}
        assert len(changed.lines) <= len(record.lines)


def test_loss_asks_for_the_right_candidates_or_the_empty_answer() -> None:
    record = generate(1, 5, SCHEMA)[0]
    lost = replace(record.questions[0], accepted=(Quantity((Decimal(77),), "gram"),))  # no candidate is like it
    questions = [*record.questions, lost]
    example = PREPROCESSOR.example(record.page, [q.entity for q in questions])
    count = PREPROCESSOR.batch([example]).features.shape[1]
    targets = make_targets([example], [questions], count)
    logits = torch.zeros(len(questions), FIRST_CANDIDATE + count, requires_grad=True)
    answer_loss(logits, targets).backward()
    gradient = logits.grad
    assert gradient is not None and torch.isfinite(gradient).all()
    for row, (question, candidates) in enumerate(zip(questions, example.candidates, strict=True)):
        right = {
            FIRST_CANDIDATE + c for c, candidate in enumerate(candidates) if candidate.quantity in question.accepted
        }
        right = right or {UNREAD if question.accepted else EMPTY}
        assert set((gradient[row] < 0).nonzero().flatten().tolist()) == right
    assert targets.right[:, FIRST_CANDIDATE:].any() and targets.right[-1, UNREAD]


def test_questions_that_nobody_labelled() -> None:
    """Where the print of the weight is there, it is not the volume; where nothing is printed, the answer is empty."""
    weight, voltage = SCHEMA["item_weight"], SCHEMA["voltage"]
    line = TextLine(((10, 10), (200, 10), (200, 40), (10, 40)), "NET WT 12 OZ", 0.9)
    twelve = Quantity((Decimal(12),), "ounce")
    record = Record("a", None, 300, 300, (line,), (Question(weight, (twelve,)),))
    shares = Shares(as_printed=1, title=0, all=1, no_group=0, no_drawing=0)
    batches = Batches([record], PREPROCESSOR, batch_size=1, seed=0, epoch=0, shares=shares)
    asked = {q.entity.name: q for i in range(60) for q in batches._other(record, np.random.default_rng(i))}
    assert asked[voltage.name].rejected == frozenset()
    assert asked["item_volume"].rejected == frozenset({0})
    assert asked["maximum_weight_recommendation"].rejected == frozenset({0})
    assert weight.name not in asked
    for share, labelled in ((0, True), (1, False)):
        shares = replace(shares, all=share)
        batches = Batches([record] * 30, PREPROCESSOR, batch_size=30, seed=0, epoch=0, shares=shares)
        inputs, _ = batches[0]
        assert set(inputs.assume_present.tolist()) == {float(labelled)}
        assert (len(inputs.assume_present) == 30) == labelled  # labels ask for no more than they have

    question = asked["item_volume"]
    example = PREPROCESSOR.example(record.page, [question.entity])
    targets = make_targets([example], [[question]], 1)
    logits = torch.zeros(1, FIRST_CANDIDATE + 1, requires_grad=True)
    answer_loss(logits, targets).backward()
    assert logits.grad is not None
    assert logits.grad[0, FIRST_CANDIDATE] > 0 > logits.grad[0, :FIRST_CANDIDATE].max()
