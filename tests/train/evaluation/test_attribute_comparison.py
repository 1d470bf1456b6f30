import json
from pathlib import Path

import pytest

from resformer.train.evaluation.attribute_comparison import main

SOURCES = """sources:
  - table: {shop}/table.csv
    photos: {shop}/photos
    photo: id
    title: name
    answers:
      baseColour: colour
      category: {category}
      description: blurb
"""


def test_baselines_on_a_table_that_they_know(shop: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    known, asked = tmp_path / "resformer.train.yaml", tmp_path / "val.yaml"
    known.write_text("preset: nano\nminutes: 1\nepochs: 1\n" + SOURCES.format(shop=shop, category="kind"))
    asked.write_text(SOURCES.format(shop=shop, category="kind > colour"))
    assert main([str(known), str(asked), str(tmp_path / "out")]) == 0
    scores = json.loads((tmp_path / "out" / "baselines.json").read_text())
    # The category is asked for in other words than it was taught in, so it is left out.
    assert set(scores) == {"baseColour: words alone", "description: text of the nearest photo"}
    assert scores["baseColour: words alone"]["accuracy"] == 1
    assert scores["description: text of the nearest photo"]["SacreBLEU"] > 99
    assert "| baseColour: words alone |" in (tmp_path / "out" / "baselines.md").read_text()
    asked.write_text("sources: []\n")
    assert main([str(known), str(asked), str(tmp_path / "out")]) == 2
    assert "must hold a list" in capsys.readouterr().err
