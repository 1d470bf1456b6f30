"""The sample photo."""

from pathlib import Path

from PIL import Image

from resformer.model.quantities.parser import find_quantities
from resformer.scripts.lib.sample_photo import TEXT_LINES, draw_sample_photo


def test_it_is_the_same_each_time(tmp_path: Path) -> None:
    one, two = tmp_path / "one.jpg", tmp_path / "new" / "two.jpg"
    draw_sample_photo(one)
    draw_sample_photo(two)
    assert one.read_bytes() == two.read_bytes()
    with Image.open(one) as photo:
        assert photo.size == (900, 1200)


def test_its_text_has_a_weight() -> None:
    texts = " ".join(text for text, _, _ in TEXT_LINES)
    found = [str(match.quantity) for match in find_quantities(texts, ("gram", "ounce"))]
    assert found == ["500 gram", "17.6 ounce"]
