"""What several tests of the model share."""

import pytest

from resformer.model.predictor import Predictor


@pytest.fixture(scope="session")
def shipped() -> Predictor:
    return Predictor.load(reader="ppocr", threads=2)
