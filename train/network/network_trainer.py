"""Training of the Resformer."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import cached_property, partial
from pathlib import Path

import numpy as np
import torch
from lightning_fabric import Fabric
from torch import Tensor, nn
from torch.utils.tensorboard import SummaryWriter
from tqdm import tqdm

from resformer.model.inference.calibration import Calibration, read_calibrations, write_calibrations
from resformer.model.inference.inputs import Preprocessor
from resformer.model.networks.batch import Batch
from resformer.model.networks.image_features import ImageFeatures
from resformer.model.networks.parts import Parts
from resformer.model.networks.presets import Preset
from resformer.model.networks.resformer import FEATURE_BINS, Resformer
from resformer.model.quantities.candidate_features import feature_count
from resformer.model.quantities.label_priors import LabelPriors
from resformer.train.engine.part_trainer import PartTrainer
from resformer.train.engine.trainer import Log
from resformer.train.network.batches import RowBatches
from resformer.train.network.data_summary import DataSummary
from resformer.train.network.feature_cache import BATCH_SIZE, FeatureCache, pool_views, view_features
from resformer.train.network.fit_shortcut import fit_shortcut, shortcut_inputs
from resformer.train.network.image_augment import augment
from resformer.train.network.labelled_photos import LabelledPhoto, PhotoFile
from resformer.train.network.loss import RowLoss
from resformer.train.network.photo_shards import PhotoShards
from resformer.train.network.picture_cache import PictureCache
from resformer.train.network.pretrained_backbone import load_pretrained_backbone
from resformer.train.network.pretrained_words import load_pretrained_words
from resformer.train.network.read_sources import read_sources
from resformer.train.network.row_logits import row_logits
from resformer.train.network.sample_answers import SampleAnswers
from resformer.train.network.shard_batches import ShardBatches
from resformer.train.network.targets import Targets
from resformer.train.network.validation import RowValidator, ValMetrics
from resformer.train.network.vocabulary_transfer import Transfer, transfer_network
from resformer.train.settings.run_settings import NetworkConfig
from resformer.train.settings.sources import ShardSource

__all__ = ["NetworkTrainer", "feature_edges"]

RowBatch = tuple[Batch, Targets]

# A view shows 0.75 of a picture or more; the pictures that views are taken from are larger, so that these stay sharp.
PICTURE_SCALE = 1.2
MAX_EDGE_PHOTOS = 4000  # whose candidates the quantiles of the features are taken from
SHARD_SAMPLE = 4000  # rows of shards that are in memory: for these quantiles, and to fit the shortcut


def feature_edges(preprocessor: Preprocessor, photos: Sequence[LabelledPhoto]) -> Tensor:
    """Quantiles of every candidate feature over the training photos: (F, FEATURE_BINS + 1), strictly rising."""
    rows = []
    for photo in [p for p in photos if p.questions and p.lines][:MAX_EDGE_PHOTOS]:
        entities = [q.entity for q in photo.questions]
        excluded_labels = [q.excluded_label for q in photo.questions]
        rows.append(preprocessor.sample(photo.page, entities, excluded_labels=excluded_labels).features)
    table = np.concatenate([np.zeros((0, feature_count())), *rows])
    if not len(table):
        return torch.linspace(-1, 1, FEATURE_BINS + 1).repeat(table.shape[1], 1)
    edges = []
    for column in table.T:
        distinct = np.unique(np.quantile(column, np.linspace(0, 1, FEATURE_BINS + 1)))
        if len(distinct) < 2:
            distinct = np.array([column.min(), max(column.max(), column.min() + 1)])
        # Features with few values have fewer quantiles than bins: their gaps are split evenly.
        positions = np.linspace(0, len(distinct) - 1, FEATURE_BINS + 1)
        edges.append(np.interp(positions, np.arange(len(distinct)), distinct))
    return torch.tensor(np.array(edges), dtype=torch.float32)


class NetworkTrainer(PartTrainer[LabelledPhoto, RowBatch, ValMetrics]):
    """See PartTrainer. Of shards, `train_items` are a sample."""

    part = "resformer"
    config: NetworkConfig

    def __init__(self, config: NetworkConfig, out: Path, fabric: Fabric, log: Log = tqdm.write):
        self._transfer: Transfer | None = None
        self._shards: PhotoShards | None = None
        super().__init__(config, out, fabric, log)
        if unknown := sorted(config.entity_weights.keys() - set(self.schema.names)):
            raise ValueError(f"entity_weights has {unknown[0]!r}, which is no entity of the schema")
        self._epoch_prior = self._summary.epoch_prior
        self._answer_prior = self._log_prior()
        if config.freeze:
            self._keep_known_rows()
        if untrained := self._untrained():
            self.log(f"neither training data nor learned weights, so random answers, for {', '.join(untrained)}")
        self._loss = RowLoss(
            self.tokenizer,
            self._epoch_prior,
            level_weights=config.level_weights,
            quantity_weight=config.quantity_weight,
            text_weight=config.text_weight,
            label_smoothing=config.label_smoothing,
            entity_weights=config.entity_weights,
        ).to(fabric.device)
        self._features: FeatureCache | None = None
        self._loss_parts: dict[str, Tensor] = {}
        self._calibrations: dict[str, Calibration] = {}

    @property
    def resformer(self) -> Resformer:
        """The network that is trained."""
        assert self.network.resformer is not None
        return self.network.resformer

    @cached_property
    def preprocessor(self) -> Preprocessor:
        """Of the schema."""
        return Preprocessor(self.schema, self.tokenizer, LabelPriors.load())

    @cached_property
    def _summary(self) -> DataSummary:
        if self._shards:
            return self._shards.summary
        return DataSummary.of(self.train_items, self.tokenizer, self.config.copied_names)

    @property
    def num_train_items(self) -> int:
        """See Trainer."""
        return self._summary.num_items

    @cached_property
    def _files(self) -> list[PhotoFile]:
        """The photos of the training items, each once."""
        return list(dict.fromkeys(item.photo for item in self.train_items if item.photo is not None))

    @cached_property
    def _file_index(self) -> Tensor:
        """Of each training item, the index of its photo; 0 for those without one."""
        index = {file: i for i, file in enumerate(self._files)}
        return torch.tensor([0 if p.photo is None else index[p.photo] for p in self.train_items], device=self.device)

    @cached_property
    def _may_flip(self) -> Tensor:
        """Which photos may be mirrored: a text may mention left or right."""
        described = {p.photo for p in self.train_items if p.texts.get("description")}
        return torch.tensor([file not in described for file in self._files] or [False], device=self.device)

    @cached_property
    def _pictures(self) -> PictureCache:
        return PictureCache(self._files, self._picture_side, self.device)

    @property
    def _picture_side(self) -> int:
        return round(PICTURE_SCALE * self.config.image_size)

    @cached_property
    def _validator(self) -> RowValidator:
        return RowValidator(
            self.val_items, self.preprocessor, self.network.preset.image_size, self.device, self._generic
        )

    @cached_property
    def _samples(self) -> SampleAnswers:
        return SampleAnswers(self.val_items, self._validator)

    @cached_property
    def _generic(self) -> dict[str, frozenset[str]]:
        """The words that the texts of `copied_names` may spell, by entity."""
        return {name: self._summary.generic.get(name, frozenset()) for name in self.config.copied_names}

    def sizes(self) -> Preset:
        """See PartTrainer."""
        return replace(super().sizes(), dropout=self.config.dropout)

    def split_items(self) -> tuple[list[LabelledPhoto], list[LabelledPhoto]]:
        """See PartTrainer."""
        for source in self.config.sources:
            if isinstance(source, ShardSource):
                self._shards = PhotoShards(source.shards, self.schema)
                return self._shards.first_rows(SHARD_SAMPLE), self._shards.val_rows()
        return read_sources(self.config, self.preprocessor)

    def data_digest(self) -> str:
        """See PartTrainer: of the shards."""
        return self._shards.digest if self._shards else ""

    def init_part(self, network: Parts) -> str:
        """See PartTrainer."""
        config, part = self.config, network.resformer
        assert part is not None
        part.image.backbone.to(memory_format=torch.channels_last)
        part.image.deep_stage.to(memory_format=torch.channels_last)
        for module in [*self._frozen_modules(part), part.shortcut]:
            module.requires_grad_(False)
        if config.init_network_from:
            source = config.init_network_from
            found = transfer_network(part, self.tokenizer, network.preset.name, source, config.init_schema)
            self._transfer = found
            if config.freeze:
                if not found.new_rows:
                    raise ValueError(f"freeze: the schema has nothing that {source} has not learned; add an entity")
                for name, parameter in part.named_parameters():
                    parameter.requires_grad_(name in found.new_rows)
            new = [e.name for e in self.tokenizer.entities if e not in found.entities]
            return f"continues {source}" + (f"; new are {', '.join(new)}" if new else "")
        started = []
        if config.pretrained_backbone:
            copied = load_pretrained_backbone(part.image.backbone, part.image.deep_stage, config.pretrained_backbone)
            started.append(f"{copied} tensors of the stem are from {config.pretrained_backbone}")
        if config.pretrained_words:
            count = load_pretrained_words(part, self.tokenizer)
            started.append(f"the embeddings of {count} tokens are from {config.pretrained_words}")
        return ", ".join(started)

    def prepare(self, network: Parts) -> None:
        """See PartTrainer; sets the quantiles of the features where no training before has set them."""
        assert network.resformer is not None
        if not network.resformer.has_feature_edges:
            network.resformer.feature_edges.copy_(feature_edges(self.preprocessor, self.train_items))

    def _log_prior(self) -> Tensor:
        """Of answers, (A,): from the training labels; of entities that have none, as it was learned before."""
        counted = self._summary.catalogue_prior * self.config.prior_strength
        if self._transfer is None:
            return counted
        kept = torch.ones(self.tokenizer.num_answers, dtype=torch.bool)
        for entity in self.tokenizer.entities:
            if entity.name in self._summary.labelled:
                answers = self.tokenizer.answers(entity)
                span = slice(answers.start, answers.stop)
                kept[span] = self._transfer.known[span] if self.config.freeze else False
        return torch.where(kept, self.resformer.log_prior.cpu(), counted)

    def _keep_known_rows(self) -> None:
        """Leaves all rows without gradient that the checkpoint has."""
        assert self._transfer is not None
        for name, rows in self._transfer.new_rows.items():
            parameter = self.resformer.get_parameter(name)
            mask = rows.to(parameter.device).reshape(-1, *[1] * (parameter.ndim - 1))
            parameter.register_hook(partial(torch.mul, mask))

    def _untrained(self) -> list[str]:
        """Names of the entities that neither the training data nor the checkpoint has."""
        learned = {e.name for e in self._transfer.entities} if self._transfer else set()
        learned |= self._summary.learned
        return [e.name for e in self.tokenizer.entities if e.name not in learned]

    def _frozen_modules(self, part: Resformer) -> list[nn.Module]:
        """The stem, or the lowest blocks of an initialized one."""
        if self.config.cached_views or self.config.freeze:
            return [part.image]
        initialized = bool(self.config.pretrained_backbone or self.config.init_network_from)
        return list(part.image.backbone.trunk.children())[: self.config.freeze_blocks if initialized else 0]

    def lr_scale(self, name: str) -> float:
        """See Trainer; that of an initialized stem is lower."""
        in_stem = name.startswith(("resformer.image.backbone.trunk.", "resformer.image.deep_stage."))
        initialized = bool(self.config.pretrained_backbone or self.config.init_network_from)
        return self.config.backbone_lr_scale if in_stem and initialized else 1.0

    def weight_decay(self, name: str) -> float:
        """See Trainer; none where known rows stay as they are."""
        return 0.0 if self.config.freeze else super().weight_decay(name)

    def batches(self, epoch: int) -> RowBatches | ShardBatches:
        """See Trainer."""
        if self._shards:
            (source,) = (s for s in self.config.sources if isinstance(s, ShardSource))
            return ShardBatches(
                self._shards,
                self.preprocessor,
                self.config,
                epoch,
                self._generic,
                lanes=self.batches_per_step,
                shuffle_shards=source.shuffle_shards,
                side=self._picture_side,
            )
        return RowBatches(self.train_items, self.preprocessor, self.config, epoch, self._generic)

    def train_mode(self) -> None:
        """See Trainer; the frozen modules stay in evaluation mode."""
        self.network.train()
        for module in self._frozen_modules(self.resformer):
            module.eval()  # batch norm keeps its statistics

    def loss(self, batch: RowBatch) -> Tensor:
        """See Trainer."""
        inputs, targets = batch
        if self._features:
            files = self._file_index[targets.products]
            features = self._features(files, self.batch_number)
            inputs = replace(inputs, extent=self._pictures.extent[files])
        else:
            pixels, extent, may_flip = inputs.pixels, inputs.extent, targets.may_flip
            if not self._shards:
                files = self._file_index[targets.products]
                (pixels, extent), may_flip = self._pictures(files), self._may_flip[files]
                inputs = replace(inputs, extent=extent)
            features = _describe(self.resformer.image, self._views(pixels, extent, may_flip))
        answers, texts, memory = row_logits(self.resformer, inputs, targets, features)
        with torch.autocast(self.device.type, enabled=False):
            parts = self._loss.parts(answers, texts, memory, targets)
        self._loss_parts = {name: part.detach() for name, part in parts.items()}
        return torch.stack(list(parts.values())).sum()

    def step_scalars(self) -> dict[str, float]:
        """See Trainer: the parts of the loss."""
        return {f"loss/{name}": value.item() for name, value in self._loss_parts.items()}

    def watch(self, writer: SummaryWriter) -> None:
        """See Trainer: answers about the same photos, with their boxes."""
        assert self.averaged.resformer is not None
        picture = self._samples.draw(self.averaged.resformer)
        if picture is not None:
            writer.add_image("answers", picture, self.progress.step, dataformats="HWC")

    def _views(self, pixels: Tensor, extent: Tensor, may_flip: Tensor) -> Tensor:
        """Random views (P, 3, image_size, image_size) of a batch's pictures."""
        generator = torch.Generator(self.device).manual_seed(self.config.seed * 1_000_003 + self.batch_number)
        with torch.autocast(self.device.type, enabled=False):
            return augment(pixels, extent, self.config.image_size, may_flip, generator)

    def run(self) -> ValMetrics | None:
        """See Trainer; with cached_views, describes the views of the pictures first."""
        config = self.config
        if config.cached_views and not self.done:
            self.resformer.eval()
            self._features = FeatureCache(self._view_features(self.resformer, config.cached_views))
            self._pictures.drop_pixels()
        return super().run()

    def _view_features(self, network: Resformer, num_views: int) -> Iterator[list[Tensor]]:
        """Features of views of the training pictures, computed in the precision of the run."""

        def describe(pixels: Tensor) -> Tensor:
            with self.fabric.autocast():
                return _describe(network.image, pixels)

        config = self.config
        return view_features(describe, self._pictures, self._may_flip, config.image_size, num_views, config.seed)

    def _fit_shortcut(self, network: Resformer) -> None:
        """Fits the shortcut to labels on what the network embeds now."""
        extent = self._pictures.extent
        if not any(photo.labels for photo in self.train_items):
            return
        if self._features:
            pooled = self._features.pooled(extent)
        else:
            batches = zip(self._view_features(network, 1), extent.split(BATCH_SIZE), strict=True)
            pooled = torch.cat([pool_views(views, part) for views, part in batches])
        kept = self._transfer.known if self._transfer and self.config.freeze else torch.zeros(self.tokenizer.vocab_size)
        fit_shortcut(
            network,
            shortcut_inputs(network, self.preprocessor, self.train_items, self._file_index.tolist(), pooled),
            self.tokenizer,
            self._epoch_prior,
            kept=kept[: self.tokenizer.num_answers].bool(),
            p_drop_image=self.config.p_drop_image,
            seed=self.config.seed,
        )

    def evaluate(self, writer: SummaryWriter, loss: float) -> tuple[float, ValMetrics]:
        """The score of ValMetrics; fits the shortcut first."""
        assert self.averaged.resformer is not None
        self._fit_shortcut(self.averaged.resformer)
        metrics = self._validator(self.averaged.resformer, self._answer_prior)
        self._calibrations = metrics.calibrations
        p = self.progress
        for name, value in metrics.scalars().items():
            writer.add_scalar(name, value, p.step)
        self.watch(writer)
        self.log(f"epoch {p.epoch}: loss {loss:.3f}, {metrics.table()} ({p.seconds:.0f} s)")
        return metrics.score, metrics

    def finish(self, network: Parts) -> None:
        """Sets the log prior, and fits the shortcut where nothing was validated."""
        assert network.resformer is not None
        if not self.has_validation:
            self._fit_shortcut(network.resformer)
        network.resformer.log_prior.copy_(self._answer_prior)

    def own_metadata(self) -> dict[str, str]:
        """See PartTrainer; what is frozen keeps its calibration."""
        before = read_calibrations(self._transfer.metadata) if self._transfer else {}
        fitted = self._calibrations
        return write_calibrations({**fitted, **before} if self.config.freeze else {**before, **fitted})


def _describe(image: ImageFeatures, pixels: Tensor) -> Tensor:
    features: Tensor = image(pixels.contiguous(memory_format=torch.channels_last))
    return features
