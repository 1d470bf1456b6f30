"""Parts of the network as graphs for ONNX Runtime, which takes a half to a fifth of torch's time on a processor."""

import tempfile
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

__all__ = ["session"]

Axes = Mapping[int, str]
"""Which axes of a tensor may be of any size, by name."""


def session(
    graph: nn.Module, examples: Mapping[str, Tensor], axes: Mapping[str, Axes], given: str, threads: int
) -> Any:
    """An ONNX Runtime session that computes a module on a processor.

    Args:
        graph: takes the examples in their order and gives one tensor, in evaluation mode.
        examples: of what it takes, by name.
        axes: of what it takes and gives, by name.
        given: the name of what it gives.
    """
    import onnxruntime

    # The exporter that torch warns to take instead needs a package more.
    with tempfile.TemporaryDirectory() as folder, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        file = Path(folder) / "graph.onnx"
        torch.onnx.export(
            graph,
            tuple(examples.values()),
            file,
            dynamo=False,
            input_names=list(examples),
            output_names=[given],
            dynamic_axes={name: dict(of) for name, of in axes.items()},
        )
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        return onnxruntime.InferenceSession(file, options, providers=["CPUExecutionProvider"])
