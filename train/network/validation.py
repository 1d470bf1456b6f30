"""Metrics of a Resformer on the validation split."""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from resformer.model.inference.calibration import Calibration
from resformer.model.inference.inputs import Preprocessor, Sample
from resformer.model.inference.quantity_decoding import EMPTY, FIRST_CANDIDATE, UNREAD
from resformer.model.networks.encoder import Memory
from resformer.model.networks.label_shortcut import DECODER_WEIGHT
from resformer.model.networks.resformer import Resformer
from resformer.model.quantities.quantity import Candidate
from resformer.train.data.quantity_records import Question
from resformer.train.evaluation.quantity_metrics import calibration_error
from resformer.train.network.batches import known_answers
from resformer.train.network.fit_calibrations import (
    KindAnswers,
    accuracy,
    confidences,
    fit_calibration,
    fit_temperature,
    strict_f1,
)
from resformer.train.network.label_targets import target_answers, target_departments
from resformer.train.network.labelled_photos import LabelledPhoto
from resformer.train.network.loss import RowLoss, quantity_logits
from resformer.train.network.picture_cache import PictureCache
from resformer.train.network.row_logits import row_logits
from resformer.train.network.targets import Targets, make_targets

__all__ = ["QuantityChoice", "RowValidator", "ValMetrics"]

BATCH_SIZE = 32  # photos


@dataclass(frozen=True)
class ValMetrics:
    """Metrics of the validation split, from pictures and what was read on them; the text of a product is left out.

    Attributes:
        accuracy: by choice and path, the fraction of right answers; by "quantity" and "presumed", of right answers to
            questions about quantities.
        strict_f1: of quantities in whole rows; a wrong answer counts as a false positive and a false negative.
        text_loss: mean negative log likelihood of a step of a text.
        calibrations: by kind of entity, fitted on these photos.
        calibration_errors: by kind of entity, of the calibrated confidences.
    """

    accuracy: dict[str, float]
    strict_f1: float
    text_loss: float
    calibrations: dict[str, Calibration]
    calibration_errors: dict[str, float]

    @property
    def score(self) -> float:
        """Mean accuracy and strict F1, of what is asked, less a tenth of the loss of texts."""
        values = [*self.accuracy.values(), *([self.strict_f1] if "quantity" in self.accuracy else [])]
        return sum(values) / max(1, len(values)) - 0.1 * self.text_loss

    def scalars(self) -> dict[str, float]:
        """For TensorBoard."""
        return {
            **{f"accuracy/{name}": value for name, value in self.accuracy.items()},
            **{f"calibration error/{kind}": value for kind, value in self.calibration_errors.items()},
            **{f"temperature/{kind}": calibration.temperature for kind, calibration in self.calibrations.items()},
            "strict_f1": self.strict_f1,
            "text_loss": self.text_loss,
        }

    def table(self) -> str:
        """The metrics in a line."""
        accuracies = ", ".join(f"{name} {value:.3f}" for name, value in self.accuracy.items())
        return f"strict F1 {self.strict_f1:.3f}, loss of texts {self.text_loss:.3f}, accuracy: {accuracies}"


@dataclass(frozen=True)
class QuantityChoice:
    """What a network answers to one question about a quantity.

    Attributes:
        question: with the answers that are right.
        candidates: what it could choose from.
        chosen: index of the likeliest candidate; None: the answer is empty or not read.
    """

    question: Question
    candidates: Sequence[Candidate]
    chosen: int | None


