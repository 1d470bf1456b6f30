"""Trains by a config on a Ray cluster: Ray Train starts the processes, and starts them again where one is lost.

    python -m resformer.train.ray_run CONFIG [key=value ...] --out /shared/runs/NAME --processes 8 --gpu

Every process runs `train.run.train`; config, data and --out are in folders that all machines share.
"""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from resformer.train.run import train
from resformer.train.settings.run_settings import load_config

__all__ = ["main", "train_on_ray"]

MISSING = "training on Ray needs the package ray: `pip install 'resformer[train,ray]'`"


def train_on_ray(
    config_file: Path,
    overrides: Sequence[str] = (),
    *,
    out: Path,
    processes: int,
    gpu: bool = False,
    cpus: int = 1,
    max_failures: int = 3,
    address: str | None = None,
) -> Path:
    """Trains on a Ray cluster; returns the path of the weights.

    A lost process ends the others; all begin again at the training state in `out`, also those of a later call.

    Args:
        overrides: `key=value` each, see load_yaml.
        out: folder of the run, which all machines share.
        processes: of the cluster, each with a GPU or with `cpus` CPU cores.
        max_failures: how often they begin again.
        address: of the cluster; None = the one that RAY_ADDRESS names or that runs on this machine, else a new one;
            `local` = a new one.

    Raises:
        ModuleNotFoundError: Ray is missing.
        ValueError: the config cannot be used.
        RuntimeError: its data cannot be used, the training diverged, or too many processes were lost.
    """
    try:
        import ray
        from ray.train import FailureConfig, RunConfig, ScalingConfig
        from ray.train.torch import TorchTrainer
    except ModuleNotFoundError as error:
        raise ModuleNotFoundError(MISSING, name="ray") from error
    load_config(config_file, overrides)  # refuses what is wrong before a cluster is asked
    out = out.resolve()
    run = {
        "config_file": config_file.resolve(),
        "overrides": list(overrides),
        "out": out,
        "accelerator": "cuda" if gpu else "cpu",
        "threads": None if gpu else cpus,
    }
    if not ray.is_initialized():
        ray.init(address=address)
    trainer = TorchTrainer(
        _train_process,
        train_loop_config=run,
        scaling_config=ScalingConfig(
            num_workers=processes, use_gpu=gpu, resources_per_worker={"CPU": cpus, **({"GPU": 1} if gpu else {})}
        ),
        run_config=RunConfig(
            name="ray", storage_path=str(out), failure_config=FailureConfig(max_failures=max_failures)
        ),
    )
    try:
        trainer.fit()
    except ray.train.TrainingFailedError as error:
        raise RuntimeError(f"the training failed: {error}") from error
    return out / "weights.safetensors"


def _train_process(run: dict[str, Any]) -> None:
    """What each process does; `run` has the arguments of train."""
    train(**run)


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the command; returns its exit code."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("config", type=Path, help="YAML, see train.run")
    parser.add_argument("overrides", nargs="*", metavar="key=value", help="instead of the config's values")
    parser.add_argument("--out", type=Path, required=True, help="folder of the run, which all machines share")
    parser.add_argument("--processes", type=int, required=True, help="of the whole cluster")
    parser.add_argument("--gpu", action="store_true", help="a GPU for each process")
    parser.add_argument("--cpus", type=int, default=1, help="CPU cores of each process (default: 1)")
    parser.add_argument("--max-failures", type=int, default=3, help="how often to begin again (default: 3)")
    parser.add_argument(
        "--address", help="of the cluster (default: RAY_ADDRESS, else this machine's); local: a new one"
    )
    args = parser.parse_intermixed_args(arguments)
    try:
        weights = train_on_ray(
            args.config,
            args.overrides,
            out=args.out,
            processes=args.processes,
            gpu=args.gpu,
            cpus=args.cpus,
            max_failures=args.max_failures,
            address=args.address,
        )
    except (ModuleNotFoundError, RuntimeError, ValueError, OSError) as error:
        print(error, file=sys.stderr)
        return 2
    print(f"weights: {weights}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
