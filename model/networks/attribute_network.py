"""The network that answers choices, paths and texts: picture, title and description to labels and text.

The residual stem with self-attention, a stage at stride 32, patches with their colour statistics, the words of the
caller's text and an entity prompt go through an encoder; a causal decoder answers with one label or with text.
"""

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from resformer.model.networks.backbone import Backbone, InvertedResidual
from resformer.model.networks.bag_of_words import BagOfWordsClassifier
from resformer.model.networks.decoder import CausalDecoder, KVCache
from resformer.model.networks.encoder import Encoder, Memory
from resformer.model.networks.layers import sincos_2d
from resformer.model.networks.presets import Preset

__all__ = [
    "BAG_OF_WORDS",
    "IMAGE",
    "IMAGE_AND_TEXT",
    "MAX_SUBWORDS",
    "TEXT",
    "TEXT_FIELDS",
    "AttributeBatch",
    "AttributeNetwork",
]

TEXT_FIELDS = ("title", "description")
IMAGE, TEXT, IMAGE_AND_TEXT, BAG_OF_WORDS = range(4)  # members of the ensemble, see AttributeNetwork.member_weights
MAX_SUBWORDS = 8  # of a word
POSITION_SCALE = 64  # words; positions beyond are encoded coarsely


@dataclass
class AttributeBatch:
    """P pictures, B samples (a product with its picture and text) of N words, and Q questions.

    Attributes:
        pixels: uint8 (P, 3, S, S), letterboxed to the top left.
        extent: (P, 2), width and height of the photo within the letterbox, as fractions of S.
        image_index: (B,), the picture of each sample; several samples may share one.
        has_image: bool (B,), False where the picture is hidden.
        words: (B, N, MAX_SUBWORDS) tokens. field_index: (B, N), the word's field in TEXT_FIELDS.
        word_position: (B, N), its position there. word_mask: bool (B, N), True where there is a word.
        sample_index: (Q,), the sample of each question. prompt: (Q,) prompt tokens.
    """

    pixels: Tensor
    extent: Tensor
    image_index: Tensor
    has_image: Tensor
    words: Tensor
    field_index: Tensor
    word_position: Tensor
    word_mask: Tensor
    sample_index: Tensor
    prompt: Tensor

    def to(self, device: torch.device | str) -> "AttributeBatch":
        """The batch on a device."""
        return AttributeBatch(**{name: tensor.to(device) for name, tensor in vars(self).items()})


