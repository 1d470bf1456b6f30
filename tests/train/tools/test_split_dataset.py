"""Splits of a table."""

import csv
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from resformer.model.files.tables import read_table
from resformer.scripts.cli.main import main
from resformer.train.tools.split_dataset import LeftOutRow, pixel_hash, split_rows, split_table


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

    def hash_of(row: dict[str, str]) -> str:
        if row["id"] == "9":
            raise LeftOutRow("no photo")
        return {"5": "0"}.get(row["id"], row["id"])

    split = split_rows(rows, hash_of, group_column="caption", val=0.2, test=0.1, seed=3)
    assert split.left_out == {"no photo": 1, "equal photo": 1}
    sides = {side: {row["caption"] for row in side_rows} for side, side_rows in split.sides.items()}
    assert not (sides["train"] & sides["val"] or sides["train"] & sides["test"] or sides["val"] & sides["test"])
    assert any({"0", "2"} <= captions for captions in sides.values())
    assert len(sides["val"]) in (20, 21) and len(sides["test"]) in (10, 11)
    assert sum(map(len, split.sides.values())) == 198
    again = split_rows(rows, hash_of, group_column="caption", val=0.2, test=0.1, seed=3)
    assert again.sides == split.sides
    other = split_rows(rows, hash_of, group_column="caption", val=0.2, test=0.1, seed=4)
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
    assert "train: 7 rows" in out and "left out, no photo: 1 (first in line 13)" in out
    assert "left out, no photo that can be decoded: 1 (first in line 12)" in out
    assert "left out, equal photo: 1 (first in line 14)" in out
    with (tmp_path / "out" / "val.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 2 and rows[0]["usage"] == "NA"
    assert main([*command, "--image-column", "id"]) == 2
    assert "no column id" in capsys.readouterr().err
    assert main([*command, "--image-column", "name", "--group-column", "caption"]) == 2
    assert "no column caption" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("cell", "name"),
    [
        ("{i}", "{i}.png"),
        ("{i}.0", "{i}.jpg"),
        ("SKU.{i}.A", "SKU.{i}.A.jpg"),
        ("https://x.example/I/{i}.jpg", "{i}.jpg"),
        ("https://x.example/I/{i}.webp?w=200", "{i}.webp"),
        ("shirt #{i}.jpg", "shirt #{i}.jpg"),
        (r"C:\\photos\\{i}.JPG", "{i}.JPG"),
    ],
)
def test_photos_are_named_in_many_ways(tmp_path: Path, cell: str, name: str) -> None:
    rng = np.random.default_rng(0)
    for i in range(1001, 1006):
        pixels = Image.fromarray(rng.integers(0, 255, (9, 9, 3), dtype=np.uint8))
        pixels.save(tmp_path / name.format(i=i), None if "JPG" not in name else "JPEG")
    table = tmp_path / "table.csv"
    table.write_text("photo,label\n" + "".join(f"{cell.format(i=i)},A\n" for i in range(1001, 1006)))
    split_table(table, tmp_path, tmp_path / "out", image_column="photo", val=1, test=1)
    rows = [row for side in ("train", "val", "test") for row in read_table(tmp_path / "out" / f"{side}.csv")]
    assert sorted(row["photo"] for row in rows) == [cell.format(i=i) for i in range(1001, 1006)]


def test_tables_that_cannot_be_split_leave_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    Image.new("RGB", (8, 8)).save(tmp_path / "1.jpg")
    table, out = tmp_path / "styles.csv", tmp_path / "out"
    command = ["data", "split", str(table), "--photos", str(tmp_path), "--out", str(out), "--image-column", "id"]
    for text, message in (
        (
            "id,name\n1,Check Shirt\n2,Women Silver, Earrings\n",
            "line 3: 3 cells for 2 columns, ' Earrings' stands behind",
        ),
        ('id,name\n1,"24 in\n2,Earrings\n', "line 2, column name: a quote opens here and is not closed"),
        ("id,name\nx.y/7,Shirt\n8,Belt\n", "lacks 2 of the 2 photos of"),
        ("id,name\n1,Shirt\n2,Belt\n", "val 1.0 and test 0.1 leave nothing of 1 rows"),
        ("id,name\n", "has no rows"),
    ):
        table.write_text(text)
        assert main([*command, "--val", "1"]) == 2
        assert message in capsys.readouterr().err and not out.exists()


def test_links_with_one_file_name_are_left_out(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    rng = np.random.default_rng(0)
    for i in range(3):
        Image.fromarray(rng.integers(0, 255, (9, 9, 3), dtype=np.uint8)).save(tmp_path / f"{i}.png")
    table = tmp_path / "table.csv"
    table.write_text("link\n" + "".join(f"https://x.example/{link}.png\n" for link in ("a/0", "b/0", "a/1", "a/2")))
    command = ["data", "split", str(table), "--photos", str(tmp_path), "--out", str(tmp_path / "out")]
    assert main([*command, "--image-column", "link", "--val", "1", "--test", "0"]) == 0
    assert "left out, the file name of another row's link: 1 (first in line 3)" in capsys.readouterr().out
