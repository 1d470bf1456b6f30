"""What a product is and what it may be called: picture, title and description to labels and text.

A residual stem with self-attention, a deeper stage, patches with their colours, the words of the caller's text and a
prompt go through an encoder; a decoder answers with one label or with text.
"""

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from resformer.model.inference.label_tokenizer import LabelVocabulary
from resformer.model.networks.backbone import InvertedResidual, Stem
from resformer.model.networks.bag_of_words import Lexicon
from resformer.model.networks.decoder import Cache, TiedDecoder
from resformer.model.networks.encoder import Encoder, Memory
from resformer.model.networks.layers import sincos_2d
from resformer.model.networks.presets import Preset

__all__ = ["BOTH", "FIELDS", "LEXICON", "PICTURE", "WORDS", "Catalogue", "ProductInputs"]

FIELDS = ("title", "description")
PICTURE, WORDS, BOTH, LEXICON = range(4)  # what an answer goes by
SUBWORDS = 8  # of a word
ORDER = 64  # words after which order is coarse


@dataclass
class ProductInputs:
    """One batch: P pictures, B products with N words of at most SUBWORDS subwords, Q questions.

    Attributes:
        pixels: uint8 (P, 3, S, S), letterboxed to the top left.
        visible: (P, 2), width and height of the photo in the letterbox, as shares of S.
        picture: (B,) the picture of each product; several products may have one.
        seen: bool (B,), False where the picture is hidden.
        words: (B, N, SUBWORDS) tokens. fields: (B, N) number of the word's field in FIELDS. order: (B, N) its place
            there. word_mask: bool (B, N).
        owner: (Q,) product of each question. prompt: (Q,) prompt token.
    """

    pixels: Tensor
    visible: Tensor
    picture: Tensor
    seen: Tensor
    words: Tensor
    fields: Tensor
    order: Tensor
    word_mask: Tensor
    owner: Tensor
    prompt: Tensor

    def to(self, device: torch.device | str) -> "ProductInputs":
        return ProductInputs(**{name: tensor.to(device) for name, tensor in vars(self).items()})


