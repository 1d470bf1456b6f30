"""Weights on disk: safetensors, matrices in half precision, and what is needed to rebuild the network."""

import zlib
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path

import torch
from safetensors import safe_open
from safetensors.torch import save_file
from torch import Tensor

from resformer.model.inference.tokenizer import Vocabulary
from resformer.model.networks.presets import Preset, preset
from resformer.model.networks.resformer import PARTS, Resformer
from resformer.model.ocr.page import GEOMETRY
from resformer.model.quantities.candidate_features import feature_count

__all__ = ["WEIGHTS", "Weights", "build_network", "labels_digest", "load_weights", "parts_of", "save_weights"]

WEIGHTS = Path(__file__).parents[1] / "weights"


@dataclass(frozen=True)
class Weights:
    """A network with what its file says of it."""

    network: Resformer
    metadata: Mapping[str, str]


def build_network(shape: Preset, vocabulary: Vocabulary, parts: Collection[str] = ()) -> Resformer:
    """A fresh network of this shape for this vocabulary, with these of PARTS."""
    return Resformer(shape, vocabulary, feature_count(), GEOMETRY, parts)


def parts_of(names: Collection[str]) -> tuple[str, ...]:
    """Which of PARTS tensors of these names belong to."""
    return tuple(part for part in PARTS if any(name.startswith(f"{part}.") for name in names))


def save_weights(
    path: Path,
    network: Resformer,
    vocabulary: Vocabulary,
    *,
    temperature: float,
    **facts: str,
) -> None:
    """Writes matrices in fp16; vectors, statistics and bin edges stay fp32: small, and of a wide range.

    Args:
        temperature: see model.inference.decoding.decode.
        facts: what else the file should say.
    """
    matrices = {name for name, parameter in network.named_parameters() if parameter.ndim > 1}
    tensors: dict[str, Tensor] = {
        name: t.detach().cpu().contiguous().to(torch.float16 if name in matrices else t.dtype)
        for name, t in network.state_dict().items()
    }
    metadata = {
        "preset": network.preset.name,
        **({"labels": labels_digest(vocabulary)} if network.catalogue else {}),
        "entities": ",".join(e.name for e in vocabulary.schema.quantities),
        "temperature": f"{temperature:.3f}",
        **facts,
    }
    save_file(tensors, path, metadata=metadata)


def load_weights(path: Path, vocabulary: Vocabulary) -> Weights:
    """Rebuilds a network in fp32, in evaluation mode, with those of PARTS that the file has.

    Raises:
        FileNotFoundError: no such file.
        ValueError: the file was made for another schema, vocabulary or set of features.
    """
    if not path.is_file():
        raise FileNotFoundError(
            f"no weights at {path}; train them with `python -m train.run --config train/configs/small.yaml`"
        )
    with safe_open(path, framework="pt") as file:
        metadata = file.metadata() or {}
        tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 (not a mapping)
    entities = ",".join(e.name for e in vocabulary.schema.quantities)
    if missing := {"preset", "entities", "temperature"} - metadata.keys():
        raise ValueError(f"{path} does not say its {', '.join(sorted(missing))}; train it again")
    if metadata["entities"] != entities:
        raise ValueError(
            f"{path} answers {metadata['entities']}, the schema lists {entities}; train it for this schema"
        )
    network = build_network(preset(metadata["preset"]), vocabulary, parts_of(tensors.keys()))
    if network.catalogue and metadata.get("labels") != labels_digest(vocabulary):
        raise ValueError(f"{path} was trained for other labels than the schema has; train it with `--products`")
    expected = network.state_dict()
    wrong = [n for n in expected if n not in tensors or tensors[n].shape != expected[n].shape]
    if wrong or tensors.keys() - expected.keys():
        raise ValueError(f"{path} was made by other code; train it again (first mismatch: {(wrong or ['names'])[0]})")
    network.load_state_dict({n: t.to(expected[n].dtype) for n, t in tensors.items()})
    return Weights(network.eval(), metadata)


def labels_digest(vocabulary: Vocabulary) -> str:
    """A digest of all that the catalogue part can be asked, and of its labels in their order."""
    asked = [(e.name, e.kind, e.labels, e.paths, e.max_subwords) for e in vocabulary.schema.catalogue]
    return f"{zlib.crc32(repr(asked).encode()):08x}"
