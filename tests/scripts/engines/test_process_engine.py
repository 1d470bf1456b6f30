"""Worker processes: every photo is answered once, whatever becomes of the processes."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from resformer.scripts.engines.engine import Answered, EngineError
from resformer.scripts.engines.process_engine import ProcessEngine
from resformer.scripts.lib.journal import Journal, Outcome, Questions, Row
from resformer.scripts.lib.photo_sources import PhotoError
from tests.paths import ROOT
from tests.scripts.engines.fake_network import FakeNetwork


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[Journal]:
    with Journal(tmp_path / "journal", "") as journal:
        yield journal


@pytest.fixture
def log(tmp_path: Path) -> Path:
    return tmp_path / "log"


def photo(image: str) -> bytes:
    """The photo `a/7` is the text 7."""
    if image.startswith("missing"):
        raise PhotoError("no such photo")
    if image.startswith("broken"):
        raise RuntimeError("the disk is broken")
    return image.partition("/")[2].encode()


def asked(*images: str, about: dict[str, str] | None = None) -> list[Questions]:
    return [Questions(image, about or {}, ["width"]) for image in images]


def answers(journal: Journal, network: FakeNetwork, questions: list[Questions], **options: int) -> dict[str, str]:
    """By image, the answer or the error; each is recorded, as a run does."""
    engine = ProcessEngine(photo, network, journal, **{"workers": 2, "jobs": 2, **options})
    found = {}
    for answered in engine.answers(questions):
        journal.record(*answered)
        assert answered.questions.image not in found
        found[answered.questions.image] = _text(answered)
    return found


def _text(answered: Answered) -> str:
    answer, error = answered.outcomes["width"]
    return error or (answer or {})["prediction"].strip()


@pytest.mark.parametrize(("workers", "batch"), [(1, 1), (3, 4)])
def test_every_photo_has_its_answer(journal: Journal, log: Path, workers: int, batch: int) -> None:
    questions = [*asked(*(f"a/{i}" for i in range(60))), *asked("missing/1")]
    found = answers(journal, FakeNetwork(log), questions, workers=workers, batch=batch)
    assert found == {**{f"a/{i}": str(i) for i in range(60)}, "missing/1": "no such photo"}
    assert len(log.read_text().splitlines()) == 60


def test_equal_photos_are_answered_once(journal: Journal, log: Path) -> None:
    """Those under way together, and those of an earlier part of the run; other texts are another question."""
    network = FakeNetwork(log, seconds=0.05)
    assert answers(journal, network, asked("a/1", "b/1", "c/1")) == {"a/1": "1", "b/1": "1", "c/1": "1"}
    assert answers(journal, network, asked("d/1")) == {"d/1": "1"}
    assert answers(journal, network, asked("e/1", about={"title": "x"})) == {"e/1": "1 x"}
    assert len(log.read_text().splitlines()) == 2


def test_a_photo_that_kills_its_process_is_an_error_of_its_own(journal: Journal, log: Path) -> None:
    questions = asked(*(f"a/{i}" for i in range(10)), "b/kill", *(f"c/{i}" for i in range(10, 20)))
    found = answers(journal, FakeNetwork(log), questions, batch=3)
    error = found.pop("b/kill")
    assert error.startswith("WorkerDied: the process that answered it was ended by SIGKILL, as is done where memory")
    assert found == {f"{'a' if i < 10 else 'c'}/{i}": str(i) for i in range(20)}


def test_a_process_that_is_killed_once_is_replaced(journal: Journal, log: Path, tmp_path: Path) -> None:
    text = f"kill unless {tmp_path / 'killed'}"
    found = answers(journal, FakeNetwork(log), asked("a/1", f"a/{text}", "a/2"), workers=1)
    assert found == {"a/1": "1", f"a/{text}": text, "a/2": "2"}


def test_a_process_that_is_killed_from_outside_is_replaced(journal: Journal, log: Path) -> None:
    engine = ProcessEngine(photo, FakeNetwork(log, seconds=0.01), journal, workers=1, jobs=1)
    run = iter(engine.answers(asked(*(f"a/{i}" for i in range(50)))))
    found = [_text(next(run))]
    os.kill(int(log.read_text().split()[0]), signal.SIGKILL)
    found += map(_text, run)
    assert sorted(found, key=int) == [str(i) for i in range(50)]


@pytest.mark.parametrize(("image", "error"), [("a/fault", ValueError), ("broken/1", RuntimeError)])
def test_a_fault_of_the_program_ends_the_run(journal: Journal, log: Path, image: str, error: type[Exception]) -> None:
    with pytest.raises(error, match=r"the network is at fault|the disk is broken"):
        answers(journal, FakeNetwork(log), asked("a/1", image))


def test_processes_that_cannot_load_end_the_run(journal: Journal, log: Path) -> None:
    with pytest.raises(EngineError, match="ended with exit code 7 while it loaded the network, 3 times"):
        answers(journal, FakeNetwork(log, ends=True), asked("a/1"))


def test_no_process_outlives_a_run_that_is_stopped(journal: Journal, log: Path) -> None:
    engine = ProcessEngine(photo, FakeNetwork(log, seconds=0.2), journal, workers=2, jobs=2)
    run = engine.answers(asked(*(f"a/{i}" for i in range(100))))
    next(iter(run))
    run.close()
    assert _alive(log) == []


RUN = """
from pathlib import Path
from resformer.scripts.engines.process_engine import ProcessEngine
from tests.scripts.engines.fake_network import FakeNetwork
from tests.scripts.engines.test_process_engine import Nothing, asked, photo

