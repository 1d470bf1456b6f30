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
    labels_digest,
    parts_of,
    read_checkpoint,
    save_checkpoint,
)
from resformer.model.inference.tokenizer import Tokenizer
from resformer.model.networks.presets import Preset, preset
from resformer.model.networks.resformer import OPTIONAL_PARTS, Resformer
from resformer.model.schema.schema import Schema
from resformer.train.data.splitting import Named, split_by_hash
from resformer.train.engine.trainer import Log, Movable, Trainer
from resformer.train.settings.run_settings import AttributeConfig, DetectorConfig, RecognizerConfig

__all__ = ["PartTrainer"]

Item = TypeVar("Item", bound=Named)
Batch = TypeVar("Batch", bound=tuple[Movable, ...])
Metrics = TypeVar("Metrics")
# Metadata that is not taken over from `init_from`.
OWN_METADATA = ("preset", "entities", "temperature", "labels")


class PartTrainer(Trainer[Resformer, Batch, Metrics], Generic[Item, Batch, Metrics]):
    """See Trainer.

    Attributes:
        part: the one of OPTIONAL_PARTS that is trained.
        train_items, val_items: what `read_items` gives, split.
    """

    part: ClassVar[str]
    config: AttributeConfig | DetectorConfig | RecognizerConfig

    def __init__(
        self,
        config: AttributeConfig | DetectorConfig | RecognizerConfig,
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
        parts = tuple(part for part in OPTIONAL_PARTS if part == self.part or part in others)
        network = build_network(self.sizes(), self.tokenizer, parts)
        if config.init_from:
            self._keep_other_parts(network, tensors, config.init_from)
        for name, parameter in network.named_parameters():
            parameter.requires_grad_(name.startswith(f"{self.part}."))
        if initialized := self.init_part(network):
            log(f"{self.part}: {initialized}")
        items = self.read_items()
        self.train_items, self.val_items = split_by_hash(items, config.val_fraction)
        super().__init__(
            config,
            out,
            fabric,
            network,
            fingerprint={"items": zlib.crc32(repr([_without_path(item) for item in items]).encode())},
            has_validation=bool(self.val_items),
            log=log,
        )

    @abstractmethod
    def read_items(self) -> list[Item]:
        """What the config's sources hold."""

    @abstractmethod
    def init_part(self, network: Resformer) -> str:
        """Initializes the part by the config; returns a description for the log, empty where it stays random."""

    def finish(self, network: Resformer) -> None:
        """Sets what is not trained by gradients, before weights are written."""

    def sizes(self) -> Preset:
        """The preset of the network."""
        return preset(self.config.preset)

    def write_weights(self, path: Path) -> None:
        """Writes the averaged weights as a checkpoint, with the metadata of `init_from`."""
        self.finish(self.averaged)
        p = self.progress
        facts = {name: fact for name, fact in self._metadata.items() if name not in OWN_METADATA}
        facts |= {f"{self.part}_epochs": str(p.epoch), f"{self.part}_seconds": f"{p.seconds:.0f}"}
        temperature = float(self._metadata.get("temperature", 1.0))
        save_checkpoint(path, self.averaged, self.tokenizer, temperature=temperature, **facts)

    def _keep_other_parts(self, network: Resformer, tensors: dict[str, Tensor], path: Path) -> None:
        """Copies the parts that are not trained. Raises ValueError: they do not fit."""
        trained = self._metadata.get("entities", "unknown quantities")
        entities = ",".join(entity.name for entity in self.schema.quantities)
        if trained != entities:
            raise ValueError(
                f"{path} does not fit: it was trained for other quantities ({trained}) than the schema "
                f"has ({entities}); train its quantities first, or set `schema` to the one that it was trained for"
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
        labels = self._metadata.get("labels")
        if labels and self.part != "attributes" and labels != labels_digest(self.tokenizer):
            raise ValueError(f"{path} was trained for other labels than the schema has; train its attributes first")


def _without_path(item: Any) -> dict[str, Any]:
    """The fields of an item without its photo's path, which may change between machines."""
    return {name: value for name, value in vars(item).items() if name != "photo"}
