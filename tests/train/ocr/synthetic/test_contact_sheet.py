"""Contact sheets of rendered line crops."""

from pathlib import Path

import cv2
import numpy as np
import pytest

from resformer.train.ocr.synthetic.contact_sheet import draw_contact_sheet


@pytest.mark.usefixtures("fonts")
def test_sheets_are_full_of_text(tmp_path: Path) -> None:
    draw_contact_sheet(tmp_path / "new" / "sheet.png")
    draw_contact_sheet(tmp_path / "held-out.png", held_out=True)
    sheet, held_out = (np.asarray(cv2.imread(str(tmp_path / name))) for name in ("new/sheet.png", "held-out.png"))
    assert sheet.shape == held_out.shape
    assert not np.array_equal(sheet, held_out)
    for rows in np.split(sheet, 10):
        assert np.ptp(rows) > 200
