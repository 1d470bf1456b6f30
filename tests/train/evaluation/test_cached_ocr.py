"""OCR caches of readers."""

import os
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from resformer.model.inference.checkpoint import WEIGHTS_DIR
from resformer.model.ocr.detector import TextDetector
from resformer.train.evaluation.cached_ocr import make_ocr_cache
from resformer.train.tools.ocr_cache import load_reader, write_ocr_cache


def test_a_cache_is_made_again_when_its_reader_has_changed(tmp_path: Path) -> None:
    (tmp_path / "photos").mkdir()
    Image.new("RGB", (64, 64)).save(tmp_path / "photos" / "a.png")
    ocr = tmp_path / "ocr.jsonl"

    def content() -> str:
        make_ocr_cache(tmp_path / "photos", ocr, "builtin")
        text = ocr.read_text()
        ocr.write_text("kept")
        return text

    assert '"image": "a.png"' in content()
    assert content() == "kept"
    changed = max(path.stat().st_mtime for path in WEIGHTS_DIR.parent.rglob("*.py"))
    os.utime(ocr.with_suffix(".cost.json"), (changed - 1, changed - 1))
    assert '"image": "a.png"' in content()


@pytest.mark.parametrize(
    ("reader", "max_side", "width"), [("builtin", None, 512), ("crops", None, 640), ("none", 320, 320)]
)
def test_the_detector_sees_photos_at_the_size_of_the_reader(
    reader: str, max_side: int | None, width: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "photos").mkdir()
    Image.new("RGB", (960, 400), "white").save(tmp_path / "photos" / "a.png")
    widths: set[int] = set()
    detect = TextDetector.detect

    def record_width(detector: TextDetector, photos: Sequence[np.ndarray]) -> list[np.ndarray]:
        widths.update(photo.shape[1] for photo in photos)
        return detect(detector, photos)

    monkeypatch.setattr(TextDetector, "detect", record_width)
    write_ocr_cache(tmp_path / "photos", tmp_path / "ocr.jsonl", load_reader(reader, max_side=max_side, threads=1))
    assert widths == {width}


def test_a_size_is_refused_for_other_readers() -> None:
    with pytest.raises(ValueError, match="can be set for the readers crops and builtin, not for ppocr"):
        load_reader("ppocr", max_side=320)
