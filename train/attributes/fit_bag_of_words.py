"""Fitting of the bag-of-words classifier."""

from collections.abc import Collection, Sequence
from dataclasses import replace

import numpy as np
import torch
from torch import Tensor

from resformer.model.inference.label_tokenizer import LabelTokenizer, hash_words
from resformer.model.networks.bag_of_words import NUM_BUCKETS, NUM_WEIGHTS, BagOfWordsClassifier
from resformer.model.schema.schema import Entity
from resformer.train.attributes.label_frequencies import label_log_priors
from resformer.train.attributes.label_likelihood import leaf_mask, mean_log_likelihood
from resformer.train.attributes.labelled_products import LabelledProduct

__all__ = ["fit_bag_of_words"]

PENALTY = 2.4e-6  # of a squared weight, beside the mean loss of a product


def fit_bag_of_words(
    products: Sequence[LabelledProduct],
    tokenizer: LabelTokenizer,
    *,
    init_from: BagOfWordsClassifier | None = None,
    kept_entities: Collection[Entity] = (),
) -> BagOfWordsClassifier:
    """Logistic regression from the TF-IDF of words and pairs of words to labels; the largest weights are kept.

    Args:
        init_from: a classifier over the same tokens, from which the weights of `kept_entities` are taken over. Words
            that it knows keep their IDF, so that these entities are answered as before.
    """
    classifier = BagOfWordsClassifier(tokenizer.vocab_size)
    fitted = [replace(p, sampling_weight=1.0) for p in products if p.labels and (p.title or p.description)]
    buckets = [hash_words(p.title, p.description) for p in fitted]
    frequency = np.bincount(np.concatenate([np.zeros(0, dtype=np.int64), *buckets]), minlength=NUM_BUCKETS)
    idf = np.where(frequency > 0, np.log((1 + len(fitted)) / (1 + frequency)) + 1, 0)
    index, weight = [], []
    if init_from and kept_entities:
        known = init_from.idf.cpu().double().numpy()
        idf = np.where(known > 0, known, idf)
        kept_tokens = torch.tensor([token for entity in kept_entities for token in tokenizer.labels(entity)])
        kept = torch.isin(init_from.index.cpu() % tokenizer.vocab_size, kept_tokens)
        index.append(init_from.index.cpu()[kept].long())
        weight.append(init_from.weight.cpu()[kept].float())
    classifier.idf.copy_(torch.from_numpy(idf))
    log_prior = torch.from_numpy(label_log_priors(fitted, tokenizer, in_catalogue=False))
    for entity in tokenizer.entities:
        rows = [i for i, p in enumerate(fitted) if entity.name in p.labels]
        if not rows or entity in kept_entities:
            continue
        tokens = tokenizer.labels(entity)
        is_right = _right_leaves(entity, [fitted[i].labels[entity.name] for i in rows])
        matrix = _fit(_tf_idf([buckets[i] for i in rows], idf), log_prior[tokens.start : tokens.stop], is_right)
        # A constant beside all labels of a word changes no probability; without it fewer weights are far from zero.
        matrix -= matrix.median(dim=1, keepdim=True).values
        index.append((torch.arange(NUM_BUCKETS)[:, None] * tokenizer.vocab_size + torch.tensor(tokens)).flatten())
        weight.append(matrix.flatten())
    if weight:
        weights, indices = torch.cat(weight), torch.cat(index)
        largest = weights.abs().topk(min(NUM_WEIGHTS, len(weights))).indices
        classifier.weight[: len(largest)] = weights[largest].half()
        classifier.index[: len(largest)] = indices[largest].int()
    return classifier


def _right_leaves(entity: Entity, labels: Sequence[int]) -> list[Tensor]:
    """Bool (rows, leaves), which leaves are right; for a path once for each level, all of which are learned."""
    leaves = leaf_mask(entity)
    if entity.kind != "path":
        return [leaves[list(labels)]]
    tree = entity.taxonomy
    nodes = [tree.nodes[label] for label in labels]
    levels = range(1, max(map(len, nodes)) + 1)
    return [leaves[[tree.index(node[:level]) for node in nodes]] for level in levels]


def _tf_idf(buckets: Sequence[np.ndarray], idf: np.ndarray) -> Tensor:
    """Sparse (rows, NUM_BUCKETS), each row of length one."""
    row = np.repeat(np.arange(len(buckets)), [len(row) for row in buckets])
    bucket = np.concatenate(buckets)
    lengths = np.sqrt(np.bincount(row, idf[bucket] ** 2, minlength=len(buckets)))
    values = torch.from_numpy(idf[bucket] / lengths[row]).float()
    return torch.sparse_coo_tensor(
        torch.from_numpy(np.stack([row, bucket])),
        values,
        (len(buckets), NUM_BUCKETS),
        is_coalesced=True,
        check_invariants=True,
    )


def _fit(tf_idf: Tensor, log_prior: Tensor, is_right: Sequence[Tensor]) -> Tensor:
    """Weights (NUM_BUCKETS, leaves)."""
    weights = torch.zeros(NUM_BUCKETS, len(log_prior), requires_grad=True)
    optimizer = torch.optim.LBFGS([weights], max_iter=60, history_size=8, line_search_fn="strong_wolfe")

    def loss() -> Tensor:
        optimizer.zero_grad()
        logits = torch.sparse.mm(tf_idf, weights)
        likelihood = torch.stack([mean_log_likelihood(logits, log_prior, level) for level in is_right]).sum()
        value = 0.5 * PENALTY * weights.square().sum() - likelihood
        value.backward()
        return value

    with torch.enable_grad():
        optimizer.step(loss)
    return weights.detach()
