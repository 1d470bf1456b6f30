"""nginx in front of TorchServe: its configuration, its start, its reload and its end."""

import os
import pwd
import re
import resource
import shutil
import signal
import string
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import resformer
from resformer.scripts.torchserve.access_keys import KINDS, Keys
from resformer.scripts.torchserve.admission import LARGE, Admission
from resformer.scripts.torchserve.backend import MODEL, Backend
from resformer.scripts.torchserve.processes import is_running, start_detached, stop_group, wait_until
from resformer.scripts.torchserve.server_error import ServerError

__all__ = ["DRAIN_SECONDS", "Addresses", "Proxy", "find_nginx"]

TEMPLATE = Path(__file__).with_name("proxy.conf")
CONNECTIONS = 4096
# Longer than the 60 seconds that the server takes for a request at most.
DRAIN_SECONDS = 75
START_SECONDS = 10.0
# The last is where `make nginx` unpacks it, in a checkout.
FOLDERS = (Path("/usr/sbin"), Path("/usr/local/sbin"), Path(resformer.__file__).parents[1] / "build/nginx/usr/sbin")

ERRORS: Mapping[int, tuple[str, str]] = {
    400: ("BadRequest", "the request is malformed HTTP; send it with an HTTP client such as curl"),
    401: ("InvalidKeyException", "the key is missing or wrong; send it as: Authorization: Bearer KEY"),
    404: ("ResourceNotFoundException", f"nothing is here; photos go to /predictions/{MODEL}"),
    405: ("MethodNotAllowedException", "the method is not taken here; the header Allow names those that are"),
    408: ("RequestTimeout", "the request came too slowly; send it again"),
    413: (
        "ImageTooLarge",
        "the request has more than is taken here: 20 MB with a photo, 8 kB without; send a smaller photo",
    ),
    414: ("BadRequest", "the address is too long"),
    431: ("BadRequest", "the headers are too large; send a long title or description as a form field or in JSON"),
    500: ("InternalError", "the proxy failed on this request; its log has the reason"),
    503: ("ServiceUnavailableException", "$no_answer"),
}
OWN_HEADERS = {
    401: "add_header WWW-Authenticate Bearer always; ",
    405: "add_header Allow $allowed_methods always; ",
}
# Those of gRPC that mean the same, https://grpc.io/docs/guides/status-codes/.
GRPC_STATUS = {400: 13, 401: 16, 404: 12, 405: 12, 408: 4, 413: 8, 414: 13, 431: 8, 500: 13, 503: 14}
# nginx's own codes, and those that mean the same here.
SAME_AS = {494: 431, 501: 400, 502: 503, 504: 503, 505: 400}


class _Template(string.Template):
    delimiter = "%"


@dataclass(frozen=True)
class Addresses:
    """What nginx listens on, HOST:PORT each."""

    predictions: str
    management: str
    metrics: str
    grpc: str
    probes: str


