"""What a run says: beforehand, on its way, and at its end."""

import io
import json
from pathlib import Path

import pytest

from resformer.scripts import score_csv
from resformer.scripts.lib.journal import Outcome, Row, ScoredRow
from resformer.scripts.lib.run_progress import run_progress
from resformer.scripts.lib.run_summary import OutcomeCounts
from tests.scripts.conftest import jpeg, write_table


def test_outcomes_are_counted_by_entity_and_reason(tmp_path: Path) -> None:
    def scored(entity: str, prediction: str, error: str = "") -> ScoredRow:
        return ScoredRow(Row("0", "a", entity), Outcome(None if error else {"prediction": prediction}, error))

    counts = OutcomeCounts()
    rows = [
        scored("width", "1 inch"),
        scored("width", ""),
        scored("height", "", "cannot read photos/a.jpg: No such file or directory"),
        scored("height", "", "cannot read photos/b.jpg: No such file or directory"),
        scored("height", "", "CorruptImage: the file ends early"),
    ]
    assert list(counts.counted(rows)) == rows
    counts.write(tmp_path / "s.json", 5, 3)
    assert json.loads((tmp_path / "s.json").read_text()) == {
        "rows": 5,
        "rows_failed": 3,
        "questions": {"answered": 1, "empty": 1, "failed": 3},
        "entities": {
            "height": {"answered": 0, "empty": 0, "failed": 3},
            "width": {"answered": 1, "empty": 1, "failed": 0},
        },
        "reasons": {"cannot read …: No such file or directory": 2, "CorruptImage": 1},
    }
    assert counts.as_text().splitlines()[1:] == [
        "height         0         0         3",
        "width          1         1         0",
        "all            1         1         3",
        "       2  cannot read …: No such file or directory",
        "       1  CorruptImage",
    ]


def test_a_log_gets_rate_and_time_left() -> None:
    log = io.StringIO()
    with run_progress(log, interval=0.0) as told:
        told(5, 10)
    assert log.getvalue().startswith("5 of 10 photos, ") and log.getvalue().endswith(" left\n")


def test_a_dry_run_names_what_is_wrong(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "photos").mkdir()
    (tmp_path / "photos" / "a.jpg").write_bytes(jpeg())
    rows = [("a.jpg", "width"), ("a.jpg", "girth"), *((f"none{i:02}.jpg", "width") for i in range(25))]
    table = write_table(tmp_path / "in.csv", "image,entity_name", *rows)
    command = [str(table), str(tmp_path / "out.csv"), "--photos", str(tmp_path / "photos"), "--dry-run"]
    assert score_csv.main(command) == 3
    first, girth, missing, *others, last = capsys.readouterr().out.splitlines()
    assert first == "27 questions about 26 photos, 26 problems"
    assert "unknown entity 'girth'" in girth
    assert missing.startswith("none00.jpg: no none00.jpg") and len(others) == 18
    assert last == "... and 6 more"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["in.csv", "photos"]

    write_table(tmp_path / "in.csv", "image,entity_name", *rows[:1])
    assert score_csv.main(command) == 0
    write_table(tmp_path / "in.csv", "index,image,entity_name", (1, "a.jpg", "width"), (1, "a.jpg", "height"))
    assert score_csv.main(command) == 2
