"""Where a server is, and what carries requests to it."""

from dataclasses import dataclass
from urllib.parse import urlsplit

__all__ = ["DEFAULT_URL", "MODEL", "Address"]

MODEL = "resformer"
PREDICTIONS_PATH = f"/predictions/{MODEL}"
DEFAULT_URL = f"http://127.0.0.1:8080{PREDICTIONS_PATH}"
GRPC_PORT = 8083
LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})


@dataclass(frozen=True)
class Address:
    """The address of a server's predictions.

    Attributes:
        url: Whole.
        is_grpc: Whether requests go by gRPC, else by HTTP.
        is_secure: Whether they go by TLS.
        target: Host and port.
        is_local: Whether it is this machine, to which no proxy is needed.
    """

    url: str
    is_grpc: bool
    is_secure: bool
    target: str
    is_local: bool

    @classmethod
    def parse(cls, url: str) -> "Address":
        """An address such as DEFAULT_URL, `https://shop.example.com` or `grpc://127.0.0.1:8083`.

        The path of predictions may be left out; gRPC has none, `grpcs` is gRPC over TLS, and 8083 is its port.

        Raises:
            ValueError: This is no such address.
        """
        try:
            parts = urlsplit(url.strip())
            port = parts.port
        except ValueError as error:
            raise ValueError(f"{url} is no address ({error}); {_EXAMPLES}") from error
        is_grpc = parts.scheme in ("grpc", "grpcs")
        if not parts.hostname or not (is_grpc or parts.scheme in ("http", "https")):
            raise ValueError(f"{url} is no address; {_EXAMPLES}")
        if parts.username or parts.password:
            raise ValueError(f"the address of {parts.hostname} has a user in it; give the server's key as `key`")
        if parts.query or parts.fragment:
            raise ValueError(f"{url} has a query string, which is not read; pass it as arguments of the call")
        path = parts.path.rstrip("/")
        if is_grpc and path:
            raise ValueError(f"{url} has a path, but gRPC has none; {_EXAMPLES}")
        host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
        target = f"{host}:{port or GRPC_PORT}" if is_grpc else parts.netloc
        whole = f"{parts.scheme}://{target}" + ("" if is_grpc else path or PREDICTIONS_PATH)
        is_secure = parts.scheme in ("https", "grpcs")
        return cls(whole, is_grpc, is_secure, target, parts.hostname in LOOPBACK)


_EXAMPLES = f"name it like {DEFAULT_URL} or grpc://127.0.0.1:{GRPC_PORT}"
