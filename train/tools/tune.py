"""Looks for better training settings with Optuna.

    python -m train.tools.tune --products --config train/configs/products.yaml --trials 20 --epochs 1

Every trial is a run of the config with other values for the settings of SPACE that it has, in a folder of its own.
Trials are kept in study.db (SQLite): the same command again goes on until there are as many as asked for, and a trial
that was cut short goes on where its last checkpoint is. Another config begins a study of its own.
"""

import argparse
import json
import math
import sys
import zlib
from collections.abc import Callable, Sequence
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import optuna
import torch
from optuna.trial import TrialState

from resformer.train.config import LoopConfig, load_config
from resformer.train.run import CONFIGS, add_part, trainer_of

ENDED = (TrialState.COMPLETE, TrialState.PRUNED)

__all__ = ["SPACE", "main", "suggest", "tune"]

# Of each setting, the least and the most, and whether its logarithm is drawn evenly.
SPACE: dict[str, tuple[float, float, bool]] = {
    "learning_rate": (2e-4, 4e-3, True),
    "weight_decay": (1e-3, 0.2, True),
    "dropout": (0.0, 0.3, False),
    "smoothing": (0.0, 0.15, False),
    "stem_rate": (0.1, 1.0, True),
    "text_weight": (0.1, 1.0, True),
    "hide_picture_share": (0.0, 0.4, False),
    "hide_word_share": (0.0, 0.3, False),
    "all_share": (0.0, 0.6, False),
    "drawn_share": (0.2, 0.8, False),
}


def suggest(trial: optuna.Trial, config: LoopConfig) -> LoopConfig:
    """The config with this trial's values."""
    names = {f.name for f in fields(config)}
    values = {
        name: trial.suggest_float(name, low, high, log=log) for name, (low, high, log) in SPACE.items() if name in names
    }
    return replace(config, **values)  # type: ignore[arg-type]  # all of them are numbers


def tune(
    config: LoopConfig,
    out: Path,
    trials: int,
    score: Callable[[LoopConfig, Path], float],
    *,
    seed: int = 0,
) -> optuna.Study:
    """Runs trials until the study of this config has `trials` that ended; higher scores are better.

    Args:
        score: trains by a config in a folder and says how well that went.
    """
    name = f"{zlib.crc32(repr(config).encode()):08x}"
    (out / name).mkdir(parents=True, exist_ok=True)
    study = optuna.create_study(
        storage=f"sqlite:///{out / 'study.db'}",
        study_name=name,
        load_if_exists=True,
        direction="maximize",
    )

    # From the number of trials on, or every run of this command would draw the same values.
    study.sampler = optuna.samplers.TPESampler(seed=seed + len(study.trials))

    def objective(trial: optuna.Trial) -> float:
        folder = out / name / f"trial-{trial.user_attrs.get('folder', trial.number):03d}"
        try:
            return score(suggest(trial, config), folder)
        except FloatingPointError as error:  # values with which the loss grows without end
            raise optuna.TrialPruned(str(error)) from error

    for trial in _cut_short(study):
        if trial.state == TrialState.RUNNING:
            study.tell(trial.number, state=TrialState.FAIL)
        # Asked again with its values, it goes on in its folder.
        folder = trial.user_attrs.get("folder", trial.number)
        study.enqueue_trial(trial.params, user_attrs={"folder": folder}, skip_if_exists=False)
    while (left := trials - len(study.get_trials(states=ENDED))) > 0:
        study.optimize(objective, n_trials=left)
    return study


def _cut_short(study: optuna.Study) -> list[optuna.trial.FrozenTrial]:
    """The last trials of the folders in which none ended or waits."""
    last = {trial.user_attrs.get("folder", trial.number): trial for trial in study.get_trials()}
    return [trial for trial in last.values() if trial.state in (TrialState.RUNNING, TrialState.FAIL)]


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--config", type=Path, required=True)
    add_part(parser)
    parser.add_argument("--out", type=Path, help="folder of the study (default: runs/tune-NAME OF THE CONFIG)")
    parser.add_argument("--trials", type=int, default=20, help="how many trials there shall be in all (20)")
    parser.add_argument("--epochs", type=int, help="of a trial (default: the config's)")
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    args = parser.parse_args(arguments)
    try:
        config = load_config(args.config, CONFIGS[args.part])
        if args.epochs:
            config = replace(config, epochs=args.epochs)

        def score(tried: LoopConfig, folder: Path) -> float:
            trainer: Any = trainer_of(tried, folder, args.device)
            if not trainer.scored:
                raise ValueError("nothing is held back to score a trial by; set hold_back")
            trainer.run()
            best: float = trainer.progress.best
            if not math.isfinite(best):
                raise ValueError(f"the score of {folder} is {best}, by which nothing can be chosen")
            return best

        out = args.out or Path("runs") / f"tune-{args.config.stem}"
        study = tune(config, out, args.trials, score)
    except (ValueError, FileNotFoundError) as error:
        print(error, file=sys.stderr)
        return 2
    print(f"best of {len(study.trials)} trials: {study.best_value:.4f} with {json.dumps(study.best_params)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
