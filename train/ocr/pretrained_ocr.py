"""Starts of the finding and of the reading of print from packaged networks: PP-OCRv6 tiny's finder and recogniser."""

from collections.abc import Iterable, Sequence

import torch
from torch import Tensor, nn

from resformer.model.networks.text_detection import TextDetectionHead, TextDetectorBackbone
from resformer.model.networks.text_recognition import RecognitionNetwork
from resformer.model.ocr.charset import CHARSET, fold_to_charset
from resformer.model.ocr.ctc import BLANK
from resformer.model.ocr.ppocr_recognizer import bundled_model_path

__all__ = ["start_finding", "start_reading"]

GATE_SLOPE = 0.2
ANEW = "install requirements.txt anew"

Filter = tuple[Tensor, ...]
"""Weight and bias of a convolution or a product; the weight alone where there is no bias."""


def start_finding(stem: TextDetectorBackbone, maps: TextDetectionHead) -> int:
    """Copies all of the finder's filters, in the order in which they are used; returns how many tensors.

    The finder takes channels in reverse; its map of print is twice as fine as ours, which begins as the mean of four of
    its places.

    Raises ValueError: the package holds another network.
    """
    first, *filters, last = _filters("tiny/det/det.onnx")
    mean = last[0].mean(dim=(2, 3))[:, :, None, None].transpose(0, 1)
    copied = _copy([_reversed(first), *filters, (mean, last[1])], (stem, maps.text))
    with torch.no_grad():
        # In its pyramid the gates rise by a fifth of what goes in, not by a sixth.
        for part in (*stem.laterals, *stem.fusions):
            for tensor in part.squeeze_excite.excite.parameters():
                tensor *= GATE_SLOPE * 6
    return copied


def start_reading(reading: RecognitionNetwork) -> int:
    """Copies all of the recogniser's filters; returns how many tensors.

    The recogniser takes channels in reverse. It has classes for 6,905 characters behind two products; ours begins with
    both as one, for its own characters alone: the row of each, or of the first that is folded to it.

    Raises ValueError: the package holds another network.
    """
    first, *filters, narrow, wide = _filters("tiny/rec/rec.onnx")
    blank, *rows = wide[0] @ narrow[0]
    blank_bias, *biases = wide[0] @ narrow[1] + wide[1]
    weight, bias = reading.head.weight.detach().clone(), reading.head.bias.detach().clone()
    weight[BLANK], bias[BLANK] = blank, blank_bias
    listed = bundled_model_path("ppocrv6_tiny_dict.txt").read_text(encoding="utf-8").removesuffix("\n").split("\n")
    characters = [*listed, " "]
    if len(characters) != len(rows):
        raise ValueError(f"the package lists {len(listed)} characters for {len(rows)} classes; {ANEW}")
    place: dict[str, int] = {}
    for n, character in enumerate(characters):
        place.setdefault(fold_to_charset(character) or character, n)
    place |= {character: n for n, character in enumerate(characters)}
    for i, character in enumerate(CHARSET):
        if character in place:
            weight[i], bias[i] = rows[place[character]], biases[place[character]]
    return _copy([_reversed(first), *filters, (weight, bias)], (reading,))


def _reversed(first: Filter) -> Filter:
    """A first convolution for channels the other way round."""
    return (first[0].flip(1), *first[1:])


def _filters(name: str) -> list[Filter]:
    """The filters of a packaged graph in the order of their use, with the normalisations after them in them.

    A filter has its bias in a node of its own, or in the normalisation, or itself, never in two of these.
    """
    import onnx
    from onnx.numpy_helper import to_array

    graph = onnx.load(str(bundled_model_path(name))).graph
    constants = {constant.name: torch.from_numpy(to_array(constant).copy()) for constant in graph.initializer}
    after = {node.input[0]: node for node in graph.node if node.op_type in ("Add", "BatchNormalization", "Squeeze")}
    found: list[Filter] = []
    for node in graph.node:
        if node.op_type not in ("Conv", "ConvTranspose", "MatMul"):
            continue
        if unknown := set(node.input[1:]) - constants.keys():
            raise ValueError(f"{name} computes {', '.join(unknown)}, which should be a constant; {ANEW}")
        weight, *bias = (constants[given] for given in node.input[1:])
        if node.op_type == "MatMul":
            weight = weight.T
        follower = after.get(node.output[0])
        if follower and follower.op_type == "Squeeze":
            follower = after.get(follower.output[0])
        if follower and follower.op_type == "BatchNormalization":
            scale, shift, mean, variance = (constants[given] for given in follower.input[1:])
            (epsilon,) = (a.f for a in follower.attribute if a.name == "epsilon")
            scale = scale / (variance + epsilon).sqrt()
            weight, bias = weight * scale.view(-1, *[1] * (weight.ndim - 1)), [shift - mean * scale]
        elif follower and follower.op_type == "Add" and follower.input[1] in constants:
            bias = [constants[follower.input[1]].flatten()]
        found.append((weight, *bias))
    return found


def _copy(filters: Sequence[Filter], parts: Iterable[nn.Module]) -> int:
    """Copies filters into the parts' own, in the order in which these were made."""
    kinds = (nn.Conv1d, nn.Conv2d, nn.ConvTranspose2d, nn.Linear)
    ours = [module for part in parts for module in part.modules() if isinstance(module, kinds)]
    targets = [[m.weight, *([] if m.bias is None else [m.bias])] for m in ours]
    if [len(target) for target in targets] != [len(packaged) for packaged in filters]:
        raise ValueError(f"the package has {len(filters)} filters for our {len(targets)}, or other biases; {ANEW}")
    copied: list[tuple[Tensor, Tensor]] = []
    for target, packaged in zip(targets, filters, strict=True):
        # A filter along a line is one of a single row there.
        given = [t.squeeze(2) if t.ndim == mine.ndim + 1 else t for mine, t in zip(target, packaged, strict=True)]
        copied += zip(target, given, strict=True)
    if wrong := [tuple(theirs.shape) for mine, theirs in copied if mine.shape != theirs.shape]:
        raise ValueError(f"the package has other filters: {wrong[0]} first; {ANEW}")
    with torch.no_grad():
        for mine, theirs in copied:
            mine.copy_(theirs)
    return len(copied)