class Catalogue(nn.Module):
    """The part of a network that answers choices, paths and text.

    Attributes:
        log_prior: (vocabulary,) how much likelier or less likely each label is, before a product is looked at, than
            where all were equally frequent; belongs to the logits of whoever answers, not of who trains.
        lexicon: what words say by themselves.
        trust: (entities, 4), how much the logits of an entity's labels count in their sum: the network's where it sees
            the PICTURE alone; where there are words, its own from WORDS alone and from BOTH, and the LEXICON's. So a
            probability says how often such an answer is right, and a picture that was learned by heart does not
            outweigh what is written (a logarithmic opinion pool; of one voice, the inverse of a temperature).
    """

    def __init__(self, preset: Preset, vocabulary: LabelVocabulary):
        super().__init__()
        width, (encoder_layers, decoder_layers) = preset.catalogue_width, preset.catalogue_layers
        heads, dropout = preset.catalogue_heads, preset.dropout
        self.width = width
        self.pad = vocabulary.pad
        self.stem = Stem(preset)
        blocks, cin = [], self.stem.channels
        for block in range(preset.deep_depth):
            blocks.append(InvertedResidual(cin, preset.deep_width, 5, 2 if block == 0 else 1, 6))
            cin = preset.deep_width
        self.deep = nn.Sequential(*blocks)
        self.patches = nn.Linear(cin, width)
        self.fine = nn.Linear(self.stem.channels, width) if blocks else None
        self.cell = preset.stride // 2  # a patch tells its colours in four cells
        self.colours = nn.Linear(4 * 6, width)
        self.patch_norm = nn.LayerNorm(width)
        self.place_in_word = nn.Embedding(SUBWORDS, width)
        self.stream = nn.Embedding(1 + len(FIELDS), width)  # patch, fields
        self.dropout = nn.Dropout(dropout)
        self.encoder = Encoder(width, heads, encoder_layers, dropout, preset.catalogue_expansion)
        self.decoder = TiedDecoder(
            vocabulary.size,
            width,
            heads,
            decoder_layers,
            max((e.max_subwords for e in vocabulary.entities), default=0) + 1,
            dropout,
            preset.catalogue_expansion,
        )
        self.log_prior: Tensor
        self.register_buffer("log_prior", torch.zeros(vocabulary.size))
        self.trust: Tensor
        self.register_buffer("trust", torch.tensor([1.0, 0.5, 0.5, 0.0]).repeat(max(1, len(vocabulary.entities)), 1))
        self.lexicon = Lexicon(vocabulary.size)
        nn.init.normal_(self.place_in_word.weight, std=0.02)
        nn.init.normal_(self.stream.weight, std=0.02)

    @property
    def looking(self) -> tuple[nn.Module, ...]:
        """What `look` consists of."""
        parts = (self.stem, self.deep, self.patches, self.fine, self.colours, self.patch_norm)
        return tuple(part for part in parts if part is not None)

    def look(self, pixels: Tensor) -> Tensor:
        """Patches (P, N, D) of pictures (P, 3, S, S), 0 to 255, S a multiple of the preset's stride."""
        x = (pixels.to(self.patches.weight.dtype) - 127) / 128
        fine = self.stem(x)
        deep = self.deep(fine)
        mean, square = F.avg_pool2d(x, self.cell), F.avg_pool2d(x * x, self.cell)
        spread = (square - mean * mean).clamp(min=1e-6).sqrt()
        colours = F.pixel_unshuffle(torch.cat([mean, spread], dim=1), 2)
        tokens = self.patches(_listed(deep)) + self.colours(_listed(colours))
        if self.fine is not None:
            tokens = tokens + self.fine(_listed(F.avg_pool2d(fine, 2)))
        return self.patch_norm(tokens)

    def encode(self, inputs: ProductInputs, patches: Tensor | None = None) -> Memory:
        """All that is known of products and questions.

        Args:
            patches: what `look` gave for the pictures, where that was computed elsewhere.
        """
        tokens = self.look(inputs.pixels) if patches is None else patches
        side = round(tokens.shape[1] ** 0.5)
        centres = (torch.arange(side, device=tokens.device, dtype=tokens.dtype) + 0.5) / side
        y, x = torch.meshgrid(centres, centres, indexing="ij")
        points = torch.stack([x.flatten(), y.flatten()], dim=-1)
        # A patch counts where the photo covers its near edge; the longer side covers all of them.
        covered = (points[None] - 0.5 / side < inputs.visible[:, None]).all(dim=-1)
        tokens = tokens + sincos_2d(points, self.width) + self.stream.weight[0]
        at = inputs.order.to(tokens.dtype) / ORDER
        words = (
            self._bag(inputs.words)
            + sincos_2d(torch.stack([at, torch.zeros_like(at)], dim=-1), self.width)
            + self.stream(1 + inputs.fields)
        )
        memory = Memory(
            self.dropout(torch.cat([tokens[inputs.picture], words], dim=1)),
            torch.cat([covered[inputs.picture] & inputs.seen[:, None], inputs.word_mask], dim=1),
            self.dropout(self.decoder.embed(inputs.prompt)[:, None]),
            torch.ones(len(inputs.prompt), 1, dtype=torch.bool, device=tokens.device),
            inputs.owner,
        )
        return self.encoder(memory)

    def say(self, tokens: Tensor, memory: Memory, cache: Cache) -> Tensor:
        """Logits (Q, T, vocabulary) of what follows each token; see Decoder.hidden."""
        return self.decoder(tokens, memory, cache)

    def _bag(self, subwords: Tensor) -> Tensor:
        """Sum of subword embeddings, each scaled by its place in the word: (B, N, K) to (B, N, D)."""
        # Most places are padding: of eight subwords a word has two, of a batch's longest text most have a part.
        batch, word, place = (subwords != self.pad).nonzero(as_tuple=True)
        embedded = self.decoder.embed(subwords[batch, word, place]) * (1 + self.place_in_word.weight[place])
        bags = embedded.new_zeros(subwords.shape[0] * subwords.shape[1], self.width)
        return bags.index_add(0, batch * subwords.shape[1] + word, embedded).unflatten(0, subwords.shape[:2])


def _listed(maps: Tensor) -> Tensor:
    """(P, C, H, W) to (P, H W, C)."""
    return maps.flatten(2).transpose(1, 2)
