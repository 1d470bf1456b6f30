"""Torch modules through ONNX Runtime, which takes a half to a fifth of torch's time on a CPU."""

import tempfile
import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Protocol, cast

import numpy as np
import torch
from torch import Tensor, nn

__all__ = ["OnnxModule", "Session", "create_session"]


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

    def __call__(self, *inputs: np.ndarray) -> list[np.ndarray]:
        """The outputs for inputs in the order of the examples."""
        if self._session:
            return list(self._session.run(None, dict(zip(self._input_names, inputs, strict=True))))
        with torch.inference_mode():
            outputs = self._module(*(torch.from_numpy(a).to(self._device) for a in inputs))
        tensors = outputs if isinstance(outputs, tuple) else (outputs,)
        return [(t.float() if t.is_floating_point() else t).cpu().numpy() for t in tensors]


def create_session(model: Path, threads: int) -> Session:
    """A CPU session for a model file.

    Its threads sleep while they wait: spinning ones take the time of everything else that is done for a photo (62 ms a
    photo instead of 36).
    """
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
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
