"""The training loop: resuming, averaged weights, patience, the best checkpoints, precision."""

from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save_file
from torch import Tensor, nn
from torch.nn import functional as F
from torch.utils.data import Dataset
from torch.utils.tensorboard import SummaryWriter

from resformer.train.engine.fabric import make_fabric
from resformer.train.engine.trainer import Trainer
from resformer.train.settings.run_settings import DetectorConfig, TrainerConfig

Batch = tuple[Tensor, Tensor]
CONFIG = TrainerConfig(preset="nano", max_minutes=5, epochs=3, save_every_steps=1, learning_rate=0.01)


class Batches(Dataset[Batch]):
    def __init__(self, epoch: int):
        self.epoch = epoch

    def __len__(self) -> int:
        return 4

    def __getitem__(self, index: int) -> Batch:
        generator = torch.Generator().manual_seed(100 * self.epoch + index)
        inputs = torch.randn(8, 3, generator=generator)
        return inputs, inputs.sum(dim=1, keepdim=True)


def first_weight(network: nn.Sequential) -> Tensor:
    linear = network[0]
    assert isinstance(linear, nn.Linear)
    return linear.weight.detach()


class ToyTrainer(Trainer[nn.Sequential, Batch, str]):
    """Learns to sum three numbers. `scores` are those of its evaluations, `stop_after` steps it is killed."""

    def __init__(self, config: TrainerConfig, out: Path, *, scores: list[float] | None = None, **options: Any):
        fabric = make_fabric(config.precision, accelerator=options.pop("accelerator", "cpu"))
        fabric.seed_everything(config.seed, verbose=False)
        network = nn.Sequential(nn.Linear(3, 8), nn.BatchNorm1d(8), nn.Dropout(0.5), nn.Linear(8, 1))
        self.scores = scores or []
        self.stop_after = options.pop("stop_after", None)
        self.lines: list[str] = []
        self.input_dtypes: set[torch.dtype] = set()
        super().__init__(
            config, out, fabric, network, fingerprint={}, has_validation=scores is not None, log=self.lines.append
        )

    def batches(self, epoch: int) -> Batches:
        return Batches(epoch)

    def loss(self, batch: Batch) -> Tensor:
        inputs, targets = batch
        self.input_dtypes.add(inputs.dtype)
        return F.mse_loss(self.network(inputs), targets)

    def evaluate(self, writer: SummaryWriter, loss: float) -> tuple[float, str]:
        score = self.scores.pop(0)
        return score, f"score {score}"

    def write_weights(self, path: Path) -> None:
        save_file(self.averaged.state_dict(), path)

    def train_mode(self) -> None:
        if self.progress.step == self.stop_after:
            raise KeyboardInterrupt
        super().train_mode()


def with_settings(**settings: Any) -> TrainerConfig:
    return CONFIG.model_copy(update=settings)


@pytest.mark.parametrize("stop_after", [2, 4, 7])
def test_a_killed_run_ends_with_the_weights_of_an_uninterrupted_one(tmp_path: Path, stop_after: int) -> None:
    ToyTrainer(CONFIG, tmp_path / "whole").run()
    with pytest.raises(KeyboardInterrupt):
        ToyTrainer(CONFIG, tmp_path / "parts", stop_after=stop_after).run()
    resumed = ToyTrainer(CONFIG, tmp_path / "parts")
    assert resumed.progress.step == stop_after
    assert resumed.lines == [f"resumed at epoch {stop_after // 4}, step {stop_after}"]
    resumed.run()
    whole, parts = (load_file(tmp_path / name / "weights.safetensors") for name in ("whole", "parts"))
    assert whole.keys() == parts.keys()
    assert all(torch.equal(whole[name], parts[name]) for name in whole)


def test_a_run_without_time_left_resumes_where_it_stopped(tmp_path: Path) -> None:
    config = with_settings(max_minutes=1e-6)
    trainer = ToyTrainer(config, tmp_path)
    trainer.run()
    assert (trainer.progress.epoch, trainer.progress.batch, trainer.done) == (0, 1, False)
    assert "the same command again resumes the run" in trainer.lines[-1]
    resumed = ToyTrainer(config, tmp_path)
    resumed.run()
    assert resumed.progress.batch == 2


def test_a_resumed_run_has_the_same_settings(tmp_path: Path) -> None:
    ToyTrainer(with_settings(epochs=1), tmp_path).run()
    ToyTrainer(with_settings(epochs=1, max_minutes=9, num_workers=1), tmp_path)
    with pytest.raises(ValueError, match=r"a run with other epochs, learning_rate; choose another --out"):
        ToyTrainer(with_settings(epochs=2, learning_rate=1.0), tmp_path)
    torch.save({}, tmp_path / "state.pt")
    with pytest.raises(ValueError, match="another version of the code"):
        ToyTrainer(with_settings(epochs=1), tmp_path)


def test_gradients_of_several_batches_make_a_step(tmp_path: Path) -> None:
    config = with_settings(accumulate_batches=2, ema_decay=0.0, grad_clip_norm=1e9)
    trainer = ToyTrainer(config, tmp_path)
    assert (trainer.batches_per_epoch, trainer.batches_per_step) == (4, 2)
    gradients = []
    trainer.train_mode()
    for number in range(2):
        trainer._begin_batch(number)
        trainer.network.zero_grad()
        trainer.loss(Batches(0)[number]).backward()
        gradient = next(trainer.network.parameters()).grad
        assert gradient is not None
        gradients.append(gradient.clone())
    trainer._step(Batches(0)[0], Batches(0)[1])
    accumulated = next(trainer.network.parameters()).grad
    torch.testing.assert_close(accumulated, (gradients[0] + gradients[1]) / 2)


