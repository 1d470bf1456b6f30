"""Products of a table: joined columns, labels, empty answers."""

from pathlib import Path

import pytest
from PIL import Image

from resformer.model.inference.inputs import Preprocessor
from resformer.train.data.quantity_records import Record
from resformer.train.network.label_targets import EMPTY_TARGET, target_answers
from resformer.train.network.labelled_photos import LabelledPhoto
from resformer.train.network.product_tables import read_product_table
from resformer.train.settings.sources import ProductTable
from tests.train.network.conftest import text_line

TABLE = "id,colour,type,group,name\n1,Red,Shirts,,Acme Shirt\n2,NA,,snacks,Chips\n3.png,Blue,,,\n"


@pytest.fixture
def table(tmp_path: Path) -> ProductTable:
    for name in ("1.jpg", "2.jpg", "3.png"):
        Image.new("RGB", (8, 8)).save(tmp_path / name)
    (tmp_path / "table.csv").write_text(TABLE)
    (tmp_path / "groups.csv").write_text("group,node\nsnacks,Food\n")
    return ProductTable.model_validate(
        {
            "table": tmp_path / "table.csv",
            "photos": tmp_path,
            "image_column": "id",
            "label_columns": {"colour": "colour", "kind": "type|node", "title": "name"},
            "join": {"table": tmp_path / "groups.csv", "column": "group"},
            "ignored_labels": ["NA"],
        }
    )


def read(table: ProductTable, preprocessor: Preprocessor, **changes: object) -> list[LabelledPhoto]:
    return read_product_table(table.model_copy(update=changes), preprocessor.schema, {})


def right(preprocessor: Preprocessor, photo: LabelledPhoto, name: str) -> list[str]:
    """The answers that are right about a photo; "" is the empty one."""
    entity = preprocessor.schema[name]
    names = ["", *(entity.labels or (path[-1] for path in entity.paths))]
    answers = target_answers(entity)[photo.labels[name]]
    return [answer for answer, is_right in zip(names, answers, strict=True) if is_right]


def test_cells_and_joined_cells_are_labels(preprocessor: Preprocessor, table: ProductTable) -> None:
    shirt, chips, unknown = read(table, preprocessor)
    assert [photo.name for photo in (shirt, chips, unknown)] == ["table/1.jpg", "table/2.jpg", "table/3.png"]
    assert right(preprocessor, shirt, "colour") == ["Red"] and right(preprocessor, shirt, "kind") == ["Shirts"]
    assert chips.labels.keys() == {"kind"} and right(preprocessor, chips, "kind") == ["Food"]
    assert unknown.labels.keys() == {"colour"} and unknown.texts == {}
    assert shirt.texts == {"title": "Acme Shirt"} and shirt.questions == ()


def test_what_does_not_apply_is_empty(preprocessor: Preprocessor, table: ProductTable) -> None:
    shirt, chips, _ = read(table, preprocessor, empty_without={"colour": "type", "title": "type"}, empty_quantities=1)
    assert right(preprocessor, shirt, "colour") == ["Red"] and shirt.texts["title"] == "Acme Shirt"
    assert chips.labels["colour"] == EMPTY_TARGET
    assert chips.texts["title"] == "Chips"  # what is known counts
    assert [(q.entity.name, q.accepted) for q in shirt.questions] == [("item_weight", ()), ("voltage", ())]


def test_a_fraction_of_the_products_is_asked_for_quantities(preprocessor: Preprocessor, table: ProductTable) -> None:
    (table.photos / "table.csv").write_text("id,group\n" + "1,Apparel\n2,Apparel\n3.png,Apparel\n")
    asked = []
    for fraction in (0, 0.5, 1):
        settings = {"label_columns": {"kind": "group"}, "join": None, "empty_quantities": fraction}
        asked.append(sum(bool(photo.questions) for photo in read(table, preprocessor, **settings)))
    assert asked[0] == 0 < asked[1] < asked[2] == 3


def test_a_node_without_empty_answers_may_be_any_leaf_below(preprocessor: Preprocessor, table: ProductTable) -> None:
    (table.photos / "table.csv").write_text("id,group\n1,Apparel\n")
    (photo,) = read(table, preprocessor, label_columns={"kind": "group"}, join=None)
    assert right(preprocessor, photo, "kind") == ["Shirts", "Belts"]


