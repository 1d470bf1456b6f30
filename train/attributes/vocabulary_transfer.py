"""Attribute networks whose schema changes: what was learned for the old entities and labels is kept."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from resformer.model.inference.checkpoint import labels_digest, read_checkpoint
from resformer.model.inference.label_tokenizer import LabelTokenizer
from resformer.model.inference.tokenizer import Tokenizer
from resformer.model.networks.attribute_network import AttributeNetwork
from resformer.model.schema.schema import Entity, Schema

__all__ = ["EntityRows", "VocabularyMap", "load_attributes"]

PREFIX = "attributes."
# Of a label that an entity gained and that no product shows: it is never the answer.
LOG_PRIOR_OF_UNTRAINED_LABEL = -20.0


@dataclass(frozen=True)
class VocabularyMap:
    """The tokens and entities that two schemas share.

    Attributes:
        old_tokens, new_tokens: (N,), ids of the same token in either vocabulary.
        old_entities, new_entities: indices of the same entity in either schema.
        entities: the shared ones, of the new schema.
        added_labels: tokens of the labels that shared entities gained.
    """

    old_tokens: Tensor
    new_tokens: Tensor
    old_entities: list[int]
    new_entities: list[int]
    entities: tuple[Entity, ...]
    added_labels: list[int]

    @classmethod
    def between(cls, old: LabelTokenizer, new: LabelTokenizer) -> "VocabularyMap":
        """Matches entities by name and kind, and their labels by text."""
        tokens = {token: token for token in range(new.first_prompt)}  # special tokens and subwords
        old_by_name = {(entity.name, entity.kind): entity for entity in old.entities}
        shared = [(old_by_name[e.name, e.kind], e) for e in new.entities if (e.name, e.kind) in old_by_name]
        added = []
        for before, after in shared:
            tokens[new.prompt(after)] = old.prompt(before)
            known = dict(zip(before.labels or before.paths, old.labels(before), strict=True))
            for label, token in zip(after.labels or after.paths, new.labels(after), strict=True):
                if label in known:
                    tokens[token] = known[label]
                else:
                    added.append(token)
        return cls(
            torch.tensor(list(tokens.values())),
            torch.tensor(list(tokens.keys())),
            [old.entities.index(before) for before, _ in shared],
            [new.entities.index(after) for _, after in shared],
            tuple(after for _, after in shared),
            added,
        )


def load_attributes(
    network: AttributeNetwork, preset_name: str, tokenizer: Tokenizer, path: Path, schema_file: Path | None
) -> VocabularyMap:
    """Copies an attribute network that may have been trained for another schema.

    Tensors that depend on the vocabulary are copied row by row; rows of new entities and labels stay as they are.

    Args:
        network: for the schema of `tokenizer`.
        preset_name: of the network.
        schema_file: the schema of the checkpoint; None = that of `tokenizer` if it fits, else the shipped one.

    Returns:
        What both schemas share.

    Raises:
        ValueError: the checkpoint has no attribute network, or it was trained for another preset or schema.
    """
    tensors, metadata = read_checkpoint(path)
    tensors = {name.removeprefix(PREFIX): t for name, t in tensors.items() if name.startswith(PREFIX)}
    if not tensors:
        raise ValueError(f"init_attributes_from: {path} has no attribute network")
    if metadata.get("preset") != preset_name:
        raise ValueError(f"init_attributes_from: {path} is of preset {metadata.get('preset')}, not {preset_name}")
    old_tokenizer = tokenizer
    if schema_file or metadata.get("labels") != labels_digest(tokenizer):
        old_tokenizer = Tokenizer(Schema.load(schema_file))
        if metadata.get("labels") != labels_digest(old_tokenizer):
            raise ValueError(
                f"init_attributes_from: {path} was not trained for the schema {schema_file or 'that is shipped'}; "
                "name its schema by init_schema"
            )
    old = LabelTokenizer(old_tokenizer.schema, old_tokenizer)
    vocabulary = VocabularyMap.between(old, LabelTokenizer(tokenizer.schema, tokenizer))
    with torch.no_grad():
        _copy(network, tensors, vocabulary, old.vocab_size, path)
    return vocabulary


def _copy(
    network: AttributeNetwork, tensors: Mapping[str, Tensor], vocabulary: VocabularyMap, old_size: int, path: Path
) -> None:
    state = network.state_dict()
    if state.keys() != tensors.keys():
        raise ValueError(f"init_attributes_from: {path} is of another version of the code; train it again")
    for name, target in state.items():
        source = tensors[name].to(target.dtype)
        match name:
            case "decoder.embedding.weight" | "decoder.bias" | "log_prior":
                target[vocabulary.new_tokens] = source[vocabulary.old_tokens]
            case "member_weights":
                target[vocabulary.new_entities] = source[vocabulary.old_entities]
            case "decoder.position.weight":  # as many as the longest text has tokens
                length = min(len(target), len(source))
                target[:length] = source[:length]
            case "bag_of_words.index" | "bag_of_words.weight":
                pass
            case _ if target.shape == source.shape:
                target.copy_(source)
            case _:
                raise ValueError(f"init_attributes_from: {name} of {path} has another shape; train it again")
    network.log_prior[vocabulary.added_labels] = LOG_PRIOR_OF_UNTRAINED_LABEL
    new_token = torch.full((old_size,), -1)
    new_token[vocabulary.old_tokens] = vocabulary.new_tokens
    index, weight = tensors["bag_of_words.index"].long(), tensors["bag_of_words.weight"]
    token = new_token[index % old_size]
    bag_of_words = network.bag_of_words
    bag_of_words.index.copy_(torch.where(token >= 0, index // old_size * len(network.log_prior) + token, 0))
    bag_of_words.weight.copy_(torch.where(token >= 0, weight, 0))


class EntityRows:
    """All that a network has for one entity alone, to be put back after training on others.

    The embeddings and biases of its prompt and labels, their log priors, and its member weights. Weight decay and the
    loss of texts change embeddings and biases even where no question asks for the entity.
    """

    def __init__(self, network: AttributeNetwork, tokenizer: LabelTokenizer, entity: Entity):
        self._tokens = [tokenizer.prompt(entity), *tokenizer.labels(entity)]
        self._entity = tokenizer.entities.index(entity)
        self._embeddings = network.decoder.embedding.weight[self._tokens].detach().clone()
        self._biases = network.decoder.bias[self._tokens].detach().clone()
        self._log_prior = network.log_prior[self._tokens].clone()
        self._member_weights = network.member_weights[self._entity].clone()

    @torch.no_grad()
    def restore(self, network: AttributeNetwork) -> None:
        """Writes them into a network of the same vocabulary, on any device."""
        device = network.log_prior.device
        network.decoder.embedding.weight[self._tokens] = self._embeddings.to(device)
        network.decoder.bias[self._tokens] = self._biases.to(device)
        network.log_prior[self._tokens] = self._log_prior.to(device)
        network.member_weights[self._entity] = self._member_weights.to(device)
