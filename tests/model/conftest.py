"""What several tests of the model share."""

import pytest
import torch

from resformer.model.networks.attribute_network import AttributeNetwork
from resformer.model.predictor import Predictor
from tests.model.attribute_setup import NANO, build_attribute_network


@pytest.fixture(scope="session")
def shipped() -> Predictor:
    """The shipped weights, with the reader `ppocr`."""
    return Predictor.load(reader="ppocr", threads=2)


@pytest.fixture(scope="module")
def attribute_network() -> AttributeNetwork:
    """A small network with random weights."""
    torch.manual_seed(0)
    return build_attribute_network(NANO).eval()
