"""The training loop: one network, one config, a folder that a run can be resumed from."""

import math
import time
import zlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
import torch
from torch.utils.data import DataLoader
from torch.utils.tensorboard import SummaryWriter
from tqdm import tqdm

from model.inputs import Preprocessor
from model.network import FEATURE_BINS, Inputs
from model.predictor import Predictor
from model.presets import preset
from model.priors import Priors
from model.schema import Schema
from model.vocabulary import Vocabulary
from model.weights import Weights, build_network, save_weights
from train.batches import Batches, Shares
from train.checkpoint import Ema, Progress, load_checkpoint, save_checkpoint
from train.config import Config
from train.datasets import Record, read_again, read_challenge, read_hand, read_unlabelled
from train.evaluation import Answers, answer_records, score_answers
from train.generated import generate
from train.loss import Targets, answer_loss, make_targets
from train.metrics import Score
from train.stem_start import start_from_lite0

Batch = tuple[Inputs, Targets]

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


def taught(config: Config, labelled: list[Record], preprocessor: Preprocessor) -> list[Record]:
    """Records of the unlabelled sources, with the answers of a teacher that learned from the labelled ones."""
    unlabelled: list[Record] = []
    for source in config.sources:
        if source.kind == "unlabelled" and source.labels and source.photos and source.words:
            found = read_unlabelled(source.labels, source.photos, source.words, preprocessor.schema)
            unlabelled += [*found, *(read_again(found, source.more_words) if source.more_words else [])]
    if not unlabelled:
        return []
    from train.teacher import label  # needs a package that other runs do without

    return label(unlabelled, labelled, preprocessor)


def feature_edges(preprocessor: Preprocessor, records: list[Record]) -> torch.Tensor:
    """Quantiles of every candidate feature over the training records: (F, bins + 1), strictly rising."""
    rows = []
    for record in records:
        entities = [q.entity for q in record.questions]
        own_labels = [q.own_label for q in record.questions]
        example = preprocessor.example(record.page, entities, own_labels=own_labels)
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


