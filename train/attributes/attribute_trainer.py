"""Training of the attribute network."""

from dataclasses import replace
from functools import cached_property, partial
from pathlib import Path

import torch
from lightning_fabric import Fabric
from torch import Tensor, nn
from torch.utils.tensorboard import SummaryWriter
from tqdm import tqdm

from resformer.model.inference.label_tokenizer import LabelTokenizer
from resformer.model.networks.attribute_network import AttributeBatch, AttributeNetwork
from resformer.model.networks.bag_of_words import BagOfWordsClassifier
from resformer.model.networks.presets import Preset
from resformer.model.networks.resformer import Resformer
from resformer.model.schema.schema import Entity
from resformer.train.attributes.attribute_batches import AttributeBatches
from resformer.train.attributes.attribute_logits import attribute_logits, embed_pictures
from resformer.train.attributes.attribute_loss import AttributeLoss
from resformer.train.attributes.attribute_targets import AttributeTargets
from resformer.train.attributes.attribute_validation import AttributeValidator, ValMetrics
from resformer.train.attributes.fit_bag_of_words import fit_bag_of_words
from resformer.train.attributes.image_augment import augment
from resformer.train.attributes.label_frequencies import balance_labels, label_log_priors, read_label_counts
from resformer.train.attributes.labelled_products import LabelledProduct, read_products
from resformer.train.attributes.patch_cache import PatchCache
from resformer.train.attributes.picture_cache import PictureCache
from resformer.train.attributes.pretrained_backbone import load_pretrained_backbone
from resformer.train.attributes.vocabulary_transfer import EntityRows, load_attributes
from resformer.train.engine.part_trainer import PartTrainer
from resformer.train.engine.trainer import Log
from resformer.train.settings.run_settings import AttributeConfig

__all__ = ["AttributeTrainer"]

Batch = tuple[AttributeBatch, AttributeTargets]

# A view shows 0.75 of a picture or more; the pictures that views are taken from are larger, so that these stay sharp.
PICTURE_SCALE = 1.2


