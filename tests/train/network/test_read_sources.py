"""The photos of a run's sources, and their split."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from PIL import Image

from resformer.model.inference.inputs import Preprocessor
from resformer.model.schema.schema import Schema
from resformer.train.data.quantity_records import Record
from resformer.train.data.splitting import split_by_hash
from resformer.train.data.synthetic_layouts import generate
from resformer.train.network.labelled_photos import LabelledPhoto
from resformer.train.network.read_sources import read_sources
from tests.train.network.conftest import ConfigFactory, preprocessor_of, text_line

NAMES = ("a.jpg", "b.jpg", "c.jpg")


def write_lines(path: Path, rows: Sequence[Mapping[str, object]]) -> Path:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


def write_words(path: Path, text: str) -> Path:
    lines = [[text_line(text).corners, text, 0.9]]
    return write_lines(path, [{"image": name, "width": 90, "height": 90, "lines": lines} for name in NAMES])


@pytest.fixture
def sources(tmp_path: Path) -> dict[str, dict[str, object]]:
    """Rows of a and b with two OCR caches, a catalogue's question about a, and a table of a and c."""
    for name in NAMES:
        Image.new("RGB", (90, 90)).save(tmp_path / name)
    words, extra = write_words(tmp_path / "words.jsonl", "500 g"), write_words(tmp_path / "extra.jsonl", "5O0 9")
    rows = [{"image": name, "row": {"item_weight": ["500 gram"]}, "unsure": []} for name in NAMES[:2]]
    write_lines(tmp_path / "rows.jsonl", rows)
    (tmp_path / "labels.csv").write_text("image,entity_name,entity_value\na.jpg,item_weight,500 gram\n")
    (tmp_path / "table.csv").write_text("id,colour,name\na.jpg,Red,Acme Rice\nc.jpg,Blue,\n")
    columns = {"colour": "colour", "title": "name"}
    return {
        "rows": {
            "kind": "rows",
            "rows": tmp_path / "rows.jsonl",
            "data": tmp_path,
            "ocr": [words],
            "extra_ocr": [extra],
            "sampling_weight": 2,
        },
        "challenge": {"kind": "challenge", "labels": tmp_path / "labels.csv", "photos": tmp_path, "ocr": words},
        "table": {
            "kind": "table",
            "table": tmp_path / "table.csv",
            "photos": tmp_path,
            "image_column": "id",
            "label_columns": columns,
        },
    }


def test_rows_have_what_tables_know_of_their_photos(
    make_config: ConfigFactory, preprocessor: Preprocessor, sources: dict[str, dict[str, object]]
) -> None:
    config = make_config(sources=list(sources.values()), val_fraction=0.0)
    train, val = read_sources(config, preprocessor)
    assert val == []
    found = [(p.name, [line.text for line in p.lines], sorted({*p.labels, *p.texts})) for p in train]
    assert found == [
        ("RowSource/a.jpg", ["500 g"], ["colour", "title"]),
        ("RowSource/b.jpg", ["500 g"], []),
        ("LabelledSource/a.jpg", ["500 g"], []),
        ("table/c.jpg", [], ["colour"]),
        ("RowSource/a.jpg", ["5O0 9"], ["colour", "title"]),
        ("RowSource/b.jpg", ["5O0 9"], []),
    ]
    assert [p.assume_present for p in train] == [False, False, True, False, False, False]
    assert [p.sampling_weight for p in train] == [2, 2, 1, 1, 2, 2]


def test_a_photo_is_on_one_side_and_its_second_reading_is_trained_on_alone(
    make_config: ConfigFactory, preprocessor: Preprocessor, sources: dict[str, dict[str, object]]
) -> None:
    sizes = set()
    for fraction in (0.2, 0.4, 0.6, 0.8, 0.999):
        train, val = read_sources(make_config(sources=list(sources.values()), val_fraction=fraction), preprocessor)
        assert not {p.photo for p in train} & {p.photo for p in val}
        assert all(line.text == "500 g" for p in val for line in p.lines)
        sizes.add(len(val))
    assert len(sizes) > 1 and max(sizes) == 4


def test_photos_of_which_nothing_is_known_are_left_out(
    make_config: ConfigFactory, preprocessor: Preprocessor, sources: dict[str, dict[str, object]]
) -> None:
    table = sources["table"] | {"label_columns": {"title": "name"}}
    train, _ = read_sources(make_config(sources=[table], val_fraction=0.0), preprocessor)
    assert [p.name for p in train] == ["table/a.jpg"]


