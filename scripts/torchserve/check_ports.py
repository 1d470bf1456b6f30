"""Says in one sentence which ports of a server are taken: `python -m resformer.scripts.torchserve.check_ports 8080`.

Needs nothing but Python itself, so that `make serve` checks before it installs anything.
"""

import sys

from resformer.scripts.torchserve.server import LAST_PORT, Server, ServerError

__all__ = ["main"]


def main(port: str) -> int:
    """Returns 0 where all ports are free, 1 where one is taken, 2 where the port cannot be used."""
    try:
        Server(int(port) if port.isascii() and port.isdigit() else 0).check_ports()
    except ServerError as error:
        print(f"serve: {error}", file=sys.stderr)
        return 1
    except ValueError:
        print(f"serve: port {port} cannot be used; take a number from 1024 to {LAST_PORT}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
