"""Records what the shipped network answers, for changes that should change no answer.

python -m tests.golden.record        writes tests/golden/answers.json; needs the labelled photos beside the checkout
"""

import hashlib
import json
import platform
import re
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import onnxruntime
import torch

from resformer.model.inference.checkpoint import WEIGHTS_DIR
from resformer.model.prediction import Result
from resformer.model.predictor import Predictor
from tests.golden.photos import GoldenPhoto, golden_photos
from tests.paths import DATA

__all__ = ["RECORD", "answers_of", "arithmetic", "weights_digest"]

RECORD = Path(__file__).with_name("answers.json")
THREADS = 1
READERS = ("crops", "builtin", "ppocr")

Answers = dict[str, dict[str, dict[str, list[Any]]]]
"""Photo, then reader, then entity, to prediction, confidence and evidence."""


def answers_of(photos: Iterable[GoldenPhoto]) -> Answers:
    """The whole row of each photo, with every reader."""
    predictor = Predictor.load(threads=THREADS)

    def ask(photo: GoldenPhoto, reader: str) -> dict[str, list[Any]]:
        result = predictor.predict(photo.content, title=photo.title, description=photo.description, reader=reader)
        return _compact(result)

    return {photo.name: {reader: ask(photo, reader) for reader in READERS} for photo in photos}


def arithmetic() -> str:
    """What the last bits of an answer depend on: libraries, the processor, and the instructions that they use."""
    cpuinfo = Path("/proc/cpuinfo").read_text(encoding="utf-8") if platform.system() == "Linux" else ""
    facts = re.findall(r"^(?:vendor_id|cpu family|model)\s*: (.*)$", cpuinfo, re.MULTILINE)[:3]
    processor = " ".join([platform.machine(), *facts, torch.backends.cpu.get_cpu_capability()])
    return f"{processor}, torch {torch.__version__}, onnxruntime {onnxruntime.__version__}"


def weights_digest() -> str:
    """SHA-256 of the shipped weights."""
    return hashlib.sha256((WEIGHTS_DIR / "small.safetensors").read_bytes()).hexdigest()


def _compact(result: Result) -> dict[str, list[Any]]:
    return {name: [p.prediction, p.confidence, p.evidence] for name, p in result.predictions.items()}


def main() -> int:
    if not DATA.is_dir():
        print(f"no labelled photos at {DATA}: the record would hold drawn ones alone", file=sys.stderr)
        return 2
    answers = answers_of(golden_photos())
    lines = [f"{json.dumps(name)}: {json.dumps(answer)}" for name, answer in answers.items()]
    head = f'"weights": "{weights_digest()}",\n"arithmetic": "{arithmetic()}"'
    # A line a photo, so that a difference shows which.
    rows = ",\n".join(lines)
    RECORD.write_text(f'{{{head},\n"answers": {{\n{rows}\n}}}}\n', encoding="utf-8")
    print(f"{RECORD}: {len(answers)} photos")
    return 0


if __name__ == "__main__":
    sys.exit(main())
