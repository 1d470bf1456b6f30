"""OCR caches, label priors and the subword vocabulary."""

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from tokenizers import Tokenizer

from resformer.model.ocr.readers import NullReader
from resformer.model.ocr.text_line import TextLine
from resformer.model.quantities.label_priors import LabelPriors
from resformer.model.quantities.parser import parse_quantity
from resformer.scripts.cli.main import main
from resformer.train.data.quantity_records import read_ocr_cache
from resformer.train.tools.ocr_cache import load_reader, write_ocr_cache


class OneLine:
    def read(self, image: object) -> list[TextLine]:
        return [TextLine(((0, 0), (9, 0), (9, 5), (0, 5)), "500 g", 0.9)]


def test_an_ocr_cache_is_read_back(tmp_path: Path) -> None:
    photos = tmp_path / "photos"
    photos.mkdir()
    for name in ("a.png", "b.png", "c.png"):
        Image.new("RGB", (20, 10)).save(photos / name)
    (photos / "a2.png").write_bytes(b"no photo")
    lines: list[str] = []
    summary = write_ocr_cache(photos, tmp_path / "new" / "ocr.jsonl.gz", OneLine(), limit=3, log=lines.append)
    cache = read_ocr_cache(tmp_path / "new" / "ocr.jsonl.gz")
    assert list(cache) == ["a.png", "b.png"]
    assert (cache["a.png"].width, cache["a.png"].lines) == (20, tuple(OneLine().read(None)))
    assert summary.photos == 2 and summary.mean_seconds is not None
    assert len(lines) == 1 and lines[0].startswith("a2.png: ")
    assert summary.left_out == 1
    (photos / "more").mkdir()
    summary = write_ocr_cache(photos, tmp_path / "ocr.jsonl", OneLine(), log=lines.append)
    assert (summary.photos, summary.left_out) == (3, 2) and "more: a folder, whose photos are not read" in lines


def test_copies_of_photos_are_read_in_place_of_the_photos(tmp_path: Path) -> None:
    photos = tmp_path / "photos"
    photos.mkdir()
    noise = np.random.default_rng(0).integers(0, 256, (60, 100, 3), np.uint8)
    for name in ("a.png", "b.png", "c.png"):
        Image.fromarray(noise).save(photos / name)
    seen: list[np.ndarray] = []

    class WholePhoto:
        def read(self, image: np.ndarray) -> list[TextLine]:
            seen.append(image)
            height, width = image.shape[:2]
            return [TextLine(((0, 0), (width, 0), (width, height), (0, height)), "500 g", 0.9)]

    write_ocr_cache(photos, tmp_path / "ocr.jsonl", WholePhoto(), copies=True)
    webp, jpeg, scaled = seen[1:]  # the first photo is read twice
    assert webp.shape == jpeg.shape == noise.shape and scaled.shape == (54, 90, 3)
    assert len({webp.tobytes(), jpeg.tobytes(), noise.tobytes()}) == 3
    for row in read_ocr_cache(tmp_path / "ocr.jsonl").values():
        assert (row.width, row.height) == (100, 60)
        assert np.allclose(row.lines[0].corners, [[0, 0], [100, 0], [100, 60], [0, 60]])


def test_readers_are_named(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="there is no reader 'eyes'; there are ppocr, crops, builtin"):
        load_reader("eyes")
    command = ["data", "ocr", "--photos", str(tmp_path), "--out", str(tmp_path / "x"), "--reader", "eyes"]
    assert main(command) == 2
    assert "no reader 'eyes'" in capsys.readouterr().err
    assert not (tmp_path / "x").exists()


def test_no_photos_give_an_empty_cache(tmp_path: Path) -> None:
    (tmp_path / "photos").mkdir()
    summary = write_ocr_cache(tmp_path / "photos", tmp_path / "ocr.jsonl", NullReader())
    assert (summary.photos, summary.mean_seconds) == (0, None)
    with pytest.raises(FileNotFoundError):
        write_ocr_cache(tmp_path / "none", tmp_path / "ocr.jsonl", NullReader())


def test_priors_command(tmp_path: Path) -> None:
    labels = tmp_path / "labels.csv"
    labels.write_text("image,group_id,entity_name,entity_value\n" + "a.jpg,1,item_weight,500 gram\n" * 3)
    assert main(["data", "priors", str(labels), "--out", str(tmp_path / "p.safetensors")]) == 0
    quantity = parse_quantity("500 gram", ("gram",))
    assert quantity is not None
    assert LabelPriors.load(tmp_path / "p.safetensors").features("item_weight", quantity)[0] > 1
    assert main(["data", "priors", str(tmp_path / "none.csv")]) == 2


def test_vocabulary_command(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    row = {"image": "a", "width": 9, "height": 9, "lines": [[[[0, 0]] * 4, "Weight WEIGHT", 1.0]]}
    (tmp_path / "ocr.jsonl").write_text(json.dumps(row) + "\n")
    (tmp_path / "t.csv").write_text("name,x\nBlue shirt,1\n")
    out = tmp_path / "subwords.json"
    sources = [str(tmp_path / "ocr.jsonl"), f"{tmp_path / 't.csv'}:name"]
    assert main(["data", "vocabulary", *sources, "--out", str(out)]) == 0
    assert Tokenizer.from_file(str(out)).encode("weight").tokens == ["weight"]
    assert Tokenizer.from_file(str(out)).encode("12").tokens == ["1", "2"]
    assert main(["data", "vocabulary", f"{tmp_path / 't.csv'}:title", "--out", str(out)]) == 2
    assert "no column title; its columns are name, x" in capsys.readouterr().err
