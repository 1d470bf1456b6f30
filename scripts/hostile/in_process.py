"""Times hostile inputs in one process, against an ordinary photo: python -m resformer.scripts.hostile.in_process."""

import argparse
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import torch

from resformer.handler.request import parse_request
from resformer.model.errors import ResformerError
from resformer.model.predictor import Predictor
from resformer.scripts.hostile import texts
from resformer.scripts.hostile.case import Call, Case
from resformer.scripts.lib.sample_photo import draw_sample_photo

__all__ = ["main", "outcome"]


def outcome(predictor: Predictor, call: Call) -> int:
    """The status that answers a call, without a server."""
    try:
        asked = parse_request({"body": call.body}, call.headers)
        predictor.predict(
            asked.photo,
            asked.entities,
            title=asked.title,
            description=asked.description,
            group_id=asked.group_id,
            reader=asked.reader or None,
            assume_present=bool(asked.assume_present),
            min_confidence=asked.min_confidence,
            top_k=asked.top_k or 0,
        )
    except ResformerError as error:
        return error.status
    return 200


def main(arguments: Sequence[str] | None = None) -> int:
    """Prints status, seconds and the ratio to an ordinary photo of each case; 1 where one has a wrong status."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--only", default="", help="cases whose name has this text")
    parser.add_argument("--photo", type=Path, help="the ordinary photo; without it a drawn one")
    options = parser.parse_args(arguments)
    torch.set_num_threads(options.threads)
    predictor = Predictor.load(threads=options.threads)
    with tempfile.TemporaryDirectory() as folder:
        photo = options.photo or Path(folder) / "photo.jpg"
        if not options.photo:
            draw_sample_photo(photo)
        body = photo.read_bytes()
    usual = {
        reader: _seconds(lambda reader=reader: outcome(predictor, Call(body, {"X-Reader": reader})), 3)[1]  # type: ignore[misc]
        for reader in texts.READERS
    }
    wrong = 0
    for case in texts.CASES:
        if options.only in case.name:
            wrong += not _report(predictor, case, usual)
    return int(wrong > 0)


def _report(predictor: Predictor, case: Case, usual: dict[str, float]) -> bool:
    call = case.make()
    status, seconds = _seconds(lambda: outcome(predictor, call), 1)
    ratio = seconds / usual.get(call.headers.get("X-Reader", ""), usual[predictor.reader])
    right = status in case.statuses
    print(
        f"{case.group:6} {case.name:45} {status} {seconds:7.3f} s {ratio:6.1f}{'' if right else '  WRONG'}", flush=True
    )
    return right


def _seconds(call: Callable[[], int], times: int) -> tuple[int, float]:
    """What a call returns, and the least time that it takes, after a first one where there are several."""
    best, status = float("inf"), 0
    for n in range(times):
        start = time.perf_counter()
        status = call()
        if n or times == 1:
            best = min(best, time.perf_counter() - start)
    return status, best


if __name__ == "__main__":
    raise SystemExit(main())
