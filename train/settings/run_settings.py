"""The settings of a training run."""

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Literal, TypeVar, get_args

from pydantic import (
    AfterValidator,
    Field,
    NonNegativeFloat,
    NonNegativeInt,
    PositiveFloat,
    PositiveInt,
    model_validator,
)

from resformer.model.networks.presets import preset
from resformer.train.settings.sources import OcrSource, ShardSource, Source
from resformer.train.settings.yaml_settings import ExistingPath, Files, StrictModel, load_yaml, validate

__all__ = [
    "DetectorConfig",
    "NetworkConfig",
    "RecognizerConfig",
    "TrainConfig",
    "TrainerConfig",
    "load_config",
    "load_config_of",
]


def _known_preset(name: str) -> str:
    return preset(name).name


Fraction = Annotated[float, Field(ge=0, lt=1)]
Probability = Annotated[float, Field(ge=0, le=1)]
PresetName = Annotated[str, AfterValidator(_known_preset)]
SideMultiple = Annotated[int, Field(gt=0, multiple_of=32)]


class TrainerConfig(StrictModel):
    """What every run has.

    Attributes:
        preset: size of the network: `nano`, `tiny`, `small`, `resnet50`, `base` or `original`.
        max_minutes: time budget of this run; the same command resumes it.
        epochs: passes over the sources.
        batch_size: photos, or lines of text, in a batch.
        accumulate_batches: batches of each process whose gradients make a step. A resumed run may have more processes
            with fewer batches each, or the other way round, where their product stays.
        learning_rate: the highest of the run.
        warmup_fraction: of all steps, during which the learning rate rises.
        weight_decay: of AdamW.
        grad_clip_norm: the largest norm of the gradients.
        ema_decay: of the moving average of the weights, which is what a run writes.
        val_fraction: of the data, chosen by a hash of names or groups, that is only evaluated on.
        precision: `16-mixed` (with gradient scaling) needs a GPU.
        patience: evaluations without a better score after which the run ends; 0 = never.
        keep_best: how many of the best checkpoints are kept beside the very best.
        evaluate_every: epochs between two evaluations.
        seed: of everything that is drawn at random.
        num_workers: processes that make batches.
        save_every_steps, save_every_minutes: after which the training state is saved that a run resumes from.
    """

    preset: PresetName
    max_minutes: PositiveFloat
    epochs: PositiveInt
    batch_size: PositiveInt = 32
    accumulate_batches: PositiveInt = 1
    learning_rate: PositiveFloat = 5e-4
    warmup_fraction: Fraction = 0.05
    weight_decay: NonNegativeFloat = 0.05
    grad_clip_norm: PositiveFloat = 1.0
    ema_decay: Fraction = 0.998
    val_fraction: Fraction = 0.1
    patience: NonNegativeInt = 0
    keep_best: NonNegativeInt = 0
    evaluate_every: PositiveInt = 1
    precision: Literal["32-true", "bf16-mixed", "16-mixed"] = "32-true"
    seed: NonNegativeInt = 0
    num_workers: NonNegativeInt = 0
    save_every_steps: PositiveInt = 100
    save_every_minutes: PositiveFloat = 3.0


class _PartConfig(TrainerConfig):
    """One part of a network.

    Attributes:
        init_from: a checkpoint whose other parts are kept; None = random ones.
        schema_file: key `schema`; the entities, if not the shipped ones.
    """

    init_from: ExistingPath | None = None
    schema_file: ExistingPath | None = Field(default=None, alias="schema")


class _OcrConfig(_PartConfig):
    """A part that works on text.

    Attributes:
        sources: photos with the text on them.
        pretrained_ocr: the package's network that the part starts as; None = random.
    """

    sources: tuple[OcrSource, ...] = Field(min_length=1)
    pretrained_ocr: Literal["ppocrv6-tiny"] | None = None


class DetectorConfig(_OcrConfig):
    """The text detector.

    Attributes:
        part: which network is trained.
        crop_side: of a crop of a photo, pixels.
        eval_max_side: pixels of the longer side of validation photos.
    """

    part: Literal["text_detector"]
    crop_side: SideMultiple = 320
    eval_max_side: PositiveInt = 640


class RecognizerConfig(_OcrConfig):
    """The text recognizer.

    Attributes:
        part: which network is trained.
        p_drawn: of a line that is drawn; the others are crops of photos.
        p_repainted: of a crop of a photo with another text drawn in.
        batches_per_epoch: as many as an epoch has.
    """

    part: Literal["text_recognizer"]
    p_drawn: Probability = 0.5
    p_repainted: Probability = 0.0
    batches_per_epoch: PositiveInt = 200


