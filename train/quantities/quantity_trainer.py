"""Training of the network that answers."""

import zlib
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from torch.utils.tensorboard import SummaryWriter
from tqdm import tqdm

from resformer.model.inference.checkpoint import Checkpoint, build_network, save_checkpoint
from resformer.model.inference.quantity_inputs import QuantityPreprocessor
from resformer.model.inference.tokenizer import Tokenizer
from resformer.model.networks.presets import preset
from resformer.model.networks.quantity_network import FEATURE_BINS, QuantityBatch
from resformer.model.networks.resformer import Resformer
from resformer.model.predictor import Predictor
from resformer.model.quantities.label_priors import LabelPriors
from resformer.model.schema.schema import Schema
from resformer.train.config import Config
from resformer.train.data.quantity_records import Record, read_again, read_challenge, read_hand, read_unlabelled
from resformer.train.data.synthetic_layouts import generate
from resformer.train.engine.trainer import Log, Loop
from resformer.train.evaluation.quantity_metrics import Score
from resformer.train.evaluation.record_answers import Answers, answer_records, score_answers
from resformer.train.quantities.quantity_batches import Batches, Shares
from resformer.train.quantities.quantity_loss import Targets, answer_loss, make_targets

Batch = tuple[QuantityBatch, Targets]

__all__ = ["Trainer", "feature_edges", "read_sources", "taught"]


def read_sources(config: Config, schema: Schema) -> tuple[list[Record], list[Record]]:
    """Labelled records to train on and records held back, which is decided by a hash of the photo's name.

    Where photos were read twice, training gets both readings.
    """
    records: list[Record] = []
    again: list[Record] = []
    for i, source in enumerate(config.sources):
        found: list[Record] = []
        if source.kind == "generated":
            found = generate(source.photos_count, config.seed + i, schema)
        elif source.labels and source.photos and source.words:
            if source.kind == "challenge":
                found = read_challenge(source.labels, source.photos, source.words, schema, counted=source.counted)
            elif source.kind == "hand":
                found = read_hand(source.labels, source.photos, source.words, schema)
        records += found
        again += read_again(found, source.more_words) if source.more_words else []

    def held(record: Record) -> bool:
        return zlib.crc32(record.name.encode()) % 1000 < 1000 * config.hold_back

    return [r for r in [*records, *again] if not held(r)], [r for r in records if held(r)]


def taught(config: Config, labelled: list[Record], preprocessor: QuantityPreprocessor) -> list[Record]:
    """Records of the unlabelled sources, with the answers of a teacher that learned from the labelled ones."""
    unlabelled: list[Record] = []
    for source in config.sources:
        if source.kind == "unlabelled" and source.labels and source.photos and source.words:
            found = read_unlabelled(source.labels, source.photos, source.words, preprocessor.schema)
            unlabelled += [*found, *(read_again(found, source.more_words) if source.more_words else [])]
    if not unlabelled:
        return []
    from resformer.train.quantities.pseudo_labels import label  # needs a package that other runs do without

    return label(unlabelled, labelled, preprocessor)


def feature_edges(preprocessor: QuantityPreprocessor, records: list[Record]) -> torch.Tensor:
    """Quantiles of every candidate feature over the training records: (F, bins + 1), strictly rising."""
    rows = []
    for record in records:
        entities = [q.entity for q in record.questions]
        excluded_labels = [q.excluded_label for q in record.questions]
        example = preprocessor.example(record.page, entities, excluded_labels=excluded_labels)
        rows += example.features
    table = np.concatenate(rows)
    edges = []
    for column in table.T:
        distinct = np.unique(np.quantile(column, np.linspace(0, 1, FEATURE_BINS + 1)))
        if len(distinct) < 2:
            distinct = np.array([column.min(), max(column.max(), column.min() + 1)])
        # Features with few values have fewer quantiles than bins: their gaps are split evenly.
        places = np.linspace(0, len(distinct) - 1, FEATURE_BINS + 1)
        edges.append(np.interp(places, np.arange(len(distinct)), distinct))
    return torch.tensor(np.array(edges), dtype=torch.float32)


