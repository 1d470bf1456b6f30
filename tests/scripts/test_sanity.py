"""The checker finds every fault of a file of predictions and names its row."""

import re
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from resformer.model.schema.schema import Schema
from resformer.scripts import sanity
from resformer.scripts.lib.prediction_check import prediction_fault, row_faults
from resformer.scripts.lib.table_formats.open_table import open_table
from tests.paths import ROOT
from tests.scripts.conftest import write_table

SCHEMA = Schema.load()
Rows = Sequence[tuple[object, ...]]
Check = Callable[..., tuple[int, list[str]]]


@pytest.fixture
def check(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Check:
    """Runs the checker and returns exit code and the lines it prints."""

    def run(
        test_rows: Rows,
        output_rows: Rows,
        *options: str,
        test: str = "index,entity_name",
        output: str = "index,prediction",
    ) -> tuple[int, list[str]]:
        arguments = ["--test_filename", str(write_table(tmp_path / "T.csv", test, *test_rows))]
        arguments += ["--output_filename", str(write_table(tmp_path / "P.csv", output, *output_rows))]
        code = sanity.main([*arguments, *options])
        printed = capsys.readouterr()
        return code, (printed.err if code == 2 else printed.out).splitlines()

    return run


TEST = [(0, "item_weight"), (1, "voltage"), (5, "width")]


def test_good_file_in_any_order(check: Check) -> None:
    assert check(TEST, [(5, "12.5 centimetre"), (0, "500 gram"), (1, "")]) == (0, [])


@pytest.mark.parametrize(
    ("prediction", "entity"),
    [
        ("", "width"),
        ("500 gram", "item_weight"),
        ("500.0 gram", "item_weight"),
        ("0.5 kilogram", "item_weight"),
        ("3 fluid ounce", "item_volume"),
        ("[100, 240] volt", "voltage"),
        ("[0.5, 1.5] kilowatt", "wattage"),
    ],
)
def test_right(prediction: str, entity: str) -> None:
    assert prediction_fault(prediction, SCHEMA[entity]) == ""


@pytest.mark.parametrize(
    ("prediction", "entity", "message"),
    [
        ("12 kgs", "item_weight", "'kgs' is no unit of item_weight; write '12 kilogram'"),
        ("1,5 kg", "item_weight", "not `number unit`; write '1.5 kilogram'"),
        ("10 kilogram to 25 kilogram", "item_weight", "write '\\[10, 25\\] kilogram'"),
        ("10 gram", "voltage", "'gram' is no unit of voltage; write a number, a space and one of .*volt"),
        ("gram", "item_weight", "not `number unit`"),
        ("500", "item_weight", "not `number unit`"),
        ("500gram", "item_weight", "write '500 gram'"),
        ("500  gram", "item_weight", "no unit.*write '500 gram'"),
        (" 500 gram", "item_weight", "write '500 gram'"),
        ("500 gram ", "item_weight", "no unit.*write '500 gram'"),
        ("500 Gram", "item_weight", "no unit"),
        ("1e3 gram", "item_weight", "not `number unit`"),
        ("-5 gram", "item_weight", "not `number unit`"),
        ("nan gram", "item_weight", "not `number unit`"),
        ("٣ gram", "item_weight", "not `number unit`"),
        ("0 gram", "item_weight", "not positive"),
        ("[240, 100] volt", "voltage", "does not rise"),
        ("[100, 100] volt", "voltage", "does not rise"),
        ("[100,240] volt", "voltage", "not `number unit`"),
        ("[100, 240] gram", "voltage", "no unit of voltage"),
        ("[10, 20] inch", "width", "width takes none"),
    ],
)
def test_wrong(prediction: str, entity: str, message: str) -> None:
    assert re.search(message, prediction_fault(prediction, SCHEMA[entity]))


def test_strict_refuses_ranges() -> None:
    assert "--strict" in prediction_fault("[100, 240] volt", SCHEMA["voltage"], strict=True)
    assert prediction_fault("100 volt", SCHEMA["voltage"], strict=True) == ""


def test_strict_from_the_command_line(check: Check) -> None:
    rows = [(0, ""), (1, "[100, 240] volt"), (5, "")]
    assert check(TEST, rows)[0] == 0
    code, lines = check(TEST, rows, "--strict")
    assert code == 1
    assert lines[0].startswith("row 3, index 1: ")


def test_every_bad_row_is_named(check: Check) -> None:
    rows = [(0, "1 volt"), (0, "1 gram"), (7, "1 gram"), (1, "twelve volt")]
    code, lines = check(TEST, rows)
    assert code == 1
    assert [line.partition(":")[0] for line in lines] == [
        "row 2, index 0",
        "row 3, index 0",
        "row 4, index 7",
        "row 5, index 1",
        "index 5",
    ]
    assert "was there before" in lines[1]
    assert "no such index" in lines[2]
    assert "add one" in lines[4]


def test_unknown_entity_has_no_answer(check: Check) -> None:
    test = [(0, "colour")]
    assert check(test, [(0, "")]) == (0, [])
    code, lines = check(test, [(0, "red")])
    assert code == 1 and "'colour' is unknown" in lines[0]


def test_short_rows_are_empty_predictions(check: Check) -> None:
    assert check([(0, "width")], [(0,)]) == (0, [])


def test_rows_count_from_0_without_an_index(check: Check) -> None:
    assert check([("width",), ("depth",)], [(0, ""), (1, "2 inch")], test="entity_name") == (0, [])


@pytest.mark.parametrize(
    ("test", "output", "message"),
    [
        ("index,entity", "index,prediction", "no column entity_name; its columns are index, entity"),
        ("index,entity_name", "id,prediction", "no column index"),
        ("index,entity_name", "index,answer", "no column prediction"),
    ],
)
def test_missing_columns(check: Check, test: str, output: str, message: str) -> None:
    code, lines = check([(0, "width")], [(0, "")], test=test, output=output)
    assert code == 2 and message in lines[0]


def test_unusable_files(check: Check, tmp_path: Path) -> None:
    assert check([(0, "width"), (0, "depth")], [(0, "")])[0] == 2  # the test file itself repeats an index
    assert check([(0, "voltage")], [(0, "[1", " 2] volt")])[0] == 2  # a range without quotes is two cells
    good = str(write_table(tmp_path / "good.csv", "index,entity_name,prediction"))
    for content in (b"", b"index,prediction\n\xff\xfe,\n"):
        (tmp_path / "bad.csv").write_bytes(content)
        bad = str(tmp_path / "bad.csv")
        assert sanity.main(["--test_filename", good, "--output_filename", bad]) == 2
    assert sanity.main(["--test_filename", good, "--output_filename", str(tmp_path / "none.csv")]) == 2


def test_byte_order_mark(tmp_path: Path) -> None:
    (tmp_path / "T.csv").write_text("\ufeffindex,entity_name\n0,width\n", encoding="utf-8")
    (tmp_path / "P.csv").write_text("\ufeffindex,prediction\n0,1 inch\n", encoding="utf-8")
    files = ["--test_filename", str(tmp_path / "T.csv"), "--output_filename", str(tmp_path / "P.csv")]
    assert sanity.main(files) == 0


def test_time_grows_with_the_rows_only(tmp_path: Path) -> None:
    rows = 100_000
    test = write_table(tmp_path / "T.csv", "index,entity_name", *((i, "width") for i in range(rows)))
    shuffled = ((i * 7919 % rows, "1.5 inch") for i in range(rows))
    output = write_table(tmp_path / "P.csv", "index,prediction", *shuffled)
    start = time.perf_counter()
    assert list(row_faults(open_table(test), open_table(output), SCHEMA)) == []
    assert time.perf_counter() - start < 20  # under a second where nothing else runs


@pytest.mark.parametrize("how", [["scripts/sanity.py"], ["-m", "resformer.scripts.sanity"]])
def test_runs_as_a_file_and_as_a_module(how: list[str], tmp_path: Path) -> None:
    test = write_table(tmp_path / "T.csv", "index,entity_name", (0, "width"))
    output = write_table(tmp_path / "P.csv", "index,prediction", (0, "1 volt"))
    files = ["--test_filename", test, "--output_filename", output]
    done = subprocess.run([sys.executable, *how, *map(str, files)], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 1
    assert done.stdout.startswith("row 2, index 0: 'volt' is no unit of width")


@pytest.mark.parametrize(
    ("entity", "prediction", "fault"),
    [
        ("season", "Summer", ""),
        ("season", "Monsoon", "no label of season"),
        ("articleType", "Tshirts", ""),
        ("category", "Apparel & Accessories > Shoes", ""),
        ("category", "Apparel & Accessories > Shoes > Heels", ""),
        ("category", "Shoes", "no node of the taxonomy of category"),
        ("title", "Anything at all", ""),
        ("season", "", ""),
    ],
)
def test_other_kinds(entity: str, prediction: str, fault: str) -> None:
    found = prediction_fault(prediction, Schema.load()[entity])
    assert fault in found and bool(fault) == bool(found)


PRODUCTS = "index,image,season,season_confidence,category_1,category_2,category_3,category_confidence"


@pytest.mark.parametrize(
    ("cells", "fault"),
    [
        (("Summer", "0.5", "Apparel & Accessories", "Shoes", "", "0.9"), ""),
        (("", "", "", "", "", ""), ""),
        (("Monsoon", "0.5", "", "", "", ""), "'Monsoon' is no label of season"),
        (("Summer", "0.5", "Apparel & Accessories", "Topwear", "", "0.9"), "no node of the taxonomy of category"),
        (("Summer", "high", "", "", "", ""), "the confidence of season is 'high'"),
    ],
)
def test_tables_of_products(check: Check, cells: tuple[str, ...], fault: str) -> None:
    options = ["--entities", "season,category"]
    code, lines = check([(3, "a.jpg")], [(3, "a.jpg", *cells)], *options, test="index,image", output=PRODUCTS)
    assert code == bool(fault)
    assert [fault in line for line in lines] == ([True] if fault else [])


def test_missing_products_are_named(check: Check) -> None:
    code, lines = check(
        [(1,), (2,)], [(2, "a.jpg", *[""] * 6)], "--entities", "season,category", test="index", output=PRODUCTS
    )
    assert code == 1 and lines == ["index 1: no row; add one, with empty cells if there is no answer"]


def test_a_table_is_not_checked_against_itself(check: Check, tmp_path: Path) -> None:
    table = str(write_table(tmp_path / "T.csv", "index,entity_name,prediction", (0, "width", "")))
    assert sanity.main(["--test_filename", table, "--output_filename", table]) == 2
