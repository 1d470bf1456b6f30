"""A search for better training settings with Optuna."""

import math
import zlib
from collections.abc import Callable, Sequence
from pathlib import Path

import optuna
from optuna.trial import TrialState

from resformer.train.engine.fabric import Accelerator, make_fabric
from resformer.train.run import make_trainer
from resformer.train.settings.run_settings import TrainConfig, load_config

__all__ = ["SEARCH_SPACE", "search", "suggest", "tune"]

ENDED = (TrialState.COMPLETE, TrialState.PRUNED)

# Minimum and maximum of each setting, and whether it is drawn on a logarithmic scale.
SEARCH_SPACE: dict[str, tuple[float, float, bool]] = {
    "learning_rate": (2e-4, 4e-3, True),
    "weight_decay": (1e-3, 0.2, True),
    "dropout": (0.0, 0.3, False),
    "label_smoothing": (0.0, 0.15, False),
    "backbone_lr_scale": (0.1, 1.0, True),
    "text_weight": (0.3, 4.0, True),
    "p_drop_image": (0.0, 0.4, False),
    "p_drop_word": (0.0, 0.3, False),
    "p_drawn": (0.2, 0.8, False),
}


def tune(
    config_file: Path,
    overrides: Sequence[str] = (),
    *,
    out: Path | None = None,
    trials: int = 20,
    accelerator: Accelerator = "auto",
) -> optuna.Study:
    """Tunes the settings of SEARCH_SPACE that a config file has.

    Each trial is a run of the config with other values, in a folder of its own.

    Args:
        overrides: `key=value` each, see load_yaml.
        out: folder of the study; None = runs/tune-NAME OF THE CONFIG.

    Raises:
        ValueError, OSError: the config or its files cannot be used, or there is no validation split.
    """
    config = load_config(config_file, overrides)
    fabric = make_fabric(config.precision, accelerator=accelerator)

    def score(candidate: TrainConfig, folder: Path) -> float:
        trainer = make_trainer(candidate, folder, fabric)
        if not trainer.has_validation:
            raise ValueError("a trial is scored on the validation split, which is empty: raise val_fraction")
        trainer.run()
        best = trainer.progress.best
        if not math.isfinite(best):
            raise ValueError(f"the score of {folder} is {best}, which cannot be compared")
        return best

    return search(config, out or Path("runs") / f"tune-{config_file.stem}", trials, score)


def search(
    config: TrainConfig,
    out: Path,
    trials: int,
    score: Callable[[TrainConfig, Path], float],
    *,
    seed: int = 0,
) -> optuna.Study:
    """Runs trials until `trials` of them have ended in the study of this config; higher scores are better.

    The study is kept in study.db (SQLite). Called again, it resumes, and an interrupted trial resumes from its training
    state. Another config has a study of its own.

    Args:
        score: trains by a config in a folder and returns the score.
    """
    name = f"{zlib.crc32(repr(config).encode()):08x}"
    (out / name).mkdir(parents=True, exist_ok=True)
    study = optuna.create_study(
        storage=f"sqlite:///{out / 'study.db'}",
        study_name=name,
        load_if_exists=True,
        direction="maximize",
    )

    # Seeded by the number of trials, or a resumed study would draw the same values again.
    study.sampler = optuna.samplers.TPESampler(seed=seed + len(study.trials))

    def objective(trial: optuna.Trial) -> float:
        folder = out / name / f"trial-{trial.user_attrs.get('folder', trial.number):03d}"
        try:
            return score(suggest(trial, config), folder)
        except FloatingPointError as error:  # these values diverge
            raise optuna.TrialPruned(str(error)) from error

    for trial in _interrupted(study):
        if trial.state == TrialState.RUNNING:
            study.tell(trial.number, state=TrialState.FAIL)
        # A new trial with the same values resumes in the same folder.
        folder = trial.user_attrs.get("folder", trial.number)
        study.enqueue_trial(trial.params, user_attrs={"folder": folder}, skip_if_exists=False)
    while (left := trials - len(study.get_trials(states=ENDED))) > 0:
        study.optimize(objective, n_trials=left)
    return study


def suggest(trial: optuna.Trial, config: TrainConfig) -> TrainConfig:
    """The config with a trial's values."""
    values = {
        name: trial.suggest_float(name, low, high, log=log)
        for name, (low, high, log) in SEARCH_SPACE.items()
        if name in type(config).model_fields
    }
    return config.model_copy(update=values)


def _interrupted(study: optuna.Study) -> list[optuna.trial.FrozenTrial]:
    """The last trial of each folder in which none has ended or is queued."""
    last = {trial.user_attrs.get("folder", trial.number): trial for trial in study.get_trials()}
    return [trial for trial in last.values() if trial.state in (TrialState.RUNNING, TrialState.FAIL)]
