"""Initial weights of the text detector and the text recognizer from those of PP-OCRv6 tiny (arXiv 2606.13108)."""

from collections.abc import Iterable, Sequence

import torch
from torch import Tensor, nn

from resformer.model.networks.text_detection import DetectionNetwork
from resformer.model.networks.text_recognition import RecognitionNetwork
from resformer.model.ocr.charset import CHARSET, fold_to_charset
from resformer.model.ocr.ctc import BLANK
from resformer.model.ocr.ppocr_engine import bundled_model_path

__all__ = ["init_detector", "init_recognizer"]

HARD_SIGMOID_SLOPE = 1 / 6  # of torch
PPOCR_HARD_SIGMOID_SLOPE = 0.2  # of the gates in PP-OCR's feature pyramid
REINSTALL = "install requirements.txt again"

Filter = tuple[Tensor, ...]
"""Weight and bias of a convolution or a linear layer; the weight alone where there is no bias."""


def init_detector(detector: DetectionNetwork) -> int:
    """Copies all filters of PP-OCR's detector into the backbone and the text map; returns the number of tensors.

    PP-OCR takes channels in reverse order. Its text map has twice the resolution: the text map starts as the mean of
    2 x 2 of its pixels.

    Raises:
        ValueError: the installed package holds another network.
    """
    backbone, head = detector.backbone, detector.head
    first, *filters, last = _read_filters("tiny/det/det.onnx")
    mean = last[0].mean(dim=(2, 3))[:, :, None, None].transpose(0, 1)
    num_copied = _copy_filters([_reverse_channels(first), *filters, (mean, last[1])], (backbone, head.text))
    with torch.no_grad():
        for module in (*backbone.laterals, *backbone.fusions):
            for tensor in module.squeeze_excite.excite.parameters():
                tensor *= PPOCR_HARD_SIGMOID_SLOPE / HARD_SIGMOID_SLOPE
    return num_copied


def init_recognizer(recognizer: RecognitionNetwork) -> int:
    """Copies all filters of PP-OCR's recognizer; returns the number of tensors.

    PP-OCR takes channels in reverse order. It has two linear layers for the classes of 6,905 characters; here they
    start as their product, with the rows of CHARSET alone: that of the character, or of the first one that is folded
    to it.

    Raises:
        ValueError: the installed package holds another network.
    """
    first, *filters, inner, outer = _read_filters("tiny/rec/rec.onnx")
    blank, *rows = outer[0] @ inner[0]
    blank_bias, *biases = outer[0] @ inner[1] + outer[1]
    weight, bias = recognizer.head.weight.detach().clone(), recognizer.head.bias.detach().clone()
    weight[BLANK], bias[BLANK] = blank, blank_bias
    listed = bundled_model_path("ppocrv6_tiny_dict.txt").read_text(encoding="utf-8").removesuffix("\n").split("\n")
    characters = [*listed, " "]
    if len(characters) != len(rows):
        raise ValueError(f"the package lists {len(listed)} characters for {len(rows)} classes; {REINSTALL}")
    class_of: dict[str, int] = {}
    for i, character in enumerate(characters):
        class_of.setdefault(fold_to_charset(character) or character, i)
    class_of |= {character: i for i, character in enumerate(characters)}
    for i, character in enumerate(CHARSET):
        if character in class_of:
            weight[i], bias[i] = rows[class_of[character]], biases[class_of[character]]
    return _copy_filters([_reverse_channels(first), *filters, (weight, bias)], (recognizer,))


def _reverse_channels(first: Filter) -> Filter:
    """A first convolution for input channels in reverse order."""
    return (first[0].flip(1), *first[1:])


def _read_filters(name: str) -> list[Filter]:
    """The filters of a bundled ONNX graph in the order of their use, with the normalization after them folded in.

    A bias is the filter's own, a node after it, or that of the normalization, never two of these.
    """
    import onnx
    from onnx.numpy_helper import to_array

    graph = onnx.load(str(bundled_model_path(name))).graph
    constants = {constant.name: torch.from_numpy(to_array(constant).copy()) for constant in graph.initializer}
    next_node = {node.input[0]: node for node in graph.node if node.op_type in ("Add", "BatchNormalization", "Squeeze")}
    filters: list[Filter] = []
    for node in graph.node:
        if node.op_type not in ("Conv", "ConvTranspose", "MatMul"):
            continue
        if unknown := set(node.input[1:]) - constants.keys():
            raise ValueError(f"{name} computes {', '.join(unknown)}, which should be a constant; {REINSTALL}")
        weight, *bias = (constants[tensor] for tensor in node.input[1:])
        if node.op_type == "MatMul":
            weight = weight.T
        after = next_node.get(node.output[0])
        if after and after.op_type == "Squeeze":
            after = next_node.get(after.output[0])
        if after and after.op_type == "BatchNormalization":
            scale, shift, mean, variance = (constants[tensor] for tensor in after.input[1:])
            (epsilon,) = (a.f for a in after.attribute if a.name == "epsilon")
            scale = scale / (variance + epsilon).sqrt()
            weight, bias = weight * scale.view(-1, *[1] * (weight.ndim - 1)), [shift - mean * scale]
        elif after and after.op_type == "Add" and after.input[1] in constants:
            bias = [constants[after.input[1]].flatten()]
        filters.append((weight, *bias))
    return filters


def _copy_filters(filters: Sequence[Filter], modules: Iterable[nn.Module]) -> int:
    """Copies filters into those of modules, in the order of their definition; returns the number of tensors."""
    kinds = (nn.Conv1d, nn.Conv2d, nn.ConvTranspose2d, nn.Linear)
    layers = [layer for module in modules for layer in module.modules() if isinstance(layer, kinds)]
    targets = [[m.weight, *([] if m.bias is None else [m.bias])] for m in layers]
    if [len(target) for target in targets] != [len(source) for source in filters]:
        raise ValueError(f"the package has {len(filters)} filters for {len(targets)}, or other biases; {REINSTALL}")
    pairs: list[tuple[Tensor, Tensor]] = []
    for target, source in zip(targets, filters, strict=True):
        # A one-dimensional convolution is one of height 1 in PP-OCR.
        squeezed = [s.squeeze(2) if s.ndim == t.ndim + 1 else s for t, s in zip(target, source, strict=True)]
        pairs += zip(target, squeezed, strict=True)
    if wrong := [tuple(source.shape) for target, source in pairs if target.shape != source.shape]:
        raise ValueError(f"the package has other filters: {wrong[0]} first; {REINSTALL}")
    with torch.no_grad():
        for target_tensor, source_tensor in pairs:
            target_tensor.copy_(source_tensor)
    return len(pairs)
