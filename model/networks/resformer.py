"""The Resformer: words, candidates and prompts to quantities; picture, text and prompts to what a product is.

Quantities are chosen among those that are read. The picture itself tells nothing of them beyond its print and strokes
(BENCHMARKS.md), so it goes to the catalogue part alone.
"""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Final

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from resformer.model.inference.label_tokenizer import LabelVocabulary
from resformer.model.inference.tokenizer import Vocabulary
from resformer.model.networks.attribute_network import Catalogue
from resformer.model.networks.decoder import PointerDecoder
from resformer.model.networks.encoder import Encoder, Memory
from resformer.model.networks.layers import sincos_2d
from resformer.model.networks.presets import Preset
from resformer.model.networks.text_detector import PrintMaps
from resformer.model.networks.text_detector_backbone import PrintStem
from resformer.model.networks.text_recognizer import LineReader

__all__ = ["DIGITS", "FEATURE_BINS", "PARTS", "Inputs", "Resformer"]

DIGITS = 12  # of a candidate's number, and other symbols in it
FEATURE_BINS = 8  # quantile bins that a candidate's number features are spread over
PARTS: Final = ("maps", "reading", "catalogue")
"""What a network may do without: its maps of print with the stem that they stand on, its reading of strips, and what
answers choices, paths and text."""


@dataclass
class Inputs:
    """One batch: B photos with N words of at most K subwords, Q questions with C candidates of F features.

    Geometry is (x, y, ...) in units of the photo's longer side; rows that are padding are all zero.

    Attributes:
        words: (B, N, K) subword tokens. word_geometry: (B, N, G) centre first. word_mask: bool (B, N).
        owner: (Q,) photo of each question. prompt: (Q,) prompt token. presumption: (Q,), see Preprocessor.example.
        features: (Q, C, F). units: (Q, C) unit tokens. spelling: (Q, C, DIGITS) number tokens.
        context: (Q, C, 2, K) subwords before and after the candidate in its line.
        candidate_geometry: (Q, C, G). candidate_mask: bool (Q, C).
    """

    words: Tensor
    word_geometry: Tensor
    word_mask: Tensor
    owner: Tensor
    prompt: Tensor
    presumption: Tensor
    features: Tensor
    units: Tensor
    spelling: Tensor
    context: Tensor
    candidate_geometry: Tensor
    candidate_mask: Tensor

    def to(self, device: torch.device | str) -> "Inputs":
        return Inputs(**{name: tensor.to(device) for name, tensor in vars(self).items()})


