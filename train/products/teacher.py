"""What packaged image networks make of each product's picture: a teacher that saw neither it nor its text.

Heads with one hidden layer on frozen features learn from a part of the products and judge the others, part
after part. What they find possible tells more than the one label that a catalogue gives (distillation,
arXiv 1503.02531).
"""

import zlib
from collections.abc import Mapping, Sequence

import torch
from torch import Tensor, nn
from tqdm import tqdm

from model.labels import LabelVocabulary
from train.packaged import PackagedFeatures
from train.products.batches import ProductTargets
from train.products.loss import ProductLoss
from train.products.records import Product

__all__ = ["teach"]

PARTS = 5
EPOCHS = 25
BATCH = 128
HIDDEN = 512
DROPOUT = 0.3
RATE = 1e-3


def teach(
    packages: Sequence[str], products: Sequence[Product], vocabulary: LabelVocabulary, loss: ProductLoss, shown: Tensor
) -> dict[str, Tensor]:
    """How likely the labels of each choice, or the leaves of each path, are: half (products, answers) by entity; zeros
    for products whose label is not known.

    Args:
        packages: of PACKAGED; their judgements are averaged.
        loss: what heads learn by.
        shown: (vocabulary,) log share of each label, see train.products.records.log_priors.
    """
    known = [i for i, p in enumerate(products) if p.labels]
    labelled = [products[i] for i in known]
    part = torch.tensor([zlib.crc32(p.name.encode()) // 1000 % PARTS for p in labelled])
    judged = torch.zeros(len(labelled), vocabulary.size)
    for package in packages:
        features = _features(package, labelled)
        for k in range(PARTS):
            others, own = torch.nonzero(part != k)[:, 0], torch.nonzero(part == k)[:, 0]
            heads = _fit(features, labelled, others, vocabulary, loss)
            with torch.inference_mode():
                logits = heads(features[own]) + shown
            for entity in vocabulary.entities:
                tokens = vocabulary.labels(entity)
                chances = logits[:, tokens.start : tokens.stop].softmax(dim=1)
                judged[own, tokens.start : tokens.stop] += chances / len(packages)
    taught = {}
    for entity in vocabulary.entities:
        if entity.kind != "text":
            tokens = vocabulary.labels(entity)
            asked = torch.tensor([[entity.name in p.labels] for p in labelled])
            taught[entity.name] = torch.zeros(len(products), len(tokens), dtype=torch.half)
            taught[entity.name][known] = (judged[:, tokens.start : tokens.stop] * asked).half()
    return taught


def _features(package: str, products: Sequence[Product]) -> Tensor:
    """Of each product's picture, (products, F), each of about unit variance."""
    look = PackagedFeatures(package)
    photos = [p.photo for p in products]
    starts = tqdm(range(0, len(photos), BATCH), desc=package, leave=False, disable=None)
    rows = torch.cat([torch.from_numpy(look(photos[i : i + BATCH])).flatten(1) for i in starts])
    return (rows - rows.mean(dim=0)) / (rows.std(dim=0) + 1e-3)


def _fit(
    features: Tensor, products: Sequence[Product], chosen: Tensor, vocabulary: LabelVocabulary, loss: ProductLoss
) -> nn.Module:
    """Heads that learned from the chosen products."""
    heads = nn.Sequential(
        nn.Dropout(DROPOUT),
        nn.Linear(features.shape[1], HIDDEN),
        nn.GELU(),
        nn.Dropout(DROPOUT),
        nn.Linear(HIDDEN, vocabulary.size),
    )
    numbers = {entity.name: e for e, entity in enumerate(vocabulary.entities)}
    steps = EPOCHS * -(-len(chosen) // BATCH)
    optimiser = torch.optim.AdamW(heads.parameters(), lr=RATE, weight_decay=0.05)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, RATE, total_steps=steps, pct_start=0.05)
    for some in (batch for _ in range(EPOCHS) for batch in chosen[torch.randperm(len(chosen))].split(BATCH)):
        labels = _targets([products[i].labels for i in some.tolist()], numbers)
        value = loss(heads(features[some])[labels.labelled], None, labels)
        optimiser.zero_grad()
        value.backward()
        optimiser.step()
        schedule.step()
    return heads.eval()


def _targets(labels: Sequence[Mapping[str, int]], numbers: Mapping[str, int]) -> ProductTargets:
    """One question for each label; `labelled` tells whose it is."""
    asked = [(i, numbers[name], label) for i, known in enumerate(labels) for name, label in known.items()]
    owner, entity, label = (torch.tensor(column, dtype=torch.long) for column in zip(*asked, strict=True))
    nothing = torch.zeros(0, 1, dtype=torch.long)
    return ProductTargets(owner, entity, label, torch.zeros(0, dtype=torch.long), nothing, nothing, count=len(labels))
