"""The search for settings."""

from pathlib import Path

import pytest

from resformer.scripts.cli.main import main
from resformer.train.settings.run_settings import NetworkConfig, TrainConfig
from resformer.train.tools.tune import SEARCH_SPACE, search
from tests.paths import CONFIGS

SOURCES = [{"kind": "synthetic", "num_photos": 1}]
CONFIG = NetworkConfig.model_validate(
    {"part": "resformer", "sources": SOURCES, "preset": "nano", "max_minutes": 1, "epochs": 1}
)


def test_interrupted_trials_resume(tmp_path: Path) -> None:
    calls: list[tuple[str, TrainConfig]] = []

    def score(config: TrainConfig, folder: Path) -> float:
        calls.append((folder.name, config))
        if len(calls) == 2:
            raise KeyboardInterrupt
        return -abs(config.learning_rate - 0.001)

    with pytest.raises(KeyboardInterrupt):
        search(CONFIG, tmp_path, 3, score)
    study = search(CONFIG, tmp_path, 3, score)
    # The second one is called again with its values and in its folder.
    assert [name for name, _ in calls] == ["trial-000", "trial-001", "trial-001", "trial-003"]
    assert calls[1][1] == calls[2][1]
    assert study.best_value == max(-abs(c.learning_rate - 0.001) for _, c in [calls[0], *calls[2:]])
    assert search(CONFIG, tmp_path, 3, score).best_value == study.best_value
    assert len(calls) == 4


def test_only_settings_of_the_config_change(tmp_path: Path) -> None:
    configs: list[TrainConfig] = []

    def score(config: TrainConfig, folder: Path) -> float:
        configs.append(config)
        return 0.0

    search(CONFIG, tmp_path, 1, score)
    low, high, _ = SEARCH_SPACE["dropout"]
    (config,) = configs
    assert isinstance(config, NetworkConfig) and low <= config.dropout <= high
    assert config.model_copy(update={k: getattr(CONFIG, k) for k in SEARCH_SPACE if hasattr(CONFIG, k)}) == CONFIG


def test_command(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    overrides = ["sources.0.num_photos=24", "epochs=1", "val_fraction=0.3", "batch_size=8"]
    command = ["tune", str(CONFIGS / "synthetic.yaml"), *overrides, "--out", str(tmp_path), "--trials", "1"]
    assert main(command) == 0
    assert "best of 1 trials" in capsys.readouterr().out
    assert len(list(tmp_path.glob("*/trial-000/state.pt"))) == 1
    assert main([*command, "preset=huge"]) == 2
    assert "unknown preset 'huge'" in capsys.readouterr().err
