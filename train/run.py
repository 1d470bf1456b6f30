"""Trains a network.

    python -m train.run --config train/configs/small.yaml
    python -m train.run --maps --config train/configs/maps.yaml
    python -m train.run --reading --config train/configs/reading.yaml

The same command again goes on where it stopped.
"""

import argparse
import sys
from pathlib import Path

import torch

from train.config import Config, MapsConfig, ReadingConfig, load_config
from train.maps.trainer import MapsTrainer
from train.reading.trainer import ReadingTrainer
from train.trainer import Trainer


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--config", type=Path, required=True)
    part = parser.add_mutually_exclusive_group()
    part.add_argument("--maps", action="store_true", help="train the maps of print and the stem, nothing else")
    part.add_argument("--reading", action="store_true", help="train the reading of strips, nothing else")
    parser.add_argument("--out", type=Path, help="folder of the run (default: runs/NAME OF THE CONFIG)")
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    parser.add_argument("--threads", type=int, help="CPU threads of torch (default: all cores)")
    args = parser.parse_args()
    if args.threads:
        torch.set_num_threads(args.threads)
    try:
        out = args.out or Path("runs") / args.config.stem
        trainer: Trainer | MapsTrainer | ReadingTrainer
        if args.maps:
            trainer = MapsTrainer(load_config(args.config, MapsConfig), out, args.device)
        elif args.reading:
            trainer = ReadingTrainer(load_config(args.config, ReadingConfig), out, args.device)
        else:
            trainer = Trainer(load_config(args.config, Config), out, args.device)
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
