"""The training loop: schedule, averaged weights, a training state that a run resumes from."""

import math
import time
import zlib
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator, Sequence, Sized
from pathlib import Path
from typing import Any, Generic, Protocol, TypeVar, cast

import numpy as np
import torch
from lightning_fabric import Fabric
from torch import Tensor, nn
from torch.utils.data import DataLoader, Dataset
from torch.utils.tensorboard import SummaryWriter
from tqdm import tqdm

from resformer.train.engine.training_state import Progress, averaged_model, load_state, save_state
from resformer.train.settings.run_settings import TrainerConfig

__all__ = ["Log", "Movable", "Trainer"]

Log = Callable[[str], None]

# Settings that a resumed run may change; of accumulate_batches, the product with the processes stays.
CHANGEABLE = (
    "max_minutes",
    "num_workers",
    "save_every_steps",
    "save_every_minutes",
    "keep_best",
    "accumulate_batches",
)


class Movable(Protocol):
    """An element of a batch."""

    def to(self, device: torch.device) -> Any:
        """The same on a device."""
        ...


Batch = TypeVar("Batch", bound=tuple[Movable, ...])
Metrics = TypeVar("Metrics")
Network = TypeVar("Network", bound=nn.Module)


class _Unconverted:
    """Holds a batch: Fabric casts the tensors that it gives to a module to half precision, which inputs must not lose.

    Under autocast, layers cast what they compute on, as they do where the network is used.
    """

    def __init__(self, batch: Any):
        self.batch = batch


class _LossModule(nn.Module):
    """What a strategy wraps: a network whose forward pass is its loss."""

    def __init__(self, network: nn.Module, loss: Callable[[Any], Tensor]):
        super().__init__()
        self.network = network
        self._loss = loss

    def forward(self, inputs: _Unconverted) -> Tensor:
        return self._loss(inputs.batch)


