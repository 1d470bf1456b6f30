"""The Resformer: one encoder and one decoder for every kind of question about a photo.

Patches of the picture, the words on it, the caller's words, the prompts of the questions and the candidates for their
answers go through one encoder; the decoder answers every question by tokens and by pointers into that source.
"""

import math

import torch
from torch import Tensor, nn

from resformer.model.networks.batch import FIELDS, MAX_NUMBER_TOKENS, MAX_SUBWORDS, PRINTED, Batch
from resformer.model.networks.decoder import Decoder, KVCache
from resformer.model.networks.encoder import PHOTO, Encoder, Memory
from resformer.model.networks.image_features import ImageFeatures
from resformer.model.networks.label_shortcut import LabelShortcut
from resformer.model.networks.layers import sincos_2d
from resformer.model.networks.presets import Preset

__all__ = ["FEATURE_BINS", "Resformer", "covered_patches"]

FEATURE_BINS = 8  # quantile bins of the encoding of a candidate's features
EXTENT_TOLERANCE = 1e-3  # of a photo's extent, a third of a pixel at most
POSITION_SCALE = 64  # words; positions beyond are encoded coarsely


class Resformer(nn.Module):
    """See the module. Shapes are those of Batch and Memory; V is `vocab_size`, A is `num_answers`.

    Args:
        vocab_size, pad_id, bos_id: of the tokens.
        num_answers: the first so many tokens, among which are all answers that are one token.
        num_features: numbers that describe a candidate. box_size: numbers that describe a box.
        max_tokens: of the longest text.

    Attributes:
        feature_edges: (num_features, FEATURE_BINS + 1), the quantiles of each feature over the training data.
        log_prior: (num_answers,), log frequency of each label where the network is used, 0 for other tokens. The logits
            of the network are those of a world in which all labels are equally frequent (logit adjustment, arXiv
            2007.07314).
    """

    def __init__(
        self,
        preset: Preset,
        *,
        vocab_size: int,
        pad_id: int,
        bos_id: int,
        num_answers: int,
        num_features: int,
        box_size: int,
        max_tokens: int,
    ):
        super().__init__()
        width, dropout = preset.width, preset.dropout
        self.width, self.vocab_size, self.num_answers = width, vocab_size, num_answers
        self._pad_id, self._bos_id = pad_id, bos_id
        self.image = ImageFeatures(preset)
        self.patch_proj = nn.Linear(self.image.size, width)
        self.patch_norm = nn.LayerNorm(width)
        self.embedding = nn.Embedding(vocab_size, width)
        self.subword_position = nn.Embedding(MAX_SUBWORDS, width)
        self.digit_position = nn.Embedding(MAX_NUMBER_TOKENS, width)
        self.box_proj = nn.Linear(box_size, width)
        self.stream_embedding = nn.Embedding(2 + len(FIELDS), width)  # fields of words, patch, candidate
        self.assume_present = nn.Parameter(torch.zeros(width))
        self.feature_edges: Tensor
        self.register_buffer("feature_edges", _unset_edges(num_features))
        self.feature_mlp = nn.Sequential(
            nn.Linear(num_features * FEATURE_BINS, 2 * width),
            nn.GELU(),
            nn.Dropout(dropout),
            nn.Linear(2 * width, width),
        )
        self.context_proj = nn.Linear(2 * width, width)
        self.dropout = nn.Dropout(dropout)
        self.encoder = Encoder(width, preset.heads, preset.encoder_layers, dropout, preset.expansion)
        self.copied_proj = nn.Linear(width, width)
        self.decoder = Decoder(
            vocab_size=vocab_size,
            width=width,
            heads=preset.heads,
            num_layers=preset.decoder_layers,
            max_tokens=max_tokens + 1,
            dropout=dropout,
            expansion=preset.expansion,
        )
        self.shortcut = LabelShortcut(self.image.size, width, num_answers)
        self.log_prior: Tensor
        self.register_buffer("log_prior", torch.zeros(num_answers))
        nn.init.normal_(self.embedding.weight, std=width**-0.5)
        for table in (self.subword_position, self.digit_position, self.stream_embedding):
            nn.init.normal_(table.weight, std=0.02)

    @property
    def has_feature_edges(self) -> bool:
        """Whether the quantiles of the features were set."""
        return not torch.equal(self.feature_edges.cpu(), _unset_edges(len(self.feature_edges)))

    def encode(self, batch: Batch, features: Tensor) -> Memory:
        """The encoded sequences of a batch.

        Args:
            features: (P, N, F) of the pictures, see ImageFeatures.
        """
        patches, covered = self._embed_patches(batch, features)
        words = self._embed_words(batch)
        prompts = self.embed(batch.prompts) + batch.assume_present[..., None] * self.assume_present
        candidates = self._embed_candidates(batch, prompts)
        questions = torch.arange(prompts.shape[1], device=words.device).expand(prompts.shape[0], -1)
        sizes = [x.shape[1] for x in (patches, words, prompts, candidates)]
        photo = torch.full((words.shape[0], sizes[0] + sizes[1]), PHOTO, dtype=torch.long, device=words.device)
        ends = [sizes[0], sizes[0] + sizes[1], sum(sizes[:3]), sum(sizes)]
        memory: Memory = self.encoder(
            Memory(
                self.dropout(torch.cat([patches, words, prompts, candidates], dim=1)),
                torch.cat([covered, batch.word_mask, batch.prompt_mask, batch.candidate_mask], dim=1),
                torch.cat([photo, questions, batch.candidate_question], dim=1),
                words=slice(ends[0], ends[1]),
                prompts=slice(ends[1], ends[2]),
                candidates=slice(ends[2], ends[3]),
            )
        )
        return memory

    def label_logits(self, batch: Batch, features: Tensor) -> Tensor:
        """Logits (B, A) of labels by the shortcut.

        Args:
            features: see `encode`.
        """
        covered = self._covered(batch, int(features.shape[1]))
        subwords = ((batch.words != self._pad_id) & batch.word_mask[..., None]).to(features.dtype)
        words = (self.embed(batch.words) * subwords[..., None]).sum(dim=2)
        fields = torch.arange(len(FIELDS), device=words.device)[None, :, None]
        in_field = (batch.word_field[:, None] == fields).to(features.dtype)
        counts = (in_field @ subwords.sum(dim=2)[..., None])[..., 0]
        logits: Tensor = self.shortcut(features[batch.image_index], covered, in_field @ words, counts)
        return logits

    def answer(self, memory: Memory, cache: KVCache) -> Tensor:
        """Logits (B, Q, A + L) of the first step of all answers: of the A tokens, and of pointers to the memory.

        Args:
            cache: a fresh one; it is used up.
        """
        count = memory.prompts.stop - memory.prompts.start
        questions = torch.arange(count, device=memory.states.device).expand(memory.states.shape[0], -1)
        bos = torch.full_like(questions[..., None], self._bos_id)
        prompts = memory.states[:, memory.prompts]
        positions = torch.zeros(1, dtype=torch.long, device=bos.device)
        states = self.decoder(self.embed(bos), prompts, positions, memory.mask(questions), cache)
        return self._logits(states, memory, self.num_answers)[:, :, 0]

    def write(self, tokens: Tensor, questions: Tensor, memory: Memory, cache: KVCache) -> Tensor:
        """Logits (B, T, V + L) of what follows each step of a text. Advances the cache.

        Args:
            tokens: (B, T) steps from the first on: tokens, or V + the index of a token of the memory that is copied.
            questions: (B,), the one question of each sample that is answered.
        """
        positions = torch.arange(tokens.shape[1], device=tokens.device)
        prompts = _gather(memory.states[:, memory.prompts], questions[:, None])
        return self.step(tokens, questions, positions, prompts, memory, cache)

    def step(
        self, tokens: Tensor, questions: Tensor, positions: Tensor, prompts: Tensor, memory: Memory, cache: KVCache
    ) -> Tensor:
        """Logits (B, T, V + L) of what follows some steps of a text, see `write`.

        Args:
            positions: (T,) of the steps in the text. prompts: (B, 1, D), the encoded prompts of the questions.
        """
        inputs = self.embed(tokens.clamp(max=self.vocab_size - 1))
        copied = self.copied_proj(_gather(memory.states, (tokens - self.vocab_size).clamp(min=0)))
        inputs = torch.where((tokens >= self.vocab_size)[..., None], copied, inputs)
        mask = memory.mask(questions[:, None])
        states = self.decoder(inputs[:, None], prompts, positions, mask, cache)
        return self._logits(states, memory, self.vocab_size)[:, 0]

    def embed(self, tokens: Tensor) -> Tensor:
        """Input embeddings of tokens, (...) to (..., D).

        Scaled by the root of the width (arXiv 1706.03762): tied to the output they are short, and what is added to them
        is not.
        """
        embedded: Tensor = self.embedding(tokens) * self.width**0.5
        return embedded

    def _logits(self, states: Tensor, memory: Memory, num_tokens: int) -> Tensor:
        tokens = self.decoder.token_logits(states, self.embedding.weight[:num_tokens])
        return torch.cat([tokens, self.decoder.pointer_logits(states, memory.states)], dim=-1)

    def _embed_patches(self, batch: Batch, features: Tensor) -> tuple[Tensor, Tensor]:
        """Patches (B, N, D), and which of them the photo covers, bool (B, N)."""
        patches = self.patch_norm(self.patch_proj(features))
        points = _patch_centres(int(patches.shape[1]), patches)
        patches = patches + sincos_2d(points, self.width) + self.stream_embedding.weight[len(FIELDS)]
        return patches[batch.image_index], self._covered(batch, int(patches.shape[1]))

    def _covered(self, batch: Batch, num_patches: int) -> Tensor:
        """Which patches are shown, bool (B, num_patches)."""
        return covered_patches(batch.extent, num_patches)[batch.image_index] & batch.has_image[:, None]

    def _embed_words(self, batch: Batch) -> Tensor:
        position = batch.word_position.to(batch.word_boxes.dtype) / POSITION_SCALE
        sent = sincos_2d(torch.stack([position, torch.zeros_like(position)], dim=-1), self.width)
        printed = self._embed_boxes(batch.word_boxes)
        place = torch.where((batch.word_field == PRINTED)[..., None], printed, sent)
        embedded: Tensor = self._embed_subwords(batch.words) + place + self.stream_embedding(batch.word_field)
        return embedded

    def _embed_candidates(self, batch: Batch, prompts: Tensor) -> Tensor:
        embedded: Tensor = (
            self.feature_mlp(self._encode_features(batch.features))
            + self.embed(batch.units)
            + self._embed_numbers(batch.numbers)
            + self.context_proj(self._embed_subwords(batch.context).flatten(2))
            + self._embed_boxes(batch.candidate_boxes)
            + self.stream_embedding.weight[len(FIELDS) + 1]
            + _gather(prompts, batch.candidate_question)
        )
        return embedded

    def _embed_subwords(self, subwords: Tensor) -> Tensor:
        """Mean of the embeddings over the last axis, each scaled by its position: (..., K) to (..., D)."""
        present = (subwords != self._pad_id)[..., None].to(self.embedding.weight.dtype)
        scale = 1 + self.subword_position.weight[: subwords.shape[-1]]
        total = (self.embed(subwords) * scale * present).sum(dim=-2)
        mean: Tensor = total / present.sum(dim=-2).clamp(min=1)
        return mean

    def _embed_numbers(self, numbers: Tensor) -> Tensor:
        """Digits weighted by their positions, so that a value differs from its anagrams: (B, M, T) to (B, M, D)."""
        present = (numbers != self._pad_id)[..., None]
        embedded: Tensor = ((self.embed(numbers) * (1 + self.digit_position.weight)) * present).sum(dim=-2)
        return embedded

    def _embed_boxes(self, boxes: Tensor) -> Tensor:
        embedded: Tensor = sincos_2d(boxes[..., :2], self.width) + self.box_proj(boxes)
        return embedded

    def _encode_features(self, features: Tensor) -> Tensor:
        """Piecewise linear encoding of numbers over quantile bins (arXiv 2203.05556)."""
        low, high = self.feature_edges[:, :-1], self.feature_edges[:, 1:]
        return ((features[..., None] - low) / (high - low)).clamp(0, 1).flatten(-2)


