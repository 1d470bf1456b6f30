"""Training of one part of a network on what a reader found on photos; its other parts stay as they are."""

import zlib
from abc import abstractmethod
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, ClassVar, Generic, Protocol, TypeVar

import torch
from safetensors import safe_open
from torch import Tensor
from tqdm import tqdm

from resformer.model.inference.checkpoint import build_network, labels_digest, parts_of, save_checkpoint
from resformer.model.inference.tokenizer import Tokenizer
from resformer.model.networks.presets import Preset, preset
from resformer.model.networks.resformer import OPTIONAL_PARTS, Resformer
from resformer.model.schema.schema import Schema
from resformer.train.config import PartConfig, Source
from resformer.train.data.quantity_records import Record, read_words
from resformer.train.engine.trainer import Log, Loop, OnDevice

__all__ = ["PartTrainer", "held_back", "photos_of"]


class Named(Protocol):
    """What is learned from: held back or not by its name."""

    @property
    def name(self) -> str: ...


Item = TypeVar("Item", bound=Named)
Batch = TypeVar("Batch", bound=tuple[OnDevice, ...])
Result = TypeVar("Result")


class PartTrainer(Loop[Batch, Result], Generic[Item, Batch, Result]):
    """See Loop.

    Attributes:
        part: which of OPTIONAL_PARTS is trained.
        learned: the network's modules that learn.
    """

    part: ClassVar[str]
    learned: ClassVar[tuple[str, ...]]
    config: PartConfig
    network: Resformer

    def __init__(
        self, config: PartConfig, out: Path, device: str, log: Log = tqdm.write, *, schema: Schema | None = None
    ):
        torch.manual_seed(config.seed)
        self.config = config
        self.schema = schema or Schema.load()
        self.tokenizer = Tokenizer(self.schema)
        tensors, self.facts = _read(config.start) if config.start else ({}, {})
        others = parts_of(tensors.keys())
        parts = tuple(part for part in OPTIONAL_PARTS if part == self.part or part in others)
        shape = self.shape()
        network = build_network(shape, self.tokenizer, parts)
        learned = tuple(f"{name}." for name in self.learned)
        if config.start:
            _keep(network, tensors, learned, config.start)
            labels = self.facts.pop("labels", None)
            if labels and self.part != "attributes" and labels != labels_digest(self.tokenizer):
                raise ValueError(f"{config.start} was trained for other labels than the schema has; train those first")
        for name, parameter in network.named_parameters():
            parameter.requires_grad_(name.startswith(learned))
        if taken := self.begin(network):
            log(f"{self.part}: {taken}")
        network.to(device)
        self.averaged = build_network(shape, self.tokenizer, parts).to(device).eval()
        items = self.read()
        self.train_records, self.held_records = held_back(items, config.hold_back)
        super().__init__(
            config,
            out,
            device,
            network,
            fingerprint={
                **{name: _digest(path) for name, path in vars(config).items() if isinstance(path, Path)},
                "sources": zlib.crc32(repr([_without_place(item) for item in items]).encode()),
            },
            scored=bool(self.held_records),
            log=log,
        )

    @abstractmethod
    def read(self) -> list[Item]:
        """What the config's sources hold."""

    @abstractmethod
    def begin(self, network: Resformer) -> str:
        """Gives what learns the start that the config names; says how many tensors that is, and of what."""

    def finish(self, network: Resformer) -> None:
        """What the averaged weights need besides, before they are written."""

    def shape(self) -> Preset:
        """Of the network."""
        return preset(self.config.preset)

    def save_checkpoint(self, path: Path) -> None:
        self.averaged.load_state_dict(self.ema.tensors)
        self.finish(self.averaged)
        p = self.progress
        facts = {**self.facts, f"{self.part}_epochs": str(p.epoch), f"{self.part}_seconds": f"{p.seconds:.0f}"}
        temperature = float(facts.pop("temperature", 1.0))
        save_checkpoint(
            path,
            self.averaged,
            self.tokenizer,
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


def _without_place(item: Named) -> dict[str, Any]:
    """What is known of an item but for where its photo lies, which may change between machines."""
    return {name: value for name, value in vars(item).items() if name != "photo"}


def _digest(path: Path) -> int:
    return zlib.crc32(path.read_bytes())


def held_back(items: Sequence[Item], share: float) -> tuple[list[Item], list[Item]]:
    """What to train on, and a share of it by name that is only evaluated on."""
    held = [zlib.crc32(item.name.encode()) % 1000 < 1000 * share for item in items]
    train = [item for item, out_of_it in zip(items, held, strict=True) if not out_of_it]
    return train, [item for item, out_of_it in zip(items, held, strict=True) if out_of_it]


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
