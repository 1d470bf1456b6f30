"""Clients that ask about one photo again and again, and keep every answer."""

import json
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from threading import Event

from resformer.scripts.hostile.raw_exchange import Target
from resformer.scripts.hostile.wire import Answer

__all__ = ["Load"]


@dataclass
class Load:
    """Requests about the ordinary photo.

    Attributes:
        target: The server.
        answers: All that came back under load.
    """

    target: Target
    answers: list[Answer] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._alone = self.target.ordinary()[0]
        assert self._alone.status == 200, self._alone

    @contextmanager
    def of(self, clients: int) -> Iterator[None]:
        """Clients ask while the block runs; at its end each waits for its last answer."""
        stop = Event()

        def ask() -> None:
            while not stop.is_set():
                answer, _ = self.target.ordinary()
                self.answers.append(answer)
                if answer.status != 200:
                    time.sleep(0.1)

        with ThreadPoolExecutor(clients) as pool:
            asking = [pool.submit(ask) for _ in range(clients)]
            try:
                yield
            finally:
                stop.set()
            for one in asking:
                one.result()

    def is_right(self, answer: Answer) -> bool:
        """Whether it is the answer that the photo gets alone."""
        return answer.status == 200 and bool(json.loads(answer.body) == json.loads(self._alone.body))

    def wrong(self, *, errors: bool) -> list[Answer]:
        """The answers that are neither right nor, where errors are allowed, a 5xx error in JSON."""
        return [
            answer
            for answer in self.answers
            if not self.is_right(answer) and not (errors and answer.status >= 500 and answer.fault is None)
        ]

    def recovery(self, seconds: float) -> float:
        """Seconds until there is a right answer again."""
        began = time.monotonic()
        while not self.is_right(self.target.ordinary()[0]):
            assert time.monotonic() - began < seconds, f"no answer within {seconds} s"
            time.sleep(0.1)
        return time.monotonic() - began
