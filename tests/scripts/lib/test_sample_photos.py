from pathlib import Path

import pytest
from PIL import Image

from resformer.model.predictor import Predictor
from resformer.scripts.lib.sample_photos import SAMPLES, write_samples

READ = {
    "oats": {"item_weight": "500 gram"},
    "bottle": {"item_volume": "750 millilitre"},
    "bulb": {"voltage": "[220, 240] volt"},
    "shelf": {"width": "80 centimetre", "height": "180 centimetre"},
    "shirt": {"articleType": "Tshirts"},
    "charger": {"voltage": "[100, 240] volt", "wattage": "65 watt"},
    "box": {"width": "60 centimetre", "depth": "40 centimetre", "height": "30 centimetre"},
    "rice": {"item_weight": "1 kilogram"},
}


@pytest.fixture(scope="module")
def samples(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    return write_samples(tmp_path_factory.mktemp("samples"))


@pytest.fixture(scope="module")
def predictor() -> Predictor:
    return Predictor.load(threads=1)


def test_there_are_eight(samples: dict[str, Path]) -> None:
    assert len(samples) == len(SAMPLES) == len(READ) == 8
    assert len({path.read_bytes() for path in samples.values()}) == 8
    assert all(Image.open(path).format == "JPEG" for path in samples.values())


@pytest.mark.parametrize("name", READ)
def test_what_is_printed_on_them_is_read(predictor: Predictor, samples: dict[str, Path], name: str) -> None:
    predictions = predictor.predict(samples[name], list(READ[name])).predictions
    assert {entity: p.prediction for entity, p in predictions.items()} == READ[name]
