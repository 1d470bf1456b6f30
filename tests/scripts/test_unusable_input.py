"""Files that a command cannot use: one sentence says what to do, the exit code is 2, and nothing is overwritten."""

from pathlib import Path

import pytest
from PIL import Image

from resformer.scripts.cli.main import main
from tests.paths import CONFIGS

FILES = {
    "labels.csv": "image,entity_name,entity_value\na.png,item_weight,500 gram\n",
    "attribute.csv": "image,entity_name,entity_value\na.png,season,Summer\n",
    "other.csv": "image,entity\na.png,width\n",
    "empty.csv": "image,entity_name,entity_value\n",
    "wide.csv": "image,entity_name,entity_value\na.png,item_weight,500 gram,\n",
    "answers.csv": "index,answer\n0,500 gram\n",
    "ocr.jsonl": '{"image": "a.png"}\n',
    "w.safetensors": "no weights",
    "x/train.csv": "image\na\n",
    "tables.yaml": "sources: [{table: products.csv, photos: ., image_column: image, label_columns: {season: seasons}}]",
    "products.csv": "image,season\nb.png,Summer\n",
    "amount.yaml": "sources: [{table: products.csv, photos: ., image_column: image, label_columns: {width: season}}]",
}


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name, text in FILES.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    (tmp_path / "latin.csv").write_bytes(FILES["labels.csv"].encode() + "ß".encode("latin-1"))
    (tmp_path / "bad.csv.gz").write_text(FILES["labels.csv"])
    (tmp_path / "x" / "a.png").write_text("no photo")
    Image.new("RGB", (8, 8)).save(tmp_path / "b.png")
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize(
    ("command", "message"),
    [
        (
            "evaluate attribute.csv --photos .",
            "attribute.csv, line 2, column entity_name: 'season' is no quantity of",
        ),
        (
            "evaluate other.csv --photos .",
            "other.csv has no column entity_name, entity_value or accept; its",
        ),
        ("evaluate empty.csv --photos .", "empty.csv has no rows"),
        (
            "evaluate wide.csv --photos .",
            "wide.csv, line 2: 4 cells for 3 columns, '' stands behind the last",
        ),
        ("evaluate latin.csv --photos .", "latin.csv is not UTF-8, in line 3 behind ''; save it again as UTF-8"),
        ("evaluate bad.csv.gz --photos .", "bad.csv.gz is not a CSV file"),
        ("evaluate labels.csv --photos .", "lacks 1 of the 1 labelled photos, a.png first: no a.png"),
        ("evaluate labels.csv --photos x", "x/a.png: "),
        ("evaluate labels.csv --ocr ocr.jsonl", "ocr.jsonl, line 1: not an OCR cache; `resformer data ocr` makes one"),
        ("evaluate labels.csv --predictions answers.csv", "answers.csv has no column prediction"),
        ("evaluate labels.csv --photos x --weights w.safetensors", "w.safetensors is not a file of weights"),
        ("evaluate labels.csv --photos x --out labels.csv", "labels.csv is both read and written"),
        (
            "benchmark report labels.csv --photos x --ocr ocr.jsonl --out ocr.jsonl",
            "ocr.jsonl is both read and written",
        ),
        ("data ocr --photos none --out o.jsonl", "cannot use none: no such file or directory"),
        ("data priors other.csv --out p", "other.csv has no column entity_name, entity_value"),
        ("data priors labels.csv --out labels.csv", "labels.csv is both read and written"),
        ("data average w.safetensors w.safetensors --out m", "w.safetensors is not a file of weights"),
        ("data average w.safetensors m --out m", "m is both read and written"),
        ("data split labels.csv --photos . --image-column id --out x", "labels.csv has no column id"),
        (
            "data split labels.csv --photos none --image-column image --out y",
            "none lacks 1 of the 1 photos of labels.csv: no a.png (line 2, column image)",
        ),
        ("data split x/train.csv --photos . --image-column image --out x", "x/train.csv is both read and written"),
        ("data vocabulary labels.csv:image --out labels.csv", "labels.csv is both read and written"),
        ("benchmark quantities x --out b", "cannot read x/amazon/labels_val.csv: No such file or directory"),
        ("benchmark attributes tables.yaml --out b", "products.csv has no column 'seasons', or an empty one"),
        ("benchmark attributes amount.yaml --out b", "label_columns has 'width'; known are"),
        (f"benchmark detection {CONFIGS}/synthetic.yaml --out b", "is a config of resformer; text_detector is needed"),
        ("benchmark tables x b.md", "x has no benchmark files; `resformer benchmark` writes them"),
        ("train none.yaml", "cannot read the config none.yaml"),
        (f"train {CONFIGS}/synthetic.yaml val_fraction=0.999 sources.0.num_photos=3", "no labelled photos to train on"),
    ],
)
def test_unusable_input_is_one_sentence(
    command: str, message: str, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(command.split()) == 2
    errors = capsys.readouterr().err
    assert message in errors and errors.startswith("resformer: ") and errors.count("\n") == 1
    assert all((folder / name).read_text() == text for name, text in FILES.items())
