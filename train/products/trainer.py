"""Training of the part that answers choices, paths and text."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import load_file, save_file
from torch import Tensor, nn
from torch.nn import functional as F
from torch.utils.tensorboard import SummaryWriter
from tqdm import tqdm

from model.catalogue import BOTH, LEXICON, PICTURE, WORDS, Catalogue, ProductInputs
from model.labels import LabelVocabulary
from model.lexicon import Lexicon
from model.network import Resformer
from model.presets import Preset, preset
from model.products import Product as Asked
from model.products import product_inputs, product_words
from model.schema import Entity, Schema
from model.vocabulary import Vocabulary
from model.weights import load_weights
from train.config import ProductsConfig
from train.loop import Log
from train.part import PartTrainer
from train.products.batches import Pictures, ProductBatches, ProductTargets, make_targets, questions_of
from train.products.lexicon import entity_members, fit_lexicon
from train.products.loss import ProductLoss
from train.products.records import Product, balanced, frequencies, log_priors, read_products
from train.products.teacher import teach
from train.products.trust import fit_trust
from train.products.views import Views
from train.stem_start import start_from_packaged

__all__ = ["Held", "ProductsTrainer"]

Batch = tuple[ProductInputs, ProductTargets]

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
    """Trains a network's catalogue part."""

    part = "catalogue"
    learned = ("catalogue",)
    config: ProductsConfig

    def __init__(self, config: ProductsConfig, out: Path, device: str, log: Log = tqdm.write):
        schema = Schema.load(config.entities)
        self.labels = LabelVocabulary(schema, Vocabulary(schema))
        # A view that is cut out of a picture is as sharp as the whole in its box.
        self._pictures = Pictures(round(1.2 * config.side))
        self._held_pictures = Pictures(preset(config.preset).image_size)
        super().__init__(config, out, device, log, schema=schema)
        shown = log_priors(self.train_records, self.labels, natural=False)
        natural = log_priors(self.train_records, self.labels, natural=True)
        self._shown = torch.from_numpy(shown).to(device)
        self._natural = torch.from_numpy(natural * config.prior_strength)
        self._loss = ProductLoss(
            self.labels,
            torch.from_numpy(shown),
            level_weights=config.level_weights,
            text_weight=config.text_weight,
            smoothing=config.smoothing,
            teacher_weight=config.teacher_weight,
        ).to(device)
        self._views: Views | None = None
        self._taught: dict[str, Tensor] = {}
        self._learned_trust = self.catalogue.trust.cpu().clone()

    @property
    def catalogue(self) -> Catalogue:
        assert self.network.catalogue is not None
        return self.network.catalogue

    @cached_property
    def lexicon(self) -> Lexicon:
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
        part = network.catalogue
        assert part is not None
        for module in self._frozen(part):
            module.requires_grad_(False)
        if self.config.part_start:
            # Read as weights that answer are, so that they fit the schema and the preset or are refused.
            known = load_weights(self.config.part_start, self.vocabulary).network.catalogue
            if known is None:
                raise ValueError(f"part_start: {self.config.part_start} has no catalogue part to go on with")
            part.load_state_dict(known.state_dict())
            return f"{len(part.state_dict())} tensors from {self.config.part_start}"
        if not self.config.stem_start:
            return ""
        copied = start_from_packaged(part.stem, part.deep, self.config.stem_start)
        return f"{copied} tensors from {self.config.stem_start}"

    @property
    def _learned_before(self) -> bool:
        """Whether the stem does not begin at random."""
        return bool(self.config.stem_start or self.config.part_start)

    def _frozen(self, part: Catalogue) -> list[nn.Module]:
        """What stays as it began: all that looks, or the lowest blocks of the stem."""
        if self.config.patch_views:
            return list(part.looking)
        return list(part.stem[0].children())[: self.config.frozen_blocks if self._learned_before else 0]

    def rate_of(self, name: str) -> float:
        trunk = name.startswith(("catalogue.stem.0.", "catalogue.deep."))
        return self.config.stem_rate if trunk and self._learned_before else 1.0

    def batches(self, epoch: int) -> ProductBatches:
        return ProductBatches(self.train_records, self.labels, self._pictures, self.config, epoch)

    def train_mode(self) -> None:
        self.network.train()
        for module in self._frozen(self.catalogue):
            module.eval()  # batch norm keeps its statistics

    def loss(self, batch: Batch) -> Tensor:
        inputs, targets = batch
        patches = None
        if self._views:
            patches = self._views(targets.numbers.cpu(), self.progress.step).to(self.device)
        else:
            inputs.pixels = inputs.pixels.contiguous(memory_format=torch.channels_last)
        with self.autocast():
            labels, texts = _logits(self.catalogue, inputs, targets, self.labels.bos, patches)
        taught = self._judgement(inputs, targets) if self._taught else None
        return self._loss(labels.float(), None if texts is None else texts.float(), targets, taught)

    def _judgement(self, inputs: ProductInputs, targets: ProductTargets) -> Tensor:
        """What the teacher finds of pictures that come without text: (R, widest), see ProductLoss."""
        view = inputs.owner[targets.labelled]
        alone = inputs.seen[view] & ~inputs.word_mask[view].any(dim=1)
        number = targets.numbers[inputs.picture[view]].cpu()
        taught = torch.zeros(len(view), max(table.shape[1] for table in self._taught.values()))
        for name, table in self._taught.items():
            rows = (alone & (targets.entity == self.labels.entities.index(self.schema[name]))).cpu()
            taught[rows, : table.shape[1]] = table[number[rows]].float()
        return taught.to(self.device)

    def _ask_teacher(self) -> dict[str, Tensor]:
        """The teacher's judgement of every product to train on, kept in the run's folder."""
        file = self.out / "taught.safetensors"
        if not file.is_file():
            shown = self._shown.cpu()
            taught = teach(self.config.teachers, self.train_records, self.labels, self._loss.cpu(), shown)
            self._loss.to(self.device)
            whole = file.with_suffix(".new")  # a run that is stopped while it writes leaves no half of it
            save_file(taught, whole)
            whole.replace(file)
        return load_file(file)

    def run(self) -> Held | None:
        if self.config.teachers and not self.done:
            self._taught = self._ask_teacher()
        if self.config.patch_views and not self.done:
            wanted = (self.config.side, self.config.patch_views, self.config.seed)
            self._views = Views(self.catalogue, self.train_records, self._pictures, *wanted)
        return super().run()

    @torch.no_grad()
    def evaluate(self, writer: SummaryWriter, loss: float) -> tuple[float, Held]:
        """Scores the averaged weights on products held back."""
        self.averaged.load_state_dict(self.ema.tensors)
        found: dict[tuple[str, int], list[tuple[Tensor, Tensor]]] = {}
        text_losses: list[float] = []
        for way in (PICTURE, WORDS, BOTH):
            held = [
                (p, entities)
                for p in self.held_records
                if (entities := questions_of(p, self.labels.entities, texts=way == PICTURE))
                and (p.title or p.description or way == PICTURE)
            ]
            for i in range(0, len(held), TOGETHER):
                self._score_some(held[i : i + TOGETHER], way, found, text_losses)
        for product in (p for p in self.held_records if p.title or p.description):
            votes = self.lexicon(product.title, product.description)
            for name, label in product.labels.items():
                tokens = self.labels.labels(self.schema[name])
                row = votes[None, tokens.start : tokens.stop]
                found.setdefault((name, LEXICON), []).append((row, torch.tensor([label])))
        right: tuple[dict[str, float], dict[str, float]] = ({}, {})
        for with_text, ways in enumerate(((PICTURE,), (WORDS, BOTH, LEXICON))):
            for e, entity in enumerate(self.labels.entities):
                if (entity.name, ways[0]) not in found:
                    continue
                parts = [zip(*found[entity.name, way], strict=True) for way in ways]
                logits, labels = (torch.stack([torch.cat(some) for some in both]) for both in zip(*parts, strict=True))
                fit = entity_members(entity)[labels[0]]
                tokens = self.labels.labels(entity)
                prior = self._shown[tokens.start : tokens.stop].cpu()
                trust = fit_trust(logits, prior, fit)
                self._learned_trust[e, list(ways)] = trust
                told = prior + (trust[:, None, None] * logits).sum(dim=0)
                right[with_text][entity.name] = fit.gather(1, told.argmax(dim=1)[:, None]).float().mean().item()
        result = Held(*right, text_loss=float(np.mean(text_losses)) if text_losses else 0.0)
        p = self.progress
        for name, share in result.picture.items():
            writer.add_scalar(f"accuracy/{name}", share, p.step)
        self.log(f"epoch {p.epoch}: loss {loss:.3f}, {result.table()} ({p.seconds:.0f} s)")
        return result.score, result

    def _score_some(
        self,
        questions: Sequence[tuple[Product, Sequence[Entity]]],
        way: int,
        found: dict[tuple[str, int], list[tuple[Tensor, Tensor]]],
        text_losses: list[float],
    ) -> None:
        """Adds the logits and labels of these products' questions, and the loss of their texts."""
        products = [product for product, _ in questions]
        asked = []
        for i, (product, entities) in enumerate(questions):
            words = product_words(self.labels, product.title, product.description) if way != PICTURE else []
            asked.append(Asked(i, way != WORDS, words, entities))
        pixels, visible = self._held_pictures(products)
        inputs = product_inputs(self.labels, pixels, visible.tolist(), asked)
        targets = make_targets(self.labels, asked, products).to(self.device)
        assert self.averaged.catalogue is not None
        labels, texts = _logits(self.averaged.catalogue, inputs.to(self.device), targets, self.labels.bos)
        for e, entity in enumerate(self.labels.entities):
            rows = targets.entity == e
            if entity.kind != "text" and rows.any():
                tokens = self.labels.labels(entity)
                chosen = labels[rows, tokens.start : tokens.stop].cpu()
                found.setdefault((entity.name, way), []).append((chosen, targets.label[rows].cpu()))
        if texts is not None:
            loss = F.cross_entropy(texts.transpose(1, 2), targets.following, ignore_index=self.labels.pad)
            text_losses.append(loss.item())

    def finish(self, network: Resformer) -> None:
        assert network.catalogue is not None
        network.catalogue.log_prior.copy_(self._natural)
        network.catalogue.trust.copy_(self._learned_trust)
        network.catalogue.lexicon.load_state_dict(self.lexicon.state_dict())


def _logits(
    part: Catalogue, inputs: ProductInputs, targets: ProductTargets, begin: int, patches: Tensor | None = None
) -> tuple[Tensor, Tensor | None]:
    """Logits (R, vocabulary) of the labelled questions and (Q - R, T, vocabulary) of the written ones."""
    memory = part.encode(inputs, patches)
    first = torch.full((len(targets.labelled), 1), begin, device=inputs.prompt.device)
    asked = memory.some(targets.labelled)
    labels = part.say(first, asked, part.decoder.start(asked))[:, 0]
    if not len(targets.written):
        return labels, None
    told = memory.some(targets.written)
    return labels, part.say(targets.tokens, told, part.decoder.start(told))
