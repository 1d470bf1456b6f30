"""Runs a container of an image as Kubernetes would: unprivileged, on a read-only file system, in its own network."""

import ctypes
import json
import os
import subprocess
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil

__all__ = ["USER", "Container", "network_of"]

USER = 10001
NAME = "resformer-image-test"
CLONE_NEWNET = 0x40000000


@dataclass(frozen=True)
class Container:
    """A container of runc.

    Attributes:
        root: The root file system.
        config: Of the image.
        mounts: Folders here, read-only at paths there.
        folder: For runc's files and the log.
    """

    root: Path
    config: Mapping[str, Any]
    mounts: Mapping[Path, str]
    folder: Path

    @property
    def log(self) -> Path:
        """What its processes print."""
        return self.folder / "container.log"

    def start(self, *arguments: str) -> "subprocess.Popen[bytes]":
        """Starts the image's entry point with arguments."""
        self.folder.mkdir(parents=True)
        (self.folder / "hosts").write_text(f"127.0.0.1 localhost {NAME}\n")
        (self.folder / "config.json").write_text(json.dumps(self._specification(list(arguments))))
        with self.log.open("wb") as log:
            os.fchown(log.fileno(), USER, USER)  # as runtimes do, so that it can be opened by the name /dev/stdout
            return subprocess.Popen(
                self._runc("run", "--bundle", str(self.folder), NAME), stdin=subprocess.DEVNULL, stdout=log, stderr=log
            )

    @property
    def pid(self) -> int:
        """Of its first process."""
        state = subprocess.run(self._runc("state", NAME), capture_output=True, text=True, check=True)
        return int(json.loads(state.stdout)["pid"])

    def processes(self) -> list[psutil.Process]:
        """All of its processes."""
        first = psutil.Process(self.pid)
        return [first, *first.children(recursive=True)]

    def execute(self, *command: str) -> "subprocess.CompletedProcess[str]":
        """Runs a command in it, as `docker exec` does."""
        return subprocess.run(self._runc("exec", NAME, *command), capture_output=True, text=True)

    def end(self) -> None:
        """Asks it to end, with SIGTERM to its first process."""
        subprocess.run(self._runc("kill", NAME, "TERM"), check=True)

    def remove(self) -> None:
        """Ends it by force where it still runs."""
        subprocess.run(self._runc("delete", "--force", NAME), capture_output=True)

    def _runc(self, *arguments: str) -> list[str]:
        return ["runc", "--root", str(self.folder / "state"), *arguments]

    def _specification(self, arguments: list[str]) -> dict[str, Any]:
        user, _, group = self.config["User"].partition(":")
        own = ["nosuid", "nodev"]
        written = {"/run/resformer": f"uid={USER}", "/tmp": "mode=1777"}
        mounts = [
            {"destination": "/proc", "type": "proc", "source": "proc"},
            {"destination": "/dev", "type": "tmpfs", "source": "tmpfs", "options": ["nosuid", "mode=755"]},
            {"destination": "/dev/shm", "type": "tmpfs", "source": "shm", "options": ["noexec", *own, "mode=1777"]},
            *(
                {"destination": path, "type": "tmpfs", "source": "tmpfs", "options": [*own, option]}
                for path, option in written.items()
            ),
            *(
                {"destination": there, "type": "bind", "source": str(here), "options": ["bind", "ro"]}
                for here, there in {self.folder / "hosts": "/etc/hosts", **self.mounts}.items()
            ),
        ]
        return {
            "ociVersion": "1.0.2",
            "process": {
                "user": {"uid": int(user), "gid": int(group)},
                "args": [*self.config["Entrypoint"], *arguments],
                "env": self.config["Env"],
                "cwd": self.config["WorkingDir"],
                "capabilities": {kind: [] for kind in ("bounding", "effective", "inheritable", "permitted", "ambient")},
                "noNewPrivileges": True,
                "rlimits": [{"type": "RLIMIT_NOFILE", "hard": 4096, "soft": 4096}],
            },
            "root": {"path": str(self.root), "readonly": True},
            "hostname": NAME,
            "mounts": mounts,
            "linux": {"namespaces": [{"type": kind} for kind in ("pid", "mount", "ipc", "uts", "network")]},
        }


@contextmanager
def network_of(pid: int) -> Iterator[None]:
    """This thread is in the network of another process meanwhile, and threads that it starts."""
    libc = ctypes.CDLL(None, use_errno=True)

    def enter(file: int) -> None:
        if libc.setns(file, CLONE_NEWNET):
            raise OSError(ctypes.get_errno(), "cannot enter the network")

    own, other = (
        os.open(f"/proc/{path}/ns/net", os.O_RDONLY) for path in (f"self/task/{threading.get_native_id()}", pid)
    )
    try:
        enter(other)
        yield
    finally:
        enter(own)
        os.close(own)
        os.close(other)