@pytest.mark.parametrize("stop_after", [1, 3])
def test_a_killed_run_of_accumulated_batches_ends_as_an_uninterrupted_one(tmp_path: Path, stop_after: int) -> None:
    config = with_settings(accumulate_batches=2)
    ToyTrainer(config, tmp_path / "whole").run()
    with pytest.raises(KeyboardInterrupt):
        ToyTrainer(config, tmp_path / "parts", stop_after=stop_after).run()
    resumed = ToyTrainer(config, tmp_path / "parts")
    assert resumed.progress.step == stop_after
    resumed.run()
    whole, parts = (load_file(tmp_path / name / "weights.safetensors") for name in ("whole", "parts"))
    assert all(torch.equal(whole[name], parts[name]) for name in whole)
    with pytest.raises(ValueError, match="a run with other batches_per_step"):
        ToyTrainer(with_settings(accumulate_batches=4), tmp_path / "parts")


def test_a_step_needs_its_batches(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="4 batches an epoch are too few for 1 processes with 5 batches each"):
        ToyTrainer(with_settings(accumulate_batches=5), tmp_path)


def test_weights_are_averaged_exponentially(tmp_path: Path) -> None:
    trainer = ToyTrainer(with_settings(ema_decay=0.9), tmp_path)
    expected = first_weight(trainer.network).clone()
    for step in range(20):
        trainer._step(Batches(0)[step % 4])
        # The first update copies the weights; then the decay rises to the config's.
        decay = min(0.9, (1 + step) / (10 + step)) if step else 0.0
        expected = decay * expected + (1 - decay) * first_weight(trainer.network)
        torch.testing.assert_close(first_weight(trainer.averaged), expected)
    assert not trainer.averaged.training and not trainer.averaged[0].weight.requires_grad
    assert trainer.averaged[1].num_batches_tracked == trainer.network[1].num_batches_tracked == 20


def test_the_weights_that_a_run_reads_are_not_overwritten(tmp_path: Path) -> None:
    (tmp_path / "weights.safetensors").write_bytes(b"")
    config = DetectorConfig.model_validate(
        {
            **CONFIG.model_dump(),
            "part": "text_detector",
            "sources": [{"photos": tmp_path, "ocr": tmp_path}],
            "init_from": tmp_path / "weights.safetensors",
        }
    )
    with pytest.raises(ValueError, match=r"weights\.safetensors is both read and written; choose another --out"):
        ToyTrainer(config, tmp_path)
    ToyTrainer(config, tmp_path / "other")


def test_patience_ends_a_run(tmp_path: Path) -> None:
    trainer = ToyTrainer(with_settings(epochs=9, patience=2), tmp_path, scores=[0.5, 0.7, 0.6, 0.7])
    assert trainer.run() == "score 0.7"
    assert (trainer.progress.epoch, trainer.done) == (4, True)
    assert trainer.lines[-1] == "no better score in 2 evaluations: stopped"


def test_the_best_checkpoints_are_kept(tmp_path: Path) -> None:
    scores = [0.1, 0.9, 0.3, 0.8]
    ToyTrainer(with_settings(epochs=4, keep_best=2), tmp_path, scores=scores).run()
    kept = sorted(path.name for path in (tmp_path / "best").iterdir())
    assert kept == ["0.8000-epoch004.safetensors", "0.9000-epoch002.safetensors"]
    best = load_file(tmp_path / "best" / "0.9000-epoch002.safetensors")
    assert torch.equal(load_file(tmp_path / "weights.safetensors")["0.weight"], best["0.weight"])


def test_half_precision_on_a_cpu(tmp_path: Path) -> None:
    trainer = ToyTrainer(with_settings(precision="bf16-mixed", epochs=1), tmp_path)
    seen: list[torch.dtype] = []
    trainer.network[0].register_forward_hook(lambda module, inputs, output: seen.append(output.dtype))
    trainer.run()
    assert set(seen) == {torch.bfloat16}
    assert trainer.input_dtypes == {torch.float32}  # as where the network is used
    assert all(p.dtype == torch.float32 and torch.isfinite(p).all() for p in trainer.network.parameters())


@pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no GPU")
def test_gradients_are_scaled_on_a_gpu(tmp_path: Path) -> None:
    trainer = ToyTrainer(with_settings(precision="16-mixed", epochs=1), tmp_path, accelerator="cuda")
    trainer.run()
    assert all(torch.isfinite(p).all() for p in trainer.network.parameters())


def test_a_loss_that_is_no_number_ends_a_run(tmp_path: Path) -> None:
    trainer = ToyTrainer(CONFIG, tmp_path)
    with torch.no_grad():
        first_weight(trainer.network).fill_(float("nan"))
    with pytest.raises(FloatingPointError, match="step 0 is nan; lower learning_rate"):
        trainer.run()


def test_the_learning_rate_rises_and_falls(tmp_path: Path) -> None:
    trainer = ToyTrainer(with_settings(epochs=10, warmup_fraction=0.25), tmp_path)
    rates = [trainer.learning_rate(step) for step in range(40)]
    assert rates.index(max(rates)) == 9 and max(rates) == pytest.approx(0.01)
    assert rates[9:] == sorted(rates[9:], reverse=True)
    assert trainer.learning_rate(40) == pytest.approx(0.0001)


def test_training_needs_a_batch(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Batches, "__len__", lambda self: 0)
    with pytest.raises(ValueError, match="there is nothing to train on; lower val_fraction"):
        ToyTrainer(CONFIG, tmp_path)
