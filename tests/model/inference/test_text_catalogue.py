"""Texts of a catalogue: what similar pictures agree on."""

from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import save_file

from resformer.model.inference.text_catalogue import TextCatalogue

MUGS = ["A blue mug of stoneware", "A blue mug of stoneware, 300 ml", "A red mug of stoneware"]
SHIRTS = ["Shirt in cotton with a collar", "Shirt in cotton with a round neck"]
FEATURES = np.array([[1.0, 1], [1.1, 1], [0.9, 1], [-1, -1], [-1.1, -1]], dtype=np.float32)


@pytest.fixture
def catalogue() -> TextCatalogue:
    return TextCatalogue(FEATURES, {"description": MUGS + SHIRTS, "title": [""] * 5}, "1.0")


def test_the_text_that_similar_pictures_agree_on(catalogue: TextCatalogue) -> None:
    assert catalogue.entities == {"description"}  # there are no titles
    mug = catalogue.choose("description", FEATURES[0], "A thing")
    assert mug.text == MUGS[0] and 0.5 < mug.agreement < 0.8
    shirt = catalogue.choose("description", FEATURES[3], "Shirt in cotton with buttons")
    assert shirt.text in SHIRTS


def test_the_draft_votes(catalogue: TextCatalogue) -> None:
    draft = "A blue mug of stoneware, 300 ml"
    assert catalogue.choose("description", FEATURES[0], draft).text == draft
    one = TextCatalogue(FEATURES[:1], {"title": ["Acme"]}, "1.0")
    assert one.choose("title", FEATURES[0], "Acme").agreement == 1.0
    assert one.choose("title", FEATURES[0], "Other").agreement == 0.0


def test_a_file_of_texts_is_read_back(tmp_path: Path, catalogue: TextCatalogue) -> None:
    catalogue.save(tmp_path / "texts.safetensors")
    again = TextCatalogue.load(tmp_path / "texts.safetensors")
    assert (again.weights_version, again.entities) == ("1.0", {"description"})
    query = FEATURES[0]
    assert again.choose("description", query, "x").text == catalogue.choose("description", query, "x").text


def test_another_file_is_no_catalogue(tmp_path: Path) -> None:
    save_file({"features": FEATURES}, tmp_path / "no-texts.safetensors")
    (tmp_path / "broken.safetensors").write_bytes(b"x" * 20)
    for name in ("no-texts", "broken"):
        with pytest.raises(ValueError, match="is no catalogue of texts; `resformer archive --texts` makes it"):
            TextCatalogue.load(tmp_path / f"{name}.safetensors")
