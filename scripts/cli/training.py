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


CONFIG = typer.Argument(
    metavar="CONFIG",
    help="YAML file; train/configs has examples, train/settings documents all keys.",
    show_default=False,
)
Config = Annotated[Path, CONFIG]
Overrides = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="KEY=VALUE", help="Values in place of the config's, such as `epochs=2`.", show_default=False
    ),
]
Accelerator = Annotated[AcceleratorName, typer.Option("--accelerator", help="`auto`: the GPU where there is one.")]


def train(
    config: Annotated[Path | None, CONFIG] = None,
    overrides: Overrides = None,
    recipe: Annotated[
        str | None,
        typer.Option(
            "--recipe", metavar="NAME", help="Run all stages of train/configs/recipes/NAME.yaml, or of a file."
        ),
    ] = None,
    data: Annotated[
        Path | None, typer.Option("--data", metavar="DIR", help="Data of the recipe. [default: as it says]")
    ] = None,
    stage: Annotated[
        str | None,
        typer.Option("--stage", metavar="NAME", help="Run this stage of the recipe again and keep the others."),
    ] = None,
    list_stages: Annotated[
        bool, typer.Option("--list", help="Show the stages of the recipe and how far they are.")
    ] = False,
    out: Annotated[
        Path | None,
        typer.Option("--out", metavar="DIR", help="Folder of the run. [default: runs/NAME OF THE CONFIG OR RECIPE]"),
    ] = None,
    accelerator: Accelerator = AcceleratorName.AUTO,
    devices: Annotated[int, typer.Option("--devices", min=1, help="GPUs, or processes on a CPU.")] = 1,
    threads: Annotated[
        int | None, typer.Option("--threads", min=1, help="CPU threads of each process. [default: all cores]")
    ] = None,
) -> None:
    """Train a network by a config, or all networks by a recipe.

    Writes weights.safetensors (what `resformer archive --weights` takes), the training state, and TensorBoard events.
    The same command again resumes where it stopped.

    Examples:

    - `resformer train --recipe small --data ../shared/data --out runs/small`
    - `resformer train --recipe small --stage network`
    - `resformer train train/configs/synthetic.yaml`
    - `resformer train train/configs/small.yaml epochs=2 sources.0.sampling_weight=1 --out runs/short`
    - `resformer train train/configs/small.yaml precision=16-mixed --devices 2`
    """
    if (config is None) == (recipe is None):
        raise typer.BadParameter("name either a config or a recipe: CONFIG, or --recipe NAME")
    if recipe is None and (data or stage or list_stages):
        raise typer.BadParameter("--data, --stage and --list belong to --recipe")
    if recipe is not None and devices > 1:
        raise typer.BadParameter("a recipe trains on one device; train its configs one by one on several")
    try:
        if config is not None:
            from resformer.train import run

            run.train(config, overrides or (), out=out, accelerator=accelerator.value, devices=devices, threads=threads)
            return
        from resformer.train.recipe import RecipeRun

        recipe_run = RecipeRun(str(recipe), data=data, out=out)
        if list_stages:
            for name, state in recipe_run.states().items():
                print(f"{name}: {state}")
            return
        recipe_run.run(stage, accelerator=accelerator.value, threads=threads)
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

    - `resformer tune train/configs/small.yaml epochs=1 --trials 20`
    """
    import json

    from resformer.train.tools import tune as tool

    study = tool.tune(config, overrides or (), out=out, trials=trials, accelerator=accelerator.value)
    print(f"best of {len(study.trials)} trials: {study.best_value:.4f} with {json.dumps(study.best_params)}")
