"""The Resformer on one photo, through ONNX Runtime on a CPU: the encoder, and the first step of every answer."""

from dataclasses import dataclass, fields
from typing import Final

import numpy as np
import torch
from torch import Tensor, nn

from resformer.model.networks.batch import Batch
from resformer.model.networks.resformer import Resformer, covered_patches
from resformer.model.runtime.onnx_module import OnnxModule

__all__ = ["EncodedPhoto", "PhotoEncoder"]

WORDS: Final = {1: "words"}
QUESTIONS: Final = {1: "questions"}
CANDIDATES: Final = {1: "candidates"}
# The fields of Batch that the questions about one photo have, with their axes of any size.
AXES: Final[dict[str, dict[int, str]]] = {
    "extent": {},
    "has_image": {},
    "words": WORDS | {2: "subwords"},
    **dict.fromkeys(("word_boxes", "word_field", "word_position", "word_mask"), WORDS),
    **dict.fromkeys(("prompts", "prompt_mask", "assume_present"), QUESTIONS),
    **dict.fromkeys(("candidate_question", "features", "units", "numbers"), CANDIDATES),
    **dict.fromkeys(("context", "candidate_boxes", "candidate_mask"), CANDIDATES),
}


@dataclass(frozen=True)
class EncodedPhoto:
    """One photo with its questions after the encoder.

    Attributes:
        logits: (Q, A + L) of the first step of every answer, see Resformer.answer.
        label_logits: (A,) of the shortcut, see Resformer.label_logits.
        states: (1, L, D). is_token, question: (1, L), see Memory.
        cross: keys and values of the decoder's layers.
        first_word, first_prompt, first_candidate: where these begin among the L tokens.
        picture_features: (size,), mean features of the patches that the photo covers, see ImageFeatures.
    """

    logits: np.ndarray
    label_logits: np.ndarray
    states: np.ndarray
    is_token: np.ndarray
    question: np.ndarray
    cross: np.ndarray
    first_word: int
    first_prompt: int
    first_candidate: int
    picture_features: np.ndarray


class PhotoEncoder:
    """Encodes a photo and answers the first step of every question.

    Args:
        network: on its device. example: any batch of one photo with words and candidates.
        image_size: side of the letterboxed picture, pixels.
        threads: of ONNX Runtime.
    """

    def __init__(self, network: Resformer, example: Batch, image_size: int, device: str, threads: int):
        self._device = device
        pixels = torch.zeros(1, 3, image_size, image_size, dtype=torch.uint8)
        self._features = OnnxModule(network.image, {"pixels": pixels}, {}, ["features"], device=device, threads=threads)
        (features,) = self._features(pixels.numpy())
        inputs = {"image_features": torch.from_numpy(features), **{n: getattr(example, n) for n in AXES}}
        tokens = {1: "tokens"}
        outputs = {"logits": {1: "questions", 2: "outputs"}, "states": tokens, "is_token": tokens, "question": tokens}
        self._answers = OnnxModule(
            _FirstStep(network).to(device),
            {name: tensor.to(device) for name, tensor in inputs.items()},
            {**AXES, **outputs, "cross": {4: "tokens"}},
            [*outputs, "cross", "label_logits"],
            device=device,
            threads=threads,
        )

    def __call__(self, batch: Batch) -> EncodedPhoto:
        """A batch of one photo with its pixels, on a CPU."""
        features, picture = self._describe(batch)
        logits, states, is_token, question, cross, label_logits = self._answers(
            features, *(getattr(batch, name).numpy() for name in AXES)
        )
        first_word = features.shape[1]
        first_prompt = first_word + batch.words.shape[1]
        first_candidate = first_prompt + batch.prompts.shape[1]
        return EncodedPhoto(
            logits[0],
            label_logits[0],
            states,
            is_token,
            question,
            cross,
            first_word,
            first_prompt,
            first_candidate,
            picture,
        )

    def picture_features(self, batch: Batch) -> np.ndarray:
        """What EncodedPhoto calls so, of a batch of one photo."""
        return self._describe(batch)[1]

    def _describe(self, batch: Batch) -> tuple[np.ndarray, np.ndarray]:
        (features,) = self._features(batch.pixels.numpy())
        covered = covered_patches(batch.extent, features.shape[1])[0].numpy()
        return features, features[0][covered].mean(axis=0)


class _FirstStep(nn.Module):
    def __init__(self, network: Resformer):
        super().__init__()
        self.network = network

    def forward(self, features: Tensor, *tensors: Tensor) -> tuple[Tensor, ...]:
        given = dict(zip(AXES, tensors, strict=True))
        missing = {f.name for f in fields(Batch)} - given.keys()
        assert missing == {"pixels", "image_index"}
        batch = Batch(pixels=features, image_index=torch.zeros(1, dtype=torch.long, device=features.device), **given)
        memory = self.network.encode(batch, features)
        cache = self.network.decoder.init_cache(memory)
        logits = self.network.answer(memory, cache)
        cross = torch.stack([torch.stack(pair) for pair in cache.cross])
        labels = self.network.label_logits(batch, features)
        return logits, memory.states, memory.is_token, memory.question, cross, labels
