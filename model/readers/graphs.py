"""Parts of the network as graphs for ONNX Runtime, which takes less than half of torch's time on a processor."""

import tempfile
import warnings
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

__all__ = ["session"]


def session(graph: nn.Module, example: Tensor, axes: dict[str, dict[int, str]], threads: int) -> Any:
    """An ONNX Runtime session that computes a module on a processor.

    Args:
        graph: takes and gives one tensor, in evaluation mode.
        example: what it takes.
        axes: names of what goes in and what comes out, in this order, with the axes of each that may be of any size.
    """
    import onnxruntime

    taken, given = axes
    # The exporter that torch warns to take instead needs a package more.
    with tempfile.TemporaryDirectory() as folder, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        file = Path(folder) / "graph.onnx"
        torch.onnx.export(
            graph, (example,), file, dynamo=False, input_names=[taken], output_names=[given], dynamic_axes=axes
        )
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        return onnxruntime.InferenceSession(file, options, providers=["CPUExecutionProvider"])
