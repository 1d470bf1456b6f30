import zipfile
from pathlib import Path

import pytest

from resformer.model.files.whole_file import UnusableFile
from resformer.model.predictor import Predictor
from resformer.scripts.lib.sample_photo import draw_sample_photo
from resformer.scripts.page.answer_sources import LocalSource, SourceError
from resformer.scripts.page.local_networks import load_networks
from resformer.scripts.page.question import Question


@pytest.fixture(scope="module")
def photo(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    path = tmp_path_factory.mktemp("photo") / "oats.jpg"
    draw_sample_photo(path)
    return path.read_bytes()


def test_an_archive_answers_as_the_predictor(archive: Path, photo: bytes, tmp_path: Path) -> None:
    ((source, schema),) = load_networks([archive], None, tmp_path)
    assert source.name == archive.name and source.readers[0] == "crops"
    assert schema is not None and schema.is_file()
    answer = source.ask(photo, Question(("item_weight",), reader="builtin"), top_k=2)
    expected = Predictor.load().predict(photo, ["item_weight"], reader="builtin", top_k=2).as_dict()
    assert answer == {"model": "resformer", "version": "1.0", **expected}
    table = source.answerer(reader="builtin", min_confidence=None, assume_present=False)
    assert table(photo, ["item_weight"], {})["item_weight"]["prediction"] == "500 gram"


def test_own_weights_have_their_own_schema_and_readers(own_network: tuple[Path, Path], tmp_path: Path) -> None:
    weights, schema = own_network
    ((source, used),) = load_networks([weights], schema, tmp_path)
    assert used == schema
    assert source.readers[0] == "ppocr" and "crops" not in source.readers


def test_files_that_are_no_networks_are_said(tmp_path: Path) -> None:
    (tmp_path / "text.mar").write_text("no archive")
    with pytest.raises(UnusableFile, match=r"text\.mar cannot be used: .*; build it with `resformer archive`"):
        load_networks([tmp_path / "text.mar"], None, tmp_path)
    with zipfile.ZipFile(tmp_path / "other.mar", "w") as file:
        file.writestr("MAR-INF/MANIFEST.json", "{}")
    with pytest.raises(UnusableFile, match=r"other\.mar cannot be used: .*model-config"):
        load_networks([tmp_path / "other.mar"], None, tmp_path)


def test_errors_are_sentences(photo: bytes) -> None:
    source = LocalSource(Predictor.load(threads=1))
    with pytest.raises(SourceError, match=r"^Unknown entity 'girth'; known are .*\.$"):
        source.ask(photo, Question(("girth",)))
