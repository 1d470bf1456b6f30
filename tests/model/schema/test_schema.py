"""The shipped schema, one more entity, and broken files."""

from pathlib import Path

import pytest

from resformer.model.errors import UnknownEntity
from resformer.model.inference.tokenizer import Tokenizer
from resformer.model.quantities.parser import find_quantities
from resformer.model.schema.schema import SCHEMA_FILE, Entity, Schema

LENGTHS = ("centimetre", "foot", "inch", "metre", "millimetre", "yard")


def write(path: Path, text: str) -> Path:
    file = path / "entities.yaml"
    file.write_text(text, encoding="utf-8")
    return file


def test_shipped_schema() -> None:
    schema = Schema.load()
    assert schema.names == (
        *("width", "depth", "height", "item_weight", "maximum_weight_recommendation"),
        *("voltage", "wattage", "item_volume"),
        *("gender", "baseColour", "season", "usage"),
        *("category", "masterCategory", "subCategory", "articleType", "title", "description"),
    )
    assert [entity.name for entity in schema.quantities] == list(schema.names[:8])
    derived = {"masterCategory", "subCategory", "articleType"}
    assert [e.name for e in schema.attributes] == [n for n in schema.names[8:] if n not in derived]
    assert all("NA" not in entity.labels for entity in schema.entities)
    assert schema["width"].units == schema["depth"].units == schema["height"].units == LENGTHS
    assert [e.name for e in schema.quantities if not e.ranges] == ["width", "depth", "height"]
    assert len(schema["item_volume"].units) == 13


def test_labels_of_the_shipped_schema_follow_from_the_category() -> None:
    """By the names of fashion's leaves; a leaf of the same name that has others below it is none of them."""
    schema = Schema.load()

    def labels(*path: str) -> list[str | None]:
        leaf = schema["category"].paths.index(path)
        derived = (schema[name] for name in ("masterCategory", "subCategory", "articleType"))
        return [None if (i := entity.leaf_labels[leaf]) is None else entity.labels[i] for entity in derived]

    assert labels("Apparel & Accessories", "Clothing", "Tshirts") == ["Apparel", "Topwear", "Tshirts"]
    assert labels("Apparel & Accessories", "Watches", "Watches") == ["Accessories", "Watches", "Watches"]
    assert labels("Apparel & Accessories", "Watches") == [None, None, None]
    assert labels("Animals & Pet Supplies", "Pet Food & Treats") == [None, None, None]
    assert len(schema["articleType"].labels) == 139


def test_one_entry_adds_an_entity(tmp_path: Path) -> None:
    entry = "\n  - {name: cable_length, kind: quantity, units: [metre, foot]}\n"
    shipped = SCHEMA_FILE.read_text(encoding="utf-8").replace("taxonomies/", f"{SCHEMA_FILE.parent}/taxonomies/")
    schema = Schema.load(write(tmp_path, shipped + entry))
    assert schema.names == (*Schema.load().names, "cable_length")
    assert schema["cable_length"] == Entity("cable_length", "quantity", units=("metre", "foot"))


def test_every_kind_is_read(tmp_path: Path) -> None:
    schema = Schema.load(
        write(
            tmp_path,
            """
            entities:
              - {name: season, kind: choice, labels: [Summer, Winter], cues: [Season]}
              - {name: category, kind: path, paths: [Apparel > Topwear > Shirts, Footwear]}
              - {name: title, kind: text, max_subwords: 64}
            """,
        )
    )
    assert schema["season"] == Entity("season", "choice", labels=("Summer", "Winter"), cues=("season",))
    assert schema["category"].paths == (("Apparel", "Topwear", "Shirts"), ("Footwear",))
    assert schema["title"].max_subwords == 64


def test_a_choice_may_have_the_leaves_of_a_path_as_labels(tmp_path: Path) -> None:
    text = """
        entities:
          - {name: category, kind: path, paths: [Apparel > Shirts, Apparel > Shoes, Toys]}
          - {name: kind, kind: choice, labels_from: category}
        """
    kind = Schema.load(write(tmp_path, text))["kind"]
    assert (kind.labels, kind.leaf_labels) == (("Shirts", "Shoes", "Toys"), (0, 1, 2))


