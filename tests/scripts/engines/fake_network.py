"""Stands for a network in other processes: what it does is written in the photo."""

import os
import signal
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from resformer.scripts.engines.engine import PhotoQuestions
from resformer.scripts.engines.network_settings import BatchAnswerer
from resformer.scripts.lib.journal import Outcome


@dataclass(frozen=True)
class FakeNetwork:
    """Loads what answers with the number in a photo, such as `7`; other photos are told what to do.

    A photo `kill` ends its process, `kill unless FILE` only where there is no such file, which it makes; `fault`
    raises.

    Attributes:
        log: A file that gets a line for each photo that is answered.
        seconds: That an answer takes.
        ends: Whether the process ends while it loads.
    """

    log: Path
    seconds: float = 0.0
    ends: bool = False

    def __call__(self) -> BatchAnswerer:
        if self.ends:
            os._exit(7)
        return self._answers

    def _answers(self, batch: Sequence[PhotoQuestions]) -> list[dict[str, Outcome]]:
        return [{name: self._outcome(asked, name) for name in asked.entities} for asked in batch]

    def _outcome(self, asked: PhotoQuestions, entity: str) -> Outcome:
        text = asked.photo.decode()
        with open(self.log, "a") as log:
            log.write(f"{os.getpid()} {text}\n")
        time.sleep(self.seconds)
        word, _, file = text.partition(" unless ")
        if word == "fault":
            raise ValueError("the network is at fault")
        if word == "kill" and not (file and Path(file).exists()):
            if file:
                Path(file).touch()
            os.kill(os.getpid(), signal.SIGKILL)
        return Outcome({"prediction": f"{text} {asked.about.get('title', '')}", "confidence": 0.5}, "")
