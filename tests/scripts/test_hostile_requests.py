"""Each hostile request, as the handler gets it from the proxy: its status, in time, and in JSON."""

import time
from typing import Any

import pytest

from resformer.handler.service import Service
from resformer.model.errors import BadRequest
from resformer.model.photo_query import Query
from resformer.model.prediction import Result
from resformer.scripts.hostile.case import Case
from resformer.scripts.hostile.requests import CASES
from tests.handler.test_service import FakePredictor, answers
from tests.servers import check_reply

MAX_HEADERS = 8000


class Predictor(FakePredictor):
    """Knows the readers too."""

    def _result(self, query: Query) -> Result:
        if query.reader and query.reader not in self.readers:
            raise BadRequest("unknown reader")
        return super()._result(query)


@pytest.fixture(scope="module")
def worker() -> Service:
    return Service(Predictor, lambda: 1)  # type: ignore[arg-type]


def reaches_the_handler(case: Case) -> bool:
    """The proxy and the front end of TorchServe judge addresses, methods, and headers that are too long."""
    if case.group == "headers":
        return len(str(case.make().headers)) < MAX_HEADERS
    return case.group not in ("addresses", "methods")


def name_of(case: Case) -> str:
    return f"{case.group}: {case.name}"


def test_there_are_many_and_each_has_a_name_of_its_own() -> None:
    assert len({name_of(case) for case in CASES}) == len(CASES) >= 60
    assert not any(status >= 500 for case in CASES for status in case.statuses if status != 501)


@pytest.mark.parametrize("case", [case for case in CASES if reaches_the_handler(case)], ids=name_of)
def test_the_handler_gives_a_status_that_the_case_may_get(case: Case, worker: Service) -> None:
    call = case.make()
    # The proxy sets this one, whatever the caller's is.
    passed = {"X-Content-Type": call.headers.get("Content-Type", ""), "Content-Type": "application/octet-stream"}
    headers = {**call.headers, **passed}
    row: dict[str, Any] = {"body": bytearray(call.body)}
    start = time.process_time()
    [(status, answer, _)] = answers([row], [headers], worker)
    assert time.process_time() - start < 2
    assert status in case.statuses, answer
    check_reply(status, answer)
