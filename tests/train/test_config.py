from pathlib import Path

import pytest

from train.config import load_config

CONFIGS = Path(__file__).parents[2] / "train" / "configs"


def test_generated_config_loads() -> None:
    config = load_config(CONFIGS / "generated.yaml")
    assert config.preset == "nano"
    assert config.sources[0].kind == "generated"


def test_small_config_loads_where_its_data_is() -> None:
    try:
        assert load_config(CONFIGS / "small.yaml").preset == "small"
    except ValueError as error:
        complaints = str(error).splitlines()[1:]
        assert complaints
        if all("does not exist" in line for line in complaints):
            pytest.skip("the labelled photos are not beside this checkout")
        raise


def test_all_errors_come_at_once(tmp_path: Path) -> None:
    path = tmp_path / "bad.yaml"
    path.write_text(
        "preset: huge\nminutes: -1\nlearning_rte: 3\nbatch_size: many\n"
        "sources: [{kind: photos}, {kind: challenge, labels: nowhere.csv}]\n"
    )
    with pytest.raises(ValueError) as caught:
        load_config(path)
    message = str(caught.value)
    for part in ("huge", "minutes", "learning_rte", "batch_size", "epochs: missing", "photos", "nowhere.csv", "words"):
        assert part in message


def test_unreadable_config_says_so(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="cannot read the config"):
        load_config(tmp_path / "none.yaml")
