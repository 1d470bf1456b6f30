"""Weights on disk: safetensors, matrices in half precision, and the metadata that rebuilds the network."""

import zlib
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

from resformer.model.inference.label_tokenizer import LabelTokenizer
from resformer.model.inference.tokenizer import Tokenizer
from resformer.model.networks.attribute_network import AttributeNetwork
from resformer.model.networks.presets import Preset, preset
from resformer.model.networks.quantity_network import QuantityNetwork
from resformer.model.networks.resformer import OPTIONAL_PARTS, Resformer
from resformer.model.networks.text_detection import DetectionNetwork
from resformer.model.networks.text_recognition import RecognitionNetwork
from resformer.model.ocr.charset import CHARSET
from resformer.model.ocr.page import BOX_SIZE
from resformer.model.quantities.candidate_features import feature_count

__all__ = [
    "DEFAULT_WEIGHTS",
    "WEIGHTS_DIR",
    "Checkpoint",
    "build_network",
    "labels_digest",
    "load_checkpoint",
    "parts_of",
    "read_checkpoint",
    "save_checkpoint",
]

WEIGHTS_DIR = Path(__file__).parents[1] / "weights"
DEFAULT_WEIGHTS = WEIGHTS_DIR / "small.safetensors"
"""The shipped weights."""


@dataclass(frozen=True)
class Checkpoint:
    """A network with the metadata of its file."""

    network: Resformer
    metadata: Mapping[str, str]


def build_network(sizes: Preset, tokenizer: Tokenizer, parts: Collection[str] = ()) -> Resformer:
    """A fresh network for the schema of this tokenizer, with these of OPTIONAL_PARTS."""
    labels = LabelTokenizer(tokenizer.schema, tokenizer)
    return Resformer(
        sizes,
        text_detector=DetectionNetwork() if "text_detector" in parts else None,
        text_recognizer=RecognitionNetwork(len(CHARSET) + 1) if "text_recognizer" in parts else None,
        attributes=AttributeNetwork(
            sizes,
            vocab_size=labels.vocab_size,
            pad_id=labels.pad_id,
            num_entities=len(labels.entities),
            max_tokens=labels.max_tokens,
        )
        if "attributes" in parts
        else None,
        quantities=QuantityNetwork(
            sizes,
            vocab_size=tokenizer.vocab_size,
            pad_id=tokenizer.pad_id,
            num_features=feature_count(),
            box_size=BOX_SIZE,
        ),
    )


def parts_of(tensor_names: Collection[str]) -> tuple[str, ...]:
    """Which of OPTIONAL_PARTS tensors of these names belong to."""
    return tuple(part for part in OPTIONAL_PARTS if any(name.startswith(f"{part}.") for name in tensor_names))


def save_checkpoint(path: Path, network: Resformer, tokenizer: Tokenizer, *, temperature: float, **facts: str) -> None:
    """Writes matrices in fp16; vectors, statistics and bin edges stay in fp32: small, and of a wide range.

    Args:
        temperature: see decode_quantities.
        facts: more metadata.
    """
    matrices = {name for name, parameter in network.named_parameters() if parameter.ndim > 1}
    tensors: dict[str, Tensor] = {
        name: t.detach().cpu().contiguous().to(torch.float16 if name in matrices else t.dtype)
        for name, t in network.state_dict().items()
    }
    metadata = {
        "preset": network.preset.name,
        **({"labels": labels_digest(tokenizer)} if network.attributes else {}),
        "entities": ",".join(e.name for e in tokenizer.schema.quantities),
        "temperature": f"{temperature:.3f}",
        **facts,
    }
    save_file(tensors, path, metadata=metadata)


def read_checkpoint(path: Path) -> tuple[dict[str, Tensor], dict[str, str]]:
    """The tensors and the metadata of a file, unchecked.

    Raises:
        FileNotFoundError: no such file.
        ValueError: it is no file of weights.
    """
    if not path.is_file():
        raise FileNotFoundError(f"no weights at {path}; `resformer train` makes them")
    try:
        with safe_open(path, framework="pt") as file:
            metadata = dict(file.metadata() or {})
            return {name: file.get_tensor(name) for name in file.keys()}, metadata  # noqa: SIM118 (not a mapping)
    except SafetensorError as error:
        raise ValueError(f"{path} is not a file of weights ({error}); `resformer train` makes them") from error


def load_checkpoint(path: Path, tokenizer: Tokenizer) -> Checkpoint:
    """Rebuilds a network in fp32, in evaluation mode, with those of OPTIONAL_PARTS that the file has.

    Raises:
        FileNotFoundError: no such file.
        ValueError: the file was made for another schema, vocabulary or set of features.
    """
    tensors, metadata = read_checkpoint(path)
    entities = ",".join(e.name for e in tokenizer.schema.quantities)
    if missing := {"preset", "entities", "temperature"} - metadata.keys():
        raise ValueError(f"{path} does not say its {', '.join(sorted(missing))}; train it again")
    if metadata["entities"] != entities:
        raise ValueError(
            f"{path} answers {metadata['entities']}, the schema lists {entities}; "
            "name the schema that it was trained for, or train it for this schema"
        )
    network = build_network(preset(metadata["preset"]), tokenizer, parts_of(tensors.keys()))
    if network.attributes and metadata.get("labels") != labels_digest(tokenizer):
        raise ValueError(f"{path} was trained for other labels than the schema has; train its attributes again")
    expected = network.state_dict()
    wrong = [n for n in expected if n not in tensors or tensors[n].shape != expected[n].shape]
    if wrong or tensors.keys() - expected.keys():
        raise ValueError(f"{path} was made by other code; train it again (first mismatch: {(wrong or ['names'])[0]})")
    network.load_state_dict({n: t.to(expected[n].dtype) for n, t in tensors.items()})
    return Checkpoint(network.eval(), metadata)


def labels_digest(tokenizer: Tokenizer) -> str:
    """A digest of all that the attribute network can be asked, and of its labels in their order."""
    asked = [(e.name, e.kind, e.labels, e.paths, e.max_subwords) for e in tokenizer.schema.attributes]
    return f"{zlib.crc32(repr(asked).encode()):08x}"