class Resformer(nn.Module):
    """Predicts answers to questions about photos."""

    def __init__(
        self, preset: Preset, vocabulary: Vocabulary, features: int, geometry: int, parts: Collection[str] = ()
    ):
        """
        Args:
            features, geometry: numbers per candidate, and per box (model.quantities.candidate_features).
            parts: which of PARTS it has.
        """
        super().__init__()
        width = preset.width
        self.preset = preset
        self.pad = vocabulary.pad
        self.print_stem = PrintStem() if "maps" in parts else None
        self.maps = PrintMaps(PrintStem.channels) if "maps" in parts else None
        self.reading = LineReader() if "reading" in parts else None
        self.catalogue = (
            Catalogue(preset, LabelVocabulary(vocabulary.schema, vocabulary)) if "catalogue" in parts else None
        )
        self.embedding = nn.Embedding(vocabulary.size, width)
        self.spelling_position = nn.Embedding(DIGITS, width)
        self.geometry = nn.Linear(geometry, width)
        self.feature_edges: Tensor
        self.register_buffer("feature_edges", torch.linspace(-1, 1, FEATURE_BINS + 1).repeat(features, 1))
        self.features = nn.Sequential(
            nn.Linear(features * FEATURE_BINS, 2 * width),
            nn.GELU(),
            nn.Dropout(preset.dropout),
            nn.Linear(2 * width, width),
        )
        self.context_mixers = nn.Linear(2 * width, width)
        self.stream = nn.Embedding(2, width)  # word, candidate
        self.presumption = nn.Embedding(2, width)  # no, yes
        self.dropout = nn.Dropout(preset.dropout)
        self.encoder = Encoder(width, preset.heads, preset.encoder_layers, preset.dropout)
        self.decoder = PointerDecoder(width, preset.heads, preset.decoder_layers, preset.dropout)
        nn.init.normal_(self.embedding.weight, std=0.02)
        nn.init.normal_(self.spelling_position.weight, std=0.02)
        nn.init.normal_(self.stream.weight, std=0.02)
        nn.init.normal_(self.presumption.weight, std=0.02)

    def encode(self, inputs: Inputs) -> Memory:
        """Everything that is known of the photos and of the candidates for each question."""
        words = self._bag(inputs.words) + self._place(inputs.word_geometry) + self.stream.weight[0]
        no, yes = self.presumption.weight
        presumption = torch.lerp(no, yes, inputs.presumption[:, None])
        prompt = (self.embedding(inputs.prompt) + presumption)[:, None]
        candidates = (
            self.features(self._spread(inputs.features))
            + self.embedding(inputs.units)
            + self._spelled(inputs.spelling)
            + self.context_mixers(self._bag(inputs.context).flatten(2))
            + self._place(inputs.candidate_geometry)
            + self.stream.weight[1]
            + prompt
        )
        question = torch.cat([prompt, candidates], dim=1)
        question_mask = F.pad(inputs.candidate_mask, (1, 0), value=True)
        return self.encoder(
            Memory(self.dropout(words), inputs.word_mask, self.dropout(question), question_mask, inputs.owner)
        )

    def find_print(self, pixels: Tensor) -> Tensor:
        """Maps of the print (see PrintMaps) on photos (B, 3, H, W), 0 to 255, sides multiples of 32.

        Raises ValueError: this network has no maps.
        """
        if self.maps is None or self.print_stem is None:
            raise ValueError("this network has no maps of print; train them with `python -m train.run --maps`")
        return self.maps(self.print_stem(_normalised(pixels, self.geometry.weight.dtype)))

    def read_print(self, strips: Tensor, mask: Tensor | None = None) -> Tensor:
        """Logits (B, W / COLUMN, CHARACTERS + 1) of what strips (B, 3, STRIP_HEIGHT, W) say, 0 to 255, W a multiple of
        COLUMN.

        Args:
            mask: bool (B, W / COLUMN), False where a strip is padded.

        Raises ValueError: this network cannot read.
        """
        if self.reading is None:
            raise ValueError("this network cannot read; train it with `python -m train.run --reading`")
        return self.reading(_normalised(strips, self.geometry.weight.dtype), mask)

    def forward(self, inputs: Inputs) -> Tensor:
        """Logits (Q, READ + C) of the answers, see PointerDecoder."""
        answers: Tensor = self.decoder(self.encode(inputs))
        return answers

    def _bag(self, subwords: Tensor) -> Tensor:
        """Mean of subword embeddings over the last axis: (..., K) -> (..., D)."""
        present = (subwords != self.pad)[..., None].to(self.embedding.weight.dtype)
        total = (self.embedding(subwords) * present).sum(dim=-2)
        return total / present.sum(dim=-2).clamp(min=1)

    def _spelled(self, spelling: Tensor) -> Tensor:
        """Digits with their places, so that a value can be told from its anagrams: (Q, C, T) -> (Q, C, D)."""
        present = (spelling != self.pad)[..., None]
        return ((self.embedding(spelling) * (1 + self.spelling_position.weight)) * present).sum(dim=-2)

    def _place(self, geometry: Tensor) -> Tensor:
        return sincos_2d(geometry[..., :2], self.preset.width) + self.geometry(geometry)

    def _spread(self, features: Tensor) -> Tensor:
        """Piecewise linear encoding of numbers over quantile bins (arXiv 2203.05556)."""
        low, high = self.feature_edges[:, :-1], self.feature_edges[:, 1:]
        return ((features[..., None] - low) / (high - low)).clamp(0, 1).flatten(-2)


def _normalised(pixels: Tensor, dtype: torch.dtype) -> Tensor:
    return (pixels.to(dtype) - 127) / 128
