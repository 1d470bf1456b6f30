"""Weights on disk: safetensors, matrices in half precision, and the metadata that rebuilds the network."""

import zlib
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

from resformer.model.inference.tokenizer import Tokenizer
from resformer.model.networks.parts import PARTS, Parts
from resformer.model.networks.presets import Preset, preset
from resformer.model.networks.resformer import Resformer
from resformer.model.networks.text_detection import DetectionNetwork
from resformer.model.networks.text_recognition import RecognitionNetwork
from resformer.model.ocr.charset import CHARSET
from resformer.model.ocr.page import BOX_SIZE
from resformer.model.quantities.candidate_features import feature_count
from resformer.model.schema.schema import Schema

__all__ = [
    "DEFAULT_WEIGHTS",
    "WEIGHTS_DIR",
    "Checkpoint",
    "build_network",
    "load_checkpoint",
    "parts_of",
    "read_checkpoint",
    "save_checkpoint",
    "schema_digest",
]

WEIGHTS_DIR = Path(__file__).parents[1] / "weights"
DEFAULT_WEIGHTS = WEIGHTS_DIR / "small.safetensors"
"""The shipped weights."""


@dataclass(frozen=True)
class Checkpoint:
    """The networks of a file of weights with its metadata."""

    network: Parts
    metadata: Mapping[str, str]


def build_network(sizes: Preset, tokenizer: Tokenizer, parts: Collection[str]) -> Parts:
    """Fresh networks for the schema of this tokenizer: these of PARTS."""
    return Parts(
        sizes,
        resformer=Resformer(
            sizes,
            vocab_size=tokenizer.vocab_size,
            pad_id=tokenizer.pad_id,
            bos_id=tokenizer.bos_id,
            num_answers=tokenizer.num_answers,
            num_features=feature_count(),
            box_size=BOX_SIZE,
            max_tokens=tokenizer.max_tokens,
        )
        if "resformer" in parts
        else None,
        text_detector=DetectionNetwork() if "text_detector" in parts else None,
        text_recognizer=RecognitionNetwork(len(CHARSET) + 1) if "text_recognizer" in parts else None,
    )


def parts_of(tensor_names: Collection[str]) -> tuple[str, ...]:
    """Which of PARTS tensors of these names belong to."""
    return tuple(part for part in PARTS if any(name.startswith(f"{part}.") for name in tensor_names))


def save_checkpoint(path: Path, network: Parts, tokenizer: Tokenizer, **facts: str) -> None:
    """Writes matrices in fp16; vectors, statistics and bin edges stay in fp32: small, and of a wide range.

    Args:
        facts: more metadata.
    """
    matrices = {name for name, parameter in network.named_parameters() if parameter.ndim > 1}
    tensors: dict[str, Tensor] = {
        name: t.detach().cpu().contiguous().to(torch.float16 if name in matrices else t.dtype)
        for name, t in network.state_dict().items()
    }
    facts = {"preset": network.preset.name, "schema": schema_digest(tokenizer.schema), **facts}
    save_file(tensors, path, metadata=facts)


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
    """Rebuilds the networks in fp32, in evaluation mode, those of PARTS that the file has.

    Raises:
        FileNotFoundError: no such file.
        ValueError: the file was made for another schema or set of features.
    """
    tensors, metadata = read_checkpoint(path)
    if missing := {"preset", "schema"} - metadata.keys():
        raise ValueError(f"{path} does not say its {', '.join(sorted(missing))}; train it again")
    if metadata["schema"] != schema_digest(tokenizer.schema):
        raise ValueError(
            f"{path} was trained for other entities, units or labels than the schema has; "
            "name the schema that it was trained for, or train it for this schema"
        )
    network = build_network(preset(metadata["preset"]), tokenizer, parts_of(tensors.keys()))
    expected = network.state_dict()
    wrong = [n for n in expected if n not in tensors or tensors[n].shape != expected[n].shape]
    if wrong or tensors.keys() - expected.keys():
        raise ValueError(f"{path} was made by other code; train it again (first mismatch: {(wrong or ['names'])[0]})")
    network.load_state_dict({n: t.to(expected[n].dtype) for n, t in tensors.items()})
    return Checkpoint(network.eval(), metadata)


def schema_digest(schema: Schema) -> str:
    """A digest of all that can be asked, and of the answers in their order."""
    asked = [(e.name, e.kind, e.units, e.ranges, e.labels, e.paths, e.max_subwords) for e in schema.entities]
    return f"{zlib.crc32(repr((asked, schema.declared_units)).encode()):08x}"
