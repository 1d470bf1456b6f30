"""What tests of attributes share: the shipped schema, a small network and a photo."""

import numpy as np

from resformer.model.inference.label_tokenizer import LabelTokenizer
from resformer.model.inference.tokenizer import Tokenizer
from resformer.model.networks.attribute_network import AttributeNetwork
from resformer.model.networks.presets import PRESETS, Preset
from resformer.model.schema.schema import Schema

SCHEMA = Schema.load()
LABELS = LabelTokenizer(SCHEMA, Tokenizer(SCHEMA))
NANO = PRESETS["nano"]
PHOTO = np.random.default_rng(0).integers(0, 255, (120, 90, 3), dtype=np.uint8)


def build_attribute_network(sizes: Preset) -> AttributeNetwork:
    """An attribute network of the shipped schema."""
    return AttributeNetwork(
        sizes,
        vocab_size=LABELS.vocab_size,
        pad_id=LABELS.pad_id,
        num_entities=len(LABELS.entities),
        max_tokens=LABELS.max_tokens,
    )