class Trainer(Loop[Batch, Score]):
    """Trains a network to answer questions about photos; see Loop.

    Args:
        view: what the network is shown of each record.
    """

    config: Config
    network: Resformer

    def __init__(
        self,
        config: Config,
        out: Path,
        device: str,
        log: Log = tqdm.write,
        *,
        view: Callable[[Record], Record] = lambda record: record,
    ):
        torch.manual_seed(config.seed)
        schema = Schema.load()
        self.tokenizer = Tokenizer(schema)
        shape = replace(preset(config.preset), dropout=config.dropout)
        self.preprocessor = QuantityPreprocessor(schema, self.tokenizer, LabelPriors.load())
        labelled, held = read_sources(config, schema)
        self.train_records = [view(r) for r in labelled + taught(config, labelled, self.preprocessor)]
        self.held_records = [view(r) for r in held]
        network = build_network(shape, self.tokenizer)
        network.quantities.feature_edges.copy_(feature_edges(self.preprocessor, self.train_records))
        network.to(device)
        self.averaged = build_network(shape, self.tokenizer).to(device).eval()
        self.temperature = 1.0
        self.shares = Shares(
            as_printed=config.as_printed_share,
            title=config.title_share,
            all=config.all_share,
            no_group=config.no_group_share,
            no_drawing=config.no_drawing_share,
        )
        super().__init__(
            config,
            out,
            device,
            network,
            fingerprint={"sources": zlib.crc32(repr([(r.name, r.questions) for r in labelled]).encode())},
            scored=bool(self.held_records),
            log=log,
        )

    def batches(self, epoch: int) -> Batches:
        return Batches(
            self.train_records,
            self.preprocessor,
            batch_size=self.config.batch_size,
            seed=self.config.seed,
            epoch=epoch,
            shares=self.shares,
        )

    def loss(self, batch: Batch) -> Tensor:
        inputs, targets = batch
        with self.autocast():
            logits = self.network.quantities(inputs)
        return answer_loss(logits, targets)

    def evaluate(self, writer: SummaryWriter, loss: float) -> tuple[float, Score]:
        """Scores the averaged weights on held-back photos, with the temperature that suits them."""
        p = self.progress
        self.averaged.load_state_dict(self.ema.tensors)
        self.temperature = self._temperature()
        predictor = Predictor(
            Checkpoint(self.averaged, {"temperature": f"{self.temperature:.3f}"}),
            self.preprocessor,
            reader="builtin",
            threads=torch.get_num_threads(),
            device=self.device,
            max_pixels=1,
        )
        answers = answer_records(predictor, self.held_records)
        result = score_answers(self.held_records, answers)
        writer.add_scalar("f1/held back", result.micro.f1, p.step)
        self.log(
            f"epoch {p.epoch}: loss {loss:.3f}, held-back F1 {result.micro.f1:.3f}, mix {result.mix:.3f}"
            f" ({result.micro.rows} rows, {p.seconds:.0f} s){' *' if result.micro.f1 > p.best else ''}"
        )
        self._show_samples(writer, answers)
        return result.micro.f1, result

    def _show_samples(self, writer: SummaryWriter, answers: Answers, count: int = 3) -> None:
        """A few live predictions beside what would have been right."""
        rng = np.random.default_rng(self.progress.step)
        shown = []
        for i in rng.choice(len(self.held_records), size=min(count, len(self.held_records)), replace=False):
            record = self.held_records[i]
            question = record.questions[0]
            predicted = answers[record.name][question.entity.name]
            accepted = " | ".join(map(str, question.accepted))
            shown.append(
                f"{record.name} {question.entity.name}: {predicted.prediction!r}"
                f" ({predicted.confidence:.2f}), right: {accepted!r}"
            )
        for line in shown:
            self.log("  " + line)
        writer.add_text("samples", "\n\n".join(shown), self.progress.step)

    @torch.inference_mode()
    def _temperature(self) -> float:
        """The temperature that makes the held-back answers likeliest (Guo et al., arXiv 1706.04599)."""
        kept = []
        for start in range(0, len(self.held_records), self.config.batch_size):
            records = self.held_records[start : start + self.config.batch_size]
            examples = [
                self.preprocessor.example(
                    record.page,
                    [q.entity for q in record.questions],
                    text=record.text,
                    excluded_labels=[q.excluded_label for q in record.questions],
                )
                for record in records
            ]
            inputs = self.preprocessor.batch(examples)
            count = inputs.candidate_mask.shape[1]
            targets = make_targets(examples, [r.questions for r in records], count).to(self.device)
            kept.append((self.averaged.quantities(inputs.to(self.device)), targets))
        questions = sum(len(targets.trust) for _, targets in kept)

        def loss(temperature: float) -> float:
            losses = [answer_loss(logits / temperature, t).item() * len(t.trust) for logits, t in kept]
            return sum(losses) / questions

        return min(np.geomspace(0.5, 3, 37).tolist(), key=loss)

    def save_checkpoint(self, path: Path) -> None:
        self.averaged.load_state_dict(self.ema.tensors)
        p = self.progress
        scored = {"held_back_f1": f"{p.best:.4f}"} if self.scored else {}
        save_checkpoint(
            path,
            self.averaged,
            self.tokenizer,
            temperature=self.temperature,
            epochs=str(p.epoch),
            seconds=f"{p.seconds:.0f}",
            **scored,
        )
