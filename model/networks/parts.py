"""The networks in one file of weights: the Resformer, and the text detector and recognizer that it reads with."""

from torch import nn

from resformer.model.networks.presets import Preset
from resformer.model.networks.resformer import Resformer
from resformer.model.networks.text_detection import DetectionNetwork
from resformer.model.networks.text_recognition import RecognitionNetwork

__all__ = ["PARTS", "Parts"]

PARTS = ("resformer", "text_detector", "text_recognizer")
"""Each is trained separately, and a file of weights may lack any of them."""


class Parts(nn.Module):
    """The networks, which share no weights; None where the weights have none."""

    def __init__(
        self,
        preset: Preset,
        *,
        resformer: Resformer | None = None,
        text_detector: DetectionNetwork | None = None,
        text_recognizer: RecognitionNetwork | None = None,
    ):
        super().__init__()
        self.preset = preset
        self.resformer = resformer
        self.text_detector = text_detector
        self.text_recognizer = text_recognizer
