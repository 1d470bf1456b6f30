"""Trains a network.

    python -m train.run --config train/configs/small.yaml
    python -m train.run --maps --config train/configs/maps.yaml
    python -m train.run --reading --config train/configs/reading.yaml
    python -m train.run --products --config train/configs/products.yaml

The same command again goes on where it stopped.
"""

import argparse
import sys
from pathlib import Path
from typing import Any

import torch

from resformer.train.attributes.attribute_trainer import ProductsTrainer
from resformer.train.config import Config, LoopConfig, MapsConfig, ProductsConfig, ReadingConfig, load_config
from resformer.train.engine.trainer import Loop
from resformer.train.ocr.detection.detection_trainer import MapsTrainer
from resformer.train.ocr.recognition.recognition_trainer import ReadingTrainer
from resformer.train.quantities.quantity_trainer import Trainer

__all__ = ["CONFIGS", "add_part", "trainer_of"]

# What is trained, by the command's option; "" is what answers quantities.
CONFIGS: dict[str, type[LoopConfig]] = {
    "": Config,
    "maps": MapsConfig,
    "reading": ReadingConfig,
    "products": ProductsConfig,
}


def add_part(parser: argparse.ArgumentParser) -> None:
    """Adds the options that say what is trained."""
    part = parser.add_mutually_exclusive_group()
    for name, what in (
        ("maps", "the maps of print and the stem"),
        ("reading", "the reading of strips"),
        ("products", "choices, paths and texts"),
    ):
        text = f"train {what}, nothing else"
        part.add_argument(f"--{name}", action="store_const", const=name, dest="part", default="", help=text)


def trainer_of(config: LoopConfig, out: Path, device: str) -> Loop[Any, Any]:
    """Who trains by this config. Raises ValueError, FileNotFoundError: its files cannot be used."""
    if isinstance(config, MapsConfig):
        return MapsTrainer(config, out, device)
    if isinstance(config, ReadingConfig):
        return ReadingTrainer(config, out, device)
    if isinstance(config, ProductsConfig):
        return ProductsTrainer(config, out, device)
    assert isinstance(config, Config)
    return Trainer(config, out, device)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--config", type=Path, required=True)
    add_part(parser)
    parser.add_argument("--out", type=Path, help="folder of the run (default: runs/NAME OF THE CONFIG)")
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    parser.add_argument("--threads", type=int, help="CPU threads of torch (default: all cores)")
    args = parser.parse_args()
    if args.threads:
        torch.set_num_threads(args.threads)
    try:
        config = load_config(args.config, CONFIGS[args.part])
        trainer: Any = trainer_of(config, args.out or Path("runs") / args.config.stem, args.device)
    except (ValueError, FileNotFoundError) as error:
        print(error, file=sys.stderr)
        return 2
    parameters = sum(p.numel() for p in trainer.network.parameters())
    print(
        f"{trainer.config.preset}: {parameters / 1e6:.1f} M parameters, {len(trainer.train_records)} photos to train"
        f" on, {len(trainer.held_records)} held back, {trainer.batches_per_epoch} batches an epoch"
    )
    best = trainer.run()
    if best:
        print(best.table())
    weights = trainer.out / "weights.safetensors"
    print(f"weights: {weights}" if weights.exists() else "no weights yet: they are written after an evaluation")
    return 0


if __name__ == "__main__":
    sys.exit(main())
