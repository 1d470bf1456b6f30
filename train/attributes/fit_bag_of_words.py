"""Learning which words speak for which labels."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import torch
from torch import Tensor

from resformer.model.inference.label_tokenizer import LabelTokenizer, hash_words
from resformer.model.networks.bag_of_words import NUM_BUCKETS, NUM_WEIGHTS, BagOfWordsClassifier
from resformer.model.schema.schema import Entity
from resformer.train.attributes.labelled_products import Product, log_priors

__all__ = ["entity_members", "fit_lexicon", "likelihood"]

PENALTY = 2.4e-6  # of a squared vote, beside the mean loss of a product


def likelihood(logits: Tensor, prior: Tensor, right: Tensor) -> Tensor:
    """Mean log likelihood of what is right.

    Args:
        logits: (rows, answers). prior: (answers,), added to them. right: bool (rows, answers), which answers are: one
            label, or all leaves of a node.
    """
    logp = (prior + logits).log_softmax(dim=-1)
    return logp.masked_fill(~right, -torch.inf).logsumexp(dim=-1).mean()


def fit_lexicon(products: Sequence[Product], tokenizer: LabelTokenizer) -> BagOfWordsClassifier:
    """The votes that make the labels of these products likeliest, as far as their text tells: logistic regression over
    words and pairs of words, by rarity (TF-IDF), of which the largest votes are kept.
    """
    lexicon = BagOfWordsClassifier(tokenizer.vocab_size)
    told = [replace(p, repeat=1.0) for p in products if p.labels and (p.title or p.description)]
    if not told:
        return lexicon
    said = [hash_words(p.title, p.description) for p in told]
    texts = np.bincount(np.concatenate(said), minlength=NUM_BUCKETS)
    rarity = np.where(texts > 0, np.log((1 + len(told)) / (1 + texts)) + 1, 0)
    lexicon.idf.copy_(torch.from_numpy(rarity))
    prior = torch.from_numpy(log_priors(told, tokenizer, natural=False))
    places, votes = [], []
    for entity in tokenizer.entities:
        rows = [i for i, p in enumerate(told) if entity.name in p.labels]
        if entity.kind == "text" or not rows:
            continue
        tokens = tokenizer.labels(entity)
        right = _right(entity, [told[i].labels[entity.name] for i in rows])
        fitted = _fit(_counts([said[i] for i in rows], rarity), prior[tokens.start : tokens.stop], right)
        # A constant beside all labels of a word says nothing; without it most votes are about nothing, too.
        fitted -= fitted.median(dim=1, keepdim=True).values
        places.append((torch.arange(NUM_BUCKETS)[:, None] * tokenizer.vocab_size + torch.tensor(tokens)).flatten())
        votes.append(fitted.flatten())
    vote, place = torch.cat(votes), torch.cat(places)
    kept = vote.abs().topk(min(NUM_WEIGHTS, len(vote))).indices
    lexicon.weight[: len(kept)] = vote[kept].half()
    lexicon.index[: len(kept)] = place[kept].int()
    return lexicon


def entity_members(entity: Entity) -> Tensor:
    """Bool (labels or nodes, answers), which answers each one is true of: itself, or the leaves of a node."""
    if entity.kind == "path":
        return torch.from_numpy(entity.taxonomy.members)
    return torch.eye(len(entity.labels)).bool()


def _right(entity: Entity, labels: Sequence[int]) -> list[Tensor]:
    """Which answers are right, bool (rows, answers): of a path once for each level, of which all are learned."""
    members = entity_members(entity)
    if entity.kind != "path":
        return [members[list(labels)]]
    tree = entity.taxonomy
    nodes = [tree.nodes[label] for label in labels]
    levels = range(1, max(map(len, nodes)) + 1)
    return [members[[tree.index(node[:level]) for node in nodes]] for level in levels]


def _counts(said: Sequence[np.ndarray], rarity: np.ndarray) -> Tensor:
    """Sparse (rows, NUM_BUCKETS), each row of length one."""
    row = np.repeat(np.arange(len(said)), [len(buckets) for buckets in said])
    bucket = np.concatenate(said)
    lengths = np.sqrt(np.bincount(row, rarity[bucket] ** 2, minlength=len(said)))
    values = torch.from_numpy(rarity[bucket] / lengths[row]).float()
    return torch.sparse_coo_tensor(
        torch.from_numpy(np.stack([row, bucket])),
        values,
        (len(said), NUM_BUCKETS),
        is_coalesced=True,
        check_invariants=True,
    )


def _fit(counts: Tensor, prior: Tensor, right: Sequence[Tensor]) -> Tensor:
    """Votes (NUM_BUCKETS, answers)."""
    votes = torch.zeros(NUM_BUCKETS, len(prior), requires_grad=True)
    optimiser = torch.optim.LBFGS([votes], max_iter=60, history_size=8, line_search_fn="strong_wolfe")

    def loss() -> Tensor:
        optimiser.zero_grad()
        told = torch.sparse.mm(counts, votes)
        told_right = torch.stack([likelihood(told, prior, level) for level in right]).sum()
        value = 0.5 * PENALTY * votes.square().sum() - told_right
        value.backward()
        return value

    with torch.enable_grad():
        optimiser.step(loss)
    return votes.detach()
