"""Targets and the loss of every kind of question."""

from dataclasses import replace
from decimal import Decimal

import numpy as np
import pytest
import torch
from torch import Tensor

from resformer.model.inference.inputs import Preprocessor, Sample
from resformer.model.networks.encoder import Memory
from resformer.model.ocr.page import Page
from resformer.model.quantities.quantity import Quantity
from resformer.train.data.quantity_records import Question
from resformer.train.network.label_targets import target_index
from resformer.train.network.loss import TEXT_TOKENS, RowLoss, quantity_logits
from resformer.train.network.targets import Answers, Targets, make_targets
from tests.train.network.conftest import text_line

LINES = [text_line("Net 500 g"), text_line("of 2 kg", y=40)]
GRAMS, KILOGRAMS = Quantity((Decimal(500),), "gram"), Quantity((Decimal(2),), "kilogram")
NOTHING = Answers({}, {}, {})


def memory_of(preprocessor: Preprocessor, samples: list[Sample]) -> Memory:
    """The memory of samples, with random states: four patches, words, prompts, candidates."""
    batch = preprocessor.batch(samples)
    sizes = [4, batch.words.shape[1], batch.prompts.shape[1], batch.candidate_question.shape[1]]
    ends = np.cumsum(sizes).tolist()
    count = len(samples)
    is_token = torch.cat(
        [torch.ones(count, 4, dtype=torch.bool), batch.word_mask, batch.prompt_mask, batch.candidate_mask], dim=1
    )
    questions = torch.arange(sizes[2]).expand(count, -1)
    photo = torch.full((count, ends[1]), -1)
    return Memory(
        torch.randn(count, ends[3], 8),
        is_token,
        torch.cat([photo, questions, batch.candidate_question], dim=1),
        words=slice(ends[0], ends[1]),
        prompts=slice(ends[1], ends[2]),
        candidates=slice(ends[2], ends[3]),
    )


def make_loss(preprocessor: Preprocessor, log_prior: Tensor | None = None, **changes: object) -> RowLoss:
    tokenizer = preprocessor.tokenizer
    settings: dict[str, object] = {
        "level_weights": (0.5, 1.0),
        "quantity_weight": 1.0,
        "text_weight": 1.0,
        "label_smoothing": 0.0,
        "entity_weights": {},
    }
    prior = torch.zeros(tokenizer.num_answers) if log_prior is None else log_prior
    return RowLoss(tokenizer, prior, **(settings | changes))  # type: ignore[arg-type]


def weight_question(preprocessor: Preprocessor, *accepted: Quantity, **changes: object) -> Question:
    return replace(Question(preprocessor.schema["item_weight"], accepted), **changes)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("accepted", "changes", "right"),
    [
        ((), {}, [0]),  # the empty answer
        ((GRAMS,), {}, [2]),
        ((GRAMS, KILOGRAMS), {}, [2, 3]),
        ((KILOGRAMS,), {"empty_accepted": True}, [0, 3]),
        ((Quantity((Decimal(7),), "gram"),), {}, [1]),  # not read
    ],
)
def test_right_answers_of_a_quantity(
    preprocessor: Preprocessor, accepted: tuple[Quantity, ...], changes: dict[str, object], right: list[int]
) -> None:
    """The gradient raises the right answers and lowers all others of the question, and nothing else."""
    schema, tokenizer = preprocessor.schema, preprocessor.tokenizer
    sample = preprocessor.sample(Page(LINES, 100, 100), [schema["voltage"], schema["item_weight"]])
    question = weight_question(preprocessor, *accepted, **changes)
    targets = make_targets(tokenizer, [sample], [Answers({"item_weight": question}, {}, {})], {})
    assert targets.right.nonzero()[:, 1].tolist() == right
    memory = memory_of(preprocessor, [sample])
    logits = torch.zeros(1, 2, tokenizer.num_answers + memory.states.shape[1], requires_grad=True)
    loss = make_loss(preprocessor)(logits, None, memory, targets)
    assert loss.item() == pytest.approx(np.log(4 / len(right)), rel=1e-5)
    loss.backward()
    assert logits.grad is not None
    gradient = quantity_logits(tokenizer, logits.grad, memory, targets)[0]
    assert (gradient < 0).nonzero().flatten().tolist() == right
    assert (gradient > 0).sum() == 4 - len(right)
    assert (logits.grad != 0).sum() == 4