class AttributeNetwork(nn.Module):
    """Encoder over patches, words and prompt, and a causal decoder.

    Args:
        vocab_size, pad_id: of the tokens of text, prompts and labels.
        num_entities: choices, paths and texts that it answers.
        max_tokens: of the longest text.

    Attributes:
        log_prior: (vocab_size,), log frequency of each label where the network is used. The logits of the network are
            those of a world in which all labels are equally frequent (logit adjustment, arXiv 2007.07314).
        member_weights: (num_entities, 4), weights of a log-linear ensemble: the logits of a label are
            `log_prior + sum_m member_weights[m] * logits[m]`, over the members IMAGE (where there is no text), TEXT,
            IMAGE_AND_TEXT and BAG_OF_WORDS (where there is). Fitted on the validation split by maximum likelihood, so
            that the softmax is calibrated; for one member this is temperature scaling (arXiv 1706.04599).
    """

    def __init__(self, preset: Preset, *, vocab_size: int, pad_id: int, num_entities: int, max_tokens: int):
        super().__init__()
        width, (encoder_layers, decoder_layers) = preset.attribute_width, preset.attribute_layers
        heads, dropout = preset.attribute_heads, preset.dropout
        self.width = width
        self.pad_id = pad_id
        self.backbone = Backbone(preset)
        blocks, channels = [], self.backbone.out_channels
        for block in range(preset.deep_depth):
            blocks.append(InvertedResidual(channels, preset.deep_width, 5, 2 if block == 0 else 1, 6))
            channels = preset.deep_width
        self.deep_stage = nn.Sequential(*blocks)
        self.patch_proj = nn.Linear(channels, width)
        self.skip_proj = nn.Linear(self.backbone.out_channels, width) if blocks else None
        self.color_cell = preset.stride // 2  # pixels; a patch has colour statistics of 2 x 2 cells
        self.color_proj = nn.Linear(4 * 6, width)
        self.patch_norm = nn.LayerNorm(width)
        self.subword_position = nn.Embedding(MAX_SUBWORDS, width)
        self.segment_embedding = nn.Embedding(1 + len(TEXT_FIELDS), width)  # patch, title, description
        self.dropout = nn.Dropout(dropout)
        self.encoder = Encoder(width, heads, encoder_layers, dropout, preset.attribute_expansion)
        self.decoder = CausalDecoder(
            vocab_size=vocab_size,
            width=width,
            heads=heads,
            num_layers=decoder_layers,
            max_tokens=max_tokens + 1,
            dropout=dropout,
            expansion=preset.attribute_expansion,
        )
        self.log_prior: Tensor
        self.register_buffer("log_prior", torch.zeros(vocab_size))
        self.member_weights: Tensor
        self.register_buffer("member_weights", torch.tensor([1.0, 0.5, 0.5, 0.0]).repeat(max(1, num_entities), 1))
        self.bag_of_words = BagOfWordsClassifier(vocab_size)
        nn.init.normal_(self.subword_position.weight, std=0.02)
        nn.init.normal_(self.segment_embedding.weight, std=0.02)

    @property
    def image_modules(self) -> tuple[nn.Module, ...]:
        """The modules that embed_image uses."""
        modules = (
            *(self.backbone, self.deep_stage, self.patch_proj, self.skip_proj),
            *(self.color_proj, self.patch_norm),
        )
        return tuple(module for module in modules if module is not None)

    def embed_image(self, pixels: Tensor) -> Tensor:
        """Patch embeddings (P, N, D) of pictures (P, 3, S, S), 0 to 255, S a multiple of the preset's stride."""
        x = (pixels.to(self.patch_proj.weight.dtype) - 127) / 128
        features = self.backbone(x)
        mean, square = F.avg_pool2d(x, self.color_cell), F.avg_pool2d(x * x, self.color_cell)
        deviation = (square - mean * mean).clamp(min=1e-6).sqrt()
        colors = F.pixel_unshuffle(torch.cat([mean, deviation], dim=1), 2)
        tokens = self.patch_proj(_flatten(self.deep_stage(features))) + self.color_proj(_flatten(colors))
        if self.skip_proj is not None:
            tokens = tokens + self.skip_proj(_flatten(F.avg_pool2d(features, 2)))
        patches: Tensor = self.patch_norm(tokens)
        return patches

    def encode(self, batch: AttributeBatch, patches: Tensor | None = None) -> Memory:
        """The encoded pictures and words of the samples, and the prompt of each question.

        Args:
            patches: what `embed_image` gives for the pictures, where it was computed before.
        """
        tokens = self.embed_image(batch.pixels) if patches is None else patches
        side = round(tokens.shape[1] ** 0.5)
        centres = (torch.arange(side, device=tokens.device, dtype=tokens.dtype) + 0.5) / side
        y, x = torch.meshgrid(centres, centres, indexing="ij")
        points = torch.stack([x.flatten(), y.flatten()], dim=-1)
        # A patch counts where the photo covers its near edge; the longer side covers all of them.
        covered = (points[None] - 0.5 / side < batch.extent[:, None]).all(dim=-1)
        tokens = tokens + sincos_2d(points, self.width) + self.segment_embedding.weight[0]
        position = batch.word_position.to(tokens.dtype) / POSITION_SCALE
        words = (
            self._sum_embedding(batch.words)
            + sincos_2d(torch.stack([position, torch.zeros_like(position)], dim=-1), self.width)
            + self.segment_embedding(1 + batch.field_index)
        )
        memory: Memory = self.encoder(
            Memory(
                self.dropout(torch.cat([tokens[batch.image_index], words], dim=1)),
                torch.cat([covered[batch.image_index] & batch.has_image[:, None], batch.word_mask], dim=1),
                self.dropout(self.decoder.embed(batch.prompt)[:, None]),
                torch.ones(len(batch.prompt), 1, dtype=torch.bool, device=tokens.device),
                batch.sample_index,
            )
        )
        return memory

    def decode(self, tokens: Tensor, memory: Memory, cache: KVCache) -> Tensor:
        """Logits (Q, T, vocab_size) of what follows each token, see CausalDecoder.hidden."""
        logits: Tensor = self.decoder(tokens, memory, cache)
        return logits

    def _sum_embedding(self, subwords: Tensor) -> Tensor:
        """Sum of a word's subword embeddings, each scaled by its position: (B, N, K) to (B, N, D)."""
        # Most positions are padding: of eight subwords a word has two, of a batch's longest text most have a part.
        batch, word, position = (subwords != self.pad_id).nonzero(as_tuple=True)
        embedded = self.decoder.embed(subwords[batch, word, position]) * (1 + self.subword_position.weight[position])
        sums = embedded.new_zeros(subwords.shape[0] * subwords.shape[1], self.width)
        sums = sums.index_add(0, batch * subwords.shape[1] + word, embedded)
        return torch.unflatten(sums, 0, subwords.shape[:2])


def _flatten(maps: Tensor) -> Tensor:
    """(P, C, H, W) to (P, H W, C)."""
    return maps.flatten(2).transpose(1, 2)
