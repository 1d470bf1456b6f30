import csv
from pathlib import Path

import pytest

from resformer.model.schema.taxonomy import Taxonomy
from resformer.train.tools.build_taxonomy import build, main, merge_rare, migrate, without_brand


def test_a_brands_shelf_is_no_category() -> None:
    path = ("Kitchen", "Coffee Mugs", "Acme Coffee Mugs")
    assert without_brand(path, ["", "Acme Mug, blue"]) == ("Kitchen", "Coffee Mugs")
    assert without_brand((*path, "Acme X1"), ["ACME"]) == ("Kitchen", "Coffee Mugs")
    assert without_brand(path, ["Other"]) == path
    assert without_brand(("Acme",), ["Acme"]) == ("Acme",)


def test_rare_leaves_go_to_their_parents() -> None:
    paths = [("A", "x", "1")] * 3 + [("A", "x", "2")] + [("A", "y")] + [("B", "z")]
    counts, moves = merge_rare(paths, 2)
    assert counts == {("A", "x", "1"): 3, ("A", "x"): 1, ("A",): 1, ("B",): 1}
    assert moves.moved == {(("A", "x", "2"), ("A", "x")): 1, (("A", "y"), ("A",)): 1, (("B", "z"), ("B",)): 1}
    tree, _ = build(paths, least=2)
    assert tree.leaves == (("A", "x", "1"), ("B",))


def test_a_leaf_is_where_it_occurs_most() -> None:
    tree, moves = build([("A", "Bags")] * 2 + [("Gifts", "Bags"), ("A", "Ties")], one_parent=True)
    assert tree.leaves == (("A", "Bags"), ("A", "Ties"))
    assert "1 x Gifts > Bags -> A > Bags" in moves.report()


def test_labels_move_to_another_version() -> None:
    new = Taxonomy([("A", "x"), ("C", "boots")])
    mapping = {("A", "shoes"): ("C", "boots")}
    places, moves = migrate([("A", "x"), ("A", "shoes", "red"), ("A", "gone"), ("Z", "q"), ("Z", "q")], new, mapping)
    assert places == {
        ("A", "x"): ("A", "x"),
        ("A", "shoes", "red"): ("C", "boots"),
        ("A", "gone"): ("A",),
    }
    assert moves.lost == {("Z", "q"): 2}
    assert "2 x Z > q has no place" in moves.report()
    with pytest.raises(ValueError, match="A > nowhere"):
        migrate([], new, {("A",): ("A", "nowhere")})


def test_commands(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    table = tmp_path / "t.csv"
    table.write_text("id,path,brand\n1,A > x > 1,\n2,A > x > 1,\n3,A > Acme x,Acme\n4,B,\n5,,\n", encoding="utf-8")
    tree = tmp_path / "tree.txt"
    arguments = ["build", str(table), str(tree), "--path", "path", "--brand", "brand", "--least", "2"]
    assert main(arguments) == 0
    assert tree.read_text() == "A > x > 1\nB\n"
    new, mapping, out = tmp_path / "new.txt", tmp_path / "mapping.csv", tmp_path / "out.csv"
    new.write_text("A > q\nB > b\n")
    mapping.write_text("old,new\nA > x,A > q\n")
    rows = ["migrate", str(tree), str(new), str(table), str(out), "--path", "path", "--mapping", str(mapping)]
    assert main(rows) == 0
    with out.open(newline="") as file:
        assert [row["path"] for row in csv.DictReader(file)] == ["A > q", "A > q", "A", "B", ""]
    assert "2 x A > x > 1 -> A > q" in capsys.readouterr().out
    assert main(["build", str(table), str(tree), "--path", "kind"]) == 2
    assert "no column 'kind'" in capsys.readouterr().err
    mapping.write_text("from,to\nQ,A > q\n")
    assert main(rows) == 2
    assert "mapping.csv has no column 'old'" in capsys.readouterr().err
    mapping.write_text("old,new\nQ,A > q\n")
    assert main(rows) == 2
    assert "Q is not in" in capsys.readouterr().err