class NetworkConfig(_PartConfig):
    """The Resformer itself.

    Attributes:
        part: which network is trained.
        sources: what is asked about which photos.
        init_network_from: a checkpoint whose Resformer is trained further; entities, labels and units that the schema
            adds start at random.
        init_schema: the schema of `init_network_from`, if it is neither that of this run nor the shipped one.
        freeze: only what `init_network_from` does not have is trained: the embeddings of new entities, labels and
            units. All other answers stay as they are.
        pretrained_backbone: the package whose weights the stem starts as; None = random.
        pretrained_words: the package whose word vectors the embeddings of words and labels start as; None = random.
        cached_views: above 0 the stem is frozen, and so many views of each picture are embedded once: what is left to
            train takes a fraction of the time.
        freeze_blocks: lowest blocks of an initialized stem that stay as they are.
        backbone_lr_scale: learning rate of an initialized stem, relative to the rest.
        image_size: of the pictures while training, pixels.
        dropout: in the transformer, while training.
        label_smoothing: of labels.
        level_weights: of a path's levels in the loss, root first; deeper levels have the last one's.
        quantity_weight: of a question about a quantity in the loss.
        text_weight: of a text of 32 steps in the loss.
        entity_weights: of choices and paths in the loss, by entity; 1 for those that are not named.
        copied_names: texts whose brands and other names are copied from what was read or sent, never spelled.
        p_text: of asking for a text.
        p_drop_image: of hiding the picture of a product with text.
        p_drop_field, p_drop_word: of hiding a field or a word of the caller's text.
        p_drop_group: of hiding the group of the product, as most callers do.
        p_drop_drawing: of hiding the line segments.
        p_unaugmented: of a layout that stays as it is.
        p_title: of an answer that comes in the title instead of on the photo.
        balance_min_count, balance_max_factor: labels with fewer products are shown more often, at most by the factor
            (repeat factor sampling, arXiv 1908.03195).
        prior_strength: weight of the label frequencies in answers; 0 treats all labels alike.
    """

    part: Literal["resformer"]
    sources: tuple[Source, ...] = Field(min_length=1)
    init_network_from: ExistingPath | None = None
    init_schema: ExistingPath | None = None
    freeze: bool = False
    pretrained_backbone: Literal["efficientnet-lite1"] | None = None
    pretrained_words: Literal["spacy-en-md"] | None = None
    cached_views: NonNegativeInt = 0
    freeze_blocks: NonNegativeInt = 4
    backbone_lr_scale: PositiveFloat = 0.3
    image_size: SideMultiple = 160
    dropout: Fraction = 0.1
    label_smoothing: Fraction = 0.1
    level_weights: tuple[NonNegativeFloat, ...] = Field(default=(0.5, 1.0), min_length=1)
    quantity_weight: NonNegativeFloat = 1.0
    text_weight: NonNegativeFloat = 1.0
    entity_weights: dict[str, NonNegativeFloat] = Field(default_factory=dict)
    copied_names: tuple[str, ...] = ("title",)
    p_text: Probability = 0.5
    p_drop_image: Probability = 0.15
    p_drop_field: Probability = 0.1
    p_drop_word: Probability = 0.1
    p_drop_group: Probability = 0.5
    p_drop_drawing: Probability = 0.1
    p_unaugmented: Probability = 0.3
    p_title: Probability = 0.05
    balance_min_count: PositiveFloat = 60.0
    balance_max_factor: PositiveFloat = 3.0
    prior_strength: NonNegativeFloat = 1.0

    @model_validator(mode="after")
    def _check(self) -> "NetworkConfig":
        if self.pretrained_backbone and self.init_network_from:
            raise ValueError("pretrained_backbone and init_network_from exclude each other: both bring a stem")
        if self.pretrained_words and self.init_network_from:
            raise ValueError("pretrained_words and init_network_from exclude each other: both bring embeddings")
        if self.cached_views and not self.init_network_from:
            raise ValueError("cached_views needs init_network_from, or the stem would stay random")
        if self.freeze and not self.init_network_from:
            raise ValueError("freeze needs init_network_from, or the network would stay random")
        if self.init_schema and not self.init_network_from:
            raise ValueError("init_schema needs init_network_from, whose schema it is")
        if any(isinstance(source, ShardSource) for source in self.sources):
            if len(self.sources) > 1:
                raise ValueError("shards are a run's only source: make them by a config that has the other sources too")
            if self.cached_views:
                raise ValueError(
                    "cached_views needs all photos in memory, and shards are read again in each epoch: set 0"
                )
        if self.pretrained_backbone and self.preset != "small":
            raise ValueError(f"the weights of pretrained_backbone fit the preset small, not {self.preset}")
        return self


TrainConfig = Annotated[DetectorConfig | RecognizerConfig | NetworkConfig, Field(discriminator="part")]


Config = TypeVar("Config", DetectorConfig, RecognizerConfig, NetworkConfig)


def load_config(path: Path, overrides: Sequence[str] = (), files: Files | None = None) -> TrainConfig:
    """Reads a config file; paths in it are relative to the folder that holds it.

    Args:
        overrides: `key=value` each, see load_yaml.
        files: where its paths lead; None = where they say.

    Raises:
        ValueError: the message names every error in the file.
    """
    config: TrainConfig = validate(load_yaml(path, overrides), TrainConfig, path, files)
    return config


def load_config_of(part: type[Config], path: Path) -> Config:
    """Reads a config file of one part.

    Raises:
        ValueError: it is of another part, or the message names every error in the file.
    """
    config = load_config(path)
    if not isinstance(config, part):
        (needed,) = get_args(part.model_fields["part"].annotation)
        raise ValueError(f"{path} is a config of {config.part}; {needed} is needed")
    return config
