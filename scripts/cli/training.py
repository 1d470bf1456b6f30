"""`resformer train | tune`: training of networks by config files."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

__all__ = ["train", "tune"]


class AcceleratorName(StrEnum):
    """Where a network is trained."""

    AUTO = "auto"
    CPU = "cpu"
    CUDA = "cuda"


Config = Annotated[
    Path,
    typer.Argument(metavar="CONFIG", help="YAML file; train/configs has examples, train/settings documents all keys."),
]
Overrides = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="KEY=VALUE", help="Values in place of the config's, such as `epochs=2`.", show_default=False
    ),
]
Accelerator = Annotated[AcceleratorName, typer.Option("--accelerator", help="`auto`: the GPU where there is one.")]


def train(
    config: Config,
    overrides: Overrides = None,
    out: Annotated[
        Path | None, typer.Option("--out", metavar="DIR", help="Folder of the run. [default: runs/NAME OF THE CONFIG]")
    ] = None,
    accelerator: Accelerator = AcceleratorName.AUTO,
    devices: Annotated[int, typer.Option("--devices", min=1, help="GPUs, or processes on a CPU.")] = 1,
    threads: Annotated[
        int | None, typer.Option("--threads", min=1, help="CPU threads of each process. [default: all cores]")
    ] = None,
) -> None:
    """Train a network.

    Writes weights.safetensors (what `resformer archive --weights` takes), the training state, and TensorBoard events.
    The same command again resumes where it stopped.

    Examples:

    - `resformer train train/configs/synthetic.yaml`
    - `resformer train train/configs/quantities.yaml epochs=2 sources.0.in_priors=false --out runs/short`
    - `resformer train train/configs/attributes.yaml precision=16-mixed --devices 2`
    """
    from resformer.train import run

    try:
        run.train(config, overrides or (), out=out, accelerator=accelerator.value, devices=devices, threads=threads)
    except FloatingPointError as error:  # the settings cannot be used
        raise ValueError(str(error)) from error


def tune(
    config: Config,
    overrides: Overrides = None,
    trials: Annotated[int, typer.Option("--trials", min=1, help="Trials in all, with those of earlier calls.")] = 20,
    out: Annotated[
        Path | None,
        typer.Option("--out", metavar="DIR", help="Folder of the study. [default: runs/tune-NAME OF THE CONFIG]"),
    ] = None,
    accelerator: Accelerator = AcceleratorName.AUTO,
) -> None:
    """Search for better training settings.

    Each trial trains by the config with other values. The same command again resumes the search.

    Examples:

    - `resformer tune train/configs/attributes.yaml epochs=1 --trials 20`
    """
    import json

    from resformer.train.tools import tune as tool

    study = tool.tune(config, overrides or (), out=out, trials=trials, accelerator=accelerator.value)
    print(f"best of {len(study.trials)} trials: {study.best_value:.4f} with {json.dumps(study.best_params)}")