def test_a_choice_may_have_labels_of_another_taxonomy(tmp_path: Path) -> None:
    """By the names of the leaves; a leaf that the taxonomy lacks, or that ends above the level, has no label."""
    (tmp_path / "fashion.txt").write_text("Top > Shirts\nFoot > Shoes > Heels\nFoot > Flats\n")
    text = """
        entities:
          - {name: category, kind: path, paths: [Wear > Shirts, Wear > Heels, Wear > Flats, Wear, Toys]}
          - {name: master, kind: choice, labels_from: category, taxonomy: fashion.txt, level: 1}
          - {name: article, kind: choice, labels_from: category, taxonomy: fashion.txt, level: 3}
        """
    schema = Schema.load(write(tmp_path, text))
    assert schema["master"].labels == ("Top", "Foot")
    assert schema["master"].leaf_labels == (0, 1, 1, None, None)
    assert (schema["article"].labels, schema["article"].leaf_labels) == (("Heels",), (None, 0, None, None, None))


def test_what_is_wrong_with_another_taxonomy_is_named(tmp_path: Path) -> None:
    (tmp_path / "twice.txt").write_text("A > b\nA > b\n")
    text = """
        entities:
          - {name: category, kind: path, paths: [Wear > Shirts]}
          - {name: one, kind: choice, labels_from: category, taxonomy: none.txt, level: 1}
          - {name: two, kind: choice, labels_from: category, taxonomy: twice.txt, level: 1}
          - {name: three, kind: choice, labels_from: category, level: 1}
          - {name: four, kind: choice, labels: [a], taxonomy: twice.txt, level: 1}
          - {name: five, kind: choice, labels_from: category, taxonomy: twice.txt, level: 0}
          - {name: six, kind: choice, labels_from: category, taxonomy: shirts.txt, level: 3}
        """
    (tmp_path / "shirts.txt").write_text("Top > Shirts\n")
    with pytest.raises(ValueError) as raised:
        Schema.load(write(tmp_path, text))
    message = str(raised.value)
    for expected in [
        "one: taxonomy is 'none.txt', cannot be read: No such file",
        "two: taxonomy is 'twice.txt', ",
        "the path 'A > b' is listed twice",
        "three: taxonomy and level stand together, beside labels_from",
        "four: taxonomy and level stand together, beside labels_from",
        "five: level is 0, must be greater than or equal to 1",
        "six: no leaf of category has a label on this level of this taxonomy",
        "has 6 error(s)",
    ]:
        assert expected in message


def test_unknown_entity_is_named_with_the_known_ones() -> None:
    with pytest.raises(UnknownEntity, match=r"'colour'.*item_weight"):
        Schema.load()["colour"]


def test_all_errors_are_reported_at_once(tmp_path: Path) -> None:
    file = write(
        tmp_path,
        """
        entities:
          - {name: power, kind: number}
          - {name: torque, kind: quantity, units: [newton metre, volt]}
          - {name: mixed, kind: quantity, units: [metre, volt]}
          - {name: span, kind: quantity, units: [metre], ranges: 3, labels: [a]}
          - {name: gender, kind: choice, labels: [Men, Men]}
          - {name: season, kind: choice, labels: []}
          - {name: category, kind: path, paths: [A >  > B]}
          - {name: title, kind: text, max_subwords: 5000}
          - {name: title, kind: text, max_subwords: 64}
          - {name: "bad name", kind: text, max_subwords: 64}
          - {name: shelf, kind: path, paths: nowhere.txt}
          - {name: form, kind: choice, labels_from: gender}
          - {name: both, kind: choice, labels: [a], labels_from: shape}
          - {name: none, kind: choice}
          - {name: shape, kind: path, paths: [A > x, B > x]}
          - {name: part, kind: choice, labels_from: shape}
          - wattage
        """,
    )
    with pytest.raises(ValueError) as error:
        Schema.load(file)
    message = str(error.value)
    for expected in [
        "power: kind is 'number', must be one of quantity, choice, path, text",
        "of which newton metre is unknown; allowed are millimetre",
        "mixed: units is ['metre', 'volt'], must measure one dimension, not length and voltage",
        "span: ranges is 3, must be a valid boolean",
        "span: unknown key 'labels', allowed are cues, exclusive_with, kind, name, ranges, units",
        "gender: labels is ['Men', 'Men'], repeats Men",
        "season: labels is [], list should have at least 1 item",
        "category: paths is ['A > > B'], 'A > > B' has an empty level",
        "shelf: paths is 'nowhere.txt', cannot be read: No such file",
        "form: labels_from is 'gender', must be the name of a path entity",
        "both: a choice has either labels or labels_from",
        "none: a choice has either labels or labels_from",
        "part: shape has several leaves x",
        "title: max_subwords is 5000, must be less than or equal to 1024",
        "'title' is listed more than once",
        "entry 10: name is 'bad name'",
        "entry 17 is 'wattage', must be a mapping",
        "has 17 error(s)",
    ]:
        assert expected in message


