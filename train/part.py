"""Training of one part of a network on what a reader found on photos; its other parts stay as they are."""

import zlib
from abc import abstractmethod
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import ClassVar, TypeVar

import torch
from safetensors import safe_open
from torch import Tensor
from tqdm import tqdm

from model.network import PARTS, Resformer
from model.presets import preset
from model.schema import Schema
from model.vocabulary import Vocabulary
from model.weights import build_network, parts_of, save_weights
from train.config import PartConfig, Source
from train.datasets import Record, read_words
from train.loop import Log, Loop

__all__ = ["PartTrainer", "held_back", "photos_of"]

Batch = TypeVar("Batch", bound=tuple[Tensor, ...])
Result = TypeVar("Result")


class PartTrainer(Loop[Batch, Result]):
    """See Loop.

    Attributes:
        part: which of PARTS is trained.
        learned: the network's modules that learn.
    """

    part: ClassVar[str]
    learned: ClassVar[tuple[str, ...]]
    config: PartConfig
    network: Resformer

    def __init__(self, config: PartConfig, out: Path, device: str, log: Log = tqdm.write):
        torch.manual_seed(config.seed)
        self.vocabulary = Vocabulary(Schema.load())
        tensors, self.facts = _read(config.start) if config.start else ({}, {})
        others = parts_of(tensors.keys())
        parts = tuple(part for part in PARTS if part == self.part or part in others)
        network = build_network(preset(config.preset), self.vocabulary, parts)
        learned = tuple(f"{name}." for name in self.learned)
        if config.start:
            _keep(network, tensors, learned, config.start)
        if config.print_start:
            log(f"{self.part}: {self.begin(network)} tensors from {config.print_start}")
        for name, parameter in network.named_parameters():
            parameter.requires_grad_(name.startswith(learned))
        network.to(device)
        self.averaged = build_network(preset(config.preset), self.vocabulary, parts).to(device).eval()
        records = photos_of(config.sources)
        self.train_records, self.held_records = held_back(records, config.hold_back)
        super().__init__(
            config,
            out,
            device,
            network,
            fingerprint={
                "start": config.start and zlib.crc32(config.start.read_bytes()),
                "sources": zlib.crc32(repr([(r.name, len(r.lines)) for r in records]).encode()),
            },
            scored=bool(self.held_records),
            log=log,
        )

    @abstractmethod
    def begin(self, network: Resformer) -> int:
        """Gives what learns its packaged start; how many tensors that is."""

    def save_weights(self) -> None:
        self.averaged.load_state_dict(self.ema.tensors)
        p = self.progress
        facts = {**self.facts, f"{self.part}_epochs": str(p.epoch), f"{self.part}_seconds": f"{p.seconds:.0f}"}
        temperature = float(facts.pop("temperature", 1.0))
        picture = facts.pop("picture_with_words", "no") == "yes"
        save_weights(
            self.out / "weights.safetensors",
            self.averaged,
            self.vocabulary,
            picture_with_words=picture,
            temperature=temperature,
            **facts,
        )


def photos_of(sources: Iterable[Source]) -> list[Record]:
    """Photos that have words, in the order of the words."""
    return [
        replace(record, photo=source.photos / name)
        for source in sources
        if source.photos and source.words
        for name, record in read_words(source.words).items()
        if (source.photos / name).is_file()
    ]


def held_back(records: Sequence[Record], share: float) -> tuple[list[Record], list[Record]]:
    """Records to train on, and a share of them by name that is only evaluated on."""
    held = [zlib.crc32(r.name.encode()) % 1000 < 1000 * share for r in records]
    train = [r for r, out_of_it in zip(records, held, strict=True) if not out_of_it]
    return train, [r for r, out_of_it in zip(records, held, strict=True) if out_of_it]


def _read(path: Path) -> tuple[dict[str, Tensor], dict[str, str]]:
    """Tensors of a file of weights, and what else it says."""
    with safe_open(path, framework="pt") as file:
        tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 (not a mapping)
        facts = dict(file.metadata() or {})
    return tensors, {name: fact for name, fact in facts.items() if name not in ("preset", "entities")}


def _keep(network: Resformer, tensors: dict[str, Tensor], learned: tuple[str, ...], path: Path) -> None:
    """Copies all that is not learned."""
    for name, tensor in network.state_dict().items():
        if name.startswith(learned):
            continue
        if name not in tensors or tensors[name].shape != tensor.shape:
            raise ValueError(f"{path} was made by other code: {name} does not fit; train it again")
        tensor.copy_(tensors[name])
