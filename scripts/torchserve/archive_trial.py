"""Loads an archive as a worker does, in a process of its own, and asks it about a photo.

This runs the archive's code with the rights of the caller: first check whose it is, see archive_signature.
"""

import json
import os
import subprocess
import sys
import zipfile
from dataclasses import dataclass
from pathlib import Path

from resformer.scripts.lib.external_error import ExternalError
from resformer.scripts.lib.sample_photo import draw_sample_photo
from resformer.scripts.torchserve.backend import WORKER_ENVIRONMENT

__all__ = ["FailedTrial", "Trial", "last_error", "load_archive", "try_archive"]

TRIAL_SECONDS = 240.0
# What TorchServe does with the archive, in a process that has nothing else on its path.
LOAD = """
import types, yaml, resformer_service
with open("model-config.yaml", encoding="utf-8") as file:
    settings = yaml.safe_load(file)
context = types.SimpleNamespace(model_yaml_config=settings, system_properties={"model_dir": "."}, metrics=None)
resformer_service.handle(None, context)
"""
PREDICT = """
import json
statuses = []
context.get_all_request_header = lambda idx: {}
context.get_request_id = lambda idx: "trial"
context.set_response_content_type = lambda idx, value: None
context.set_response_status = lambda code, phrase, idx: statuses.append(code)
with open("../photo.jpg", "rb") as file:
    (reply,) = resformer_service.handle([{"body": file.read()}], context)
with open("../trial.json", "w", encoding="utf-8") as file:
    json.dump({"status": statuses[0], "reply": json.loads(reply)}, file)
"""
# Of this process' variables, what a program needs to run at all; the archive's code gets no keys.
PASSED_ON = ("PATH", "LANG", "LC_ALL", "LD_LIBRARY_PATH", "CUDA_VISIBLE_DEVICES", "PYTHONPATH")


class FailedTrial(ExternalError):
    """An archive does not load or does not answer, and why."""


@dataclass(frozen=True)
class Trial:
    """What an archive answered about the sample photo: the model's version, and how many entities."""

    version: str
    entities: int


def load_archive(archive: Path, work: Path) -> None:
    """Unpacks a checked archive into a folder and loads it.

    Raises:
        FailedTrial: It does not load.
    """
    unpacked = _unpack(archive, work)
    _run(LOAD, unpacked, "the archive was built but does not load")


def try_archive(archive: Path, work: Path) -> Trial:
    """As load_archive, with an answer about the sample photo.

    Raises:
        FailedTrial: It does not load, or its answer is none.
    """
    unpacked = _unpack(archive, work)
    draw_sample_photo(work / "photo.jpg")
    _run(LOAD + PREDICT, unpacked, f"{archive} does not answer")
    try:
        answer = json.loads((work / "trial.json").read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise FailedTrial(f"{archive} ends without an answer") from error
    match answer:
        case {"status": 200, "reply": {"version": version, "predictions": {**predictions}}} if predictions:
            return Trial(str(version), len(predictions))
    raise FailedTrial(f"{archive} answers the sample photo with {json.dumps(answer)[:500]}")


def last_error(output: str) -> str:
    """The error at the end of a traceback, with the lines that belong to its message."""
    lines = output.strip().splitlines()
    starts = [i for i, line in enumerate(lines) if not line.startswith(" ")]
    return "\n".join(lines[starts[-1] :]) if starts else output.strip()


def _unpack(archive: Path, work: Path) -> Path:
    unpacked = work / "unpacked"
    with zipfile.ZipFile(archive) as file:
        file.extractall(unpacked)
    return unpacked


def _run(code: str, unpacked: Path, failure: str) -> None:
    environment = {name: os.environ[name] for name in PASSED_ON if name in os.environ}
    path = os.pathsep.join(filter(None, (str(unpacked), environment.get("PYTHONPATH"))))
    environment |= {**WORKER_ENVIRONMENT, "PYTHONPATH": path, "PYTHONDONTWRITEBYTECODE": "1"}
    environment |= {"HOME": str(unpacked.parent), "TMPDIR": str(unpacked.parent)}
    command = [sys.executable, "-c", code]
    try:
        done = subprocess.run(
            command, cwd=unpacked, env=environment, capture_output=True, text=True, timeout=TRIAL_SECONDS
        )
    except subprocess.TimeoutExpired as error:
        raise FailedTrial(f"{failure}: no end after {TRIAL_SECONDS:.0f} s") from error
    if done.returncode:
        raise FailedTrial(f"{failure}: {last_error(done.stderr) or f'it ended with {done.returncode}'}")