def covered_patches(extent: Tensor, num_patches: int) -> Tensor:
    """Which patches of a letterbox its photo covers, bool (P, num_patches).

    Args:
        extent: (P, 2), see letterbox.
    """
    # A patch counts where the photo covers its near edge by more than rounding; the longer side covers all of them.
    edges = _patch_centres(num_patches, extent) - 0.5 / math.isqrt(num_patches)
    return (edges[None] < extent[:, None] - EXTENT_TOLERANCE).all(dim=-1)


def _patch_centres(count: int, like: Tensor) -> Tensor:
    """Centres (count, 2) of a square of patches, row by row, x and y from 0 to 1."""
    side = math.isqrt(count)
    centres = (torch.arange(side, device=like.device, dtype=like.dtype) + 0.5) / side
    y, x = torch.meshgrid(centres, centres, indexing="ij")
    return torch.stack([x.flatten(), y.flatten()], dim=-1)


def _gather(x: Tensor, index: Tensor) -> Tensor:
    """(B, N, D) and indices (B, M) to (B, M, D)."""
    return x.gather(1, index[..., None].expand(-1, -1, x.shape[-1]))


def _unset_edges(num_features: int) -> Tensor:
    return torch.linspace(-1, 1, FEATURE_BINS + 1).repeat(num_features, 1)