def test_photos_have_their_text_lines(preprocessor: Preprocessor, table: ProductTable) -> None:
    cached = {"2.jpg": Record("2.jpg", None, 40, 30, (text_line("Chips"),), ())}
    shirt, chips, _ = read_product_table(table, preprocessor.schema, cached)
    assert (chips.width, chips.height, [line.text for line in chips.lines]) == (40, 30, ["Chips"])
    assert shirt.lines == ()


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"label_columns": {"colour": "tint"}}, r"table\.csv has no column 'tint', or an empty one; it has colour"),
        ({"label_columns": {"colour": "name"}}, r"table\.csv, line 2, column name: colour has no label 'Acme Shirt'"),
        ({"label_columns": {"season": "colour"}}, "label_columns has 'season'; known are kind"),
        ({"empty_without": {"season": "colour"}}, "empty_without has 'season'; known are kind"),
        ({"empty_without": {"colour": "tint"}}, "no column 'tint'"),
        ({"image_column": "photo"}, "no column photo"),
    ],
)
def test_errors_name_column_or_row(
    preprocessor: Preprocessor, table: ProductTable, changes: dict[str, object], message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        read(table, preprocessor, **changes)


@pytest.mark.parametrize(
    "label", ["Shirts ", " Shirts", "\tShirts", "Shirts\u00a0", '" Shirts "', "Apparel  >  Shirts", " Apparel > Shirts"]
)
def test_spaces_around_labels_do_not_count(preprocessor: Preprocessor, table: ProductTable, label: str) -> None:
    (table.photos / "table.csv").write_text(f"id , type, colour\n1,{label},Red \n")
    (photo,) = read(table, preprocessor, label_columns={"kind": "type", "colour": "colour"}, join=None)
    assert right(preprocessor, photo, "kind") == ["Shirts"] and right(preprocessor, photo, "colour") == ["Red"]


def test_what_is_no_label_is_counted(
    preprocessor: Preprocessor, table: ProductTable, capsys: pytest.CaptureFixture[str]
) -> None:
    cells = ["Apparel,Shirts", "Apparel, ", ",Shirts", ",", "Tools,Saws"]
    for i in range(4, 6):
        Image.new("RGB", (8, 8)).save(table.photos / f"{i}.jpg")
    rows = "".join(f"{i},{cell}\n" for i, cell in enumerate(cells, 1))
    (table.photos / "table.csv").write_text("id,group,type\n" + rows)
    lines: list[str] = []
    settings = {"label_columns": {"kind": "group > type"}, "join": table.join}
    photos = read_product_table(table.model_copy(update=settings), preprocessor.schema, {}, log=lines.append)
    assert [photo.labels.keys() for photo in photos] == [{"kind"}, set(), set(), set(), set()]
    name = table.table
    assert lines == [
        f"{name}: 3 rows have none in {table.photos / 'groups.csv'}, 'Apparel' in line 2 first",
        f"{name}: 2 paths have a blank level and are no label, 'Apparel > ' in line 3 first",
        f"{name}: 1 labels are no node of their tree and left out, 'Tools > Saws' in line 6 first",
    ]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "id,group,type\n1,Apparel,Shirts > Tops\n",
            r"line 2, column group > type: the level 'Shirts > Tops' holds '>'",
        ),
        ("id,group,type\n1,Apparel > x,Shirts\n", "the level 'Apparel > x' holds '>'"),
        ("id,group,type\n1,Apparel,Shoes >40\n", "the level 'Shoes >40' holds '>'"),
        ("id,group,type\n1,Apparel,>\n", "the level '>' holds '>'"),
        ("id,group,type\n1,Apparel,Shirts,\n", "line 2: 4 cells for 3 columns"),
        ('id,group,type\n1,Apparel,"Shirts\n2,Apparel,Belts\n', "line 2, column type: a quote opens here"),
        ("id,group,type\n1,Apparel\u00a0>,Shirts\n", "holds '>'"),
        ("id,group,type,id\n1,Apparel,Shirts,1\n", "line 1, column id: two columns have this name"),
        (
            "id,group,type\nx/1.jpg,Apparel,Shirts\ny/1.jpg,Apparel,Belts\n",
            "line 3, column id: y/1.jpg has the file name of",
        ),
    ],
)
def test_tables_that_would_lose_something(
    preprocessor: Preprocessor, table: ProductTable, text: str, message: str
) -> None:
    (table.photos / "table.csv").write_text(text)
    with pytest.raises(ValueError, match=message):
        read(table, preprocessor, label_columns={"kind": "group > type"}, join=None)


def test_rows_to_join_differ(preprocessor: Preprocessor, table: ProductTable) -> None:
    (table.photos / "groups.csv").write_text("group,node\nsnacks,Food\n snacks , Food \n")
    assert len(read(table, preprocessor)) == 3
    (table.photos / "groups.csv").write_text("group,node\nsnacks,Food\nsnacks,Apparel\n")
    with pytest.raises(ValueError, match=r"groups\.csv, line 3, column group: 'snacks' is there before"):
        read(table, preprocessor)
