"""Training of the quantity network."""

import zlib
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from lightning_fabric import Fabric
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
from resformer.train.data.photo_rows import read_photo_rows
from resformer.train.data.quantity_records import Record, read_challenge, read_hand, read_unlabelled, with_ocr
from resformer.train.data.splitting import split_by_hash
from resformer.train.data.synthetic_layouts import generate
from resformer.train.engine.trainer import Log, Trainer
from resformer.train.evaluation.quantity_metrics import Score
from resformer.train.evaluation.record_answers import Answers, answer_records, score_answers
from resformer.train.quantities.quantity_batches import Augmentation, QuantityBatches
from resformer.train.quantities.quantity_loss import QuantityTargets, make_targets, quantity_loss
from resformer.train.settings.run_settings import QuantityConfig
from resformer.train.settings.sources import LabelledSource, RowSource

__all__ = ["QuantityTrainer", "feature_edges", "pseudo_labelled", "read_sources"]

Batch = tuple[QuantityBatch, QuantityTargets]


def read_sources(config: QuantityConfig, schema: Schema) -> tuple[list[Record], list[Record]]:
    """Labelled records to train on, and records for validation, split by a hash of the photo's name.

    Photos with `extra_ocr` are in the training records twice, once with each OCR cache.
    """
    records: list[Record] = []
    extra: list[Record] = []
    for i, source in enumerate(config.sources):
        found: list[Record] = []
        if source.kind == "synthetic":
            found = generate(source.num_photos, config.seed + i, schema)
        elif source.kind == "challenge":
            found = read_challenge(source.labels, source.photos, source.ocr, schema, in_priors=source.in_priors)
        elif source.kind == "hand":
            found = read_hand(source.labels, source.photos, source.ocr, schema)
        elif source.kind == "rows":
            found = read_photo_rows(source.rows, source.data, source.ocr, schema)
        records += found
        if isinstance(source, LabelledSource) and source.extra_ocr:
            extra += with_ocr(found, source.extra_ocr)
        elif isinstance(source, RowSource) and source.extra_ocr:
            extra += with_ocr(found, *source.extra_ocr)
    train, val = split_by_hash(records, config.val_fraction)
    in_val = {record.name for record in val}
    return [*train, *(record for record in extra if record.name not in in_val)], val


def pseudo_labelled(config: QuantityConfig, labelled: list[Record], preprocessor: QuantityPreprocessor) -> list[Record]:
    """Records of the unlabelled sources, with the answers of a pseudo-labeller that learned from the labelled ones."""
    unlabelled: list[Record] = []
    for source in config.sources:
        if source.kind == "unlabelled":
            found = read_unlabelled(source.labels, source.photos, source.ocr, preprocessor.schema)
            unlabelled += [*found, *(with_ocr(found, source.extra_ocr) if source.extra_ocr else [])]
    if not unlabelled:
        return []
    from resformer.train.quantities.pseudo_labels import pseudo_label  # needs LightGBM, which other runs do without

    return pseudo_label(unlabelled, labelled, preprocessor)


def feature_edges(preprocessor: QuantityPreprocessor, records: list[Record]) -> Tensor:
    """Quantiles of every candidate feature over the training records: (F, FEATURE_BINS + 1), strictly rising."""
    rows = []
    for record in records:
        entities = [q.entity for q in record.questions]
        excluded_labels = [q.excluded_label for q in record.questions]
        rows += preprocessor.example(record.page, entities, excluded_labels=excluded_labels).features
    table = np.concatenate(rows)
    edges = []
    for column in table.T:
        distinct = np.unique(np.quantile(column, np.linspace(0, 1, FEATURE_BINS + 1)))
        if len(distinct) < 2:
            distinct = np.array([column.min(), max(column.max(), column.min() + 1)])
        # Features with few values have fewer quantiles than bins: their gaps are split evenly.
        positions = np.linspace(0, len(distinct) - 1, FEATURE_BINS + 1)
        edges.append(np.interp(positions, np.arange(len(distinct)), distinct))
    return torch.tensor(np.array(edges), dtype=torch.float32)


