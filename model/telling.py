"""Answers of the catalogue part: choices, paths and text, from a picture and what the caller says of it."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import torch
from torch import Tensor, nn

from model.catalogue import FIELDS, Catalogue
from model.graphs import Graph
from model.labels import LabelVocabulary
from model.products import Product, letterbox, product_inputs, product_words
from model.schema import Entity
from model.taxonomy import SEPARATOR
from model.writer import Writer

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
        leaf: name and probability of a path's likeliest leaf, which the path ends at or stops above.
        alternatives: the likeliest labels or leaves, the answer's among them, with their probabilities.
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
        given = {"title": title, "description": description}
        views: dict[tuple[str, ...], list[Entity]] = {}
        for entity in entities:
            shown = tuple("" if entity.kind == "text" and name == entity.name else given[name] for name in FIELDS)
            views.setdefault(shown, []).append(entity)
        products = [Product(0, True, product_words(self._vocabulary, *shown), asked) for shown, asked in views.items()]
        inputs = product_inputs(self._vocabulary, pixels[None], [visible], products).to(self._device)
        memory = self._part.encode(inputs, patches)
        asked = [entity for product in products for entity in product.entities]
        told = {}
        labelled = [q for q, entity in enumerate(asked) if entity.kind != "text"]
        if labelled:
            some = memory.some(torch.tensor(labelled, device=self._device))
            begin = torch.full((len(labelled), 1), self._vocabulary.bos, device=self._device)
            logits = self._part.say(begin, some, self._part.decoder.start(some))[:, 0] + self._part.log_prior
            for q, row in zip(labelled, logits.float().cpu(), strict=True):
                told[asked[q].name] = self._choose(asked[q], row, top)
        written = [q for q, entity in enumerate(asked) if entity.kind == "text"]
        if written:
            some = memory.some(torch.tensor(written, device=self._device))
            texts = self._writer(some, [asked[q].max_subwords for q in written])
            told.update({asked[q].name: Told(*text) for q, text in zip(written, texts, strict=True)})
        return told

    def _choose(self, entity: Entity, logits: Tensor, top: int) -> Told:
        tokens = self._vocabulary.labels(entity)
        temperature = self._part.temperature[self._vocabulary.entities.index(entity)].item()
        chances = (logits[tokens.start : tokens.stop] / temperature).softmax(dim=0).numpy()
        best = np.argsort(-chances, kind="stable")
        names = entity.labels or [SEPARATOR.join(path) for path in entity.paths]
        alternatives = [(names[i], float(chances[i])) for i in best[:top]]
        first = int(best[0])
        if entity.kind == "choice":
            return Told(entity.labels[first], float(chances[first]), alternatives=alternatives)
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
