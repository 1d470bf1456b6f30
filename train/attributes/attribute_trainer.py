"""Training of the part that answers choices, paths and text."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property, partial
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.utils.tensorboard import SummaryWriter
from tqdm import tqdm

from resformer.model.inference.attribute_inputs import AttributeExample, collate_attributes, encode_words
from resformer.model.inference.checkpoint import load_checkpoint
from resformer.model.inference.label_tokenizer import LabelTokenizer, hash_words
from resformer.model.inference.tokenizer import Tokenizer
from resformer.model.networks.attribute_network import (
    BAG_OF_WORDS,
    IMAGE,
    IMAGE_AND_TEXT,
    TEXT,
    AttributeBatch,
    AttributeNetwork,
)
from resformer.model.networks.bag_of_words import BagOfWordsClassifier
from resformer.model.networks.presets import Preset, preset
from resformer.model.networks.resformer import Resformer
from resformer.model.schema.schema import Entity, Schema
from resformer.train.attributes.attribute_batches import (
    Pictures,
    ProductBatches,
    ProductTargets,
    make_targets,
    questions_of,
)
from resformer.train.attributes.attribute_loss import Judgement, ProductLoss
from resformer.train.attributes.fit_bag_of_words import entity_members, fit_lexicon
from resformer.train.attributes.fit_member_weights import fit_trust
from resformer.train.attributes.image_augment import augment
from resformer.train.attributes.labelled_products import Product, balanced, frequencies, log_priors, read_products
from resformer.train.attributes.patch_cache import Views
from resformer.train.attributes.pretrained_backbone import start_from_packaged
from resformer.train.config import ProductsConfig
from resformer.train.engine.part_trainer import PartTrainer
from resformer.train.engine.trainer import Log

__all__ = ["Held", "ProductsTrainer"]

Batch = tuple[AttributeBatch, ProductTargets]

TOGETHER = 32  # products that are scored at once


@dataclass(frozen=True)
class Held:
    """Shares of right labels among products held back, by entity: from the picture alone and with text; and the mean
    loss of a text's token."""

    picture: dict[str, float]
    with_text: dict[str, float]
    text_loss: float

    @property
    def score(self) -> float:
        """Mean accuracy, less a tenth of the loss of texts."""
        shares = [*self.picture.values(), *self.with_text.values()]
        return sum(shares) / max(1, len(shares)) - 0.1 * self.text_loss

    def table(self) -> str:
        """What was right, in words."""
        rows = [
            f"{name} {share:.3f} / {self.with_text.get(name, float('nan')):.3f}" for name, share in self.picture.items()
        ]
        return f"picture / with text: {', '.join(rows)}; loss of texts {self.text_loss:.3f}"


