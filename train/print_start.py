"""The print stem's start from a packaged network: the finder of PP-OCRv6 tiny."""

import torch
from torch import Tensor, nn

from model.maps import PrintMaps
from model.print_stem import PrintStem
from model.readers.recognisers import bundled_model

__all__ = ["start_from_ppocr"]

GATE_SLOPE = 0.2


def start_from_ppocr(stem: PrintStem, maps: PrintMaps) -> int:
    """Copies all of the finder's filters, in the order in which they are used; returns how many tensors.

    The finder takes channels in reverse; its map of print is twice as fine as ours, which begins as the mean of four of
    its places.

    Raises ValueError: the package holds another network.
    """
    import onnx
    from onnx.numpy_helper import to_array

    graph = onnx.load(str(bundled_model("tiny/det/det.onnx"))).graph
    constants = {constant.name: torch.from_numpy(to_array(constant).copy()) for constant in graph.initializer}
    used = [node.input for node in graph.node if node.op_type in ("Conv", "ConvTranspose")]
    weights = [[constants[name] for name in inputs[1:]] for inputs in used]
    # The biases of transposed convolutions are added in nodes of their own.
    after = {node.input[0]: node.input[1] for node in graph.node if node.op_type == "Add"}
    for node in graph.node:
        if node.op_type == "ConvTranspose":
            weights[used.index(node.input)].append(constants[after[node.output[0]]].flatten())
    *filters, last = weights
    ours = [m for part in (stem, maps.print) for m in part.modules() if isinstance(m, nn.Conv2d | nn.ConvTranspose2d)]
    targets = [[m.weight, *([] if m.bias is None else [m.bias])] for m in ours]
    filters[0][0] = filters[0][0].flip(1)
    filters.append([last[0].mean(dim=(2, 3))[:, :, None, None].transpose(0, 1), last[1]])
    copied: list[tuple[Tensor, Tensor]] = []
    for target, packaged in zip(targets, filters, strict=True):
        copied += zip(target, packaged, strict=True)
    if wrong := [tuple(theirs.shape) for mine, theirs in copied if mine.shape != theirs.shape]:
        raise ValueError(f"the packaged finder has other filters: {wrong[0]} first; install requirements.txt anew")
    with torch.no_grad():
        for mine, theirs in copied:
            mine.copy_(theirs)
        # In its pyramid the gates rise by a fifth of what goes in, not by a sixth.
        for part in (*stem.levels, *stem.fused):
            for tensor in part.weigh.excite.parameters():
                tensor *= GATE_SLOPE * 6
    return len(copied)