class RowValidator:
    """Validates networks on the same photos.

    Args:
        image_size: side of the letterboxed pictures, pixels.
    """

    def __init__(
        self,
        photos: Sequence[LabelledPhoto],
        preprocessor: Preprocessor,
        image_size: int,
        device: torch.device,
        generic: Mapping[str, Collection[str]],
    ):
        self._photos = photos
        self._preprocessor = preprocessor
        self._tokenizer = preprocessor.tokenizer
        self._kinds = {entity.name: entity.kind for entity in self._tokenizer.entities}
        self._device = device
        self._generic = generic
        self._files = list(dict.fromkeys(p.photo for p in photos if p.photo is not None))
        self._pictures = PictureCache(self._files, image_size, device)

    @torch.no_grad()
    def __call__(self, network: Resformer, log_prior: Tensor) -> ValMetrics:
        """The metrics of a network.

        Args:
            log_prior: (A,), log frequency of each label where the network is used.
        """
        answers: dict[str, KindAnswers] = defaultdict(KindAnswers)
        losses: list[tuple[float, int]] = []
        loss = RowLoss(
            self._tokenizer,
            log_prior,
            level_weights=(1.0,),
            quantity_weight=1.0,
            text_weight=1.0,
            label_smoothing=0.0,
            entity_weights={},
        ).to(self._device)
        order = sorted(self._photos, key=lambda photo: len(photo.lines))
        for start in range(0, len(order), BATCH_SIZE):
            photos = order[start : start + BATCH_SIZE]
            samples, logits, shortcut, texts, memory, targets = self._logits(network, photos)
            self._add_labels(logits, shortcut, log_prior, targets, answers)
            self._add_quantities(samples, logits, memory, targets, answers)
            if texts is not None:
                count = int((targets.right_steps != Targets.no_step).any(dim=-1).sum())
                losses.append((float(loss.text_loss(texts, memory, targets)), count))
        calibrations: dict[str, Calibration] = {}
        errors: dict[str, float] = {}
        for kind in ("quantity", "choice", "path"):
            of_kind = sum((a for n, a in answers.items() if kind in (n, self._kinds.get(n))), KindAnswers())
            if of_kind.logits:
                fitted = fit_calibration(of_kind) if kind == "quantity" else Calibration(fit_temperature(of_kind))
                calibrations[kind], errors[kind] = fitted, calibration_error(*confidences(of_kind, fitted))
        quantities = answers.get("quantity")
        return ValMetrics(
            {name: accuracy(found) for name, found in sorted(answers.items())},
            strict_f1(quantities, calibrations["quantity"]) if quantities else 0.0,
            sum(value for value, _ in losses) / max(1, sum(count for _, count in losses)),
            calibrations,
            errors,
        )

    @torch.no_grad()
    def quantity_choices(self, network: Resformer, photos: Sequence[LabelledPhoto]) -> list[list[QuantityChoice]]:
        """What a network answers to the questions about quantities of some of the photos, by photo."""
        samples, logits, _, _, memory, targets = self._logits(network, photos)
        choices: list[list[QuantityChoice]] = [[] for _ in photos]
        if len(targets.quantities):
            rows = quantity_logits(self._tokenizer, logits, memory, targets).cpu().numpy()
            for (s, q), row in zip(targets.quantities.tolist(), rows, strict=True):
                sample = samples[s]
                own = np.flatnonzero(sample.candidate_question == q)
                best = int(row[[*range(FIRST_CANDIDATE), *(FIRST_CANDIDATE + own)]].argmax()) - FIRST_CANDIDATE
                entity = sample.entities[q]
                question = next(x for x in photos[s].questions if x.entity == entity)
                choices[s].append(QuantityChoice(question, sample.candidates[q], best if best >= 0 else None))
        return choices

    def _logits(
        self, network: Resformer, photos: Sequence[LabelledPhoto]
    ) -> tuple[list[Sample], Tensor, Tensor, Tensor | None, Memory, Targets]:
        tokenizer = self._tokenizer
        samples, answers = [], []
        for i, photo in enumerate(photos):
            known = known_answers(photo, tokenizer.entities)
            asked = [
                e for e in tokenizer.entities if any(e.name in d for d in (known.quantities, known.labels, known.texts))
            ]
            excluded = [q.excluded_label if (q := known.quantities.get(e.name)) else None for e in asked]
            samples.append(
                self._preprocessor.sample(
                    photo.page,
                    asked,
                    assume_present=photo.assume_present,
                    excluded_labels=excluded,
                    image_index=i,
                    has_image=photo.photo is not None,
                )
            )
            answers.append(known)
        index = torch.tensor([self._files.index(p.photo) if p.photo else 0 for p in photos], device=self._device)
        pixels, extent = self._pictures(index)
        batch = self._preprocessor.batch(samples, pixels, extent).to(self._device)
        targets = make_targets(tokenizer, samples, answers, self._generic).to(self._device)
        features = network.image(pixels.contiguous(memory_format=torch.channels_last))
        logits, texts, memory = row_logits(network, batch, targets, features)
        return samples, logits, network.label_logits(batch, features), texts, memory, targets

    def _add_labels(
        self,
        logits: Tensor,
        shortcut: Tensor,
        log_prior: Tensor,
        targets: Targets,
        answers: dict[str, KindAnswers],
    ) -> None:
        for name, rows in targets.labels.items():
            entity = self._tokenizer.schema[name]
            tokens = self._tokenizer.answers(entity)
            span = slice(tokens.start, tokens.stop)
            sample, question, target = rows.T
            decoded = DECODER_WEIGHT * logits[sample, question, span]
            found = (decoded + shortcut[sample, span] + log_prior[span]).cpu().numpy()
            groups = target_departments(entity)[target.cpu()].tolist() if entity.kind == "path" else None
            answers[name].add(found, target_answers(entity)[target.cpu()].numpy(), groups=groups)

    def _add_quantities(
        self,
        samples: Sequence[Sample],
        logits: Tensor,
        memory: Memory,
        targets: Targets,
        answers: dict[str, KindAnswers],
    ) -> None:
        if not len(targets.quantities):
            return
        choices = quantity_logits(self._tokenizer, logits, memory, targets).cpu().numpy()
        rights = targets.right.cpu().numpy()
        for (s, q), row, right in zip(targets.quantities.tolist(), choices, rights, strict=True):
            sample = samples[s]
            own = np.flatnonzero(sample.candidate_question == q)
            if right[EMPTY] and not len(own):
                continue  # no other answer is possible: thousands of garments would hide what matters
            columns = [*range(FIRST_CANDIDATE), *(FIRST_CANDIDATE + own)]
            pooled = _pool_equal(row[columns], [str(c.quantity) for c in sample.candidates[q]])
            kind = "presumed" if sample.assume_present else "quantity"
            answers[kind].add(pooled[None], right[None, columns], no_answer=UNREAD)


def _pool_equal(logits: np.ndarray, strings: Sequence[str]) -> np.ndarray:
    """Logits in which the likeliest of the candidates of one string has the probability of all, as in serving."""
    pooled = logits.copy()
    for string in set(strings):
        equal = [FIRST_CANDIDATE + i for i, other in enumerate(strings) if other == string]
        pooled[equal] = -np.inf
        pooled[max(equal, key=logits.__getitem__)] = np.logaddexp.reduce(logits[equal])
    return pooled
