from pathlib import Path

import pytest

from resformer.train.config import MapsConfig, ReadingConfig, load_config
from tests.paths import CONFIGS


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
        if all("more_words" in line and "make words" in line for line in complaints):
            pytest.skip("the second reading of the photos was not made; nothing else is wrong with the config")
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


@pytest.mark.parametrize(
    ("line", "complaint"),
    [
        ("hold_back: 1.0", "hold_back: 1.0 is not at least 0 and below 1"),
        ("title_share: 1.2", "title_share: 1.2 is not between 0 and 1"),
        ("learning_rate: 5e-4", "write 0.0005"),
        ("workers: -1", "workers: -1 is below 0"),
        ("sources: generated", "begin each source with a dash"),
        ("sources: []", "sources: at least one is needed"),
    ],
)
def test_values_out_of_range_are_named(tmp_path: Path, line: str, complaint: str) -> None:
    path = tmp_path / "bad.yaml"
    sources = "" if line.startswith("sources") else "sources: [{kind: generated, photos_count: 3}]\n"
    path.write_text(f"preset: nano\nminutes: 1\nepochs: 1\n{sources}{line}\n")
    with pytest.raises(ValueError) as caught:
        load_config(path)
    assert complaint in str(caught.value)
    assert "has 1 error" in str(caught.value)


@pytest.mark.parametrize("kind", [MapsConfig, ReadingConfig])
def test_an_unknown_start_is_named(tmp_path: Path, kind: type[MapsConfig] | type[ReadingConfig]) -> None:
    path = tmp_path / "bad.yaml"
    text = "preset: nano\nminutes: 1\nepochs: 1\nsources: [{kind: generated, photos_count: 3}]\nprint_start: "
    path.write_text(f"{text}ppocrv6-tiny\n")
    assert load_config(path, kind).print_start == "ppocrv6-tiny"
    path.write_text(f"{text}ppocrv6-small\n")
    with pytest.raises(ValueError, match="print_start: 'ppocrv6-small' is not ppocrv6-tiny"):
        load_config(path, kind)


def test_unreadable_config_says_so(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="cannot read the config"):
        load_config(tmp_path / "none.yaml")


def test_files_belong_where_they_are_known(tmp_path: Path) -> None:
    (tmp_path / "weights").touch()
    path = tmp_path / "config.yaml"
    path.write_text(
        "preset: nano\nminutes: 1\nepochs: 1\nstart: weights\nsources: [{kind: generated, photos_count: 3}]\n"
    )
    assert load_config(path, MapsConfig).start == tmp_path / "weights"
    with pytest.raises(ValueError, match="start: unknown"):
        load_config(path)
    path.write_text(
        "preset: nano\nminutes: 1\nepochs: 1\nsources: [{kind: generated, photos_count: 3, start: weights}]\n"
    )
    with pytest.raises(ValueError, match=r"sources\[0\]\.start: unknown"):
        load_config(path, MapsConfig)
