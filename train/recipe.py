"""Runs a recipe: stage by stage from the data to weights that serve. `resformer train --recipe` is the same.

Every stage has a folder of its own. A stage that is finished is left out, an interrupted one resumes.
"""

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from safetensors.torch import save_file
from torch import Tensor
from tqdm import tqdm

from resformer.model.inference.checkpoint import read_checkpoint
from resformer.train.engine.fabric import Accelerator
from resformer.train.engine.trainer import Log
from resformer.train.engine.training_state import read_saved_run
from resformer.train.network.pretrained_words import require_word_vectors
from resformer.train.run import train_config
from resformer.train.settings.recipe_settings import RECIPES, OcrStage, Stage, TrainStage, load_recipe
from resformer.train.settings.run_settings import NetworkConfig, TrainConfig, load_config
from resformer.train.settings.yaml_settings import EVERYTHING, Files
from resformer.train.tools.ocr_cache import load_reader, write_ocr_cache

__all__ = ["FINISHED", "RecipeRun"]

FINISHED = "finished"
CACHE_SUFFIX = ".jsonl.gz"
COPIES_SUFFIX = f".copies{CACHE_SUFFIX}"


class RecipeRun:
    """A recipe with its data and the folder of its results.

    Args:
        recipe: the name of a shipped recipe, or a file.
        data: the folder of the data; None = the recipe's.
        out: for a folder of each stage, and `weights.safetensors`; None = runs/NAME OF THE RECIPE.
        log: is given a line of text.

    Raises:
        ValueError: there is no such recipe, or the message names every error in it.
    """

    def __init__(self, recipe: str | Path, *, data: Path | None = None, out: Path | None = None, log: Log = tqdm.write):
        shipped = RECIPES / f"{recipe}.yaml"
        file = shipped if shipped.is_file() else Path(recipe)
        if not file.is_file():
            names = ", ".join(sorted(path.stem for path in RECIPES.glob("*.yaml")))
            raise ValueError(f"there is no recipe {recipe}; there are {names}, or name a file")
        self.name = file.stem
        self._recipe = load_recipe(file)
        self._data = (data or self._recipe.data).resolve()
        self._out = (out or Path("runs") / self.name).resolve()
        self._log = log
        own = [self._out / stage.name for stage in self._recipe.stages if isinstance(stage, OcrStage)]
        self._caches = own[0] if own else self._recipe.ocr_caches

    @property
    def weights(self) -> Path:
        """The result of all stages."""
        return self._out / "weights.safetensors"

    def states(self) -> dict[str, str]:
        """How far every stage has come; FINISHED where nothing is left to do."""
        return {stage.name: self._state(stage) for stage in self._recipe.stages}

    def run(self, stage: str | None = None, *, accelerator: Accelerator = "auto", threads: int | None = None) -> bool:
        """Runs the stages that are not finished; returns whether all are, and `weights` is written.

        Args:
            stage: runs this one alone, again if it is finished.
            threads: CPU threads; None = all cores.

        Raises:
            ValueError, OSError: data is missing, or a config cannot be used.
            FloatingPointError: the training diverged.
        """
        stages = self._recipe.stages if stage is None else (self._stage(stage),)
        todo = [s for s in stages if stage is not None or self._state(s) != FINISHED]
        self._check(todo)
        if stage is not None and self._state(stages[0]) == FINISHED:
            shutil.rmtree(self._out / stage)
        for s in stages:
            if s not in todo:
                self._log(f"stage {s.name} is finished")
                continue
            self._log(f"stage {s.name}")
            if isinstance(s, OcrStage):
                self._write_caches(s, threads)
            else:
                train_config(self._config(s), self._out / s.name, accelerator=accelerator, threads=threads)
            if (state := self._state(s)) != FINISHED:
                self._log(f"stage {s.name} is {state}; the same command resumes it")
                return False
        if left := [name for name, state in self.states().items() if state != FINISHED]:
            self._log(f"left to run: {', '.join(left)}")
            return False
        self._write_weights()
        self._log(f"weights: {self.weights}")
        return True

    def _state(self, stage: Stage) -> str:
        if isinstance(stage, OcrStage):
            caches = self._needed_caches(stage)
            made = sum(cache.is_file() for cache in caches)
            return FINISHED if made == len(caches) else f"{made} of {len(caches)} files"
        folder = self._out / stage.name
        if not (folder / "state.pt").is_file():
            return "not started"
        saved = read_saved_run(folder / "state.pt")
        if saved.done and (folder / "weights.safetensors").is_file():
            return FINISHED
        return f"interrupted after {saved.epoch} of {saved.epochs} epochs"

    def _stage(self, name: str) -> Stage:
        """The stage of this name. Raises ValueError: there is none, or one before it is not finished."""
        stages = {stage.name: stage for stage in self._recipe.stages}
        if name not in stages:
            raise ValueError(f"{self.name} has no stage {name!r}; it has {', '.join(stages)}")
        stage = stages[name]
        for before in self._before(stage):
            if self._state(before) != FINISHED:
                raise ValueError(f"stage {before.name} comes before {name} and is not finished; run all stages first")
        return stage

    def _before(self, stage: Stage) -> tuple[Stage, ...]:
        return self._recipe.stages[: self._recipe.stages.index(stage)]

    def _check(self, stages: list[Stage]) -> None:
        """Finds what is missing for any of these stages before the first one runs."""
        if stages and not self._data.is_dir():
            raise ValueError(f"there is no data at {self._data}; name its folder by --data")
        comes = Files(self._locate, lambda path: self._is_result(path) or path.exists())
        for stage in stages:
            if isinstance(stage, TrainStage):
                config = self._config(stage, comes)
                if isinstance(config, NetworkConfig) and config.pretrained_words:
                    require_word_vectors()
                continue
            for cache in self._needed_caches(stage):
                if not self._photos(cache).is_dir():
                    raise ValueError(f"stage {stage.name} reads {self._photos(cache)}, which is no folder of photos")

    def _config(self, stage: TrainStage, files: Files | None = None) -> TrainConfig:
        """The config of a stage, with the weights of the stages before."""
        trained = [s for s in self._before(stage) if isinstance(s, TrainStage)]
        inits = {"init_from": self._weights_of(trained[-1].name) if trained else None}
        if stage.init_network_from:
            inits["init_network_from"] = self._weights_of(stage.init_network_from)
        overrides = [f"{key}={json.dumps(path and str(path))}" for key, path in inits.items()]
        return load_config(stage.config, [*stage.overrides, *overrides], files or Files(self._locate))

    def _weights_of(self, stage: str) -> Path:
        return self._out / stage / "weights.safetensors"

    def _is_result(self, path: Path) -> bool:
        return any(path.is_relative_to(self._out / stage.name) for stage in self._recipe.stages)

    def _locate(self, path: Path) -> Path:
        """Where the data and the OCR caches of this run are that a config names."""
        if self._is_result(path):
            return path
        for named, here in ((self._recipe.ocr_caches, self._caches), (self._recipe.data, self._data)):
            if path.is_relative_to(named):
                return here / path.relative_to(named)
        return path

    def _needed_caches(self, stage: OcrStage) -> list[Path]:
        """The OCR caches that the configs of the later stages name."""
        later = self._recipe.stages[self._recipe.stages.index(stage) + 1 :]
        files = Files(self._locate, EVERYTHING.exists)
        named = (p for s in later if isinstance(s, TrainStage) for p in _paths(self._config(s, files).model_dump()))
        return sorted({path for path in named if path.is_relative_to(self._caches)})

    def _photos(self, cache: Path) -> Path:
        """The photos of an OCR cache."""
        _, *folders = cache.name.removesuffix(COPIES_SUFFIX).removesuffix(CACHE_SUFFIX).split("-")
        return self._data.joinpath(*folders)

    def _write_caches(self, stage: OcrStage, threads: int | None) -> None:
        trained = [s for s in self._before(stage) if isinstance(s, TrainStage)]
        for cache in self._needed_caches(stage):
            if cache.is_file():
                continue
            self._log(cache.name)
            reader = load_reader(
                cache.name.partition("-")[0], threads=threads or 2, weights=self._weights_of(trained[-1].name)
            )
            partial = cache.with_name(f"partial-{cache.name}")
            copies = cache.name.endswith(COPIES_SUFFIX)
            write_ocr_cache(self._photos(cache), partial, reader, copies=copies, log=self._log)
            partial.replace(cache)

    def _write_weights(self) -> None:
        """Joins the parts, each from the last stage that trained it: one that ran again changes no other part."""
        stage_of = {self._config(s).part: s for s in self._recipe.stages if isinstance(s, TrainStage)}
        tensors: dict[str, Tensor] = {}
        metadata: dict[str, str] = {}
        for part, stage in stage_of.items():
            trained, facts = read_checkpoint(self._weights_of(stage.name))
            tensors |= {name: t for name, t in trained.items() if name.startswith(f"{part}.")}
            others = tuple(other for other in stage_of if other != part)
            metadata |= {name: fact for name, fact in facts.items() if not name.startswith(others)}
        save_file(tensors, self.weights, metadata={**metadata, "recipe": self.name})


def _paths(settings: Any) -> Iterator[Path]:
    """All paths in nested settings."""
    if isinstance(settings, Path):
        yield settings
    elif isinstance(settings, dict | list | tuple):
        for value in settings.values() if isinstance(settings, dict) else settings:
            yield from _paths(value)