class QuantityTrainer(Trainer[Resformer, Batch, Score]):
    """See Trainer.

    Args:
        view: the part of each record that the network is given.
    """

    config: QuantityConfig

    def __init__(
        self,
        config: QuantityConfig,
        out: Path,
        fabric: Fabric,
        log: Log = tqdm.write,
        *,
        view: Callable[[Record], Record] = lambda record: record,
    ):
        fabric.seed_everything(config.seed, verbose=False)
        schema = Schema.load(config.schema_file)
        self.tokenizer = Tokenizer(schema)
        self.preprocessor = QuantityPreprocessor(schema, self.tokenizer, LabelPriors.load())
        labelled, val = read_sources(config, schema)
        if not labelled:
            raise ValueError("there are no labelled photos to train on; lower val_fraction or add a source")
        unlabelled = pseudo_labelled(config, labelled, self.preprocessor)
        self.train_items = [view(record) for record in [*labelled, *unlabelled]]
        self.val_items = [view(record) for record in val]
        network = build_network(replace(preset(config.preset), dropout=config.dropout), self.tokenizer)
        network.quantities.feature_edges.copy_(feature_edges(self.preprocessor, self.train_items))
        self.temperature = 1.0
        self.augmentation = Augmentation(
            p_unaugmented=config.p_unaugmented,
            p_title=config.p_title,
            p_negative_question=config.p_negative_question,
            p_drop_group=config.p_drop_group,
            p_drop_drawing=config.p_drop_drawing,
        )
        super().__init__(
            config,
            out,
            fabric,
            network,
            fingerprint={"items": zlib.crc32(repr([(r.name, r.questions) for r in labelled]).encode())},
            has_validation=bool(self.val_items),
            log=log,
        )

    def batches(self, epoch: int) -> QuantityBatches:
        """See Trainer."""
        return QuantityBatches(
            self.train_items,
            self.preprocessor,
            batch_size=self.config.batch_size,
            seed=self.config.seed,
            epoch=epoch,
            augmentation=self.augmentation,
        )

    def loss(self, batch: Batch) -> Tensor:
        """See Trainer."""
        inputs, targets = batch
        return quantity_loss(self.network.quantities(inputs), targets)

    def evaluate(self, writer: SummaryWriter, loss: float) -> tuple[float, Score]:
        """F1 of the averaged weights on the validation split, with the temperature that calibrates them."""
        p = self.progress
        self.temperature = self._fit_temperature()
        predictor = Predictor(
            Checkpoint(self.averaged, {"temperature": f"{self.temperature:.3f}"}),
            self.preprocessor,
            reader="builtin",
            threads=torch.get_num_threads(),
            device=str(self.device),
            max_pixels=1,
        )
        answers = answer_records(predictor, self.val_items)
        score = score_answers(self.val_items, answers)
        writer.add_scalar("f1/val", score.micro.f1, p.step)
        self.log(
            f"epoch {p.epoch}: loss {loss:.3f}, validation F1 {score.micro.f1:.3f}, mix {score.mix:.3f}"
            f" ({score.micro.rows} rows, {p.seconds:.0f} s){' *' if score.micro.f1 > p.best else ''}"
        )
        self._log_samples(writer, answers)
        return score.micro.f1, score

    def _log_samples(self, writer: SummaryWriter, answers: Answers, count: int = 3) -> None:
        """A few predictions beside the accepted answers."""
        rng = np.random.default_rng(self.progress.step)
        lines = []
        for i in rng.choice(len(self.val_items), size=min(count, len(self.val_items)), replace=False):
            record = self.val_items[i]
            question = record.questions[0]
            answer = answers[record.name][question.entity.name]
            accepted = " | ".join(map(str, question.accepted))
            lines.append(
                f"{record.name} {question.entity.name}: {answer.prediction!r}"
                f" ({answer.confidence:.2f}), accepted: {accepted!r}"
            )
        for line in lines:
            self.log("  " + line)
        writer.add_text("samples", "\n\n".join(lines), self.progress.step)

    @torch.inference_mode()
    def _fit_temperature(self) -> float:
        """The temperature that maximizes the likelihood of the validation split (arXiv 1706.04599)."""
        kept = []
        for start in range(0, len(self.val_items), self.config.batch_size):
            records = self.val_items[start : start + self.config.batch_size]
            examples = [
                self.preprocessor.example(
                    record.page,
                    [q.entity for q in record.questions],
                    text=record.text,
                    excluded_labels=[q.excluded_label for q in record.questions],
                )
                for record in records
            ]
            batch = self.preprocessor.batch(examples)
            count = batch.candidate_mask.shape[1]
            targets = make_targets(examples, [r.questions for r in records], count).to(self.device)
            kept.append((self.averaged.quantities(batch.to(self.device)), targets))
        questions = sum(len(targets.weight) for _, targets in kept)

        def loss(temperature: float) -> float:
            losses = [quantity_loss(logits / temperature, t).item() * len(t.weight) for logits, t in kept]
            return sum(losses) / questions

        return min(np.geomspace(0.5, 3, 37).tolist(), key=loss)

    def write_weights(self, path: Path) -> None:
        """See Trainer."""
        p = self.progress
        scored = {"val_f1": f"{p.best:.4f}"} if self.has_validation else {}
        save_checkpoint(
            path,
            self.averaged,
            self.tokenizer,
            temperature=self.temperature,
            epochs=str(p.epoch),
            seconds=f"{p.seconds:.0f}",
            **scored,
        )
