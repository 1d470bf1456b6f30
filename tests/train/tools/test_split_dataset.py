"""Splits of a table."""

import csv
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from resformer.scripts.cli.main import main
from resformer.train.tools.split_dataset import pixel_hash, split_rows


def test_photos_are_compared_by_their_pixels(tmp_path: Path) -> None:
    image = Image.fromarray(np.arange(48, dtype=np.uint8).reshape(4, 4, 3))
    image.save(tmp_path / "a.png")
    image.save(tmp_path / "b.bmp")
    image.rotate(90).save(tmp_path / "c.png")
    a, b, c = (pixel_hash(tmp_path / name) for name in ("a.png", "b.bmp", "c.png"))
    assert a == b != c


def test_groups_and_equal_photos_stay_on_one_side() -> None:
    rows = [{"id": str(i), "caption": str(i // 2)} for i in range(200)]
    # Rows 0 and 5 have one photo, so that the groups 0 and 2 belong together.
    hashes = {row["id"]: row["id"] for row in rows} | {"5": "0", "9": None}
    split = split_rows(rows, lambda row: hashes[row["id"]], group_column="caption", val=0.2, test=0.1, seed=3)
    assert split.left_out == {"no photo": 1, "equal photo": 1}
    sides = {side: {row["caption"] for row in side_rows} for side, side_rows in split.sides.items()}
    assert not (sides["train"] & sides["val"] or sides["train"] & sides["test"] or sides["val"] & sides["test"])
    assert any({"0", "2"} <= captions for captions in sides.values())
    assert len(sides["val"]) in (20, 21) and len(sides["test"]) in (10, 11)
    assert sum(map(len, split.sides.values())) == 198
    again = split_rows(rows, lambda row: hashes[row["id"]], group_column="caption", val=0.2, test=0.1, seed=3)
    assert again.sides == split.sides
    other = split_rows(rows, lambda row: hashes[row["id"]], group_column="caption", val=0.2, test=0.1, seed=4)
    assert other.sides != split.sides


def test_sizes_are_fractions_or_rows() -> None:
    rows = [{"id": str(i)} for i in range(50)]
    split = split_rows(rows, lambda row: row["id"], val=7, test=0)
    assert [len(split.sides[side]) for side in ("train", "val", "test")] == [43, 7, 0]
    with pytest.raises(ValueError, match="leave nothing of 50 rows"):
        split_rows(rows, lambda row: row["id"], val=50, test=0)
    for size in (-0.1, 1.5):
        with pytest.raises(ValueError, match="neither a fraction below 1 nor a whole number"):
            split_rows(rows, lambda row: row["id"], val=size)


def test_command(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    rng = np.random.default_rng(0)
    for i in range(10):
        Image.fromarray(rng.integers(0, 255, (5, 5, 3), dtype=np.uint8)).save(tmp_path / f"{i}.png")
    (tmp_path / "10.png").write_bytes(b"no photo")
    table = tmp_path / "table.csv"
    table.write_text("name,usage\n" + "".join(f"{i}.png,NA\n" for i in [*range(12), 3]))
    command = ["data", "split", str(table), "--photos", str(tmp_path), "--out", str(tmp_path / "out")]
    assert main([*command, "--image-column", "name", "--val", "2", "--test", "0.1"]) == 0
    out = capsys.readouterr().out
    assert "train: 7 rows" in out and "left out, no photo: 2" in out and "left out, equal photo: 1" in out
    with (tmp_path / "out" / "val.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 2 and rows[0]["usage"] == "NA"
    assert main([*command, "--image-column", "id"]) == 2
    assert "no column 'id'" in capsys.readouterr().err
    assert main([*command, "--image-column", "name", "--group-column", "caption"]) == 2
    assert "no column 'caption'" in capsys.readouterr().err
