"""Training of one part of a network; its other parts stay as they are."""

import zlib
from abc import abstractmethod
from pathlib import Path
from typing import Any, ClassVar, Generic, TypeVar

from lightning_fabric import Fabric
from torch import Tensor
from tqdm import tqdm

from resformer.model.inference.checkpoint import (
    build_network,
    parts_of,
    read_checkpoint,
    save_checkpoint,
    schema_digest,
)
from resformer.model.inference.tokenizer import Tokenizer
from resformer.model.networks.parts import PARTS, Parts
from resformer.model.networks.presets import Preset, preset
from resformer.model.schema.schema import Schema
from resformer.train.data.splitting import Named
from resformer.train.engine.trainer import Log, Movable, Trainer
from resformer.train.settings.run_settings import DetectorConfig, NetworkConfig, RecognizerConfig

__all__ = ["PartTrainer"]

Item = TypeVar("Item", bound=Named)
Batch = TypeVar("Batch", bound=tuple[Movable, ...])
Metrics = TypeVar("Metrics")


class PartTrainer(Trainer[Parts, Batch, Metrics], Generic[Item, Batch, Metrics]):
    """See Trainer.

    Attributes:
        part: the one of PARTS that is trained.
        needs_items: whether there is nothing to train on without items.
        train_items, val_items: what `split_items` gives.
    """

    part: ClassVar[str]
    needs_items: ClassVar[bool] = True
    config: NetworkConfig | DetectorConfig | RecognizerConfig

    def __init__(
        self,
        config: NetworkConfig | DetectorConfig | RecognizerConfig,
        out: Path,
        fabric: Fabric,
        log: Log = tqdm.write,
    ):
        fabric.seed_everything(config.seed, verbose=False)
        self.config = config
        self.schema = Schema.load(config.schema_file)
        self.tokenizer = Tokenizer(self.schema)
        tensors, self._metadata = read_checkpoint(config.init_from) if config.init_from else ({}, {})
        others = parts_of(tensors.keys())
        parts = tuple(part for part in PARTS if part == self.part or part in others)
        network = build_network(self.sizes(), self.tokenizer, parts)
        if config.init_from:
            self._keep_other_parts(network, tensors, config.init_from)
        for name, parameter in network.named_parameters():
            parameter.requires_grad_(name.startswith(f"{self.part}."))
        if initialized := self.init_part(network):
            log(f"{self.part}: {initialized}")
        self.train_items, self.val_items = self.split_items()
        if not self.train_items and self.needs_items:
            raise ValueError("no labelled photos to train on; lower val_fraction or add a source")
        self.prepare(network)
        items = [*self.train_items, *self.val_items]
        super().__init__(
            config,
            out,
            fabric,
            network,
            fingerprint={
                "items": zlib.crc32((repr([_without_path(item) for item in items]) + self.data_digest()).encode())
            },
            has_validation=bool(self.val_items),
            log=log,
        )

    @abstractmethod
    def split_items(self) -> tuple[list[Item], list[Item]]:
        """What the config's sources hold: items to train on, and for validation."""

    def data_digest(self) -> str:
        """Of data that is not among the items."""
        return ""

    def prepare(self, network: Parts) -> None:
        """Sets what depends on the training items, before training begins."""

    @abstractmethod
    def init_part(self, network: Parts) -> str:
        """Initializes the part by the config; returns a description for the log, empty where it stays random."""

    def finish(self, network: Parts) -> None:
        """Sets what is not trained by gradients, before weights are written."""

    def sizes(self) -> Preset:
        """The preset of the network."""
        return preset(self.config.preset)

    def write_weights(self, path: Path) -> None:
        """Writes the averaged weights as a checkpoint, with what the metadata of `init_from` says of other parts."""
        self.finish(self.averaged)
        p = self.progress
        kept = ("calibration", *(f"{part}_" for part in PARTS))
        facts = {name: fact for name, fact in self._metadata.items() if name.startswith(kept)}
        facts |= {f"{self.part}_epochs": str(p.epoch), f"{self.part}_seconds": f"{p.seconds:.0f}"}
        save_checkpoint(path, self.averaged, self.tokenizer, **{**facts, **self.own_metadata()})

    def own_metadata(self) -> dict[str, str]:
        """Facts about the trained part for the checkpoint's metadata."""
        return {}

    def _keep_other_parts(self, network: Parts, tensors: dict[str, Tensor], path: Path) -> None:
        """Copies the parts that are not trained. Raises ValueError: they do not fit."""
        digest = schema_digest(self.schema)
        if self.part != "resformer" and network.resformer is not None and self._metadata.get("schema") != digest:
            raise ValueError(
                f"{path} does not fit: its Resformer was trained for other entities, units or labels than the schema "
                "has; set `schema` to the one that it was trained for, or train it for this schema first"
            )
        for name, tensor in network.state_dict().items():
            if name.startswith(f"{self.part}."):
                continue
            if name not in tensors or tensors[name].shape != tensor.shape:
                raise ValueError(
                    f"{path} does not fit: {name} is of another shape or missing; it was made for another preset, "
                    "schema or version of the code"
                )
            tensor.copy_(tensors[name])


def _without_path(item: Any) -> dict[str, Any]:
    """The fields of an item without its photo's path, which may change between machines."""
    return {name: value for name, value in vars(item).items() if name != "photo"}