class ProductsTrainer(PartTrainer[Product, Batch, Held]):
    """Trains a network's attributes part."""

    part = "attributes"
    learned = ("attributes",)
    config: ProductsConfig

    def __init__(self, config: ProductsConfig, out: Path, device: str, log: Log = tqdm.write):
        schema = Schema.load(config.entities)
        self.labels = LabelTokenizer(schema, Tokenizer(schema))
        super().__init__(config, out, device, log, schema=schema)
        shown = log_priors(self.train_records, self.labels, natural=False)
        natural = log_priors(self.train_records, self.labels, natural=True)
        self._shown_prior = torch.from_numpy(shown)
        self._natural = torch.from_numpy(natural * config.prior_strength)
        self._loss = ProductLoss(
            self.labels,
            torch.from_numpy(shown),
            level_weights=config.level_weights,
            text_weight=config.text_weight,
            smoothing=config.smoothing,
        ).to(device)
        self._views: list[Views] = []
        self._learned_trust = self.attributes.member_weights.cpu().clone()

    @property
    def attributes(self) -> AttributeNetwork:
        assert self.network.attributes is not None
        return self.network.attributes

    @cached_property
    def _teachers(self) -> list[tuple[AttributeNetwork, int]]:
        """Who teaches, and the side of the pictures that each looks at."""
        return [self._teacher(path) for path in self.config.teachers]

    @cached_property
    def _pictures(self) -> Pictures:
        # A view that is cut out of a picture is as sharp as the whole in its box.
        largest = max([self.config.side, *(side for _, side in self._teachers)])
        return Pictures(self.train_records, round(1.2 * largest), self.device)

    @cached_property
    def _held_pictures(self) -> Pictures:
        return Pictures(self.held_records, self.network.preset.image_size, self.device)

    @cached_property
    def bag_of_words(self) -> BagOfWordsClassifier:
        """Learned from what is trained on; half a minute for fifteen thousand products."""
        return fit_lexicon(self.train_records, self.labels)

    def shape(self) -> Preset:
        return replace(preset(self.config.preset), dropout=self.config.dropout)

    def read(self) -> list[Product]:
        """All products, with how often each is shown and for how many of the catalogue it stands."""
        config, schema = self.config, self.schema
        taught = [entity.name for entity in self.labels.entities]
        for source in config.sources:
            if wrong := [name for name in source.answers if name not in taught]:
                raise ValueError(f"{source.table}: {wrong[0]!r} cannot be taught here; what can is {', '.join(taught)}")
            if source.balance and source.balance not in source.answers:
                raise ValueError(f"{source.table}: balance is {source.balance!r}, which is not among its answers")
        products: list[Product] = []
        for source in config.sources:
            found = read_products(source, schema)
            if source.balance:
                entity = schema[source.balance]
                many = frequencies(source.frequencies, entity) if source.frequencies else {}
                found = balanced(found, entity, many, enough=config.enough, most=config.most_repeats)
            products += found
        return products

    def begin(self, network: Resformer) -> str:
        part = network.attributes
        assert part is not None
        part.backbone.to(memory_format=torch.channels_last)
        part.deep_stage.to(memory_format=torch.channels_last)
        for module in self._frozen(part):
            module.requires_grad_(False)
        if self.config.part_start:
            # Read as weights that answer are, so that they fit the schema and the preset or are refused.
            known = load_checkpoint(self.config.part_start, self.tokenizer).network.attributes
            if known is None:
                raise ValueError(f"part_start: {self.config.part_start} has no attributes part to go on with")
            part.load_state_dict(known.state_dict())
            return f"{len(part.state_dict())} tensors from {self.config.part_start}"
        if not self.config.stem_start:
            return ""
        copied = start_from_packaged(part.backbone, part.deep_stage, self.config.stem_start)
        return f"{copied} tensors from {self.config.stem_start}"

    @property
    def _learned_before(self) -> bool:
        """Whether the stem does not begin at random."""
        return bool(self.config.stem_start or self.config.part_start)

    def _frozen(self, part: AttributeNetwork) -> list[nn.Module]:
        """What stays as it began: all that looks, or the lowest blocks of the stem."""
        if self.config.patch_views:
            return list(part.image_modules)
        return list(part.backbone.trunk.children())[: self.config.frozen_blocks if self._learned_before else 0]

    def rate_of(self, name: str) -> float:
        trunk = name.startswith(("attributes.backbone.trunk.", "attributes.deep_stage."))
        return self.config.stem_rate if trunk and self._learned_before else 1.0

    def batches(self, epoch: int) -> ProductBatches:
        return ProductBatches(self.train_records, self.labels, self.config, epoch)

    def train_mode(self) -> None:
        self.network.train()
        for module in self._frozen(self.attributes):
            module.eval()  # batch norm keeps its statistics

    def loss(self, batch: Batch) -> Tensor:
        inputs, targets = batch
        pixels, inputs.extent = self._pictures(targets.numbers)
        generator = torch.Generator(self.device).manual_seed(self.config.seed * 1_000_003 + self.progress.step)
        if self._views:
            seen = [views(targets.numbers, self.progress.step) for views in self._views]
        else:
            seen = self._seen(pixels, inputs, targets, generator)
        mixed = self._mix(seen, generator)
        labels, texts = self._logits(self.attributes, inputs, targets, seen[0])
        judgement = self._judgement(inputs, targets, seen[1:], mixed) if self._teachers else None
        return self._loss(labels, texts, targets, judgement)

    def _logits(
        self, part: AttributeNetwork, inputs: AttributeBatch, targets: ProductTargets, seen: Tensor
    ) -> tuple[Tensor, Tensor | None]:
        """Logits (R, vocab_size) of the labelled questions and (Q - R, T, vocab_size) of the written ones.

        Args:
            seen: pictures (P, 3, S, S), or their patches (P, N, D).
        """
        with self.autocast():
            patches = self._look(part, seen) if seen.ndim == 4 else seen
            memory = part.encode(inputs, patches)
            labels = torch.zeros(0, self.labels.vocab_size, device=self.device)
            if len(targets.labelled):
                first = torch.full((len(targets.labelled), 1), self.labels.bos_id, device=self.device)
                asked = memory.select(targets.labelled)
                labels = part.decode(first, asked, part.decoder.init_cache(asked))[:, 0].float()
            if not len(targets.written):
                return labels, None
            told = memory.select(targets.written)
            return labels, part.decode(targets.tokens, told, part.decoder.init_cache(told)).float()

    def _look(self, part: AttributeNetwork, pictures: Tensor) -> Tensor:
        """Patches (P, N, D) of pictures (P, 3, S, S)."""
        with self.autocast():
            return part.embed_image(pictures.contiguous(memory_format=torch.channels_last))

    def _seen(
        self, pixels: Tensor, inputs: AttributeBatch, targets: ProductTargets, generator: torch.Generator
    ) -> list[Tensor]:
        """The same views of a batch's pictures for the network and for each teacher, (P, 3, side, side) each."""
        # A mirrored photo may belie a text that tells left from right.
        mirrored = torch.ones(len(pixels), dtype=torch.bool, device=self.device)
        mirrored[inputs.image_index[inputs.sample_index[targets.written]]] = False
        state = generator.get_state()
        sides = (self.config.side, *(side for _, side in self._teachers))
        return [augment(pixels, inputs.extent, side, mirrored, generator.set_state(state)) for side in sides]

    def _mix(self, seen: list[Tensor], generator: torch.Generator) -> Tensor:
        """Mixes another picture into some, in place, for all who look; tells which, bool (P,)."""
        count = len(seen[0])

        def draw() -> Tensor:
            return torch.rand(count, generator=generator, device=self.device)

        mixed, own = draw() < self.config.mix_share, 0.5 + 0.5 * draw()
        others = torch.randperm(count, generator=generator, device=self.device)
        for i, view in enumerate(seen if self.config.mix_share else []):
            weight = torch.where(mixed, own, 1.0).view(-1, *[1] * (view.ndim - 1))
            seen[i] = weight * view + (1 - weight) * view[others]
        return mixed

    def _teacher(self, path: Path) -> tuple[AttributeNetwork, int]:
        """The attributes part of these weights, and the side of the pictures that it looks at."""
        network = load_checkpoint(path, self.tokenizer).network
        if network.attributes is None:
            raise ValueError(f"teachers: {path} has no attributes part to learn from")
        part = network.attributes.to(self.device).requires_grad_(False)
        return part, network.preset.image_size

    @torch.no_grad()
    def _judgement(
        self, inputs: AttributeBatch, targets: ProductTargets, seen: Sequence[Tensor], mixed: Tensor
    ) -> Judgement:
        """What the teachers find together."""
        found = []
        for (part, _), view in zip(self._teachers, seen, strict=True):
            labels, texts = self._logits(part, inputs, targets, view)
            found.append((self._loss.chances(labels, targets), None if texts is None else texts.softmax(dim=-1)))
        told = [texts for _, texts in found if texts is not None]
        share = torch.where(mixed[inputs.image_index[inputs.sample_index]], 1.0, self.config.teacher_share)
        return Judgement(
            torch.stack([labels for labels, _ in found]).mean(dim=0),
            torch.stack(told).mean(dim=0) if told else None,
            share[targets.labelled],
            share[targets.written],
        )

    def run(self) -> Held | None:
        config = self.config
        if config.patch_views and not self.done:
            mirrored = torch.tensor([not product.texts for product in self.train_records], device=self.device)
            self.attributes.eval()
            self._views = [
                Views(partial(self._look, part), self._pictures, mirrored, side, config.patch_views, config.seed)
                for part, side in [(self.attributes, config.side), *self._teachers]
            ]
        return super().run()

    @torch.no_grad()
    def evaluate(self, writer: SummaryWriter, loss: float) -> tuple[float, Held]:
        """Scores the averaged weights on products held back."""
        self.averaged.load_state_dict(self.ema.tensors)
        voices, text_loss = self._heard()
        right: tuple[dict[str, float], dict[str, float]] = ({}, {})
        for with_text, ways in enumerate(((IMAGE,), (TEXT, IMAGE_AND_TEXT, BAG_OF_WORDS))):
            for e, entity in enumerate(self.labels.entities):
                if (entity.name, ways[0]) not in voices:
                    continue
                parts = [zip(*voices[entity.name, way], strict=True) for way in ways]
                logits, labels = (torch.stack([torch.cat(some) for some in both]) for both in zip(*parts, strict=True))
                fit = entity_members(entity)[labels[0]]
                tokens = self.labels.labels(entity)
                prior = self._shown_prior[tokens.start : tokens.stop]
                trust = fit_trust(logits, prior, fit)
                self._learned_trust[e, list(ways)] = trust
                told = prior + (trust[:, None, None] * logits).sum(dim=0)
                right[with_text][entity.name] = fit.gather(1, told.argmax(dim=1)[:, None]).float().mean().item()
        result = Held(*right, text_loss)
        p = self.progress
        for name, share in result.picture.items():
            writer.add_scalar(f"accuracy/{name}", share, p.step)
        self.log(f"epoch {p.epoch}: loss {loss:.3f}, {result.table()} ({p.seconds:.0f} s)")
        return result.score, result

    def _heard(self) -> tuple[dict[tuple[str, int], list[tuple[Tensor, Tensor]]], float]:
        """Logits and labels of what is asked about products held back, by entity and way; the mean loss of texts."""
        voices: dict[tuple[str, int], list[tuple[Tensor, Tensor]]] = {}
        text_losses: list[float] = []
        for way in (IMAGE, TEXT, IMAGE_AND_TEXT):
            held = [
                (number, entities)
                for number, p in enumerate(self.held_records)
                if (entities := questions_of(p, self.labels.entities, texts=way == IMAGE))
                and (p.title or p.description or way == IMAGE)
            ]
            for i in range(0, len(held), TOGETHER):
                self._ask_some(held[i : i + TOGETHER], way, voices, text_losses)
        for product in (p for p in self.held_records if p.title or p.description):
            votes = self.bag_of_words(torch.from_numpy(hash_words(product.title, product.description)))
            for name, label in product.labels.items():
                tokens = self.labels.labels(self.schema[name])
                row = votes[None, tokens.start : tokens.stop]
                voices.setdefault((name, BAG_OF_WORDS), []).append((row, torch.tensor([label])))
        return voices, float(np.mean(text_losses)) if text_losses else 0.0

    def _ask_some(
        self,
        questions: Sequence[tuple[int, Sequence[Entity]]],
        way: int,
        voices: dict[tuple[str, int], list[tuple[Tensor, Tensor]]],
        text_losses: list[float],
    ) -> None:
        """Adds the logits and labels of these products' questions, and the loss of their texts."""
        products = [self.held_records[number] for number, _ in questions]
        asked = []
        for i, (product, (_, entities)) in enumerate(zip(products, questions, strict=True)):
            words = encode_words(self.labels, product.title, product.description) if way != IMAGE else []
            asked.append(AttributeExample(i, way != TEXT, words, entities))
        pixels, visible = self._held_pictures(torch.tensor([number for number, _ in questions], device=self.device))
        inputs = collate_attributes(self.labels, pixels, visible.tolist(), asked).to(self.device)
        targets = make_targets(self.labels, asked, products).to(self.device)
        assert self.averaged.attributes is not None
        labels, texts = self._logits(self.averaged.attributes, inputs, targets, inputs.pixels)
        for entity, rows in zip(self.labels.entities, targets.rows, strict=True):
            if len(rows):
                tokens = self.labels.labels(entity)
                chosen = labels[rows, tokens.start : tokens.stop].cpu()
                voices.setdefault((entity.name, way), []).append((chosen, targets.label[rows].cpu()))
        if texts is not None:
            loss = F.cross_entropy(texts.transpose(1, 2), targets.following, ignore_index=self.labels.pad_id)
            text_losses.append(loss.item())

    def finish(self, network: Resformer) -> None:
        assert network.attributes is not None
        network.attributes.log_prior.copy_(self._natural)
        network.attributes.member_weights.copy_(self._learned_trust)
        network.attributes.bag_of_words.load_state_dict(self.bag_of_words.state_dict())
