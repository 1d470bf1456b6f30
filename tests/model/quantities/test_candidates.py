"""Candidates of a photo: units from other lines, boxes, flags and the maximum count."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from resformer.model.ocr.text_line import TextLine
from resformer.model.quantities.candidates import MAX_CANDIDATES, find_candidates
from resformer.model.quantities.quantity import Candidate
from resformer.model.schema.schema import Schema

SCHEMA = Schema.load()
LENGTH, MASS, VOLTAGE, VOLUME = (SCHEMA[name].units for name in ("width", "item_weight", "voltage", "item_volume"))


def line(text: str, x: float = 0, y: float = 0, height: float = 20, width: float | None = None) -> TextLine:
    """A text line, ten pixels a character unless a width is given."""
    x1, y1 = x + (width or 10 * len(text)), y + height
    return TextLine(((x, y), (x1, y), (x1, y1), (x, y1)), text, 0.9)


def named(candidates: list[Candidate]) -> list[str]:
    return [str(candidate.quantity) for candidate in candidates]


def test_box_covers_its_characters_in_the_line() -> None:
    (candidate,) = find_candidates([line("Net Weight 500 g", x=100, y=50)], MASS)
    assert (candidate.line, candidate.start, candidate.end) == (0, 11, 16)
    assert candidate.box == (210, 50, 260, 70)
    assert candidate.text_height == 20


@pytest.mark.parametrize("legend", ["W x D x H", "Size (WxDxH)", "B x T x H:"])
def test_a_legend_in_another_line_names_the_axes(legend: str) -> None:
    found = find_candidates([line(legend), line("60 x 45 x 90 cm", y=40)], LENGTH)
    assert [c.axis for c in found] == ["w", "d", "h"]


@pytest.mark.parametrize("others", [("W x H",), ("W x D x H", "L x W x H"), ("W x D x H 2024",)])
def test_other_legends_name_none(others: tuple[str, ...]) -> None:
    found = find_candidates([*(line(text) for text in others), line("60 x 45 x 90 cm", y=40)], LENGTH)
    assert [c.axis for c in found] == ["", "", ""]


def test_cells_of_a_table_have_the_axis_to_their_left() -> None:
    cells = [line("Width:"), line("60 cm", x=300), line("Depth", y=40), line("45 cm", x=300, y=42)]
    assert {str(c.quantity): c.axis for c in find_candidates(cells, LENGTH)} == {
        "60 centimetre": "w",
        "45 centimetre": "d",
    }
    far = [line("Width"), line("60 cm", x=900)]
    letters = [line("W"), line("60 cm", x=200)]
    assert [c.axis for lines in (far, letters) for c in find_candidates(lines, LENGTH)] == ["", ""]


@pytest.mark.parametrize(
    ("lines", "units", "expected"),
    [
        (["6 x 330 ml"], VOLUME, ["330 millilitre"]),
        (["12 x 0,40 l"], VOLUME, ["0.4 litre"]),
        (["4 x 45 g (180 g)"], MASS, ["180 gram", "180 gram"]),
        (["3 pz da 330 ml", "990 ml"], VOLUME, ["990 millilitre", "990 millilitre"]),
        (["30 sobres de 3g", "3.17 oz"], MASS, ["90 gram", "3.17 ounce"]),
        (["8 - 1.25 oz packets (35 g)", "NET WT 10 OZ"], MASS, ["10 ounce", "10 ounce"]),
        (["8 x 6 oz", "47 oz"], MASS, ["6 ounce", "47 ounce"]),
    ],
)
def test_a_multi_pack_has_its_printed_total_or_the_size_of_one(
    lines: list[str], units: tuple[str, ...], expected: list[str]
) -> None:
    assert named(find_candidates([line(text, y=60 * i) for i, text in enumerate(lines)], units)) == expected


def test_other_lines_show_how_decimals_are_separated() -> None:
    assert named(find_candidates([line("2,500 kg")], MASS)) == ["2.5 kilogram", "2500 kilogram"]
    assert named(find_candidates([line("2,500 kg"), line("Inhalt 1,5 l", y=60)], MASS)) == ["2.5 kilogram"]
    assert named(find_candidates([line("2,500 kg")], MASS, "Gewicht laut Etikett")) == ["2.5 kilogram"]


def test_box_in_a_vertical_line() -> None:
    # PP-OCR's corners are the photo's, from the top left, whichever way the text runs.
    vertical = TextLine(((40, 0), (60, 0), (60, 100), (40, 100)), "width 5 cm", 0.9)
    (candidate,) = find_candidates([vertical], LENGTH)
    assert candidate.box == (40, 60, 60, 100)
    assert candidate.text_height == 20


@pytest.mark.parametrize(
    "unit",
    [line("g", x=35), line("g Net", x=34, y=8, height=10), line("g", x=5, y=24)],
    ids=["right", "small", "below"],
)
def test_unit_in_the_neighbouring_line(unit: TextLine) -> None:
    (candidate,) = find_candidates([line("500"), unit], MASS)
    assert str(candidate.quantity) == "500 gram"
    assert candidate.spans_lines and (candidate.line, candidate.start, candidate.end) == (0, 0, 3)
    assert candidate.box is not None
    assert candidate.box[2] >= unit.box[0] + 10 and candidate.box[0] == 0


def test_unit_in_the_neighbouring_vertical_line() -> None:
    number = TextLine(((40, 0), (60, 0), (60, 30), (40, 30)), "500", 0.9)
    unit = TextLine(((40, 35), (60, 35), (60, 45), (40, 45)), "g", 0.9)
    assert named(find_candidates([number, unit], MASS)) == ["500 gram"]


@pytest.mark.parametrize("unit", [line("g", x=200), line("g", y=100), line("g", x=35, height=120), line("goods", x=35)])
def test_a_line_far_away_or_of_another_size_gives_no_unit(unit: TextLine) -> None:
    assert find_candidates([line("500"), unit], MASS) == []


def test_ranges_and_chains_span_lines() -> None:
    assert "[100, 240] volt" in named(find_candidates([line("100-"), line("240V", y=24)], VOLTAGE))
    chain = find_candidates([line("10 x 20 x"), line("30 cm", x=95)], LENGTH)
    assert named(chain) == ["10 centimetre", "20 centimetre", "30 centimetre"]
    assert [c.spans_lines for c in chain] == [True, True, False]


@pytest.mark.parametrize("note", ["Unit: cm", "All dimensions are in cm", "(cm)", "SIZE(CM)"])
def test_note_gives_bare_lengths_their_unit(note: str) -> None:
    lines = [line(note, y=500), line("12.5"), line("A 30", y=100), line("10 x 20", y=200), line("Model 7", y=300)]
    candidates = find_candidates(lines, LENGTH)
    assert named(candidates) == ["12.5 centimetre", "30 centimetre", "10 centimetre", "20 centimetre"]
    assert all(candidate.unit_from_context for candidate in candidates)


def test_bare_lengths_take_the_common_unit_of_the_drawing() -> None:
    lines = [line("12 cm"), line("8 cm", y=100), line("24.4", y=200), line("Model 7", y=300)]
    from_context = {str(c.quantity): c.unit_from_context for c in find_candidates(lines, LENGTH)}
    assert from_context == {"12 centimetre": False, "8 centimetre": False, "24.4 centimetre": True}
    assert (
        len(find_candidates([line("12 cm"), line("24.4", y=100)], LENGTH)) == 1
    )  # one length is not enough for a drawing
    two_units = [line("12 cm"), line("8 in", y=100), line("24.4", y=200)]
    assert len(find_candidates(two_units, LENGTH)) == 2
    assert len(find_candidates([line("12 g"), line("24.4", y=200)], MASS)) == 1


@pytest.mark.parametrize("text", ["2024", "12/05/2023", "10:30", "555-1234-56", "No 5", "0800123456"])
def test_dates_times_and_codes_are_no_lengths(text: str) -> None:
    assert named(find_candidates([line("12 cm"), line("8 cm", y=100), line(text, y=200)], LENGTH)) == [
        "12 centimetre",
        "8 centimetre",
    ]


@pytest.mark.parametrize("text", ["H 24.4", "24.4", "Ø24.4", "20.5 x 24.4"])
def test_bare_lengths_may_have_an_axis(text: str) -> None:
    assert "24.4 centimetre" in named(find_candidates([line("12 cm"), line("8 cm", y=100), line(text, y=200)], LENGTH))


def test_contradicting_notes_give_no_unit() -> None:
    notes = [line("Unit: cm"), line("Unit: mm", y=100), line("12", y=200)]
    assert find_candidates(notes, LENGTH) == []
    others = [line("8 cm", y=300), line("9 cm", y=400)]
    assert named(find_candidates([*notes, *others], LENGTH)) == ["8 centimetre", "9 centimetre"]


def test_ranges_are_candidates_only_where_allowed() -> None:
    assert named(find_candidates([line("10-20 cm")], LENGTH, ranges=False)) == ["10 centimetre", "20 centimetre"]
    assert "[10, 20] centimetre" in named(find_candidates([line("10-20 cm")], LENGTH))


def test_candidates_of_the_caller_s_text_come_first_and_have_no_box() -> None:
    first, second = find_candidates([line("500 g")], MASS, "Tea, 250 g")
    assert (str(first.quantity), first.line, first.box, first.text_height) == ("250 gram", -1, None, 0)
    assert (str(second.quantity), second.line) == ("500 gram", 0)


def test_repeats_and_equivalents_are_marked() -> None:
    candidates = find_candidates([line("NET WT 12 oz (340 g)"), line("340g", y=100), line("5 g", y=200)], MASS)
    assert [(str(c.quantity), c.has_equivalent, c.repeats) for c in candidates] == [
        ("12 ounce", True, 1),
        ("340 gram", True, 2),
        ("340 gram", True, 2),
        ("5 gram", False, 1),
    ]


def test_of_too_many_candidates_those_in_the_largest_text_stay() -> None:
    count = MAX_CANDIDATES + 10
    lines = [line(f"{i + 1} g", y=100 * i, height=10 + i) for i in range(count)]
    assert named(find_candidates(lines, MASS)) == [f"{i + 1} gram" for i in range(10, count)]


POINT = st.tuples(st.floats(-50, 500), st.floats(-50, 500))
LINES = st.lists(
    st.builds(
        TextLine,
        st.tuples(POINT, POINT, POINT, POINT),
        st.one_of(st.text(max_size=12), st.sampled_from(["500", "g", "cm", "10 x", "20-", "Unit: mm", "3 1/2", "(g)"])),
        st.floats(0, 1),
    ),
    max_size=6,
)


@given(LINES, st.sampled_from([LENGTH, MASS, VOLTAGE]), st.text(max_size=20))
def test_any_lines_give_valid_candidates(lines: list[TextLine], units: tuple[str, ...], text: str) -> None:
    candidates = find_candidates(lines, units, text)
    assert len(candidates) <= MAX_CANDIDATES
    for candidate in candidates:
        source = lines[candidate.line].text if candidate.line >= 0 else text
        assert 0 <= candidate.start < candidate.end <= len(source)
        assert (candidate.box is None) == (candidate.line == -1)
    assert len({(c.line, c.start, c.end, c.quantity) for c in candidates}) == len(candidates)