class Trainer:
    """Trains until the epochs, the time or the patience of its config end.

    Writes into `out`: checkpoint.pt, weights.safetensors (the averaged weights that scored best on the held-back
    photos, or the last ones without held-back photos), TensorBoard events.

    Args:
        view: what the network is shown of each record.
    """

    def __init__(
        self,
        config: Config,
        out: Path,
        device: str,
        log: Callable[[str], None] = tqdm.write,
        *,
        view: Callable[[Record], Record] = lambda record: record,
    ):
        self.config = config
        self.out = out
        self.device = device
        self.log = log
        out.mkdir(parents=True, exist_ok=True)
        torch.manual_seed(config.seed)
        schema = Schema.load()
        self.vocabulary = Vocabulary(schema)
        shape = replace(preset(config.preset), dropout=config.dropout)
        self.preprocessor = Preprocessor(schema, self.vocabulary, Priors.load(), shape.image_size)
        labelled, held = read_sources(config, schema)
        self.train_records = [view(r) for r in labelled + taught(config, labelled, self.preprocessor)]
        self.held_records = [view(r) for r in held]
        self.network = build_network(shape, self.vocabulary)
        self.network.feature_edges.copy_(feature_edges(self.preprocessor, self.train_records))
        if config.stem_start:
            self.log(f"stem: {start_from_lite0(self.network.stem)} tensors from {config.stem_start}")
            # A few thousand photos would only blur a packaged trunk: its self-attention alone learns.
            self.network.stem[0].requires_grad_(False)
        self.network.to(device)
        self.averaged = build_network(shape, self.vocabulary).to(device).eval()
        self.ema = Ema(self.network, config.ema)
        learned = [p for p in self.network.parameters() if p.requires_grad]
        decayed = [p for p in learned if p.ndim > 1]
        plain = [p for p in learned if p.ndim <= 1]
        self.optimiser = torch.optim.AdamW(
            [
                {"params": decayed, "weight_decay": config.weight_decay},
                {"params": plain, "weight_decay": 0.0},
            ],
            lr=config.learning_rate,
            betas=(0.9, 0.98),
        )
        self.precision = {"fp32": torch.float32, "bf16": torch.bfloat16, "fp16": torch.float16}[config.precision]
        self.device_type = torch.device(device).type
        self.scaler = torch.amp.GradScaler(self.device_type, enabled=config.precision == "fp16")
        self.progress = Progress()
        self.shares = Shares(
            picture=config.picture_share,
            no_words=config.no_words_share,
            as_printed=config.as_printed_share,
            title=config.title_share,
            all=config.all_share,
            no_group=config.no_group_share,
            no_drawing=config.no_drawing_share,
        )
        self.batches_per_epoch = len(self._batches(0))
        self.checkpoint = out / "checkpoint.pt"
        # What a checkpoint is compared with. Paths may move between machines, the photos behind them may not change.
        self.fingerprint = {k: v for k, v in asdict(config).items() if k != "sources"}
        self.fingerprint["sources"] = zlib.crc32(repr([(r.name, r.questions) for r in labelled]).encode())
        if self.checkpoint.exists():
            self.progress = load_checkpoint(
                self.checkpoint, self.network, self.ema, self.optimiser, self.scaler, self.fingerprint
            )
            self.log(f"resumed at epoch {self.progress.epoch}, step {self.progress.step}")

    def _batches(self, epoch: int) -> Batches:
        return Batches(
            self.train_records,
            self.preprocessor,
            batch_size=self.config.batch_size,
            seed=self.config.seed,
            epoch=epoch,
            shares=self.shares,
        )

    def learning_rate(self, step: int) -> float:
        """Linear warm-up, then a cosine to one hundredth."""
        total = self.config.epochs * self.batches_per_epoch
        warm = max(1, round(self.config.warmup * total))
        if step < warm:
            return self.config.learning_rate * (step + 1) / warm
        share = (step - warm) / max(1, total - warm)
        return self.config.learning_rate * (0.01 + 0.99 * 0.5 * (1 + math.cos(math.pi * min(share, 1.0))))

    def run(self) -> Score | None:
        """Trains, and returns the best score on the held-back photos since the run was started or resumed."""
        best: Score | None = None
        writer = SummaryWriter(str(self.out))
        p = self.progress
        deadline = time.monotonic() + 60 * self.config.minutes
        while not self.done:
            loss = self._epoch(writer, deadline)
            if p.batch:  # stopped by the clock inside the epoch
                self.log("time is up; run the same command again to go on")
                if self.held_records:
                    best = self._evaluate(writer, loss) or best
                break
            p.epoch += 1
            last = p.epoch == self.config.epochs
            if self.held_records and (last or p.epoch % self.config.evaluate_every == 0):
                best = self._evaluate(writer, loss) or best
                self._save()
        if self._out_of_patience():
            self.log(f"no better score in {p.since_best} evaluations: stopped")
        if not self.held_records:
            self._save_weights(1.0)
        self._save()
        writer.close()
        return best

    @property
    def done(self) -> bool:
        """Nothing is left to train: the epochs or the patience ended, not the time."""
        return self.progress.epoch >= self.config.epochs or self._out_of_patience()

    def _out_of_patience(self) -> bool:
        return 0 < self.config.patience <= self.progress.since_best

    def _epoch(self, writer: SummaryWriter, deadline: float) -> float:
        p = self.progress
        batches = self._batches(p.epoch)
        order = range(p.batch, len(batches))
        # A generator of its own: the loader's draw must not move the random state that dropout goes on from.
        loader = DataLoader(
            batches,
            batch_size=None,
            sampler=order,
            num_workers=self.config.workers,
            generator=torch.Generator(),
        )
        bar = tqdm(loader, desc=f"epoch {p.epoch + 1}/{self.config.epochs}", total=len(order), leave=False)
        losses, saved = [], time.monotonic()
        for inputs, targets in self._timed(bar):
            loss = self._step(inputs.to(self.device), targets.to(self.device))
            losses.append(loss)
            p.batch += 1
            p.step += 1
            writer.add_scalar("loss/train", loss, p.step)
            writer.add_scalar("learning rate", self.learning_rate(p.step - 1), p.step)
            bar.set_postfix(loss=f"{np.mean(losses[-20:]):.3f}")
            now = time.monotonic()
            if p.step % self.config.checkpoint_batches == 0 or now - saved > 60 * self.config.checkpoint_minutes:
                self._save()
                saved = now
            if now > deadline and p.batch < len(batches):
                return float(np.mean(losses))
        p.batch = 0
        return float(np.mean(losses)) if losses else math.nan

    def _timed(self, batches: Iterable[Batch]) -> Iterator[Batch]:
        at = time.monotonic()
        for batch in batches:
            yield batch
            now = time.monotonic()
            self.progress.seconds += now - at
            at = now

    def _step(self, inputs: Inputs, targets: Targets) -> float:
        """The loss of a batch, which is learned from. Raises FloatingPointError: the loss is no number any more."""
        self.network.train()
        if self.config.stem_start:
            self.network.stem[0].eval()  # batch norm keeps the packaged statistics
        for group in self.optimiser.param_groups:
            group["lr"] = self.learning_rate(self.progress.step)
        enabled = self.precision != torch.float32
        with torch.autocast(self.device_type, dtype=self.precision, enabled=enabled):
            logits = self.network(inputs, targets.tokens)
        loss = answer_loss(logits, targets, self.vocabulary, self.config.spelling_weight)
        if not torch.isfinite(loss):
            raise FloatingPointError(f"the loss at step {self.progress.step} is {loss.item()}; lower learning_rate")
        self.optimiser.zero_grad(set_to_none=True)
        self.scaler.scale(loss).backward()
        self.scaler.unscale_(self.optimiser)
        torch.nn.utils.clip_grad_norm_(self.network.parameters(), self.config.clip)
        self.scaler.step(self.optimiser)
        self.scaler.update()
        self.ema.update(self.network)
        return loss.item()

    def _evaluate(self, writer: SummaryWriter, loss: float) -> Score | None:
        """Scores the averaged weights on held-back photos; keeps and returns a best score."""
        p = self.progress
        self.averaged.load_state_dict(self.ema.tensors)
        temperature = self._temperature()
        predictor = Predictor(
            Weights(self.averaged, {"picture_with_words": "no", "temperature": f"{temperature:.3f}"}),
            self.preprocessor,
            reader="none",
            threads=torch.get_num_threads(),
            device=self.device,
            max_pixels=1,
        )
        answers = answer_records(predictor, self.held_records)
        result = score_answers(self.held_records, answers)
        writer.add_scalar("f1/held back", result.micro.f1, p.step)
        better = result.micro.f1 > p.best
        self.log(
            f"epoch {p.epoch}: loss {loss:.3f}, held-back F1 {result.micro.f1:.3f}, mix {result.mix:.3f}"
            f" ({result.micro.rows} rows, {p.seconds:.0f} s){' *' if better else ''}"
        )
        self._show_samples(writer, answers)
        if not better:
            p.since_best += 1
            return None
        p.best, p.since_best = result.micro.f1, 0
        self._save_weights(temperature, held_back_f1=f"{result.micro.f1:.4f}")
        return result

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
                    own_labels=[q.own_label for q in record.questions],
                )
                for record in records
            ]
            inputs = self.preprocessor.batch(examples)
            count = inputs.candidate_mask.shape[1]
            targets = make_targets(self.vocabulary, examples, [r.questions for r in records], count).to(self.device)
            kept.append((self.averaged(inputs.to(self.device), targets.tokens), targets))
        questions = sum(len(targets.trust) for _, targets in kept)

        def loss(temperature: float) -> float:
            losses = [
                answer_loss(logits / temperature, targets, self.vocabulary, 0.0).item() * len(targets.trust)
                for logits, targets in kept
            ]
            return sum(losses) / questions

        return min(np.geomspace(0.5, 3, 37).tolist(), key=loss)

    def _save_weights(self, temperature: float, **facts: str) -> None:
        self.averaged.load_state_dict(self.ema.tensors)
        p = self.progress
        save_weights(
            self.out / "weights.safetensors",
            self.averaged,
            self.vocabulary,
            picture_with_words=False,
            temperature=temperature,
            epochs=str(p.epoch),
            seconds=f"{p.seconds:.0f}",
            **facts,
        )

    def _save(self) -> None:
        save_checkpoint(
            self.checkpoint,
            self.progress,
            self.network,
            self.ema,
            self.optimiser,
            self.scaler,
            self.fingerprint,
        )