class Trainer(ABC, Generic[Network, Batch, Metrics]):
    """Trains until the epochs, the time or the patience of its config end.

    Writes into `out`: state.pt, weights.safetensors (the averaged weights with the best score, or the last ones where
    nothing is validated), TensorBoard events.

    Args:
        network: what is trained; frozen parameters need no gradient.
        fingerprint: what a training state must agree with beside the config.
        has_validation: whether `evaluate` has anything to score.
        log: is given a line of text; only in the first process.

    Attributes:
        network: on its device.
        averaged: its moving average, in evaluation mode.
        batches_per_step: of all processes together.
        batch_number: of the batch that is computed, counted through the run; not a step's where a step has several.
        train_items, val_items: the data, which a subclass reads before it calls `super().__init__`.
        num_train_items: how many an epoch is drawn from.

    Raises:
        ValueError: there is nothing to train on, or `out` holds the state of a run with other settings.
    """

    train_items: Sequence[Any]
    val_items: Sequence[Any]

    def __init__(
        self,
        config: TrainerConfig,
        out: Path,
        fabric: Fabric,
        network: Network,
        *,
        fingerprint: dict[str, Any],
        has_validation: bool,
        log: Log,
    ):
        self.config = config
        self.out = out
        self.fabric = fabric
        self.has_validation = has_validation
        self.log = log if fabric.is_global_zero else lambda text: None
        weights = (out / "weights.safetensors").resolve()
        if any(isinstance(value, Path) and value.resolve() == weights for _, value in config):
            raise ValueError(f"{weights} is both read and written; choose another --out")
        out.mkdir(parents=True, exist_ok=True)
        self.network = network.to(fabric.device)
        self.ema = averaged_model(self.network, config.ema_decay)
        groups: dict[tuple[float, float], list[nn.Parameter]] = {}
        for name, parameter in network.named_parameters():
            if parameter.requires_grad:
                decay = self.weight_decay(name) if parameter.ndim > 1 else 0.0
                groups.setdefault((decay, self.lr_scale(name)), []).append(parameter)
        optimizer = torch.optim.AdamW(
            [{"params": ps, "weight_decay": decay, "lr_scale": scale} for (decay, scale), ps in groups.items()],
            lr=config.learning_rate,
            betas=(0.9, 0.98),
        )
        # On an H200 (torch 2.11) cuDNN's attention planned each new shape anew: steps of 400 ms instead of 90.
        torch.backends.cuda.enable_cudnn_sdp(False)
        self.progress = Progress()
        self.batches_per_step = fabric.world_size * config.accumulate_batches
        self.batch_number = 0
        self.batches_per_epoch = len(cast(Sized, self.batches(0)))
        if not self.batches_per_epoch:
            raise ValueError("there is nothing to train on; lower val_fraction or add a source")
        if self.batches_per_epoch < self.batches_per_step:
            raise ValueError(
                f"{self.batches_per_epoch} batches an epoch are too few for {fabric.world_size} processes with "
                f"{config.accumulate_batches} batches each; lower batch_size, accumulate_batches or --devices"
            )
        self._state_file = out / "state.pt"
        self._fingerprint = _settings(config) | {"batches_per_step": self.batches_per_step} | fingerprint
        if self._state_file.exists():
            self.progress = load_state(self._state_file, self.network, self.ema, optimizer, fabric, self._fingerprint)
            self.log(f"resumed at epoch {self.progress.epoch}, step {self.progress.step}")
        self._refuse_other_states()
        self._module, self._optimizer = fabric.setup(_LossModule(self.network, self.loss), optimizer)

    @property
    def averaged(self) -> Network:
        """The averaged network."""
        return cast(Network, self.ema.module)

    @property
    def num_train_items(self) -> int:
        """Those that are in memory; a subclass may stream more."""
        return len(self.train_items)

    @property
    def device(self) -> torch.device:
        """Of the network."""
        return self.fabric.device

    @abstractmethod
    def batches(self, epoch: int) -> Dataset[Batch]:
        """The batches of an epoch, each made from (seed, epoch, its index) alone."""

    @abstractmethod
    def loss(self, batch: Batch) -> Tensor:
        """The loss of a batch on the device; runs in the precision of the config."""

    @abstractmethod
    def evaluate(self, writer: SummaryWriter, loss: float) -> tuple[float, Metrics]:
        """The score of the averaged weights on the validation split, and the metrics behind it; logs both."""

    @abstractmethod
    def write_weights(self, path: Path) -> None:
        """Writes the averaged weights as a checkpoint."""

    def step_scalars(self) -> dict[str, float]:
        """What TensorBoard shows of the last step, beside its loss."""
        return {}

    def watch(self, writer: SummaryWriter) -> None:
        """Logs what a person looks at while the network learns; called at each save."""

    def lr_scale(self, name: str) -> float:
        """The learning rate of a parameter, relative to the config's."""
        return 1.0

    def weight_decay(self, name: str) -> float:
        """The weight decay of a matrix; vectors have none."""
        return self.config.weight_decay

    def train_mode(self) -> None:
        """Called before each step."""
        self.network.train()

    def learning_rate(self, step: int) -> float:
        """Linear warm-up, then a cosine to one hundredth."""
        total = self.config.epochs * self.batches_per_epoch // self.batches_per_step
        warmup = max(1, round(self.config.warmup_fraction * total))
        if step < warmup:
            return self.config.learning_rate * (step + 1) / warmup
        done = (step - warmup) / max(1, total - warmup)
        return self.config.learning_rate * (0.01 + 0.99 * 0.5 * (1 + math.cos(math.pi * min(done, 1.0))))

    def run(self) -> Metrics | None:
        """Trains; returns the best metrics on the validation split since the run was started or resumed."""
        best: Metrics | None = None
        p = self.progress
        # What a killed run logged after the state that is resumed from is shown no more.
        purged = p.step + 1 if p.step else None
        writer = SummaryWriter(str(self.out), purge_step=purged) if self.fabric.is_global_zero else None
        deadline = time.monotonic() + 60 * self.config.max_minutes
        while not self.done:
            loss = self._train_epoch(writer, deadline)
            if p.batch:  # stopped by the clock inside the epoch
                self.log("max_minutes are over; the same command again resumes the run")
                best = self._validate(writer, loss) or best
                break
            p.epoch += 1
            if p.epoch == self.config.epochs or p.epoch % self.config.evaluate_every == 0:
                best = self._validate(writer, loss) or best
                self._save()
        if p.out_of_patience(self.config.patience):
            self.log(f"no better score in {p.since_best} evaluations: stopped")
        if not self.has_validation and self.fabric.is_global_zero:
            self.write_weights(self.out / "weights.safetensors")
        self._save()
        if writer:
            writer.close()
        return best

    @property
    def done(self) -> bool:
        """Whether the epochs or the patience ended; not the time."""
        return self.progress.done(self.config.epochs, self.config.patience)

    def _validate(self, writer: SummaryWriter | None, loss: float) -> Metrics | None:
        """Keeps and returns metrics with a best score."""
        if not self.has_validation:
            return None
        p = self.progress
        with torch.no_grad():
            score, metrics = self.evaluate(writer, loss) if writer else (0.0, None)
        score = self.fabric.broadcast(score)
        best_before, p.best = p.best, max(p.best, score)
        if self.fabric.is_global_zero and self.config.keep_best:
            self._keep_checkpoint(score)
        if not score > best_before:
            p.since_best += 1
            return None
        p.since_best = 0
        if self.fabric.is_global_zero:
            self.write_weights(self.out / "weights.safetensors")
        return metrics

    def _keep_checkpoint(self, score: float) -> None:
        """Keeps these weights in the folder `best`, named by score, while they are among the best."""
        folder = self.out / "best"
        folder.mkdir(exist_ok=True)
        self.write_weights(folder / f"{score:.4f}-epoch{self.progress.epoch:03d}.safetensors")
        by_score = sorted(folder.iterdir(), key=lambda file: float(file.name.split("-epoch")[0]), reverse=True)
        for worse in by_score[self.config.keep_best :]:
            worse.unlink()

    def _train_epoch(self, writer: SummaryWriter | None, deadline: float) -> float:
        p = self.progress
        indices = self._of_this_process(range(p.batch, self.batches_per_epoch))
        # A generator of its own: the loader's draw must not advance the random state that dropout continues from.
        loader = DataLoader(
            self.batches(p.epoch),
            batch_size=None,
            sampler=indices,
            num_workers=self.config.num_workers,
            generator=torch.Generator(),
        )
        description = f"epoch {p.epoch + 1}/{self.config.epochs}"
        quiet = True if not self.fabric.is_global_zero else None
        steps = len(indices) // self.config.accumulate_batches
        batches_of_steps = zip(*[iter(loader)] * self.config.accumulate_batches, strict=True)
        bar = tqdm(batches_of_steps, desc=description, total=steps, leave=False, disable=quiet)
        losses: list[float] = []
        saved = time.monotonic()
        for batches in self._timed(bar):
            loss = self._step(*batches)
            losses.append(loss)
            p.batch += self.batches_per_step
            p.step += 1
            if writer:
                writer.add_scalar("loss/train", loss, p.step)
                writer.add_scalar("learning rate", self.learning_rate(p.step - 1), p.step)
                for name, value in self.step_scalars().items():
                    writer.add_scalar(name, value, p.step)
            bar.set_postfix(loss=f"{np.mean(losses[-20:]):.3f}")
            now = time.monotonic()
            if p.step % self.config.save_every_steps == 0 or now - saved > 60 * self.config.save_every_minutes:
                if writer:
                    writer.flush()  # the state says that these steps are done
                self._save()
                if writer:
                    with torch.no_grad():
                        self.watch(writer)
                saved = time.monotonic()
            if self.fabric.broadcast(now > deadline) and len(losses) < steps:
                return float(np.mean(losses))
        p.batch = 0
        return float(np.mean(losses)) if losses else math.nan

    def _of_this_process(self, batches: Sequence[int]) -> Sequence[int]:
        """The batches of this process; up to `batches_per_step` - 1 at the end are left out."""
        end = len(batches) // self.batches_per_step * self.batches_per_step
        return batches[self.fabric.global_rank : end : self.fabric.world_size]

    def _timed(self, steps: Iterable[tuple[Batch, ...]]) -> Iterator[tuple[Batch, ...]]:
        at = time.monotonic()
        for batches in steps:
            yield batches
            now = time.monotonic()
            self.progress.seconds += now - at
            at = now

    def _step(self, *batches: Batch) -> float:
        """The mean loss of the batches of all processes, after an optimizer step on them.

        Args:
            batches: of this process.

        Raises:
            FloatingPointError: the loss diverged.
        """
        self.train_mode()
        for group in self._optimizer.param_groups:
            group["lr"] = group["lr_scale"] * self.learning_rate(self.progress.step)
        self._optimizer.zero_grad(set_to_none=True)
        losses: list[Tensor] = []
        for i, batch in enumerate(batches):
            self._begin_batch(i)
            batch_on_device = tuple(part.to(self.device) for part in batch)
            with self.fabric.no_backward_sync(self._module, enabled=i + 1 < len(batches)):
                loss: Tensor = self._module(_Unconverted(batch_on_device))
                self.fabric.backward(loss / len(batches))
            losses.append(loss.detach())
        mean = self.fabric.all_reduce(torch.stack(losses).mean(), reduce_op="mean")
        assert isinstance(mean, Tensor)
        if not torch.isfinite(mean):
            raise FloatingPointError(f"the loss at step {self.progress.step} is {mean.item()}; lower learning_rate")
        norm = self.fabric.clip_gradients(
            self._module, self._optimizer, max_norm=self.config.grad_clip_norm, error_if_nonfinite=False
        )
        # Gradient scaling skips such a step and lowers the scale.
        if self.config.precision != "16-mixed" and norm is not None and not torch.isfinite(norm):
            raise FloatingPointError(f"the gradient at step {self.progress.step} is not finite; lower learning_rate")
        self._optimizer.step()
        self.ema.update_parameters(self.network)
        return mean.item()

    def _begin_batch(self, index: int) -> None:
        """Numbers a batch of this process's step.

        Where a step has several, dropout depends on the number alone, not on the process that computes the batch; a
        run with one batch a step continues the random state that its training state holds.
        """
        in_step = index * self.fabric.world_size + self.fabric.global_rank
        self.batch_number = self.progress.step * self.batches_per_step + in_step
        if self.batches_per_step > 1:
            torch.manual_seed(zlib.crc32(repr((self.config.seed, "dropout", self.batch_number)).encode()))

    def _refuse_other_states(self) -> None:
        """Raises ValueError where processes resume from different states, as with folders of their own."""
        differs = self.progress.step != self.fabric.broadcast(self.progress.step)
        if self.fabric.all_reduce(torch.tensor(float(differs), device=self.device), reduce_op="sum"):
            raise ValueError(f"{self._state_file} is not the same for all processes; choose an --out that they share")

    def _save(self) -> None:
        if self.fabric.is_global_zero:
            save_state(
                self._state_file,
                self.progress,
                self.network,
                self.ema,
                self._optimizer.optimizer,
                self.fabric,
                self._fingerprint,
            )


def _settings(config: TrainerConfig) -> dict[str, Any]:
    """What a resumed run must have in common with the one before; files by their content, as they may be moved."""
    settings = config.model_dump(mode="json", exclude={"sources", *CHANGEABLE})
    return settings | {name: zlib.crc32(path.read_bytes()) for name, path in config if isinstance(path, Path)}
