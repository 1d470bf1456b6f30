from dataclasses import replace
from pathlib import Path

import pytest

from resformer.train.config import Config, LoopConfig, Source, load_config
from resformer.train.tools.tune import SPACE, main, tune

CONFIG = Config(sources=(Source("generated", photos_count=1),), preset="nano", minutes=1, epochs=1)


def test_trials_are_counted_over_runs_and_cut_short_ones_go_on(tmp_path: Path) -> None:
    tried: list[tuple[str, LoopConfig]] = []

    def score(config: LoopConfig, folder: Path) -> float:
        tried.append((folder.name, config))
        if len(tried) == 2:
            raise KeyboardInterrupt
        return -abs(config.learning_rate - 0.001)

    with pytest.raises(KeyboardInterrupt):
        tune(CONFIG, tmp_path, 3, score)
    study = tune(CONFIG, tmp_path, 3, score)
    # The second one was asked again, with its values and in its folder.
    assert [name for name, _ in tried] == ["trial-000", "trial-001", "trial-001", "trial-003"]
    assert tried[1][1] == tried[2][1]
    assert study.best_value == max(-abs(c.learning_rate - 0.001) for _, c in [tried[0], *tried[2:]])
    assert tune(CONFIG, tmp_path, 3, score).best_value == study.best_value
    assert len(tried) == 4


def test_only_settings_that_a_config_has_are_changed(tmp_path: Path) -> None:
    seen: list[LoopConfig] = []
    tune(CONFIG, tmp_path, 1, lambda config, folder: seen.append(config) or 0.0)
    low, high, _ = SPACE["dropout"]
    (config,) = seen
    assert isinstance(config, Config) and low <= config.dropout <= high
    assert replace(config, **{k: getattr(CONFIG, k) for k in SPACE if hasattr(CONFIG, k)}) == CONFIG


def test_command(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "tiny.yaml"
    file.write_text(
        "preset: nano\nsources:\n  - {kind: generated, photos_count: 24}\nminutes: 2\nepochs: 2\nbatch_size: 8\n"
        "hold_back: 0.3\n"
    )
    assert load_config(file).epochs == 2
    command = ["--config", str(file), "--out", str(tmp_path / "study"), "--trials", "1", "--epochs", "1"]
    assert main(command) == 0
    assert "best of 1 trials" in capsys.readouterr().out
    assert len(list((tmp_path / "study").glob("*/trial-000/checkpoint.pt"))) == 1
    file.write_text("preset: huge\n")
    assert main(command) == 2
    assert "preset: 'huge'" in capsys.readouterr().err
