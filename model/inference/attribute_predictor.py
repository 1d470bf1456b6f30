"""Answers of the catalogue part: choices, paths and text, from a picture and what the caller says of it."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import torch
from torch import Tensor, nn

from resformer.model.images.resize import letterbox
from resformer.model.inference.attribute_inputs import Product, Words, product_inputs, product_words
from resformer.model.inference.generation import Writer
from resformer.model.inference.label_tokenizer import LabelVocabulary
from resformer.model.inference.onnx_module import Graph
from resformer.model.networks.attribute_network import BOTH, FIELDS, LEXICON, PICTURE, WORDS, Catalogue
from resformer.model.schema.schema import Entity
from resformer.model.schema.taxonomy import SEPARATOR

__all__ = ["Telling", "Told"]

# A path goes on to a level as long as it is this likely. Below that four of five would be wrong; above, who wants surer
# ones has the confidence to go by.
SURE = 0.2


@dataclass(frozen=True)
class Told:
    """One answer.

    Attributes:
        text: a label, a path as it is written, or text.
        probability: of a label or node; of a text, the geometric mean of its tokens'.
        levels: of a path, root first.
        leaf: name and probability of the leaf which a path ends at or stops above.
        alternatives: labels or leaves with their probabilities: the answer's, then the likeliest others.
    """

    text: str
    probability: float
    levels: tuple[str, ...] = ()
    leaf: tuple[str, float] = ("", 0.0)
    alternatives: list[tuple[str, float]] = field(default_factory=list)


class Telling:
    """Asks a network's catalogue part, whose picture goes through ONNX Runtime on a processor.

    Args:
        side: of the letterboxed picture, pixels.
        threads: of ONNX Runtime.
    """

    def __init__(self, part: Catalogue, vocabulary: LabelVocabulary, side: int, device: str, threads: int):
        self._part = part.eval()
        self._vocabulary = vocabulary
        self._side = side
        self._device = device
        example = torch.zeros(1, 3, side, side, dtype=torch.uint8)
        self._look = Graph(_Look(part), {"pixels": example}, {}, ["patches"], device=device, threads=threads)
        self._writer = Writer(part.decoder, vocabulary, device, threads)

    @torch.inference_mode()
    def __call__(
        self,
        image: np.ndarray,
        entities: Sequence[Entity],
        *,
        title: str = "",
        description: str = "",
        top: int = 0,
    ) -> dict[str, Told]:
        """Answers by entity name.

        A text is told without the caller's own text of that name: it would only be copied.

        Args:
            image: uint8 (H, W, 3).
            entities: of the schema's catalogue.
            top: how many alternatives are told.
        """
        pixels, visible = letterbox(image, self._side)
        patches = torch.from_numpy(*self._look(pixels[None])).to(self._device)
        views = self._views(entities, title, description)
        products = [Product(0, way != WORDS, words, asked) for way, words, asked in views]
        inputs = product_inputs(self._vocabulary, pixels[None], [visible], products).to(self._device)
        memory = self._part.encode(inputs, patches)
        asked = [(way, entity) for way, _, some in views for entity in some]
        told = {}
        labelled = [q for q, (_, entity) in enumerate(asked) if entity.kind != "text"]
        if labelled:
            some = memory.some(torch.tensor(labelled, device=self._device))
            begin = torch.full((len(labelled), 1), self._vocabulary.bos, device=self._device)
            rows = self._part.say(begin, some, self._part.decoder.start(some))[:, 0].float()
            voices = [(*asked[q], row) for q, row in zip(labelled, rows, strict=True)]
            if any(way != PICTURE for way, _, _ in voices):
                votes = self._part.lexicon(title, description)
                voices += [(LEXICON, entity, votes) for way, entity, _ in voices if way == BOTH]
            told = self._choose(voices, top)
        written = [q for q, (_, entity) in enumerate(asked) if entity.kind == "text"]
        if written:
            some = memory.some(torch.tensor(written, device=self._device))
            texts = self._writer(some, [asked[q][1].max_subwords for q in written])
            told |= {asked[q][1].name: Told(*text) for q, text in zip(written, texts, strict=True)}
        return told

    def _views(self, entities: Sequence[Entity], title: str, description: str) -> list[tuple[int, Words, list[Entity]]]:
        """What each entity's answer goes by: the way, the words, and who is asked so. A label is asked for twice where
        there are words."""
        shown = {"title": title, "description": description}
        asked: dict[tuple[int, tuple[str, ...]], list[Entity]] = {}
        for entity in entities:
            copied = entity.name if entity.kind == "text" else None
            given = tuple("" if name == copied else shown[name].strip() for name in FIELDS)
            ways = [PICTURE] if not any(given) else [BOTH] if entity.kind == "text" else [WORDS, BOTH]
            for way in ways:
                asked.setdefault((way, given), []).append(entity)
        return [(way, product_words(self._vocabulary, *given), some) for (way, given), some in asked.items()]

    def _choose(self, voices: Sequence[tuple[int, Entity, Tensor]], top: int) -> dict[str, Told]:
        """Answers by entity name, from the logits (vocabulary,) of all who say something to an entity, in which way."""
        part, vocabulary = self._part, self._vocabulary
        sums: dict[Entity, Tensor] = {}
        for way, entity, logits in voices:
            tokens = slice(vocabulary.labels(entity).start, vocabulary.labels(entity).stop)
            trust = part.trust[vocabulary.entities.index(entity), way]
            sums[entity] = sums.get(entity, part.log_prior[tokens]) + trust * logits[tokens]
        return {entity.name: _choice(entity, total.softmax(dim=0).cpu().numpy(), top) for entity, total in sums.items()}


def _choice(entity: Entity, chances: np.ndarray, top: int) -> Told:
    """The likeliest label; or the path of which most levels are expected to be right, as far as it is likely enough.

    Args:
        chances: (labels,) or (leaves,).
    """
    names = entity.labels or [SEPARATOR.join(path) for path in entity.paths]
    path = entity.kind == "path"
    # Where leaves of one parent share what is likely, the likeliest leaf of all may lie elsewhere.
    first = int(np.argmax(entity.taxonomy.expected_levels(chances) if path else chances))
    others = [int(i) for i in np.argsort(-chances, kind="stable") if i != first]
    alternatives = [(names[i], float(chances[i])) for i in [first, *others][:top]]
    if not path:
        return Told(names[first], float(chances[first]), alternatives=alternatives)
    tree = entity.taxonomy
    nodes = tree.node_probabilities(chances)
    leaf = tree.leaves[first]
    sure = [depth for depth in range(2, len(leaf) + 1) if nodes[tree.place(leaf[:depth])] >= SURE]
    node = leaf[: max(sure, default=1)]
    leaf_chance = (leaf[-1], float(chances[first]))
    return Told(SEPARATOR.join(node), float(nodes[tree.place(node)]), node, leaf_chance, alternatives)


class _Look(nn.Module):
    def __init__(self, part: Catalogue):
        super().__init__()
        self.part = part

    def forward(self, pixels: Tensor) -> Tensor:
        return self.part.look(pixels)
