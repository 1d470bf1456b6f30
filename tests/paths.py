"""Where things lie."""

from pathlib import Path

__all__ = ["CONFIGS", "DATA", "ROOT"]

ROOT = Path(__file__).resolve().parents[1]
CONFIGS = ROOT / "train" / "configs"
# Labelled photos beside the checkout, which are no part of the project: tests that need them are skipped elsewhere.
DATA = ROOT.parent / "shared" / "data"