class AttributeTrainer(PartTrainer[LabelledProduct, Batch, ValMetrics]):
    """See PartTrainer.

    Entities without data in this run keep what `init_attributes_from` learned for them.
    """

    part = "attributes"
    config: AttributeConfig

    def __init__(self, config: AttributeConfig, out: Path, fabric: Fabric, log: Log = tqdm.write):
        self._learned: dict[Entity, EntityRows] = {}
        super().__init__(config, out, fabric, log)
        items = self.train_items
        epoch_prior = torch.from_numpy(label_log_priors(items, self.label_tokenizer, in_catalogue=False))
        catalogue_prior = torch.from_numpy(label_log_priors(items, self.label_tokenizer, in_catalogue=True))
        self._epoch_prior = epoch_prior
        self._answer_prior = catalogue_prior * config.prior_strength
        self._loss = AttributeLoss(
            self.label_tokenizer,
            epoch_prior,
            level_weights=config.level_weights,
            text_weight=config.text_weight,
            label_smoothing=config.label_smoothing,
        ).to(fabric.device)
        self._patches: PatchCache | None = None
        self._member_weights = self.attributes.member_weights.cpu().clone()
        trained = {name for product in items for name in (*product.labels, *product.texts)}
        self._kept = {entity: rows for entity, rows in self._learned.items() if entity.name not in trained}
        self._log_untrained(trained)

    @property
    def attributes(self) -> AttributeNetwork:
        """The network that is trained."""
        assert self.network.attributes is not None
        return self.network.attributes

    @cached_property
    def label_tokenizer(self) -> LabelTokenizer:
        """The vocabulary of the schema."""
        return LabelTokenizer(self.schema, self.tokenizer)

    @cached_property
    def bag_of_words(self) -> BagOfWordsClassifier:
        """Fitted on the training split; that takes half a minute for fifteen thousand products."""
        initial = self.attributes.bag_of_words
        return fit_bag_of_words(self.train_items, self.label_tokenizer, init_from=initial, kept_entities=self._kept)

    @cached_property
    def _pictures(self) -> PictureCache:
        return PictureCache(self.train_items, round(PICTURE_SCALE * self.config.image_size), self.device)

    @cached_property
    def _validator(self) -> AttributeValidator:
        image_size = self.network.preset.image_size
        return AttributeValidator(
            self.val_items, self.label_tokenizer, image_size, self.bag_of_words, self._epoch_prior, self.device
        )

    def sizes(self) -> Preset:
        """See PartTrainer."""
        return replace(super().sizes(), dropout=self.config.dropout)

    def read_items(self) -> list[LabelledProduct]:
        """The products of all tables.

        Raises:
            ValueError: a column, a photo or a label is missing, or a column is of no attribute.
        """
        config, schema = self.config, self.schema
        items: list[LabelledProduct] = []
        for source in config.sources:
            products = read_products(source, schema)
            if source.balance_by:
                entity = schema[source.balance_by]
                products = balance_labels(
                    products,
                    entity,
                    read_label_counts(source.label_counts, entity) if source.label_counts else {},
                    min_count=config.balance_min_count,
                    max_factor=config.balance_max_factor,
                )
            items += products
        return items

    def init_part(self, network: Resformer) -> str:
        """See PartTrainer."""
        config, part = self.config, network.attributes
        assert part is not None
        part.backbone.to(memory_format=torch.channels_last)
        part.deep_stage.to(memory_format=torch.channels_last)
        for module in self._frozen_modules(part):
            module.requires_grad_(False)
        if config.init_attributes_from:
            vocabulary = load_attributes(
                part, config.preset, self.tokenizer, config.init_attributes_from, config.init_schema
            )
            self._learned = {entity: EntityRows(part, self.label_tokenizer, entity) for entity in vocabulary.entities}
            return (
                f"{len(vocabulary.new_tokens)} of {self.label_tokenizer.vocab_size} tokens and "
                f"{len(vocabulary.entities)} of {len(self.label_tokenizer.entities)} entities are carried over from "
                f"{config.init_attributes_from}"
            )
        if not config.pretrained_backbone:
            return ""
        copied = load_pretrained_backbone(part.backbone, part.deep_stage, config.pretrained_backbone)
        return f"{copied} tensors of the backbone are from {config.pretrained_backbone}"

    def _log_untrained(self, trained: set[str]) -> None:
        """Logs which entities of the schema have no data in this run, and what becomes of their answers."""
        if self._kept:
            advice = "" if self.config.cached_views else "; with cached_views: 2 most of that is avoided"
            self.log(
                f"no training data for {', '.join(entity.name for entity in self._kept)}: they keep what is theirs "
                f"alone, but layers that all entities share are trained on, so their answers can get worse{advice}"
            )
        lost = [e.name for e in self.label_tokenizer.entities if e not in self._learned and e.name not in trained]
        if lost:
            self.log(
                f"WARNING: neither training data nor learned weights for {', '.join(lost)}: they will be answered at "
                "random. init_attributes_from keeps what a checkpoint has learned of them"
            )

    def _frozen_modules(self, part: AttributeNetwork) -> list[nn.Module]:
        """The image modules, or the lowest blocks of an initialized backbone."""
        if self.config.cached_views:
            return list(part.image_modules)
        return list(part.backbone.trunk.children())[: self.config.freeze_blocks if self._is_initialized else 0]

    @property
    def _is_initialized(self) -> bool:
        """Whether the backbone does not start from random weights."""
        return bool(self.config.pretrained_backbone or self.config.init_attributes_from)

    def lr_scale(self, name: str) -> float:
        """See Trainer; that of an initialized backbone is lower."""
        in_backbone = name.startswith(("attributes.backbone.trunk.", "attributes.deep_stage."))
        return self.config.backbone_lr_scale if in_backbone and self._is_initialized else 1.0

    def batches(self, epoch: int) -> AttributeBatches:
        """See Trainer."""
        return AttributeBatches(self.train_items, self.label_tokenizer, self.config, epoch)

    def train_mode(self) -> None:
        """See Trainer; the frozen modules stay in evaluation mode."""
        self.network.train()
        for module in self._frozen_modules(self.attributes):
            module.eval()  # batch norm keeps its statistics

    def loss(self, batch: Batch) -> Tensor:
        """See Trainer."""
        inputs, targets = batch
        pixels, extent = self._pictures(targets.product_index)
        inputs = replace(inputs, extent=extent)
        if self._patches:
            patches = self._patches(targets.product_index, self.progress.step)
        else:
            patches = embed_pictures(self.attributes, self._views(pixels, inputs, targets))
        labels, texts = attribute_logits(self.attributes, self.label_tokenizer, inputs, targets, patches)
        with torch.autocast(self.device.type, enabled=False):
            loss: Tensor = self._loss(labels, texts, targets)
        return loss

    def _views(self, pixels: Tensor, inputs: AttributeBatch, targets: AttributeTargets) -> Tensor:
        """Random views (P, 3, image_size, image_size) of a batch's pictures."""
        generator = torch.Generator(self.device).manual_seed(self.config.seed * 1_000_003 + self.progress.step)
        # A mirrored photo may contradict a text that mentions left or right.
        may_flip = torch.ones(len(pixels), dtype=torch.bool, device=self.device)
        may_flip[inputs.image_index[inputs.sample_index[targets.generated]]] = False
        with torch.autocast(self.device.type, enabled=False):
            return augment(pixels, inputs.extent, self.config.image_size, may_flip, generator)

    def run(self) -> ValMetrics | None:
        """See Trainer; with cached_views, embeds the views of the pictures first."""
        config = self.config
        if config.cached_views and not self.done:
            may_flip = torch.tensor([not product.texts for product in self.train_items], device=self.device)
            self.attributes.eval()
            self._patches = PatchCache(
                partial(embed_pictures, self.attributes),
                self._pictures,
                may_flip,
                config.image_size,
                config.cached_views,
                config.seed,
            )
        return super().run()

    def evaluate(self, writer: SummaryWriter, loss: float) -> tuple[float, ValMetrics]:
        """The score of ValMetrics; fits the member weights on the validation split."""
        assert self.averaged.attributes is not None
        metrics, member_weights = self._validator(self.averaged.attributes)
        for (name, member), weight in member_weights.items():
            self._member_weights[self.label_tokenizer.entities.index(self.schema[name]), member] = weight
        p = self.progress
        for name, accuracy in metrics.image_accuracy.items():
            writer.add_scalar(f"accuracy/{name}", accuracy, p.step)
        self.log(f"epoch {p.epoch}: loss {loss:.3f}, {metrics.table()} ({p.seconds:.0f} s)")
        return metrics.score, metrics

    def finish(self, network: Resformer) -> None:
        """Sets the log prior, the member weights, the bag of words, and what entities without data had learned."""
        part = network.attributes
        assert part is not None
        part.log_prior.copy_(self._answer_prior)
        part.member_weights.copy_(self._member_weights)
        part.bag_of_words.load_state_dict(self.bag_of_words.state_dict())
        for rows in self._kept.values():
            rows.restore(part)
