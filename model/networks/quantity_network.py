"""The network that answers quantities: words, candidates and prompts to one candidate a question, or none.

The picture itself takes no part beyond its text and line segments.
"""

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from resformer.model.networks.decoder import PointerDecoder
from resformer.model.networks.encoder import Encoder, Memory
from resformer.model.networks.layers import sincos_2d
from resformer.model.networks.presets import Preset

__all__ = ["FEATURE_BINS", "MAX_NUMBER_TOKENS", "QuantityBatch", "QuantityNetwork"]

MAX_NUMBER_TOKENS = 12  # digits and other symbols of a candidate's number
FEATURE_BINS = 8  # quantile bins of the encoding of a candidate's features


@dataclass
class QuantityBatch:
    """B photos with N words of at most K subwords, and Q questions with C candidates of F features.

    Boxes are G numbers, the centre first, in units of the photo's longer side; padding is all zero.

    Attributes:
        words: (B, N, K) subword tokens. word_boxes: (B, N, G). word_mask: bool (B, N), True where there is a word.
        sample_index: (Q,), the photo of each question. prompt: (Q,) prompt tokens.
        assume_present: (Q,), how far it is presumed that the product has the value, 0 to 1.
        features: (Q, C, F). units: (Q, C) unit tokens. numbers: (Q, C, MAX_NUMBER_TOKENS) number tokens.
        context: (Q, C, 2, K) subwords before and after the candidate in its line.
        candidate_boxes: (Q, C, G). candidate_mask: bool (Q, C), True where there is a candidate.
    """

    words: Tensor
    word_boxes: Tensor
    word_mask: Tensor
    sample_index: Tensor
    prompt: Tensor
    assume_present: Tensor
    features: Tensor
    units: Tensor
    numbers: Tensor
    context: Tensor
    candidate_boxes: Tensor
    candidate_mask: Tensor

    def to(self, device: torch.device | str) -> "QuantityBatch":
        """The batch on a device."""
        return QuantityBatch(**{name: tensor.to(device) for name, tensor in vars(self).items()})


class QuantityNetwork(nn.Module):
    """Encoder over words, prompt and candidates, and a pointer decoder.

    Args:
        vocab_size, pad_id: of the tokens of words, numbers, units and prompts.
        num_features: numbers that describe a candidate. box_size: numbers that describe a box.

    Attributes:
        feature_edges: (num_features, FEATURE_BINS + 1), the quantiles of each feature over the training data.
    """

    def __init__(self, preset: Preset, *, vocab_size: int, pad_id: int, num_features: int, box_size: int):
        super().__init__()
        width = preset.width
        self.pad_id = pad_id
        self.width = width
        self.token_embedding = nn.Embedding(vocab_size, width)
        self.digit_position = nn.Embedding(MAX_NUMBER_TOKENS, width)
        self.box_proj = nn.Linear(box_size, width)
        self.feature_edges: Tensor
        self.register_buffer("feature_edges", torch.linspace(-1, 1, FEATURE_BINS + 1).repeat(num_features, 1))
        self.feature_mlp = nn.Sequential(
            nn.Linear(num_features * FEATURE_BINS, 2 * width),
            nn.GELU(),
            nn.Dropout(preset.dropout),
            nn.Linear(2 * width, width),
        )
        self.context_proj = nn.Linear(2 * width, width)
        self.segment_embedding = nn.Embedding(2, width)  # word, candidate
        self.assume_present_embedding = nn.Embedding(2, width)  # no, yes
        self.dropout = nn.Dropout(preset.dropout)
        self.encoder = Encoder(width, preset.heads, preset.encoder_layers, preset.dropout)
        self.decoder = PointerDecoder(width, preset.heads, preset.decoder_layers, preset.dropout)
        nn.init.normal_(self.token_embedding.weight, std=0.02)
        nn.init.normal_(self.digit_position.weight, std=0.02)
        nn.init.normal_(self.segment_embedding.weight, std=0.02)
        nn.init.normal_(self.assume_present_embedding.weight, std=0.02)

    def forward(self, batch: QuantityBatch) -> Tensor:
        """Logits (Q, FIRST_CANDIDATE + C), see PointerDecoder."""
        logits: Tensor = self.decoder(self.encode(batch))
        return logits

    def encode(self, batch: QuantityBatch) -> Memory:
        """The encoded words of the photos, and the prompt and the candidates of each question."""
        words = self._mean_embedding(batch.words) + self._embed_boxes(batch.word_boxes)
        words = words + self.segment_embedding.weight[0]
        no, yes = self.assume_present_embedding.weight
        assume_present = torch.lerp(no, yes, batch.assume_present[:, None])
        prompt = (self.token_embedding(batch.prompt) + assume_present)[:, None]
        candidates = (
            self.feature_mlp(self._encode_features(batch.features))
            + self.token_embedding(batch.units)
            + self._embed_numbers(batch.numbers)
            + self.context_proj(self._mean_embedding(batch.context).flatten(2))
            + self._embed_boxes(batch.candidate_boxes)
            + self.segment_embedding.weight[1]
            + prompt
        )
        question = torch.cat([prompt, candidates], dim=1)
        question_mask = F.pad(batch.candidate_mask, (1, 0), value=True)
        memory: Memory = self.encoder(
            Memory(self.dropout(words), batch.word_mask, self.dropout(question), question_mask, batch.sample_index)
        )
        return memory

    def _mean_embedding(self, subwords: Tensor) -> Tensor:
        """Mean of the embeddings over the last axis: (..., K) to (..., D)."""
        present = (subwords != self.pad_id)[..., None].to(self.token_embedding.weight.dtype)
        total = (self.token_embedding(subwords) * present).sum(dim=-2)
        mean: Tensor = total / present.sum(dim=-2).clamp(min=1)
        return mean

    def _embed_numbers(self, numbers: Tensor) -> Tensor:
        """Digits weighted by their positions, so that a value differs from its anagrams: (Q, C, T) to (Q, C, D)."""
        present = (numbers != self.pad_id)[..., None]
        embedded: Tensor = ((self.token_embedding(numbers) * (1 + self.digit_position.weight)) * present).sum(dim=-2)
        return embedded

    def _embed_boxes(self, boxes: Tensor) -> Tensor:
        embedded: Tensor = sincos_2d(boxes[..., :2], self.width) + self.box_proj(boxes)
        return embedded

    def _encode_features(self, features: Tensor) -> Tensor:
        """Piecewise linear encoding of numbers over quantile bins (arXiv 2203.05556)."""
        low, high = self.feature_edges[:, :-1], self.feature_edges[:, 1:]
        return ((features[..., None] - low) / (high - low)).clamp(0, 1).flatten(-2)
