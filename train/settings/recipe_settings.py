"""The settings of a recipe: the stages that lead from the data to weights that serve."""

from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, model_validator

from resformer.train.settings.yaml_settings import ExistingPath, RelativePath, StrictModel, load_yaml, validate

__all__ = ["RECIPES", "OcrStage", "Recipe", "Stage", "TrainStage", "load_recipe"]

RECIPES = Path(__file__).resolve().parents[1] / "configs" / "recipes"
"""Where the shipped recipes lie."""

StageName = Annotated[str, Field(pattern=r"^\w+$")]


class TrainStage(StrictModel):
    """A part of the network is trained; the parts that the stages before have trained are kept.

    Attributes:
        kind: `train`.
        name: of the stage and its folder.
        config: of the run; its `init_from` becomes the stage before.
        overrides: `key=value` each, in place of the config's.
        init_network_from: the earlier stage whose Resformer is trained further.
    """

    kind: Literal["train"]
    name: StageName
    config: ExistingPath
    overrides: tuple[str, ...] = ()
    init_network_from: str | None = None


class OcrStage(StrictModel):
    """The text detector and recognizer of the stages before read the photos of the OCR caches that later ones name.

    Attributes:
        kind: `ocr_caches`.
        name: of the stage and its folder.
    """

    kind: Literal["ocr_caches"]
    name: StageName


Stage = Annotated[TrainStage | OcrStage, Field(discriminator="kind")]


class Recipe(StrictModel):
    """The stages, first to last.

    Attributes:
        data: the folder of the data that the configs name, which a run may replace by another one.
        ocr_caches: the folder of the OCR caches that the configs name, READER-FOLDER.jsonl.gz with a folder of `data`
            whose slashes are dashes, and READER-FOLDER.copies.jsonl.gz of copies of its photos; a run keeps its own
            caches beside its weights.
        stages: first to last.
    """

    data: RelativePath
    ocr_caches: RelativePath
    stages: tuple[Stage, ...] = Field(min_length=1)

    @model_validator(mode="after")
    def _check(self) -> "Recipe":
        names = [stage.name for stage in self.stages]
        if len(set(names)) < len(names):
            raise ValueError(f"two stages have the same name: {', '.join(names)}")
        for i, stage in enumerate(self.stages):
            earlier = [s.name for s in self.stages[:i] if isinstance(s, TrainStage)]
            if isinstance(stage, TrainStage) and stage.init_network_from not in (None, *earlier):
                raise ValueError(
                    f"init_network_from of {stage.name} is {stage.init_network_from!r}, no stage before it"
                )
            if isinstance(stage, OcrStage) and any(isinstance(s, OcrStage) for s in self.stages[:i]):
                raise ValueError(f"{stage.name}: only one stage makes the OCR caches")
            if isinstance(stage, OcrStage) and not earlier:
                raise ValueError(f"{stage.name} needs a stage before it that trains a text detector and recognizer")
        return self


def load_recipe(path: Path) -> Recipe:
    """Reads a recipe; paths in it are relative to the folder that holds it.

    Raises:
        ValueError: the message names every error in the file.
    """
    recipe: Recipe = validate(load_yaml(path), Recipe, path)
    return recipe
