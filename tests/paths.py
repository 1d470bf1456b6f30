"""Where things lie."""

from pathlib import Path

import pytest

__all__ = ["CONFIGS", "DATA", "ROOT", "labelled"]

ROOT = Path(__file__).resolve().parents[1]
CONFIGS = ROOT / "train" / "configs"
# Labelled photos beside the checkout, which are no part of the project: tests that need them are skipped elsewhere.
DATA = ROOT.parent / "shared" / "data"


def labelled(path: str) -> Path:
    """A file or folder of the labelled photos; skips the test where these are not beside the checkout.

    Where they are, a path that is missing fails the test: a file that was moved would else hide it.
    """
    if not DATA.exists():
        pytest.skip("the labelled photos are not beside this checkout")
    assert (DATA / path).exists(), f"{DATA} lacks {path}"
    return DATA / path
