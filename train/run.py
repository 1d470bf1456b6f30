"""Trains a network by a config. `resformer train CONFIG` is the same.

    python -m train.run train/configs/synthetic.yaml [key=value ...] [--out FOLDER] [--devices N]

The same command again resumes where it stopped.
"""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, get_args

import torch
from lightning_fabric import Fabric
from tqdm import tqdm

from resformer.train.engine.fabric import Accelerator, make_fabric
from resformer.train.engine.trainer import Log, Trainer
from resformer.train.settings.run_settings import (
    DetectorConfig,
    NetworkConfig,
    RecognizerConfig,
    TrainConfig,
    load_config,
)

__all__ = ["main", "make_trainer", "train", "train_config"]


def make_trainer(config: TrainConfig, out: Path, fabric: Fabric, log: Log = tqdm.write) -> Trainer[Any, Any, Any]:
    """The trainer of a config's part. Raises ValueError, OSError: its files cannot be used."""
    # Imported when needed: each part has requirements of its own.
    match config:
        case DetectorConfig():
            from resformer.train.ocr.detection.detection_trainer import DetectionTrainer

            return DetectionTrainer(config, out, fabric, log)
        case RecognizerConfig():
            from resformer.train.ocr.recognition.recognition_trainer import RecognitionTrainer

            return RecognitionTrainer(config, out, fabric, log)
        case NetworkConfig():
            from resformer.train.network.network_trainer import NetworkTrainer

            return NetworkTrainer(config, out, fabric, log)


def train(
    config_file: Path,
    overrides: Sequence[str] = (),
    *,
    out: Path | None = None,
    accelerator: Accelerator = "auto",
    devices: int = 1,
    threads: int | None = None,
) -> Path:
    """Trains by a config file; returns the path of the weights.

    Args:
        overrides: `key=value` each, see load_yaml.
        out: folder of the run; None = runs/NAME OF THE CONFIG.
        devices: GPUs, or processes on a CPU.
        threads: CPU threads of torch; None = all cores.

    Raises:
        ValueError, OSError: the config or its files cannot be used.
        FloatingPointError: the training diverged.
    """
    return train_config(
        load_config(config_file, overrides),
        out or Path("runs") / config_file.stem,
        accelerator=accelerator,
        devices=devices,
        threads=threads,
    )


def train_config(
    config: TrainConfig,
    out: Path,
    *,
    accelerator: Accelerator = "auto",
    devices: int = 1,
    threads: int | None = None,
) -> Path:
    """Trains by a config that is loaded, see train."""
    fabric = make_fabric(
        config.precision,
        accelerator=accelerator,
        devices=devices,
        # A batch of pictures alone has no words, and one without texts copies none.
        find_unused_parameters=config.part == "resformer",
    )
    if threads:
        torch.set_num_threads(threads)
    trainer = make_trainer(config, out, fabric)
    parameters = sum(p.numel() for p in trainer.network.parameters())
    trainer.log(
        f"{config.part} of preset {config.preset}: {parameters / 1e6:.1f} M parameters, {trainer.num_train_items} "
        f"items to train on, {len(trainer.val_items)} for validation, {trainer.batches_per_epoch} batches an epoch"
    )
    best = trainer.run()
    if best:
        trainer.log(best.table())
    weights = trainer.out / "weights.safetensors"
    trainer.log(f"weights: {weights}" if weights.exists() else "no weights yet: they are written after an evaluation")
    return weights


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the command; returns its exit code."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("config", type=Path, help="YAML; train/configs has examples, train/settings all keys")
    parser.add_argument("overrides", nargs="*", metavar="key=value", help="instead of the config's values")
    parser.add_argument("--out", type=Path, help="folder of the run (default: runs/NAME OF THE CONFIG)")
    parser.add_argument("--accelerator", choices=get_args(Accelerator), default="auto")
    parser.add_argument("--devices", type=int, default=1, help="GPUs, or processes on a CPU (default: 1)")
    parser.add_argument("--threads", type=int, help="CPU threads of torch (default: all cores)")
    args = parser.parse_intermixed_args(arguments)  # overrides may stand anywhere
    try:
        train(
            args.config,
            args.overrides,
            out=args.out,
            accelerator=args.accelerator,
            devices=args.devices,
            threads=args.threads,
        )
    except (ValueError, OSError, FloatingPointError) as error:
        print(error, file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
