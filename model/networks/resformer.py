"""The Resformer: text detection and recognition, quantities, and attributes, in one file of weights."""

from torch import nn

from resformer.model.networks.attribute_network import AttributeNetwork
from resformer.model.networks.presets import Preset
from resformer.model.networks.quantity_network import QuantityNetwork
from resformer.model.networks.text_detection import DetectionNetwork
from resformer.model.networks.text_recognition import RecognitionNetwork

__all__ = ["OPTIONAL_PARTS", "Resformer"]

OPTIONAL_PARTS = ("text_detector", "text_recognizer", "attributes")
"""Parts that a file of weights may lack; each is trained separately."""


class Resformer(nn.Module):
    """The four networks that answer about a photo, which share no weights.

    Attributes:
        quantities: words and candidates to quantities.
        text_detector, text_recognizer: the built-in OCR; None where the weights have none.
        attributes: picture and text to choices, paths and texts; None where the weights have none.
    """

    def __init__(
        self,
        preset: Preset,
        *,
        quantities: QuantityNetwork,
        text_detector: DetectionNetwork | None = None,
        text_recognizer: RecognitionNetwork | None = None,
        attributes: AttributeNetwork | None = None,
    ):
        super().__init__()
        self.preset = preset
        self.text_detector = text_detector
        self.text_recognizer = text_recognizer
        self.attributes = attributes
        self.quantities = quantities
