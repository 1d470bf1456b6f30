"""Accuracy of an attribute network on the validation split, and the member weights fitted there."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from resformer.model.inference.attribute_inputs import AttributeExample, collate_attributes, encode_words
from resformer.model.inference.label_tokenizer import LabelTokenizer, hash_words
from resformer.model.networks.attribute_network import BAG_OF_WORDS, IMAGE, IMAGE_AND_TEXT, TEXT, AttributeNetwork
from resformer.model.networks.bag_of_words import BagOfWordsClassifier
from resformer.model.schema.schema import Entity
from resformer.train.attributes.attribute_batches import answerable_entities
from resformer.train.attributes.attribute_logits import attribute_logits, embed_pictures
from resformer.train.attributes.attribute_targets import make_targets
from resformer.train.attributes.fit_member_weights import fit_member_weights
from resformer.train.attributes.label_likelihood import leaf_mask
from resformer.train.attributes.labelled_products import LabelledProduct
from resformer.train.attributes.picture_cache import PictureCache

__all__ = ["AttributeValidator", "ValMetrics"]

BATCH_SIZE = 32  # products


@dataclass(frozen=True)
class ValMetrics:
    """Metrics of the validation split.

    Attributes:
        image_accuracy: by entity, the fraction of right labels from the picture alone.
        text_accuracy: the same for products with a title or a description, from picture and text.
        text_loss: mean negative log likelihood of a token of a text.
    """

    image_accuracy: dict[str, float]
    text_accuracy: dict[str, float]
    text_loss: float

    @property
    def score(self) -> float:
        """Mean accuracy, less a tenth of the loss of texts."""
        accuracies = [*self.image_accuracy.values(), *self.text_accuracy.values()]
        return sum(accuracies) / max(1, len(accuracies)) - 0.1 * self.text_loss

    def table(self) -> str:
        """The metrics in a line."""
        entities = [
            f"{name} {accuracy:.3f} / {self.text_accuracy.get(name, float('nan')):.3f}"
            for name, accuracy in self.image_accuracy.items()
        ]
        return f"accuracy from picture / picture and text: {', '.join(entities)}; loss of texts {self.text_loss:.3f}"


@dataclass
class _MemberOutputs:
    """Logits (rows, leaves) and labels (rows,) by entity and ensemble member, in batches; losses of texts.

    BAG_OF_WORDS has the rows of TEXT.
    """

    logits: dict[tuple[str, int], list[Tensor]] = field(default_factory=lambda: defaultdict(list))
    labels: dict[tuple[str, int], list[Tensor]] = field(default_factory=lambda: defaultdict(list))
    text_losses: list[float] = field(default_factory=list)


class AttributeValidator:
    """Validates attribute networks on the same products.

    Args:
        image_size: side of the letterboxed pictures, pixels.
        log_prior: (vocab_size,), label frequencies in the training split as an epoch shows it.
    """

    def __init__(
        self,
        products: Sequence[LabelledProduct],
        tokenizer: LabelTokenizer,
        image_size: int,
        bag_of_words: BagOfWordsClassifier,
        log_prior: Tensor,
        device: torch.device,
    ):
        self._products = products
        self._tokenizer = tokenizer
        self._pictures = PictureCache(products, image_size, device)
        self._bag_of_words = bag_of_words
        self._log_prior = log_prior
        self._device = device

    @torch.no_grad()
    def __call__(self, network: AttributeNetwork) -> tuple[ValMetrics, dict[tuple[str, int], float]]:
        """The metrics of a network, and fitted member weights by entity and member."""
        outputs = self._member_outputs(network)
        weights: dict[tuple[str, int], float] = {}
        accuracies: list[dict[str, float]] = []
        for members in ((IMAGE,), (TEXT, IMAGE_AND_TEXT, BAG_OF_WORDS)):
            accuracy: dict[str, float] = {}
            for entity in self._tokenizer.entities:
                if (entity.name, members[0]) not in outputs.logits:
                    continue
                logits = torch.stack([torch.cat(outputs.logits[entity.name, member]) for member in members])
                is_right = leaf_mask(entity)[torch.cat(outputs.labels[entity.name, members[0]])]
                tokens = self._tokenizer.labels(entity)
                log_prior = self._log_prior[tokens.start : tokens.stop]
                fitted = fit_member_weights(logits, log_prior, is_right)
                weights |= {(entity.name, m): float(w) for m, w in zip(members, fitted, strict=True)}
                best = (log_prior + (fitted[:, None, None] * logits).sum(dim=0)).argmax(dim=1)
                accuracy[entity.name] = is_right.gather(1, best[:, None]).float().mean().item()
            accuracies.append(accuracy)
        text_loss = float(np.mean(outputs.text_losses)) if outputs.text_losses else 0.0
        return ValMetrics(accuracies[0], accuracies[1], text_loss), weights

    def _member_outputs(self, network: AttributeNetwork) -> _MemberOutputs:
        outputs = _MemberOutputs()
        for member in (IMAGE, TEXT, IMAGE_AND_TEXT):
            questions = [
                (i, entities)
                for i, p in enumerate(self._products)
                if (entities := answerable_entities(p, self._tokenizer.entities, with_texts=member == IMAGE))
                and (p.title or p.description or member == IMAGE)
            ]
            for start in range(0, len(questions), BATCH_SIZE):
                self._add_outputs(network, questions[start : start + BATCH_SIZE], member, outputs)
        labels = {entity.name: self._tokenizer.labels(entity) for entity in self._tokenizer.entities}
        for product in (p for p in self._products if p.title or p.description):
            logits = self._bag_of_words(torch.from_numpy(hash_words(product.title, product.description)))
            for name in product.labels:
                outputs.logits[name, BAG_OF_WORDS].append(logits[None, labels[name].start : labels[name].stop])
        return outputs

    def _add_outputs(
        self,
        network: AttributeNetwork,
        questions: Sequence[tuple[int, Sequence[Entity]]],
        member: int,
        outputs: _MemberOutputs,
    ) -> None:
        """Adds the answers of a member about some products, which are given by their indices."""
        tokenizer = self._tokenizer
        products = [self._products[index] for index, _ in questions]
        examples = []
        for i, (product, (_, entities)) in enumerate(zip(products, questions, strict=True)):
            words = encode_words(tokenizer, product.title, product.description) if member != IMAGE else []
            examples.append(AttributeExample(i, member != TEXT, words, entities))
        pixels, extent = self._pictures(torch.tensor([index for index, _ in questions], device=self._device))
        inputs = collate_attributes(tokenizer, pixels, extent.tolist(), examples).to(self._device)
        targets = make_targets(tokenizer, examples, products).to(self._device)
        labels, texts = attribute_logits(network, tokenizer, inputs, targets, embed_pictures(network, inputs.pixels))
        for entity, rows in zip(tokenizer.entities, targets.entity_rows, strict=True):
            if len(rows):
                tokens = tokenizer.labels(entity)
                outputs.logits[entity.name, member].append(labels[rows, tokens.start : tokens.stop].cpu())
                outputs.labels[entity.name, member].append(targets.label[rows].cpu())
        if texts is not None:
            loss = F.cross_entropy(texts.transpose(1, 2), targets.next_tokens, ignore_index=tokenizer.pad_id)
            outputs.text_losses.append(loss.item())
