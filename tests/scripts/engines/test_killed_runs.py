"""A run that is killed again and again, and resumed, ends with the files of one that is not."""

import os
import random
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.paths import ROOT
from tests.scripts.conftest import write_table

PHOTOS, TWINS, KILLS = 240, 60, 20
RUN = """
import sys
from pathlib import Path
from resformer.scripts.engines.process_engine import ProcessEngine
from resformer.scripts.lib import score_table
from resformer.scripts.lib.score_options import ScoreOptions
from tests.scripts.engines.fake_network import FakeNetwork


def engine(options, run, answerer, photos):
    network = FakeNetwork(Path("log"), seconds=0.005)
    return ProcessEngine(run.photos, network, run.journal, workers=2, jobs=2)


if __name__ == "__main__":
    score_table.answer_settings = lambda options: "of a test"
    score_table._engine = engine
    options = ScoreOptions(
        table=Path("in.csv"), out=Path("out.csv"), photos=Path("photos"), details=Path("out.jsonl"),
        summary=Path("out.json"), resume="--resume" in sys.argv,
    )
    sys.exit(3 if score_table.score_table(options).failed else 0)
"""
FILES = ("out.csv", "out.errors.csv", "out.jsonl", "out.json")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A table of photos, of which some are the same, one is missing and one is asked about something unknown."""
    (tmp_path / "photos").mkdir()
    for i in range(PHOTOS):
        (tmp_path / "photos" / f"{i}.jpg").write_text(str(i % (PHOTOS - TWINS)))
    rows = [(f"{i}.jpg", name) for i in range(PHOTOS + 1) for name in ("width", "item_weight")]
    write_table(tmp_path / "in.csv", "image,entity_name", *rows, ("1.jpg", "girth"))
    (tmp_path / "run.py").write_text(RUN)
    return tmp_path


def start(folder: Path, *options: str) -> "subprocess.Popen[bytes]":
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    return subprocess.Popen(
        [sys.executable, "run.py", *options], cwd=folder, env=environment, stderr=subprocess.DEVNULL
    )


def answered(folder: Path) -> int:
    log = folder / "log"
    return len(log.read_text().splitlines()) if log.exists() else 0


def test_killed_and_resumed(folder: Path) -> None:
    assert start(folder).wait() == 3
    expected = {name: (folder / name).read_bytes() for name in FILES}
    assert answered(folder) == 2 * (PHOTOS - TWINS)  # two questions about each
    for name in (*FILES, "log"):
        (folder / name).unlink()

    moments = random.Random(24)
    for kill in range(KILLS):
        with start(folder, "--resume") as run:
            if kill % 3:  # somewhere among the answers
                wanted = answered(folder) + moments.randrange(1, 30)
                while run.poll() is None and answered(folder) < wanted:
                    time.sleep(0.002)
            else:  # anywhere
                time.sleep(moments.uniform(0, 2))
            run.kill()
    assert start(folder, "--resume").wait() == 3
    assert {name: (folder / name).read_bytes() for name in FILES} == expected
    assert not (folder / "out.csv.journal").exists()
