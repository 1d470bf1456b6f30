"""nginx's access log, as datagrams of syslog.

nginx writes it by

    log_format monitor escape=json '{"time":"$time_iso8601","id":"$request_id","caller":"$remote_addr",'
        '"method":"$request_method","path":"$uri","status":"$status","bytes_in":"$request_length",'
        '"bytes_out":"$bytes_sent","seconds":"$request_time","upstream_seconds":"$upstream_response_time",'
        '"upstream_status":"$upstream_status"}';
    access_log syslog:server=unix:/PATH/access.sock,nohostname,tag=resformer monitor;

Numbers may be quoted, as nginx has them: a status may be 000, and there may be no upstream.
"""

import json
from dataclasses import dataclass
from http import HTTPStatus

__all__ = ["ROUTES", "Access", "AccessLogError", "parse_access", "route_of"]

ROUTES = {
    "/predictions": "predictions",
    "/models": "management",
    "/metrics": "metrics",
    "/org.pytorch.serve.grpc.inference.InferenceAPIsService": "grpc",
    "/live": "live",
    "/ready": "ready",
}
"""By the first part of a path; all others are `other`."""
# nginx's own, beside those that are registered: the caller went away; no status.
STATUSES = {str(status.value) for status in HTTPStatus} | {"499", "000"}


class AccessLogError(ValueError):
    """A datagram that is no line of the access log."""


@dataclass(frozen=True)
class Access:
    """One request, as nginx saw it.

    Attributes:
        route: A value of ROUTES, or `other`.
        status: A registered HTTP status, 499, 000, or `other`.
        seconds: From the first byte of the request to the last one of the answer.
        bytes_in: Of the request, with its headers.
        upstream: Whether a server behind nginx was asked.
    """

    route: str
    status: str
    seconds: float
    bytes_in: int
    upstream: bool


def parse_access(datagram: bytes) -> Access:
    """The request that a datagram tells of.

    Raises:
        AccessLogError: It is none, or lacks a field.
    """
    start = datagram.find(b"{")
    try:
        line = json.loads(datagram[start:].decode("utf-8", "replace")) if start >= 0 else None
        if not isinstance(line, dict):
            raise AccessLogError("it holds no JSON object")
        seconds, bytes_in = float(line["seconds"]), int(line["bytes_in"])
        status, path = f"{line['status']:0>3}", str(line["path"])
    except (ArithmeticError, ValueError, KeyError, TypeError, RecursionError) as error:
        raise AccessLogError(f"no line of the access log: {error!r}") from error
    # Not a number would make sums useless for ever.
    if not 0 <= seconds < float("inf") or bytes_in < 0:
        raise AccessLogError("no line of the access log: a number is out of range")
    upstream = str(line.get("upstream_status", "")) not in ("", "-")
    return Access(route_of(path), status if status in STATUSES else "other", seconds, bytes_in, upstream)


def route_of(path: str) -> str:
    """The route of a path, with or without a query."""
    return ROUTES.get("/" + path.partition("?")[0].lstrip("/").partition("/")[0], "other")
