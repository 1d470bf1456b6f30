"""Modules that were exported to ONNX Runtime before are not exported again: tests load the same networks many times."""

import hashlib
from collections.abc import Mapping, Sequence
from typing import Any

from torch import Tensor, nn

from resformer.model.runtime import onnx_module
from resformer.model.runtime.onnx_module import Session

__all__ = ["KeptExports"]

KEPT = 24  # sessions; the newest, since a network that a test has trained does not come again

EVERY_MODULE_HAS = vars(nn.Module())


class KeptExports:
    """Stands in for the export of OnnxModule; equal modules share a session, which any number of threads may run."""

    def __init__(self) -> None:
        self._export = onnx_module._export
        self._sessions: dict[str, Session] = {}

    def __call__(
        self,
        module: nn.Module,
        examples: Mapping[str, Tensor],
        dynamic_axes: Mapping[str, Mapping[int, str]],
        output_names: Sequence[str],
        threads: int,
    ) -> Session:
        options = (dynamic_axes, output_names, threads)
        key = _digest(module, examples, options)
        session = self._sessions.pop(key, None) or self._export(module, examples, *options)
        self._sessions[key] = session
        if len(self._sessions) > KEPT:
            self._sessions.pop(next(iter(self._sessions)))
        return session


def _digest(module: nn.Module, examples: Mapping[str, Tensor], options: Any) -> str:
    """Of all that an export depends on: what the parts of a module are and hold, its weights, and the examples."""
    digest = hashlib.sha256(repr(options).encode())
    for name, part in module.named_modules():
        own = {k: v for k, v in vars(part).items() if k not in EVERY_MODULE_HAS}
        digest.update(f"{name} {type(part).__qualname__} {type(part).forward} {own}".encode())
    for name, tensor in {**module.state_dict(), **dict(module.named_buffers()), **examples}.items():
        digest.update(f"{name} {tensor.dtype} {tuple(tensor.shape)}".encode())
        digest.update(tensor.detach().contiguous().numpy().tobytes())
    return digest.hexdigest()