def test_every_level_of_a_path_has_its_loss(preprocessor: Preprocessor) -> None:
    schema, tokenizer = preprocessor.schema, preprocessor.tokenizer
    sample = preprocessor.sample(Page([], 100, 100), [schema["colour"], schema["kind"]])
    memory = memory_of(preprocessor, [sample])
    logits = torch.randn(1, 2, tokenizer.num_answers + memory.states.shape[1])
    answers = tokenizer.answers(schema["kind"])
    logits[0, 1, answers.start : answers.stop] = torch.tensor([0.1, 0.5, 0.1, 0.3]).log()

    def loss(cell: str, prior: Tensor | None = None) -> float:
        target = target_index(schema["kind"], cell, exact=False)
        targets = make_targets(tokenizer, [sample], [Answers({}, {"kind": target or 0}, {})], {})
        return make_loss(preprocessor, prior)(logits, None, memory, targets).item()

    assert loss("Shirts") == pytest.approx(-0.5 * np.log(0.6) - np.log(0.5), rel=1e-4)
    # A label that is a parent has no loss for the levels below, and the empty answer is a level of its own.
    assert loss("Apparel") == pytest.approx(-0.5 * np.log(0.6), rel=1e-4)
    assert loss("Nothing") == pytest.approx(-np.log(0.1), rel=1e-4)
    # The prior explains frequent labels, so the network need not.
    prior = torch.zeros(tokenizer.num_answers)
    prior[answers.start + 1] = 2.0
    assert loss("Shirts", prior) < loss("Shirts")


def test_a_step_weighs_the_same_in_every_text_and_copies_count(preprocessor: Preprocessor) -> None:
    schema, tokenizer = preprocessor.schema, preprocessor.tokenizer
    sample = preprocessor.sample(Page(LINES, 100, 100), [schema["title"]])
    known = [Answers({}, {}, {"title": text}) for text in ("", "Net 500")]
    targets = make_targets(tokenizer, [sample, sample], known, {})
    memory = memory_of(preprocessor, [sample, sample])
    size = tokenizer.vocab_size + memory.states.shape[1]
    texts = torch.zeros(2, targets.steps.shape[1], size, requires_grad=True)
    answers = torch.zeros(2, 1, tokenizer.num_answers + memory.states.shape[1])
    loss = make_loss(preprocessor, text_weight=3.0)(answers, texts, memory, targets)
    # Four steps, the empty answer among them, compete with subwords, EOS, the empty answer and the words.
    allowed = len(tokenizer.subwords) + 2 + len(sample.words)
    assert loss.item() == pytest.approx(3.0 * 4 / TEXT_TOKENS * np.log(allowed) / 2, rel=1e-5)
    loss.backward()
    assert texts.grad is not None and torch.isfinite(texts.grad).all()
    first_word = tokenizer.vocab_size + memory.words.start
    lowest = texts.grad.argmin(dim=-1)
    assert lowest[0, 0] == tokenizer.empty(schema["title"]) and not texts.grad[0, 1:].any()
    assert lowest[1].tolist() == [first_word, first_word + 1, tokenizer.eos_id]


def test_a_question_without_an_answer_has_no_loss(preprocessor: Preprocessor) -> None:
    sample = preprocessor.sample(Page(LINES, 100, 100), [preprocessor.schema["colour"]])
    targets = make_targets(preprocessor.tokenizer, [sample], [NOTHING], {})
    memory = memory_of(preprocessor, [sample])
    logits = torch.randn(1, 1, preprocessor.tokenizer.num_answers + memory.states.shape[1])
    assert make_loss(preprocessor)(logits, None, memory, targets) == 0
    assert isinstance(targets.to("cpu"), Targets)