@pytest.mark.parametrize("text", ["", "entities: []", "entities: {width: 3}", "- width", "entities: [", "a: \t- b"])
def test_a_file_that_is_no_schema_is_refused(tmp_path: Path, text: str) -> None:
    with pytest.raises(ValueError, match=r"entities\.yaml"):
        Schema.load(write(tmp_path, text))


def test_exclusive_pairs_of_the_shipped_schema() -> None:
    assert [(a.name, b.name) for a, b in Schema.load().exclusive_pairs] == [("width", "height")]


def test_exclusive_quantities_must_have_the_same_units(tmp_path: Path) -> None:
    file = write(
        tmp_path,
        """
        entities:
          - {name: width, kind: quantity, units: [metre], exclusive_with: weight}
          - {name: weight, kind: quantity, units: [gram], exclusive_with: girth}
          - {name: span, kind: quantity, units: [metre], exclusive_with: 5}
        """,
    )
    with pytest.raises(ValueError) as raised:
        Schema.load(file)
    message = str(raised.value)
    assert "width: exclusive_with is 'weight', must be the name of another quantity with the same units" in message
    assert "weight: exclusive_with is 'girth'" in message
    assert "span: exclusive_with is 5, must be a valid string" in message


BATTERY = """
units:
  - {name: milliampere hour, dimension: charge, si_unit: coulomb, factor: 3.6, aliases: [mah]}
entities:
  - {name: battery_capacity, kind: quantity, units: [milliampere hour], cues: [battery]}
"""


def test_a_schema_may_declare_units(tmp_path: Path) -> None:
    schema = Schema.load(write(tmp_path, BATTERY))
    (match,) = find_quantities("Battery 5000 mAh", schema["battery_capacity"].units)
    assert str(match.quantity) == "5000 milliampere hour"
    assert match.quantity.si() == {"value": 18000.0, "unit": "coulomb"}
    assert [unit.name for unit in schema.units[-2:]] == ["imperial gallon", "milliampere hour"]
    assert Schema.load(write(tmp_path, BATTERY)) == schema


def test_tokens_of_the_shipped_schema_do_not_depend_on_other_schemas(tmp_path: Path) -> None:
    shipped = Tokenizer(Schema.load())
    other = Tokenizer(Schema.load(write(tmp_path, BATTERY)))
    again = Tokenizer(Schema.load())
    assert again.vocab_size == shipped.vocab_size
    assert other.unit("milliampere hour") == shipped.unit("imperial gallon") + 1 == shipped.prompt(shipped.entities[0])


def test_wrong_units_are_reported_with_wrong_entities(tmp_path: Path) -> None:
    file = write(
        tmp_path,
        """
        units:
          - {name: lumen, dimension: light, factor: 1, aliases: [lm]}
          - {name: carat, dimension: mass, factor: 0, aliases: [ct], symbol: c}
          - {name: gramme, dimension: mass, factor: "0.001", aliases: [g]}
          - {name: gramme, dimension: mass, factor: "0.001", aliases: [gramm]}
        entities:
          - {name: brightness, kind: quantity, units: [candela]}
        entity: []
        """,
    )
    with pytest.raises(ValueError) as raised:
        Schema.load(file)
    message = str(raised.value)
    for expected in [
        "unknown key 'entity', allowed are entities, units",
        "unit lumen: si_unit is missing",
        "unit carat: factor is 0, must be greater than 0",
        "unit carat: unknown key 'symbol', allowed are aliases",
        "unit gramme: g, gramme stands for another unit of mass too",
        "unit gramme is listed more than once",
        "brightness: units is ['candela'], of which candela is unknown",
    ]:
        assert expected in message


def test_a_unit_that_is_defined_already_may_not_be_defined_otherwise(tmp_path: Path) -> None:
    Schema.load(write(tmp_path, BATTERY))
    with pytest.raises(ValueError, match=r"entities\.yaml: unit 'milliampere hour' is defined already"):
        Schema.load(write(tmp_path, BATTERY.replace("3.6", "3.7")))
