"""Torch modules through ONNX Runtime, which takes a half to a fifth of torch's time on a CPU."""

import tempfile
import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Protocol, cast

import numpy as np
import torch
from torch import Tensor, nn

__all__ = ["Array", "OnnxModule", "Session", "create_session", "to_array"]

Array = np.ndarray | Tensor
"""Values where a module computes: an array on a CPU, a tensor on another device."""


class Session(Protocol):
    """What is used of onnxruntime.InferenceSession."""

    def run(self, output_names: None, input_feed: Mapping[str, np.ndarray]) -> Sequence[np.ndarray]:
        """All outputs for inputs by name."""
        ...


class OnnxModule:
    """A module over arrays: exported to ONNX Runtime on a CPU, run by torch on other devices.

    Args:
        module: takes the examples in their order; returns a tensor, or a tuple of tensors.
        examples: inputs by name.
        dynamic_axes: names of the axes of any size, by axis, by input or output.
        output_names: of what it returns.
        device: where the module is.
        threads: of ONNX Runtime.
    """

    def __init__(
        self,
        module: nn.Module,
        examples: Mapping[str, Tensor],
        dynamic_axes: Mapping[str, Mapping[int, str]],
        output_names: Sequence[str],
        *,
        device: str,
        threads: int,
    ):
        self._module = module.eval()
        self._input_names = list(examples)
        self._device = device
        self._session: Session | None = None
        if torch.device(device).type == "cpu":
            self._session = _export(self._module, examples, dynamic_axes, output_names, threads)

    def __call__(self, *inputs: Array) -> list[np.ndarray]:
        """The outputs for inputs in the order of the examples."""
        return [to_array(output) for output in self.on_device(*inputs)]

    def on_device(self, *inputs: Array) -> list[Array]:
        """The same outputs, left where they were computed: inputs of the next call, without a copy."""
        if self._session:
            return list(self._session.run(None, dict(zip(self._input_names, map(to_array, inputs), strict=True))))
        with torch.inference_mode():
            outputs = self._module(*(self.put(a) for a in inputs))
        return list(outputs) if isinstance(outputs, tuple) else [outputs]

    def put(self, values: Array) -> Array:
        """Values where the module computes, for inputs of several calls."""
        if self._session:
            return values
        tensor = torch.from_numpy(values) if isinstance(values, np.ndarray) else values
        return tensor.to(self._device)


def to_array(values: Array) -> np.ndarray:
    """An array, of half precision in single."""
    if isinstance(values, np.ndarray):
        return values
    array: np.ndarray = (values.float() if values.is_floating_point() else values).cpu().numpy()
    return array


def create_session(model: Path, threads: int) -> Session:
    """A CPU session for a model file.

    Its threads sleep while they wait: spinning ones take the time of everything else that is done for a photo (62 ms a
    photo instead of 36). It keeps no memory between calls, which it would do for each size of photo.
    """
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.enable_cpu_mem_arena = False
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    return cast(Session, onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"]))


def _export(
    module: nn.Module,
    examples: Mapping[str, Tensor],
    dynamic_axes: Mapping[str, Mapping[int, str]],
    output_names: Sequence[str],
    threads: int,
) -> Session:
    # torch warns to take another exporter, which needs one more package.
    with tempfile.TemporaryDirectory() as folder, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        file = Path(folder) / "module.onnx"
        torch.onnx.export(
            module,
            tuple(examples.values()),
            file,
            dynamo=False,
            input_names=list(examples),
            output_names=list(output_names),
            dynamic_axes={name: dict(axes) for name, axes in dynamic_axes.items()},
        )
        return create_session(file, threads)
