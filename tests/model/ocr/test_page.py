"""Features of boxes on a page."""

import pytest

from resformer.model.ocr.page import BOX_SIZE, Page
from resformer.model.ocr.text_line import TextLine

LINE = TextLine(((10, 10), (40, 10), (40, 30), (10, 30)), "5 g", 0.9)


def test_box_features_have_their_size() -> None:
    page = Page([LINE], 800, 600)
    assert page.box_features(LINE.box, LINE)[:4] == pytest.approx([25 / 800, 20 / 800, 30 / 800, 20 / 800])
    assert len(page.box_features(LINE.box, LINE)) == BOX_SIZE
    assert page.box_features(None, None) == [0.0] * BOX_SIZE