if __name__ == "__main__":
    network = FakeNetwork(Path("{log}"), seconds=0.5)
    engine = ProcessEngine(photo, network, Nothing(), workers=2, jobs=2)
    list(engine.answers(asked(*(f"a/{{i}}" for i in range(1000)))))
"""


class Nothing:
    """Nothing was answered before."""

    def same_content(self, content: bytes, questions: Questions) -> None:
        return None

    def remember_content(self, content: bytes, questions: Questions) -> None:
        pass


def test_processes_end_with_the_one_that_started_them(log: Path, tmp_path: Path) -> None:
    script = tmp_path / "run.py"
    script.write_text(RUN.format(log=log))
    with subprocess.Popen([sys.executable, str(script)], env={**os.environ, "PYTHONPATH": str(ROOT)}) as parent:
        _wait(lambda: log.exists() and len(_alive(log)) == 2)
        parent.kill()
    _wait(lambda: _alive(log) == [])


def _alive(log: Path) -> list[int]:
    pids = {int(line.split()[0]) for line in log.read_text().splitlines()}
    return [pid for pid in pids if psutil.pid_exists(pid) and psutil.Process(pid).status() != psutil.STATUS_ZOMBIE]


def _wait(condition: Callable[[], bool], seconds: float = 60.0) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.05)


def test_contents_outlive_a_process_that_is_killed(tmp_path: Path) -> None:
    """A content whose questions have no outcome, or a failed one, is answered anew."""
    questions = Questions("a/1", {}, ["width"])
    with pytest.raises(RuntimeError), Journal(tmp_path / "journal", "") as journal:
        journal.add([Row("0", "a/1", "width")], "table")
        assert journal.same_content(b"1", questions) is None
        journal.remember_content(b"1", questions)
        journal.remember_content(b"2", Questions("b/2", {}, ["width"]))
        journal.record(questions, {"width": Outcome({"prediction": "1"}, "")})
        journal.record(Questions("b/2", {}, ["width"]), {"width": Outcome(None, "lost")})
        raise RuntimeError
    with Journal(tmp_path / "journal", "") as journal:
        assert journal.same_content(b"1", Questions("c/1", {}, ["width"])) == {
            "width": Outcome({"prediction": "1"}, "")
        }
        assert journal.same_content(b"1", Questions("c/1", {}, ["width", "height"])) is None
        assert journal.same_content(b"2", Questions("c/2", {}, ["width"])) is None
