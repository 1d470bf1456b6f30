"""What the probes answer, as lines for people: `resformer status` prints them."""

import json
from collections.abc import Mapping
from typing import Any

__all__ = ["health_lines", "parse_probe"]


def parse_probe(status: int, body: bytes) -> Mapping[str, Any]:
    """The body of /ready or /live; a body that is none of the monitor's becomes one that says so."""
    try:
        found = json.loads(body)
    except ValueError:
        found = None
    if isinstance(found, dict) and ("status" in found or "message" in found):
        return found
    return {"code": status, "type": "NoMonitor", "message": f"the monitor does not answer: status {status}"}


def health_lines(ready: Mapping[str, Any], live: Mapping[str, Any]) -> list[str]:
    """One line on whether photos are answered now, and one for each thing that is wrong or unusual.

    Args:
        ready, live: Bodies of /ready and /live, see parse_probe.
    """
    lines = []
    if ready.get("status") == "ready":
        lines.append(f"ready: {_workers(ready)}, {ready['queued']} requests wait")
    else:
        lines.append(f"not ready ({ready['type']}): {ready['message']}")
    if "message" in live and live.get("message") != ready.get("message"):
        lines.append(f"not alive ({live['type']}): {live['message']}")
    if restarts := ready.get("restarts", live.get("restarts", 0)):
        lines.append(f"{restarts} restarts of workers since the monitor began: the log says why")
    return lines


def _workers(body: Mapping[str, Any]) -> str:
    return f"{body['ready_workers']} of {body['workers']} workers take requests"