def test_layouts_are_made_up_from_the_seed(make_config: ConfigFactory, preprocessor: Preprocessor) -> None:
    config = make_config(sources=[{"kind": "synthetic", "num_photos": 60}], val_fraction=0.2)
    train, val = read_sources(config, preprocessor)
    assert len(train) + len(val) == 60 and 4 < len(val) < 25
    assert (train, val) == read_sources(config, preprocessor)
    assert {q.entity.name for p in train for q in p.questions} == {"item_weight", "voltage"}


def test_made_up_titles_come_with_the_picture_of_a_product(
    make_config: ConfigFactory, preprocessor: Preprocessor, sources: dict[str, dict[str, object]]
) -> None:
    table = sources["table"] | {"label_columns": {"title": "name"}}
    made_up = {"kind": "synthetic", "num_photos": 6, "titles": 0.5}
    train, _ = read_sources(make_config(sources=[table, made_up], val_fraction=0.0), preprocessor)
    product, *titles_and_layouts = train
    assert [bool(p.title) for p in titles_and_layouts] == [True] * 3 + [False] * 3
    assert [p.photo for p in titles_and_layouts] == [product.photo] * 3 + [None] * 3


def test_titles_and_captions_are_on_one_side_of_the_split() -> None:
    photos = [
        LabelledPhoto(
            f"p{i}",
            Path(f"{i}.jpg"),
            title=f" Shirt {i % 150}" if i % 2 else f"SHIRT {i % 150}",
            description="" if i % 3 else f"Made of cotton, {i // 2}",
            texts={} if i % 5 else {"caption": f"A shirt, {i % 70}"},
        )
        for i in range(600)
    ]
    train, val = split_by_hash(photos, 0.2)
    assert len(train) + len(val) == 600 and 40 < len(val) < 240
    train_keys, val_keys = ({key for photo in side for key in photo.split_keys} for side in (train, val))
    assert not train_keys & val_keys
    assert {name for name, _ in train_keys} == {"photo", "title", "description", "caption"}


def test_pseudo_labels_are_confident_and_weighted_by_their_score(small_schema: Path) -> None:
    pytest.importorskip("lightgbm")
    from resformer.train.network.pseudo_labels import pseudo_label

    schema = Schema.load(small_schema)
    labelled, others = generate(200, 1, schema), generate(30, 2, schema)
    unlabelled = [replace(r, questions=tuple(replace(q, accepted=()) for q in r.questions)) for r in others]
    records = pseudo_label(unlabelled, labelled, preprocessor_of(small_schema))
    assert 0 < len(records) <= len(others)
    questions = [q for record in records for q in record.questions]
    assert all(len(q.accepted) == 1 and q.weight >= 0.6 for q in questions)
    answers = {(r.name, q.entity.name): q.accepted for r in others for q in r.questions}
    right = [q.accepted == answers[r.name, q.entity.name] for r in records for q in r.questions]
    assert sum(right) > 0.7 * len(right)


def test_pseudo_labelled_photos_are_trained_on_alone(
    make_config: ConfigFactory,
    preprocessor: Preprocessor,
    sources: dict[str, dict[str, object]],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    module = pytest.importorskip("resformer.train.network.pseudo_labels")
    learned_from: list[list[str]] = []

    def answer(unlabelled: Sequence[Record], labelled: Sequence[Record], _: Preprocessor) -> Sequence[Record]:
        learned_from.append([record.name for record in labelled])
        return unlabelled

    monkeypatch.setattr(module, "pseudo_label", answer)
    monkeypatch.setattr(module, "pseudo_label_rows", lambda *_: [])
    (tmp_path / "questions.csv").write_text("image,entity_name\nb.jpg,item_weight\nc.jpg,item_weight\n")
    unlabelled = sources["challenge"] | {"kind": "unlabelled", "labels": tmp_path / "questions.csv"}
    config = make_config(sources=[*sources.values(), unlabelled], val_fraction=0.0)
    train, _ = read_sources(config, preprocessor)
    assert [p.name for p in train][-2:] == ["LabelledSource/b.jpg", "LabelledSource/c.jpg"]
    assert all(p.assume_present and not p.labels for p in train[-2:])
    assert learned_from == [["a.jpg"]]  # rows are no questions of a catalogue
    # The split goes by a hash of names: at this fraction, photo b is on the validation side, and a is not.
    train, val = read_sources(config.model_copy(update={"val_fraction": 0.65}), preprocessor)
    assert [p.name for p in val] == ["RowSource/b.jpg"]
    assert "LabelledSource/b.jpg" not in {p.name for p in train}
    with pytest.raises(ValueError, match=r"questions\.csv cannot be pseudo-labelled without labels"):
        read_sources(make_config(sources=[unlabelled]), preprocessor)
