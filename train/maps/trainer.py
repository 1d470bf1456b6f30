"""Training of the maps of print and of the stem below them."""

import zlib
from dataclasses import replace
from pathlib import Path

import torch
from safetensors import safe_open
from torch import Tensor, nn
from torch.utils.tensorboard import SummaryWriter
from tqdm import tqdm

from model.network import Resformer
from model.photo import decode
from model.presets import preset
from model.schema import Schema
from model.strips import find_strips, fitted
from model.vocabulary import Vocabulary
from model.weights import build_network, save_weights
from train.config import MapsConfig
from train.datasets import Record, read_words
from train.loop import Log, Loop
from train.maps.cuts import Cuts
from train.maps.lines import Found, compare_lines
from train.maps.loss import map_loss
from train.stem_start import start_from_lite0

__all__ = ["MapsTrainer"]

LEARNED = ("stem.", "maps.")

Batch = tuple[Tensor, Tensor]


class MapsTrainer(Loop[Batch, Found]):
    """Trains a network's stem and maps on what a reader found on photos; see Loop. Its other parts stay as they are."""

    config: MapsConfig
    network: Resformer

    def __init__(self, config: MapsConfig, out: Path, device: str, log: Log = tqdm.write):
        torch.manual_seed(config.seed)
        self.vocabulary = Vocabulary(Schema.load())
        network = build_network(preset(config.preset), self.vocabulary)
        self.facts = _keep(network, config.start) if config.start else {}
        if config.stem_start:
            log(f"stem: {start_from_lite0(network.stem)} tensors from {config.stem_start}")
        network.requires_grad_(False)
        network.stem.requires_grad_(True)
        assert network.maps is not None
        network.maps.requires_grad_(True)
        for layer in list(network.stem[0].children())[: config.fixed_layers]:
            layer.requires_grad_(False)
        network.to(device)
        self.averaged = build_network(preset(config.preset), self.vocabulary).to(device).eval()
        records = [r for s in config.sources if s.photos and s.words for r in _photos(s.photos, s.words)]
        held = [zlib.crc32(r.name.encode()) % 1000 < 1000 * config.hold_back for r in records]
        self.train_records = [r for r, out_of_it in zip(records, held, strict=True) if not out_of_it]
        self.held_records = [r for r, out_of_it in zip(records, held, strict=True) if out_of_it]
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

    def batches(self, epoch: int) -> Cuts:
        return Cuts(
            self.train_records,
            side=self.config.side,
            batch_size=self.config.batch_size,
            seed=self.config.seed,
            epoch=epoch,
        )

    def train_mode(self) -> None:
        self.network.train()
        if self.config.stem_start:
            for module in self.network.stem[0].modules():
                if isinstance(module, nn.BatchNorm2d):
                    module.eval()  # the packaged statistics hold

    def loss(self, batch: Batch) -> Tensor:
        photos, truth = batch
        with self.autocast():
            maps = self.network.find_print(photos.contiguous(memory_format=torch.channels_last))
        return map_loss(maps, truth)

    def evaluate(self, writer: SummaryWriter, loss: float) -> tuple[float, Found]:
        """Finds the lines of the held-back photos with the averaged weights."""
        self.averaged.load_state_dict(self.ema.tensors)
        found = sum((self._found(record) for record in self.held_records), Found())
        p = self.progress
        writer.add_scalar("f1/lines with digits", found.f1, p.step)
        self.log(f"epoch {p.epoch}: loss {loss:.3f}, {found.table()} ({p.seconds:.0f} s)")
        return found.f1, found

    @torch.inference_mode()
    def _found(self, record: Record) -> Found:
        assert record.photo is not None
        photo = decode(record.photo.read_bytes())
        sized, _ = fitted(photo, self.config.maps_size)
        pixels = torch.from_numpy(sized.transpose(2, 0, 1).copy())[None].to(self.device)
        maps = self.averaged.find_print(pixels)[0].float().cpu().numpy()
        # Words may have been read on a larger version of the photo.
        scale = (record.width / sized.shape[1], record.height / sized.shape[0])
        return compare_lines(find_strips(maps, scale), record.lines)

    def save_weights(self) -> None:
        self.averaged.load_state_dict(self.ema.tensors)
        p = self.progress
        facts = {**self.facts, "maps_epochs": str(p.epoch), "maps_seconds": f"{p.seconds:.0f}"}
        temperature = float(facts.pop("temperature", 1.0))
        picture = facts.pop("picture_with_words", "no") == "yes"
        save_weights(
            self.out / "weights.safetensors",
            self.averaged,
            self.vocabulary,
            picture_with_words=picture,
            temperature=temperature,
            maps=True,
            **facts,
        )


def _photos(folder: Path, words: Path) -> list[Record]:
    """Photos that have words, in the order of the words."""
    return [
        replace(record, photo=folder / name) for name, record in read_words(words).items() if (folder / name).is_file()
    ]


def _keep(network: Resformer, path: Path) -> dict[str, str]:
    """Copies all that is not learned from a file of weights and returns what else the file says."""
    with safe_open(path, framework="pt") as file:
        tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 (not a mapping)
        facts = dict(file.metadata() or {})
    for name, tensor in network.state_dict().items():
        if name.startswith(LEARNED):
            continue
        if name not in tensors or tensors[name].shape != tensor.shape:
            raise ValueError(f"{path} was made by other code: {name} does not fit; train it again")
        tensor.copy_(tensors[name])
    return {name: fact for name, fact in facts.items() if name not in ("preset", "entities")}
