"""What the fuzzers check holds for their seeds, and for seeds with changes that Hypothesis chooses."""

import time
from functools import cache
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from resformer.scripts.fuzz.bounds import MAX_GROWTH, MAX_SECONDS, Exceeded, bounded
from resformer.scripts.fuzz.run_fuzzers import main
from resformer.scripts.fuzz.target import TARGETS, load_target

# Where, as a fraction of what is there, how many bytes are left out, and what is put in.
CHANGES = st.lists(
    st.tuples(st.floats(0, 1), st.integers(0, 8), st.binary(max_size=8) | st.integers(0, 200).map(bytes)), max_size=4
)


@cache
def seeds(name: str) -> list[bytes]:
    return list(load_target(name).seeds())


def changed(data: bytes, changes: list[tuple[float, int, bytes]], word: bytes) -> bytes:
    for fraction, left_out, put_in in changes:
        at = int(fraction * len(data))
        data = data[:at] + (put_in or word) + data[at + left_out :]
    return data


@pytest.mark.parametrize("name", TARGETS)
def test_seeds_are_many_small_and_stand_the_check(name: str) -> None:
    target = load_target(name)
    assert len(set(seeds(name))) > 50
    for seed in seeds(name):
        assert len(seed) <= target.max_bytes
        target.check(seed)


@pytest.mark.parametrize("name", TARGETS)
def test_changed_seeds_stand_it_too(name: str) -> None:
    target = load_target(name)

    @settings(max_examples=200, deadline=None, derandomize=True)
    @given(st.sampled_from(seeds(name)), CHANGES, st.sampled_from(target.words))
    def check(seed: bytes, changes: list[tuple[float, int, bytes]], word: bytes) -> None:
        target.check(changed(seed, changes, word))

    check()


def test_an_input_that_takes_too_much_time_or_memory_is_a_fault() -> None:
    start = time.process_time() + 0.1
    with pytest.raises(Exceeded, match="s of processor time"), bounded():
        while time.process_time() - start <= MAX_SECONDS:
            pass
    with pytest.raises(Exceeded, match="MiB at the peak"), bounded():
        bytearray(MAX_GROWTH + 2**27)
    with bounded():
        bytearray(2**20)


def test_an_input_is_tried_again(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "input"
    file.write_bytes(b"0500 g")
    assert main(["quantities", "--replay", str(file)]) == 0
    assert "6 bytes, no fault" in capsys.readouterr().out


@pytest.mark.parametrize("arguments", [["words"], ["--seconds", "0"], ["--replay", "file"]])
def test_wrong_arguments_are_refused(arguments: list[str]) -> None:
    with pytest.raises(SystemExit, match="2"):
        main(arguments)


def test_without_atheris_it_says_how_to_install_it(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    assert main(["quantities"]) == 1
    assert "pip install -r requirements-fuzz.txt" in capsys.readouterr().err
