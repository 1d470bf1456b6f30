from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from resformer.model.prediction import Prediction
from resformer.scripts.draw import main
from resformer.scripts.lib.row_picture import COLOURS, draw_row
from resformer.scripts.lib.sample_photo import draw_sample_photo


def test_answers_are_beside_the_photo_and_boxes_on_it() -> None:
    photo = Image.new("RGB", (1280, 640), "white")
    short = Prediction("500 gram", 500.0, "gram", None, 0.9, [200, 100, 400, 200])
    long = Prediction("soft dress " * 120, None, None, None, 0.5, None)
    empty = Prediction("", None, None, None, 0.9, None)
    picture = draw_row(photo, {"item_weight": short, "width": empty, "description": long})
    pixels = np.asarray(picture)
    red = (pixels == [int(COLOURS[0][i : i + 2], 16) for i in (1, 3, 5)]).all(axis=2)
    assert red[24 + 50 - 3 : 24 + 100 + 3, 24 + 97].all()  # the box's left side, at half the photo's size
    assert (pixels[:, 640 + 48 :] < 100).any()
    assert draw_row(photo, {"width": empty}).height < picture.height


def test_command(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    photo, picture = tmp_path / "photo.jpg", tmp_path / "row.png"
    draw_sample_photo(photo)
    options = ["--min-confidence", "0", "--assume-present"]
    assert main([str(photo), str(picture), "--entities", "item_weight,voltage", *options]) == 0
    out = capsys.readouterr().out.splitlines()
    assert out[0].split()[0] == "item_weight" and out[0].endswith("gram")
    assert Image.open(picture).width > 900
    assert main([str(photo), str(picture), "--min-confidence", "nan"]) == 2
    assert "'--min-confidence'" in capsys.readouterr().err
    assert main([str(photo), str(picture), "--entities", "girth"]) == 2
    assert "unknown entity 'girth'" in capsys.readouterr().err
    photo.write_bytes(b"no photo")
    assert main([str(photo), str(picture)]) == 2


def test_the_photo_is_never_overwritten(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    photo = tmp_path / "photo.jpg"
    draw_sample_photo(photo)
    before = photo.read_bytes()
    assert main([str(photo), str(photo), "--entities", "item_weight"]) == 2
    assert "is both read and written" in capsys.readouterr().err
    assert photo.read_bytes() == before
    assert main([str(tmp_path / "none.jpg"), str(tmp_path / "row.png")]) == 2
    assert "cannot use" in capsys.readouterr().err
