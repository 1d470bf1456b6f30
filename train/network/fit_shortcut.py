"""Fits the linear shortcut to labels: a logistic regression for each choice and path, on what the network embeds."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from resformer.model.inference.inputs import Preprocessor
from resformer.model.inference.tokenizer import Tokenizer
from resformer.model.networks.batch import FIELDS
from resformer.model.networks.resformer import Resformer
from resformer.train.network.label_targets import target_answers
from resformer.train.network.labelled_photos import LabelledPhoto

__all__ = ["ShortcutInputs", "fit_shortcut", "shortcut_inputs"]

EPOCHS, MIN_STEPS = 16, 300
BATCH_SIZE = 256
LEARNING_RATE, WEIGHT_DECAY, DROPOUT = 4e-3, 1e-2, 0.3
PICTURE_SCALE = 0.5  # of a picture's features, in standard deviations, beside bags of words


@dataclass(frozen=True)
class ShortcutInputs:
    """What the shortcut sees of N samples: labelled photos alone, and again with the text that came with them.

    Attributes:
        pictures: (files, views, 2 F), pooled features of random views. file: (N,), -1 for a sample without a picture.
        bags: (N, FIELDS x D), of words.
        labels: (N,) by choice and path, the target, see label_targets, or -1.
        weight: (N,), how often an epoch shows the sample.
    """

    pictures: Tensor
    file: Tensor
    bags: Tensor
    labels: Mapping[str, Tensor]
    weight: Tensor


def shortcut_inputs(
    network: Resformer,
    preprocessor: Preprocessor,
    photos: Sequence[LabelledPhoto],
    file_index: Sequence[int],
    pictures: Tensor,
) -> ShortcutInputs:
    """The inputs of some photos, of which one at least has labels.

    Args:
        file_index: of each photo, its picture. pictures: see ShortcutInputs.
    """
    samples: list[tuple[int, LabelledPhoto]] = []
    bags: list[Tensor] = []
    for file, photo in zip(file_index, photos, strict=True):
        if photo.labels:
            alone = replace(photo, title="", description="")
            views = [alone, photo] if photo.title or photo.description else [photo]
            samples += [(file if photo.photo is not None else -1, view) for view in views]
            bags += [_bags(network, preprocessor, view) for view in views]
    names = sorted({name for _, photo in samples for name in photo.labels})
    return ShortcutInputs(
        pictures,
        torch.tensor([file for file, _ in samples], dtype=torch.long),
        torch.stack(bags),
        {name: torch.tensor([photo.labels.get(name, -1) for _, photo in samples]) for name in names},
        torch.tensor([photo.sampling_weight for _, photo in samples]),
    )


@torch.enable_grad()
def fit_shortcut(
    network: Resformer,
    inputs: ShortcutInputs,
    tokenizer: Tokenizer,
    log_prior: Tensor,
    *,
    kept: Tensor,
    p_drop_image: float,
    seed: int,
) -> None:
    """Fits the rows of the labels that the inputs have, from zero, without the decoder.

    The log frequencies of labels are added to the logits, as in RowLoss.

    Args:
        log_prior: (A,), log frequency of each label in an epoch.
        kept: bool (A,), rows that stay as they are.
        p_drop_image: of hiding a sample's picture.
    """
    spans = {e: tokenizer.answers(e) for e in tokenizer.entities if e.name in inputs.labels}
    fitted = torch.zeros(network.num_answers, dtype=torch.bool)
    for span in spans.values():
        fitted[span.start : span.stop] = True
    fitted &= ~kept.cpu()
    if not fitted.any():
        return
    shortcut, pooled = network.shortcut, inputs.pictures.flatten(0, 1).float()
    if not shortcut.picture_mean.any():
        shortcut.picture_mean.copy_(pooled.mean(dim=0))
    mean = shortcut.picture_mean.cpu()
    scale = PICTURE_SCALE / (pooled.std(dim=0, unbiased=False) + 1e-3)
    scales = torch.cat([scale, torch.ones(inputs.bags.shape[1])])
    # Rows that stay take part where a choice has both: its labels compete.
    known_weight = shortcut.linear.weight.detach().cpu() / scales
    known_bias = shortcut.linear.bias.detach().cpu()
    weight, bias = (torch.zeros_like(x, requires_grad=True) for x in (known_weight, known_bias))
    groups = [{"params": [weight], "weight_decay": WEIGHT_DECAY}, {"params": [bias], "weight_decay": 0.0}]
    optimizer = torch.optim.AdamW(groups)
    generator = torch.Generator().manual_seed(seed)
    rights = {entity: target_answers(entity) for entity in spans}
    steps = max(MIN_STEPS, round(EPOCHS * float(inputs.weight.sum()) / BATCH_SIZE))
    for step in range(steps):
        drawn = torch.multinomial(inputs.weight, BATCH_SIZE, replacement=True, generator=generator)
        view = torch.randint(inputs.pictures.shape[1], (BATCH_SIZE,), generator=generator)
        file = inputs.file[drawn]
        is_shown = (file >= 0) & (torch.rand(BATCH_SIZE, generator=generator) >= p_drop_image)
        pictures = (inputs.pictures[file, view].float() - mean) * scale * is_shown[:, None]
        x = torch.cat([pictures, inputs.bags[drawn].float()], dim=1)
        x = x.masked_fill(torch.rand(x.shape, generator=generator) < DROPOUT, 0.0) / (1 - DROPOUT)
        used_weight = torch.where(fitted[:, None], weight, known_weight)
        logits = F.linear(x, used_weight, torch.where(fitted, bias, known_bias)) + log_prior
        loss = torch.zeros(())
        for entity, span in spans.items():
            target = inputs.labels[entity.name][drawn]
            log_probabilities = logits[target >= 0, span.start : span.stop].log_softmax(dim=-1)
            right = rights[entity][target[target >= 0]]
            loss = loss - log_probabilities.masked_fill(~right, float("-inf")).logsumexp(dim=-1).sum() / BATCH_SIZE
        optimizer.zero_grad()
        loss.backward()
        for group in optimizer.param_groups:
            group["lr"] = LEARNING_RATE * (1 - step / steps)
        optimizer.step()
    with torch.no_grad():
        shortcut.linear.weight[fitted] = (weight * scales)[fitted].to(shortcut.linear.weight)
        shortcut.linear.bias[fitted] = bias[fitted].to(shortcut.linear.bias)


@torch.no_grad()
def _bags(network: Resformer, preprocessor: Preprocessor, photo: LabelledPhoto) -> Tensor:
    """Bags of words (FIELDS x D) of a photo and the text that came with it, in half precision."""
    sample = preprocessor.sample(photo.page, [], title=photo.title, description=photo.description)
    fields = np.array([word.field for word in sample.words], dtype=np.int64)
    bags = torch.zeros(len(FIELDS), network.width)
    for field in range(len(FIELDS)):
        subwords = sample.subwords[fields == field]
        tokens = torch.from_numpy(subwords[subwords != preprocessor.tokenizer.pad_id])
        if len(tokens):
            embedded = network.embed(tokens.to(network.embedding.weight.device))
            bags[field] = embedded.sum(dim=0).cpu() / len(tokens) ** 0.5
    return bags.flatten().half()
