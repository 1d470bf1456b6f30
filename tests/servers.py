"""Servers on loopback ports, and what their answers must look like."""

import os
import socket
from functools import cache
from typing import Any

import yaml
from jsonschema import Draft202012Validator
from referencing import Registry, Resource
from referencing.jsonschema import DRAFT202012

from resformer.scripts.torchserve.server import PORTS
from tests.paths import ROOT

__all__ = ["OPENAPI", "check_reply", "free_ports"]

OPENAPI = ROOT / "handler" / "openapi.yaml"


# Each process that runs tests looks for free ports among as many of its own.
PORTS_PER_PROCESS = 250


def free_ports() -> int:
    """The first of as many free ports as a server needs; tests that run beside others look from another port on."""
    number = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))
    first = int(os.environ.get("RESFORMER_TEST_PORT", "18200")) + number * PORTS_PER_PROCESS
    for port in range(first, first + PORTS_PER_PROCESS, 10):
        try:
            for offset in range(len(PORTS)):
                with socket.socket() as probe:
                    probe.bind(("127.0.0.1", port + offset))
        except OSError:
            continue
        return port
    raise RuntimeError(f"no free ports from {first} to {first + PORTS_PER_PROCESS}")


def check_reply(status: int, body: Any) -> None:
    """Raises a ValidationError where a reply is not as OPENAPI says."""
    _validator("Answer" if status == 200 else "Error").validate(body)


@cache
def _validator(schema: str) -> Draft202012Validator:
    document = Resource.from_contents(yaml.safe_load(OPENAPI.read_text()), default_specification=DRAFT202012)
    registry: Registry[Any] = Registry().with_resource("openapi", document)
    return Draft202012Validator({"$ref": f"openapi#/components/schemas/{schema}"}, registry=registry)
