"""The Resformer on photos, through ONNX Runtime on a CPU: the encoder, and the first step of every answer."""

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
# The fields of Batch that the questions about photos have, with their axes of any size, but for that of the photos.
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
        cross: (layers, 2, 1, H, L, d), keys and values of the decoder's layers.
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
    """Encodes photos and answers the first step of every question.

    Args:
        network: on its device. example: any batch with words and candidates: of one photo where batches have one, of
            several where they have several.
        image_size: side of the letterboxed picture, pixels.
        threads: of ONNX Runtime.
    """

    def __init__(self, network: Resformer, example: Batch, image_size: int, device: str, threads: int):
        count = len(example.has_image)
        pixels = torch.zeros(count, 3, image_size, image_size, dtype=torch.uint8)
        tokens = {1: "tokens"}
        outputs = {"logits": {1: "questions", 2: "outputs"}, "states": tokens, "is_token": tokens, "question": tokens}
        axes: dict[str, dict[int, str]] = {"pixels": {}, "features": {}, "image_features": {}, "label_logits": {}}
        axes |= {**AXES, **outputs}
        if count > 1:
            axes = {name: {0: "photos", **of_name} for name, of_name in axes.items()}
        axes["cross"] = {4: "tokens"} | ({2: "photos"} if count > 1 else {})
        self._features = OnnxModule(
            network.image,
            {"pixels": pixels},
            _of(axes, "pixels", "features"),
            ["features"],
            device=device,
            threads=threads,
        )
        (features,) = self._features(pixels.numpy())
        inputs = {"image_features": torch.from_numpy(features), **{n: getattr(example, n) for n in AXES}}
        names = [*outputs, "cross", "label_logits"]
        self._answers = OnnxModule(
            _FirstStep(network).to(device),
            {name: tensor.to(device) for name, tensor in inputs.items()},
            _of(axes, *inputs, *names),
            names,
            device=device,
            threads=threads,
        )

    def __call__(self, batch: Batch) -> list[EncodedPhoto]:
        """The photos of a batch, on a CPU, in which each has a picture of its own."""
        features = self._features(batch.pixels.numpy())[0]
        logits, states, is_token, question, cross, label_logits = self._answers(
            features, *(getattr(batch, name).numpy() for name in AXES)
        )
        first_word = features.shape[1]
        first_prompt = first_word + batch.words.shape[1]
        first_candidate = first_prompt + batch.prompts.shape[1]
        return [
            EncodedPhoto(
                logits[i],
                label_logits[i],
                states[i : i + 1],
                is_token[i : i + 1],
                question[i : i + 1],
                cross[:, :, i : i + 1],
                first_word,
                first_prompt,
                first_candidate,
                picture,
            )
            for i, picture in enumerate(_means(batch, features))
        ]

    def picture_features(self, batch: Batch) -> list[np.ndarray]:
        """What EncodedPhoto calls so, of each photo of a batch."""
        return _means(batch, self._features(batch.pixels.numpy())[0])


def _means(batch: Batch, features: np.ndarray) -> list[np.ndarray]:
    covered = covered_patches(batch.extent, features.shape[1]).numpy()
    return [of_photo[shown].mean(axis=0) for of_photo, shown in zip(features, covered, strict=True)]


def _of(axes: dict[str, dict[int, str]], *names: str) -> dict[str, dict[int, str]]:
    return {name: axes[name] for name in names if axes[name]}


class _FirstStep(nn.Module):
    def __init__(self, network: Resformer):
        super().__init__()
        self.network = network

    def forward(self, features: Tensor, *tensors: Tensor) -> tuple[Tensor, ...]:
        given = dict(zip(AXES, tensors, strict=True))
        missing = {f.name for f in fields(Batch)} - given.keys()
        assert missing == {"pixels", "image_index"}
        index = torch.arange(features.shape[0], device=features.device)
        batch = Batch(pixels=features, image_index=index, **given)
        memory = self.network.encode(batch, features)
        cache = self.network.decoder.init_cache(memory)
        logits = self.network.answer(memory, cache)
        cross = torch.stack([torch.stack(pair) for pair in cache.cross])
        labels = self.network.label_logits(batch, features)
        return logits, memory.states, memory.is_token, memory.question, cross, labels
