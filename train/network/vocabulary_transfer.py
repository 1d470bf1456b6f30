"""A Resformer that continues under another schema: what it has learned about the tokens of both is kept."""

from collections.abc import Hashable, Mapping
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from resformer.model.inference.checkpoint import read_checkpoint, schema_digest
from resformer.model.inference.tokenizer import Tokenizer
from resformer.model.networks.resformer import Resformer
from resformer.model.schema.schema import Entity, Schema

__all__ = ["Transfer", "transfer_network"]

PREFIX = "resformer."
# Of a label that an entity gained and that no product shows: it is never the answer.
LOG_PRIOR_OF_UNTRAINED_LABEL = -20.0


@dataclass(frozen=True)
class Transfer:
    """What a network has from a checkpoint.

    Attributes:
        known: bool (V,), the tokens whose rows are the checkpoint's.
        new_rows: by parameter, bool (rows,), the rows that the checkpoint does not have; without parameters that are
            wholly the checkpoint's.
        entities: those that both schemas have, of the new one.
        metadata: of the checkpoint.
    """

    known: Tensor
    new_rows: Mapping[str, Tensor]
    entities: tuple[Entity, ...]
    metadata: Mapping[str, str]


def transfer_network(
    network: Resformer, tokenizer: Tokenizer, preset_name: str, path: Path, schema_file: Path | None
) -> Transfer:
    """Copies a network that may have been trained for another schema.

    Entities are matched by name and kind, their labels by text, units by name. Rows of new tokens stay as they are.

    Args:
        network: for the schema of `tokenizer`.
        preset_name: of the network.
        schema_file: the schema of the checkpoint; None = that of `tokenizer` if it fits, else the shipped one.

    Raises:
        ValueError: the checkpoint has no Resformer, or it was trained for another preset or schema.
    """
    tensors, metadata = read_checkpoint(path)
    tensors = {name.removeprefix(PREFIX): t for name, t in tensors.items() if name.startswith(PREFIX)}
    if not tensors:
        raise ValueError(f"init_network_from: {path} has no Resformer")
    if metadata.get("preset") != preset_name:
        raise ValueError(f"init_network_from: {path} is of preset {metadata.get('preset')}, not {preset_name}")
    old, new = _token_ids(_tokenizer_of(metadata, tokenizer, path, schema_file)), _token_ids(tokenizer)
    shared = [(old[name], token) for name, token in new.items() if name in old]
    old_tokens, new_tokens = torch.tensor(shared).T
    known = torch.zeros(tokenizer.vocab_size, dtype=torch.bool)
    known[new_tokens] = True
    is_answer = new_tokens < tokenizer.num_answers
    state = network.state_dict()
    if state.keys() != tensors.keys():
        raise ValueError(f"init_network_from: {path} is of another version of the code; train it again")
    for name, target in state.items():
        source = tensors[name].to(target.dtype)
        match name:
            case "embedding.weight" | "decoder.bias":
                target[new_tokens] = source[old_tokens]
            case "log_prior" | "shortcut.linear.weight" | "shortcut.linear.bias":
                target[new_tokens[is_answer]] = source[old_tokens[is_answer]]
            case "decoder.position.weight":  # as many as the longest text has steps
                length = min(len(target), len(source))
                target[:length] = source[:length]
            case _ if target.shape == source.shape:
                target.copy_(source)
            case _:
                raise ValueError(f"init_network_from: {name} of {path} has another shape; train it again")
    shared_entities = tuple(e for e in tokenizer.entities if _prompt_name(e) in old)
    added = [token for e in shared_entities for token in tokenizer.answers(e) if not known[token]]
    state["log_prior"][added] = LOG_PRIOR_OF_UNTRAINED_LABEL
    new_positions = torch.arange(len(state["decoder.position.weight"])) >= len(tensors["decoder.position.weight"])
    rows = {"embedding.weight": ~known, "decoder.bias": ~known, "decoder.position.weight": new_positions}
    return Transfer(known, {name: new for name, new in rows.items() if new.any()}, shared_entities, metadata)


def _tokenizer_of(metadata: Mapping[str, str], tokenizer: Tokenizer, path: Path, schema_file: Path | None) -> Tokenizer:
    """The vocabulary of a checkpoint."""
    if schema_file is None and metadata.get("schema") == schema_digest(tokenizer.schema):
        return tokenizer
    old = Schema.load(schema_file)
    if metadata.get("schema") != schema_digest(old):
        raise ValueError(
            f"init_network_from: {path} was not trained for the schema {schema_file or 'that is shipped'}; "
            "name its schema by init_schema"
        )
    return Tokenizer(old)


def _token_ids(tokenizer: Tokenizer) -> dict[Hashable, int]:
    """Every token by what it stands for."""
    units = tokenizer.schema.units
    ids: dict[Hashable, int] = {token: token for token in range(tokenizer.unit(units[0].name))}
    ids |= {("unit", unit.name): tokenizer.unit(unit.name) for unit in units}
    for entity in tokenizer.entities:
        ids[_prompt_name(entity)] = tokenizer.prompt(entity)
        answers = ["", *(entity.labels or entity.paths)]
        for answer, token in zip(answers, tokenizer.answers(entity), strict=True):
            ids["answer", entity.name, entity.kind, answer] = token
    return ids | {("subword", i): token for i, token in enumerate(tokenizer.subwords)}


def _prompt_name(entity: Entity) -> Hashable:
    return "prompt", entity.name, entity.kind
