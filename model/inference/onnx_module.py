"""Parts of the network as graphs for ONNX Runtime, which takes a half to a fifth of torch's time on a processor."""

import tempfile
import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

__all__ = ["Graph", "session_of"]


class Graph:
    """A module that takes and gives arrays, computed where that is fastest: on a processor by ONNX Runtime.

    Args:
        module: takes the examples in their order and gives a tensor, or a tuple of some.
        examples: of what it takes, by name.
        axes: which axes of what it takes and gives may be of any size: names by number, by name.
        given: the names of what it gives.
        device: where the module is.
        threads: of ONNX Runtime.
    """

    def __init__(
        self,
        module: nn.Module,
        examples: Mapping[str, Tensor],
        axes: Mapping[str, Mapping[int, str]],
        given: Sequence[str],
        *,
        device: str,
        threads: int,
    ):
        self._module = module.eval()
        self._names = list(examples)
        self._device = device
        self._session: Any = None
        if torch.device(device).type == "cpu":
            self._session = _session(self._module, examples, axes, given, threads)

    def __call__(self, *arrays: np.ndarray) -> list[np.ndarray]:
        """What the module gives for these, which are in the order of the examples."""
        if self._session:
            return list(self._session.run(None, dict(zip(self._names, arrays, strict=True))))
        with torch.inference_mode():
            given = self._module(*(torch.from_numpy(a).to(self._device) for a in arrays))
        return [tensor.float().cpu().numpy() for tensor in (given if isinstance(given, tuple) else (given,))]


def session_of(file: Path, threads: int) -> Any:
    """A session of ONNX Runtime for a graph in a file, on a processor.

    Its threads sleep while they wait: those that spin take the time of all else that is done for a photo meanwhile or
    right after (none: 62 ms a photo with spinning threads, 36 without).
    """
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    return onnxruntime.InferenceSession(file, options, providers=["CPUExecutionProvider"])


def _session(
    module: nn.Module,
    examples: Mapping[str, Tensor],
    axes: Mapping[str, Mapping[int, str]],
    given: Sequence[str],
    threads: int,
) -> Any:
    # The exporter that torch warns to take instead needs a package more.
    with tempfile.TemporaryDirectory() as folder, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        file = Path(folder) / "graph.onnx"
        torch.onnx.export(
            module,
            tuple(examples.values()),
            file,
            dynamo=False,
            input_names=list(examples),
            output_names=list(given),
            dynamic_axes={name: dict(of) for name, of in axes.items()},
        )
        return session_of(file, threads)
