"""TorchServe's entry, at the root of the archive beside the package `resformer`.

TorchServe imports this file in a worker process, whose PYTHONPATH the host sets. So the archive's own package is
put first, and a worker that found another one under its name stops.
"""

import importlib
import logging
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from resformer.handler.service import Service

ROOT = Path(__file__).resolve().parent

# Quiet server logs keep what a worker writes to stderr; its ordinary log goes to stdout. Only errors: TorchServe
# warns of every request that is not the JSON it claims to be, which the answer to the caller names already.
_errors = logging.StreamHandler(sys.stderr)
_errors.setLevel(logging.ERROR)
_errors.setFormatter(logging.Formatter("%(levelname)s %(name)s: %(message)s"))
logging.getLogger().addHandler(_errors)

sys.path.insert(0, str(ROOT))
_found = importlib.import_module("resformer").__file__
if _found is None or Path(_found).resolve().parent != ROOT / "resformer":
    # Not an ImportError: TorchServe would hide it behind one of its own.
    raise RuntimeError(
        f"the package `resformer` comes from {_found}, not from the archive at {ROOT}: "
        "something on this host imports it before the worker does; take it out of PYTHONPATH"
    )

_service: "Service | None" = None


def handle(data: Any, context: Any) -> list[str] | None:
    """Answers a batch; called once without data when the worker loads."""
    global _service
    if _service is None:
        from resformer.handler.service import Service

        _service = Service.from_context(context)
    return None if data is None else _service.handle(data, context)