@dataclass(frozen=True)
class Proxy:
    """One nginx.

    Attributes:
        folder: Of its configuration, logs and bodies under way.
        monitor_socket: Where probes and metrics are answered.
        log_socket: Where its access log goes, a datagram for each request.
        status_socket: Where it tells of its connections.
        to_console: Whether its logs go to its output instead of files.
    """

    folder: Path
    monitor_socket: Path
    log_socket: Path
    status_socket: Path
    to_console: bool = False

    @property
    def access_log(self) -> Path:
        """One JSON object a request."""
        return self.folder / "access.log"

    @property
    def error_log(self) -> Path:
        """What failed in nginx, where it goes to a file."""
        return self.folder / "error.log"

    @property
    def pid_file(self) -> Path:
        """Where nginx keeps the number of its first process."""
        return self.folder / "nginx.pid"

    @property
    def pid(self) -> int | None:
        """Of the running nginx, None where it does not run."""
        try:
            pid = int(self.pid_file.read_text())
        except (FileNotFoundError, ValueError):
            return None
        return pid if is_running(pid, "nginx") else None

    def write_keys(self, keys: Keys) -> None:
        """Makes the configuration accept the keys, from the next start or reload on.

        Raises:
            ServerError: A key file is missing or unusable; nothing is changed then.
        """
        accepted = {kind: keys.read(kind) for kind in KINDS}
        folder = self.folder / "keys"
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        for kind, values in accepted.items():
            lines = [f'"~^Bearer {re.escape(key)}$" "{kind}-{i}";' for i, key in enumerate(values, 1)]
            _write_private(folder / f"{kind}.conf", "\n".join(lines) + "\n")

    def write_config(self, addresses: Addresses, backend: Backend) -> None:
        """Makes the configuration pass to a TorchServe, from the next start or reload on."""
        admission = Admission.for_this_machine()
        files = min(2 * CONNECTIONS, resource.getrlimit(resource.RLIMIT_NOFILE)[1])
        predict = (
            "proxy_set_header Host localhost; proxy_set_header Connection close; "
            "proxy_set_header X-Request-Id $trace_id; "
            f'proxy_set_header Authorization "Bearer {backend.key("inference")}"; '
            # TorchServe would take these two for its own.
            'proxy_set_header describe ""; proxy_set_header explain ""; '
            # The handler reads forms, within limits; TorchServe would without.
            "proxy_set_header Content-Type application/octet-stream; proxy_set_header X-Content-Type $content_type;"
        )
        text = _Template(TEMPLATE.read_text()).substitute(
            vars(addresses),
            # Not the name in the environment, which `su` leaves as it was.
            user=f"user {pwd.getpwuid(0).pw_name};" if os.geteuid() == 0 else "",
            files=files,
            connections=min(CONNECTIONS, files // 2),
            shutdown_seconds=DRAIN_SECONDS,
            error_log="stderr" if self.to_console else "error.log",
            access_log="/dev/stdout" if self.to_console else "access.log",
            monitor_socket=self.monitor_socket,
            log_socket=self.log_socket,
            status_socket=self.status_socket,
            inference_socket=backend.socket("inference"),
            management_socket=backend.socket("management"),
            inference_key=backend.key("inference"),
            management_key=backend.key("management"),
            grpc_port=backend.grpc_port,
            small_requests=admission.small,
            medium_requests=admission.medium,
            large_requests=admission.large,
            max_body_bytes=LARGE,
            model=MODEL,
            refuse_inference='if ($inference_caller = "") { return 401; }',
            predict=predict,
            errors=_error_pages(),
            grpc_errors=_grpc_error_pages(),
        )
        _write_private(self.folder / "nginx.conf", text)

    def start(self) -> None:
        """Starts nginx and waits until it listens.

        Raises:
            ServerError: nginx is not installed, or does not come up.
        """
        log = self.folder / "proxy.log"
        if self.to_console:
            process = subprocess.Popen(self._command(), cwd=self.folder, start_new_session=True)
        else:
            process = start_detached(self._command(), self.folder, log, os.environ)
        if not wait_until(lambda: self.pid is not None or process.poll() is not None, START_SECONDS) or process.poll():
            stop_group(process.pid, 1.0)
            said = log.read_text(errors="replace") if log.exists() else ""
            raise ServerError(f"nginx did not start.\n{said}(the end of {log})")

    def reload(self) -> None:
        """Takes over the configuration; requests under way are answered under the one before.

        Raises:
            ServerError: nginx does not run, or the configuration cannot be used: the one before stays in force.
        """
        checked = subprocess.run([*self._command(), "-t", "-q"], cwd=self.folder, capture_output=True, text=True)
        if checked.returncode:
            raise ServerError(f"nginx refuses its new configuration: {checked.stderr.strip()}")
        if self.pid is None:
            raise ServerError("nginx does not run")
        os.kill(self.pid, signal.SIGHUP)

    def workers(self) -> set[int]:
        """The processes that answer, those that finish under an earlier configuration included."""
        if self.pid is None:
            return set()
        tasks = Path(f"/proc/{self.pid}/task/{self.pid}/children")
        return {int(pid) for pid in tasks.read_text().split()}

    def drain(self) -> None:
        """Takes no further request, answers those under way, and ends."""
        if self.pid is not None:
            stop_group(self.pid, DRAIN_SECONDS + 5, signal.SIGQUIT)

    def stop(self) -> None:
        """Ends at once."""
        if self.pid is not None:
            stop_group(self.pid, START_SECONDS)

    def _command(self) -> list[str]:
        errors = "stderr" if self.to_console else "error.log"
        return [find_nginx(), "-p", f"{self.folder}/", "-c", "nginx.conf", "-e", errors]


def find_nginx() -> str:
    """The program.

    Raises:
        ServerError: It is not installed.
    """
    for folder in (None, *FOLDERS):
        if found := shutil.which("nginx", path=str(folder) if folder else None):
            return found
    raise ServerError("nginx is missing, which stands in front of the server; install it: apt-get install nginx-light")


def _error_pages() -> str:
    """Directives of a server: every error of nginx as JSON."""
    lines = _redirected_errors()
    for code, (kind, message) in ERRORS.items():
        own = OWN_HEADERS.get(code, "")
        inherited = "add_header X-Request-Id $trace_id always; add_header Retry-After $retry_after always; "
        body = f'{{"code": {code}, "type": "{kind}", "message": "{message}"}}'
        # A named location would not do: nginx has none for a request whose address it cannot read.
        location = f"location = /errors/{code} {{ internal; client_max_body_size 0;"
        lines.append(f"        {location} {inherited}{own}return {code} '{body}'; }}")
    return "\n".join(lines)


def _grpc_error_pages() -> str:
    """The same for gRPC, whose errors are headers of an answer without a body."""
    lines = _redirected_errors()
    for code, (_, message) in ERRORS.items():
        headers = {"Content-Type": "application/grpc", "grpc-status": GRPC_STATUS[code], "grpc-message": message}
        added = "".join(f" add_header {name} '{value}' always;" for name, value in headers.items())
        lines.append(f"        location = /errors/{code} {{ internal; default_type '';{added} return 204; }}")
    return "\n".join(lines)


def _redirected_errors() -> list[str]:
    codes = {**{code: code for code in ERRORS}, **SAME_AS}
    return [f"        error_page {code} ={shown} /errors/{shown};" for code, shown in codes.items()]


def _write_private(file: Path, text: str) -> None:
    new = file.with_name(f".{file.name}.new")
    with os.fdopen(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as out:
        out.write(text)
    new.replace(file)
