import numpy as np

from resformer.model.images.line_segments import LineDrawing
from resformer.model.ocr.page import Page
from resformer.model.ocr.text_line import TextLine
from resformer.model.quantities.candidate_features import candidate_features, feature_count
from resformer.model.quantities.candidates import find_candidates
from resformer.model.quantities.label_priors import LabelPriors
from resformer.model.quantities.line_features import line_features
from resformer.model.schema.schema import Schema

SCHEMA = Schema.load()
PRIORS = LabelPriors.count([])
LINE_FEATURES = line_features(None, find_candidates([], ("gram",)), (9, 9)).shape[1]  # the last columns


def line(text: str, x: float, y: float, text_height: float = 20) -> TextLine:
    width = text_height * len(text) / 2
    return TextLine(((x, y), (x + width, y), (x + width, y + text_height), (x, y + text_height)), text, 0.9)


def features(lines: list[TextLine], entity_name: str) -> np.ndarray:
    entity = SCHEMA[entity_name]
    candidates = find_candidates(lines, entity.units)
    return candidate_features(Page(lines, 800, 600), candidates, entity, SCHEMA, PRIORS)


def test_shape_and_finiteness() -> None:
    table = features([line("Net Wt 500 g (17.6 oz)", 10, 10), line("30 g", 10, 300)], "item_weight")
    assert table.shape == (3, feature_count())
    assert np.isfinite(table).all()
    assert features([], "item_weight").shape == (0, feature_count())


def test_cue_words_count_for_their_entity() -> None:
    lines = [line("Net Wt 500 g", 10, 10), line("Max load 20 kg", 10, 300)]
    weight, limit = features(lines, "item_weight"), features(lines, "maximum_weight_recommendation")
    asked, other = slice(-8 - LINE_FEATURES, -4 - LINE_FEATURES), slice(-4 - LINE_FEATURES, -LINE_FEATURES)
    before = asked.start
    assert weight[0, before] > 0.5 > weight[1, before]
    np.testing.assert_allclose(weight[0, asked], limit[0, other])
    np.testing.assert_allclose(weight[1, other], limit[1, asked])


def test_features_do_not_depend_on_the_photo_s_scale() -> None:
    lines = [line("Net Wt 500 g", 10, 10), line("30 g", 10, 300)]
    doubled = [line("Net Wt 500 g", 20, 20, 40), line("30 g", 20, 600, 40)]
    entity = SCHEMA["item_weight"]
    once = candidate_features(Page(lines, 800, 600), find_candidates(lines, entity.units), entity, SCHEMA, PRIORS)
    twice = candidate_features(
        Page(doubled, 1600, 1200), find_candidates(doubled, entity.units), entity, SCHEMA, PRIORS
    )
    np.testing.assert_allclose(once, twice, rtol=1e-4)


def test_only_lengths_have_line_features() -> None:
    drawing = LineDrawing(np.array([[20.0, 40.0, 300.0, 40.0]]), np.array([3.0]), (20.0, 60.0, 300.0, 300.0))
    lines = [line("16 in", 100, 10), line("12 oz", 100, 400), line("220 V", 300, 400)]
    for name, expected in (("width", True), ("item_weight", False), ("voltage", False)):
        entity = SCHEMA[name]
        page, found = Page(lines, 800, 600, drawing), find_candidates(lines, entity.units)
        assert len(found) == 1
        assert candidate_features(page, found, entity, SCHEMA, PRIORS)[:, -LINE_FEATURES:].any() == expected
