"""The training loop, whatever is learned: schedule, averaged weights, checkpoints, a folder that a run resumes from."""

import math
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator, Sized
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Any, Generic, Protocol, TypeVar, cast

import numpy as np
import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader, Dataset
from torch.utils.tensorboard import SummaryWriter
from tqdm import tqdm

from resformer.train.config import LoopConfig
from resformer.train.engine.distributed import Processes
from resformer.train.engine.throughput import flops_of, peak_flops
from resformer.train.engine.training_state import Ema, Progress, load_state, save_state

__all__ = ["Log", "Loop", "OnDevice"]

Log = Callable[[str], None]


class OnDevice(Protocol):
    """What a batch consists of."""

    def to(self, device: str) -> Any: ...


Batch = TypeVar("Batch", bound=tuple[OnDevice, ...])
Result = TypeVar("Result")


class Loop(ABC, Generic[Batch, Result]):
    """Trains until the epochs, the time or the patience of its config end.

    Writes into `out`: checkpoint.pt, weights.safetensors (the averaged weights that scored best, or the last ones
    where nothing is scored), TensorBoard events.

    Args:
        network: on its device; what shall not be learned needs no gradient.
        fingerprint: what a checkpoint must agree with beside the config.
        scored: whether `evaluate` has anything to score.
    """

    def __init__(
        self,
        config: LoopConfig,
        out: Path,
        device: str,
        network: nn.Module,
        *,
        fingerprint: dict[str, Any],
        scored: bool,
        log: Log,
    ):
        self.config = config
        self.out = out
        self.device = device
        self.network = network
        self.scored = scored
        self.processes = Processes(device)
        self.log = log if self.processes.first else lambda text: None
        out.mkdir(parents=True, exist_ok=True)
        self.processes.begin(network)
        self.ema = Ema(network, config.ema)
        groups: dict[tuple[float, float], list[nn.Parameter]] = {}
        for name, parameter in network.named_parameters():
            if parameter.requires_grad:
                decay = config.weight_decay if parameter.ndim > 1 else 0.0
                groups.setdefault((decay, self.rate_of(name)), []).append(parameter)
        self.optimiser = torch.optim.AdamW(
            [{"params": ps, "weight_decay": decay, "rate": rate} for (decay, rate), ps in groups.items()],
            lr=config.learning_rate,
            betas=(0.9, 0.98),
        )
        self.precision = {"fp32": torch.float32, "bf16": torch.bfloat16, "fp16": torch.float16}[config.precision]
        self.device_type = torch.device(device).type
        # cuDNN's attention plans each new shape anew, it seems, and batches differ in shape: on an H200 (torch 2.11) a
        # step took 400 ms, and 90 on batches that had been seen before.
        torch.backends.cuda.enable_cudnn_sdp(False)
        self.scaler = torch.amp.GradScaler(self.device_type, enabled=config.precision == "fp16")
        self.progress = Progress()
        self.batches_per_epoch = len(cast(Sized, self.batches(0)))
        self.checkpoint = out / "checkpoint.pt"
        # What a checkpoint is compared with. Paths may move between machines, the photos behind them may not change.
        self.fingerprint = {k: v for k, v in asdict(config).items() if k != "sources"} | fingerprint
        if self.checkpoint.exists():
            self.progress = load_state(
                self.checkpoint, self.network, self.ema, self.optimiser, self.scaler, self.fingerprint
            )
            self.log(f"resumed at epoch {self.progress.epoch}, step {self.progress.step}")
        self._step_flops = 0

    @abstractmethod
    def batches(self, epoch: int) -> Dataset[Batch]:
        """The batches of an epoch, each made from (seed, epoch, its number) alone."""

    @abstractmethod
    def loss(self, batch: Batch) -> Tensor:
        """The loss of a batch on the device; the network's own part of it belongs into `autocast`."""

    @abstractmethod
    def evaluate(self, writer: SummaryWriter, loss: float) -> tuple[float, Result]:
        """The score of the averaged weights on what is held back, and what is told of it; logs both."""

    @abstractmethod
    def save_checkpoint(self, path: Path) -> None:
        """Writes the averaged weights."""

    def rate_of(self, name: str) -> float:
        """The learning rate of a parameter, as a share of the config's."""
        return 1.0

    def autocast(self) -> torch.autocast:
        return torch.autocast(self.device_type, dtype=self.precision, enabled=self.precision != torch.float32)

    def train_mode(self) -> None:
        self.network.train()

    def learning_rate(self, step: int) -> float:
        """Linear warm-up, then a cosine to one hundredth."""
        total = self.config.epochs * self.batches_per_epoch // self.processes.count
        warm = max(1, round(self.config.warmup * total))
        if step < warm:
            return self.config.learning_rate * (step + 1) / warm
        share = (step - warm) / max(1, total - warm)
        return self.config.learning_rate * (0.01 + 0.99 * 0.5 * (1 + math.cos(math.pi * min(share, 1.0))))

    def run(self) -> Result | None:
        """Trains, and returns the best result on what is held back since the run was started or resumed."""
        best: Result | None = None
        # Those of other processes hold nothing that the first one's do not.
        writer = SummaryWriter(str(self.out if self.processes.first else self.out / f"process-{self.processes.rank}"))
        p = self.progress
        deadline = time.monotonic() + 60 * self.config.minutes
        while not self.done:
            loss = self._epoch(writer, deadline)
            if p.batch:  # stopped by the clock inside the epoch
                self.log("time is up; run the same command again to go on")
                best = self._score(writer, loss) or best
                break
            p.epoch += 1
            last = p.epoch == self.config.epochs
            if last or p.epoch % self.config.evaluate_every == 0:
                best = self._score(writer, loss) or best
                self._save()
        if self._out_of_patience():
            self.log(f"no better score in {p.since_best} evaluations: stopped")
        if not self.scored and self.processes.first:
            self.save_checkpoint(self.out / "weights.safetensors")
        self._save()
        writer.close()
        return best

    @property
    def done(self) -> bool:
        """Nothing is left to train: the epochs or the patience ended, not the time."""
        return self.progress.epoch >= self.config.epochs or self._out_of_patience()

    def _out_of_patience(self) -> bool:
        return 0 < self.config.patience <= self.progress.since_best

    def _score(self, writer: SummaryWriter, loss: float) -> Result | None:
        """Keeps and returns a best score."""
        if not self.scored:
            return None
        p = self.progress
        score, result = self.evaluate(writer, loss) if self.processes.first else (0.0, None)
        score = self.processes.agreed(score, self.device)
        best_before, p.best = p.best, max(p.best, score)
        if self.processes.first and self.config.keep_best:
            self._keep_weights(score)
        if not score > best_before:
            p.since_best += 1
            return None
        p.since_best = 0
        if self.processes.first:
            self.save_checkpoint(self.out / "weights.safetensors")
        return result

    def _keep_weights(self, score: float) -> None:
        """Keeps these weights in the folder `best`, named by score, while they are among the best."""
        folder = self.out / "best"
        folder.mkdir(exist_ok=True)
        self.save_checkpoint(folder / f"{score:.4f}-epoch{self.progress.epoch:03d}.safetensors")
        by_score = sorted(folder.iterdir(), key=lambda file: float(file.name.split("-epoch")[0]), reverse=True)
        for worse in by_score[self.config.keep_best :]:
            worse.unlink()

    def _epoch(self, writer: SummaryWriter, deadline: float) -> float:
        p = self.progress
        batches = self.batches(p.epoch)
        order = self.processes.mine(range(p.batch, self.batches_per_epoch))
        # A generator of its own: the loader's draw must not move the random state that dropout goes on from.
        loader = DataLoader(
            batches,
            batch_size=None,
            sampler=order,
            num_workers=self.config.workers,
            generator=torch.Generator(),
        )
        desc = f"epoch {p.epoch + 1}/{self.config.epochs}"
        bar = tqdm(loader, desc=desc, total=len(order), leave=False, disable=not self.processes.first)
        losses: list[float] = []
        began = saved = time.monotonic()
        for batch in self._timed(bar):
            moved = tuple(part.to(self.device) for part in batch)
            if p.step == 0:
                self._step_flops = flops_of(partial(self._learn, moved, losses))
            else:
                self._learn(moved, losses)
            loss = losses[-1]
            p.batch += self.processes.count
            p.step += 1
            writer.add_scalar("loss/train", loss, p.step)
            writer.add_scalar("learning rate", self.learning_rate(p.step - 1), p.step)
            bar.set_postfix(loss=f"{np.mean(losses[-20:]):.3f}")
            now = time.monotonic()
            if p.step % self.config.checkpoint_batches == 0 or now - saved > 60 * self.config.checkpoint_minutes:
                self._save()
                saved = now
            late = self.processes.agreed(now > deadline, self.device)
            if late and len(losses) < len(order):
                return float(np.mean(losses))
        p.batch = 0
        self._tell_rate(len(losses), time.monotonic() - began)
        return float(np.mean(losses)) if losses else math.nan

    def _tell_rate(self, steps: int, seconds: float) -> None:
        """Says once how much of the machine is used."""
        if self._step_flops and steps > 1:
            rate = self._step_flops * steps / seconds
            share = rate / peak_flops(self.device, self.precision)
            photos = self.config.batch_size * steps * self.processes.count / seconds
            self.log(
                f"{photos:.1f} photos a second, {rate / 1e9:.0f} GFLOP/s:"
                f" {100 * share:.0f} % of what a product of large matrices gets here"
            )
            self._step_flops = 0

    def _timed(self, batches: Iterable[Batch]) -> Iterator[Batch]:
        at = time.monotonic()
        for batch in batches:
            yield batch
            now = time.monotonic()
            self.progress.seconds += now - at
            at = now

    def _learn(self, batch: Any, losses: list[float]) -> None:
        losses.append(self._step(batch))

    def _step(self, batch: Any) -> float:
        """The loss of a batch, which is learned from. Raises FloatingPointError: the loss is no number any more."""
        self.train_mode()
        for group in self.optimiser.param_groups:
            group["lr"] = group["rate"] * self.learning_rate(self.progress.step)
        loss = self.loss(batch)
        if not torch.isfinite(loss):
            raise FloatingPointError(f"the loss at step {self.progress.step} is {loss.item()}; lower learning_rate")
        self.optimiser.zero_grad(set_to_none=True)
        self.scaler.scale(loss).backward()
        self.processes.average(self.network.parameters())
        self.scaler.unscale_(self.optimiser)
        torch.nn.utils.clip_grad_norm_(self.network.parameters(), self.config.clip)
        self.scaler.step(self.optimiser)
        self.scaler.update()
        self.ema.update(self.network)
        return loss.item()

    def _save(self) -> None:
        if not self.processes.first:
            return
        save_state(
            self.checkpoint,
            self.progress,
            self.network,
            self.ema,
            self.optimiser,
            self.scaler,
            self.fingerprint,
        )
