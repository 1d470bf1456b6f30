"""Choices, paths and texts about one photo, from its picture and the caller's text."""

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor, nn

from resformer.model.images.resize import letterbox
from resformer.model.inference.attribute_decoding import (
    MIN_LEVEL_PROBABILITY,
    AttributeAnswer,
    decode_choice,
    decode_path,
)
from resformer.model.inference.attribute_inputs import AttributeExample, EncodedWords, collate_attributes, encode_words
from resformer.model.inference.generation import GreedyGenerator
from resformer.model.inference.label_tokenizer import LabelTokenizer, hash_words
from resformer.model.networks.attribute_network import (
    BAG_OF_WORDS,
    IMAGE,
    IMAGE_AND_TEXT,
    TEXT,
    TEXT_FIELDS,
    AttributeNetwork,
)
from resformer.model.runtime.onnx_module import OnnxModule
from resformer.model.schema.schema import Entity

__all__ = ["AttributePredictor"]


class AttributePredictor:
    """Answers choices, paths and texts with the attribute network; on a CPU, ONNX Runtime embeds the picture.

    Args:
        image_size: side of the letterboxed picture, pixels.
        threads: of ONNX Runtime.
    """

    def __init__(
        self, network: AttributeNetwork, tokenizer: LabelTokenizer, image_size: int, device: str, threads: int
    ):
        self._network = network.eval()
        self._tokenizer = tokenizer
        self._image_size = image_size
        self._device = device
        example = torch.zeros(1, 3, image_size, image_size, dtype=torch.uint8)
        self._embed_image = OnnxModule(
            _ImageEmbedding(network), {"pixels": example}, {}, ["patches"], device=device, threads=threads
        )
        self._generate = GreedyGenerator(network.decoder, tokenizer, device, threads)

    @torch.inference_mode()
    def __call__(
        self,
        image: np.ndarray,
        entities: Sequence[Entity],
        *,
        title: str = "",
        description: str = "",
        top_k: int = 0,
        min_level_probability: float = MIN_LEVEL_PROBABILITY,
    ) -> dict[str, AttributeAnswer]:
        """Answers by entity name.

        A text is generated without the caller's own text of that name, which it would only copy.

        Args:
            image: uint8 (H, W, 3).
            entities: attributes of the schema.
            top_k: how many alternatives an answer has.
            min_level_probability: see decode_path.
        """
        pixels, extent = letterbox(image, self._image_size)
        patches = torch.from_numpy(*self._embed_image(pixels[None])).to(self._device)
        views = self._views(entities, title, description)
        examples = [AttributeExample(0, member != TEXT, words, asked) for member, words, asked in views]
        batch = collate_attributes(self._tokenizer, pixels[None], [extent], examples).to(self._device)
        memory = self._network.encode(batch, patches)
        questions = [(member, entity) for member, _, asked in views for entity in asked]
        answers = {}
        classified = [q for q, (_, entity) in enumerate(questions) if entity.kind != "text"]
        if classified:
            selected = memory.select(torch.tensor(classified, device=self._device))
            bos = torch.full((len(classified), 1), self._tokenizer.bos_id, device=self._device)
            cache = self._network.decoder.init_cache(selected)
            logits = self._network.decode(bos, selected, cache)[:, 0].float()
            members = [(*questions[q], row) for q, row in zip(classified, logits, strict=True)]
            if any(member != IMAGE for member, _, _ in members):
                buckets = torch.from_numpy(hash_words(title, description)).to(self._device)
                by_words = self._network.bag_of_words(buckets)
                members += [(BAG_OF_WORDS, entity, by_words) for m, entity, _ in members if m == IMAGE_AND_TEXT]
            answers = self._classify(members, top_k, min_level_probability)
        generated = [q for q, (_, entity) in enumerate(questions) if entity.kind == "text"]
        if generated:
            selected = memory.select(torch.tensor(generated, device=self._device))
            texts = self._generate(selected, [questions[q][1].max_subwords for q in generated])
            answers |= {questions[q][1].name: AttributeAnswer(*text) for q, text in zip(generated, texts, strict=True)}
        return answers

    def _views(
        self, entities: Sequence[Entity], title: str, description: str
    ) -> list[tuple[int, EncodedWords, list[Entity]]]:
        """The views of the product: ensemble member, words, and the entities that are asked of it.

        Where there is text, a label is asked of two members.
        """
        fields = {"title": title, "description": description}
        views: dict[tuple[int, tuple[str, ...]], list[Entity]] = {}
        for entity in entities:
            hidden = entity.name if entity.kind == "text" else None
            texts = tuple("" if name == hidden else fields[name].strip() for name in TEXT_FIELDS)
            if not any(texts):
                members = [IMAGE]
            else:
                members = [IMAGE_AND_TEXT] if entity.kind == "text" else [TEXT, IMAGE_AND_TEXT]
            for member in members:
                views.setdefault((member, texts), []).append(entity)
        return [(member, encode_words(self._tokenizer, *texts), asked) for (member, texts), asked in views.items()]

    def _classify(
        self, members: Sequence[tuple[int, Entity, Tensor]], top_k: int, min_level_probability: float
    ) -> dict[str, AttributeAnswer]:
        """Answers of choices and paths by entity name: a log-linear ensemble of the members' logits (vocab_size,)."""
        network, tokenizer = self._network, self._tokenizer
        sums: dict[Entity, Tensor] = {}
        for member, entity, logits in members:
            labels = slice(tokenizer.labels(entity).start, tokenizer.labels(entity).stop)
            weight = network.member_weights[tokenizer.entities.index(entity), member]
            sums[entity] = sums.get(entity, network.log_prior[labels]) + weight * logits[labels]
        answers = {}
        for entity, total in sums.items():
            probabilities = total.softmax(dim=0).cpu().numpy()
            answers[entity.name] = (
                decode_path(entity, probabilities, top_k, min_level_probability)
                if entity.kind == "path"
                else decode_choice(entity, probabilities, top_k)
            )
        return answers


class _ImageEmbedding(nn.Module):
    def __init__(self, network: AttributeNetwork):
        super().__init__()
        self.network = network

    def forward(self, pixels: Tensor) -> Tensor:
        return self.network.embed_image(pixels)
