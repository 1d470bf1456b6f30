"""The reference of config keys, from the classes of the settings and their docstrings."""

import inspect
import re
from collections.abc import Mapping, Sequence

from pydantic import BaseModel, TypeAdapter

from resformer.handler.link_rules import LinkRules
from resformer.handler.settings import Settings
from resformer.scripts.docs_site.schema_text import properties_of, table
from resformer.train.settings.recipe_settings import OcrStage, Recipe, TrainStage
from resformer.train.settings.run_settings import DetectorConfig, NetworkConfig, RecognizerConfig, TrainerConfig
from resformer.train.settings.sources import (
    LabelledSource,
    OcrSource,
    ProductTable,
    ProductTables,
    RowSource,
    ShardSource,
    SyntheticSource,
    TableJoin,
)

__all__ = ["documented_models", "settings_page"]

Model = type[BaseModel]

# One or several names, and what is behind them up to the next line that is not indented.
ATTRIBUTE = re.compile(r"^(\w+(?:, \w+)*): (.*(?:\n +.*)*)", re.MULTILINE)

RUNS: Mapping[Model, str] = {
    TrainerConfig: "Every run",
    NetworkConfig: "`part: resformer`",
    DetectorConfig: "`part: text_detector`",
    RecognizerConfig: "`part: text_recognizer`",
}
SOURCES: Mapping[Model, str] = {
    ProductTable: "`kind: table`",
    RowSource: "`kind: rows`",
    LabelledSource: "`kind: challenge`, `hand` or `unlabelled`",
    SyntheticSource: "`kind: synthetic`",
    ShardSource: "`kind: shards`",
    TableJoin: "`join` of a table",
    OcrSource: "of text detector and recognizer",
    ProductTables: "tables of a benchmark",
}
RECIPES: Mapping[Model, str] = {Recipe: "Keys of a recipe", TrainStage: "`kind: train`", OcrStage: "`kind: ocr_caches`"}
WORKERS: Mapping[Model, str] = {Settings: "Keys of `handler`", LinkRules: "Keys of `image_url`"}
SECTIONS = (
    (
        "Runs",
        "`resformer train CONFIG.yaml`: [training](../training.md) explains runs. Paths are relative to the config.",
        RUNS,
    ),
    ("Sources", "Entries of `sources`: what a run is trained on.", SOURCES),
    ("Recipes", "`resformer train --recipe RECIPE.yaml`: runs that follow each other.", RECIPES),
    (
        "Workers of the server",
        "The section `handler` of [`model-config.yaml`](../../handler/model-config.yaml), which an archive carries. "
        "The keys of a schema are explained at the top of [`entities.yaml`](../../model/entities.yaml).",
        WORKERS,
    ),
)


def settings_page() -> str:
    """The page in Markdown."""
    parts = ["# Config keys"]
    for heading, about, models in SECTIONS:
        parts += [f"## {heading}", about]
        for model, title in models.items():
            parts += [f"### {title} {{ #{model.__name__.lower()} }}", *_model(model)]
    return "\n\n".join(parts) + "\n"


def documented_models() -> list[Model]:
    """The classes of the page."""
    return [model for _, _, models in SECTIONS for model in models]


def _model(model: Model) -> Sequence[str]:
    docstring = inspect.getdoc(model) or ""
    elsewhere = TrainerConfig.model_fields if model is not TrainerConfig and issubclass(model, TrainerConfig) else {}
    meanings = _meanings(model)
    rows = [
        [f"`{p.name}`", p.value, "required" if p.default is None else f"`{p.default}`", meanings.get(p.name, "")]
        for p in properties_of(TypeAdapter(model).json_schema(), _links())
        if p.name not in elsewhere
    ]
    return docstring.split("\n\n")[0], table(["key", "value", "default", "meaning"], rows)


def _meanings(model: Model) -> dict[str, str]:
    """What the docstrings of a class and its bases say about each key."""
    found: dict[str, str] = {}
    for base in reversed(model.__mro__):
        if issubclass(base, BaseModel) and base is not BaseModel:
            _, _, attributes = (inspect.getdoc(base) or "").partition("\nAttributes:\n")
            for names, meaning in ATTRIBUTE.findall(inspect.cleandoc(attributes)):
                for name in names.split(", "):
                    alias = base.model_fields[name].alias if name in base.model_fields else None
                    found[alias or name] = meaning
    return found


def _links() -> dict[str, str]:
    titles = {model.__name__: title for _, _, models in SECTIONS for model, title in models.items()}
    return {name: f"[{title}](#{name.lower()})" for name, title in titles.items()}
