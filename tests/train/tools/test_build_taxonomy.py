"""Taxonomies from tables."""

import csv
from pathlib import Path

import pytest

from resformer.model.schema.taxonomy import Taxonomy
from resformer.scripts.cli.main import main
from resformer.train.tools.build_taxonomy import build, merge_rare, migrate, without_brand


def test_levels_of_a_brand_are_left_out() -> None:
    path = ("Kitchen", "Coffee Mugs", "Acme Coffee Mugs")
    assert without_brand(path, ["", "Acme Mug, blue"]) == ("Kitchen", "Coffee Mugs")
    assert without_brand((*path, "Acme X1"), ["ACME"]) == ("Kitchen", "Coffee Mugs")
    assert without_brand(path, ["Other"]) == path
    assert without_brand(("Acme",), ["Acme"]) == ("Acme",)


def test_rare_leaves_go_to_their_parents() -> None:
    paths = [("A", "x", "1")] * 3 + [("A", "x", "2")] + [("A", "y")] + [("B", "z")]
    counts, report = merge_rare(paths, 2)
    assert counts == {("A", "x", "1"): 3, ("A", "x"): 1, ("A",): 1, ("B",): 1}
    assert report.moved == {(("A", "x", "2"), ("A", "x")): 1, (("A", "y"), ("A",)): 1, (("B", "z"), ("B",)): 1}
    tree, _ = build(paths, min_count=2)
    assert tree.leaves == (("A", "x", "1"), ("B",))


def test_a_leaf_goes_to_its_most_frequent_parent() -> None:
    tree, report = build([("A", "Bags")] * 2 + [("Gifts", "Bags"), ("A", "Ties")], one_parent=True)
    assert tree.leaves == (("A", "Bags"), ("A", "Ties"))
    assert "1 x Gifts > Bags -> A > Bags" in report.lines()


def test_labels_move_to_another_version() -> None:
    new = Taxonomy([("A", "x"), ("C", "boots")])
    mapping: dict[tuple[str, ...], tuple[str, ...]] = {("A", "shoes"): ("C", "boots")}
    nodes, report = migrate([("A", "x"), ("A", "shoes", "red"), ("A", "gone"), ("Z", "q"), ("Z", "q")], new, mapping)
    assert nodes == {
        ("A", "x"): ("A", "x"),
        ("A", "shoes", "red"): ("C", "boots"),
        ("A", "gone"): ("A",),
    }
    assert report.lost == {("Z", "q"): 2}
    assert "2 x Z > q has no node" in report.lines()
    with pytest.raises(ValueError, match="A > nowhere"):
        migrate([], new, {("A",): ("A", "nowhere")})


def test_build_command(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    table, tree = tmp_path / "t.csv", tmp_path / "tree.txt"
    table.write_text("id,path,brand\n1,A > x > 1,\n2,A > x > 1,\n3,A > Acme x,Acme\n4,B > c,\n5,,\n", encoding="utf-8")
    command = ["data", "taxonomy", "build", str(table), "--out", str(tree)]
    options = ["--path-column", "path", "--brand-columns", "brand", "--min-count", "2"]
    assert main([*command, *options]) == 0
    assert tree.read_text() == "A > x > 1\nB\n"
    assert capsys.readouterr().out == f"{tree}: 2 leaves; 1 labels of 1 paths moved to another node\n"
    assert main([*command, *options, "--details"]) == 0
    assert "1 x B > c -> B\n" in capsys.readouterr().out
    for wrong, message in (
        (["--path-column", "kind"], "no column 'kind'"),
        ([], "either the column of whole paths or the columns of levels"),
    ):
        assert main([*command, *wrong]) == 2
        assert message in capsys.readouterr().err


def test_migrate_command(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    names = ("t.csv", "old.txt", "new.txt", "mapping.csv", "out.csv")
    table, old, new, mapping, out = (tmp_path / name for name in names)
    table.write_text("id,path\n1,A > x > 1\n2,A > x > 1\n3,A\n4,B\n5,\n")
    old.write_text("A > x > 1\nB\n")
    new.write_text("A > q\nB > b\n")
    mapping.write_text("old,new\nA > x,A > q\n")
    command = ["data", "taxonomy", "migrate", str(table), "--old", str(old), "--new", str(new), "--out", str(out)]
    command += ["--path-column", "path", "--mapping", str(mapping)]
    assert main(command) == 0
    with out.open(newline="") as file:
        assert [row["path"] for row in csv.DictReader(file)] == ["A > q", "A > q", "A", "B", ""]
    assert "2 labels of 1 paths moved" in capsys.readouterr().out
    mapping.write_text("from,to\nQ,A > q\n")
    assert main(command) == 2
    assert "mapping.csv has no column 'old'" in capsys.readouterr().err
    mapping.write_text("old,new\nQ,A > q\n")
    assert main(command) == 2
    assert "Q is not in" in capsys.readouterr().err
