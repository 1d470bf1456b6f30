"""Hostile requests against a real server: a few of each group. `resformer benchmark hostile` sends all of them."""

import pytest

from resformer.scripts.hostile.attack import Limits, attack
from resformer.scripts.hostile.case import Call, Case
from resformer.scripts.hostile.groups import all_cases, choose
from resformer.scripts.hostile.raw_exchange import Outcome, Target
from resformer.scripts.hostile.wire import Answer
from resformer.scripts.torchserve.server import Server

pytestmark = [pytest.mark.server, pytest.mark.timeout(300)]

FEW = (
    *("length and chunks", "chunk of 128 TiB", "20,000 headers", "HTTP/2 preface", "TLS", "URL of 200 kB"),
    *("explanations, then up", "encoded line feed", "64 half bodies without a key", "64 half bodies with the key"),
    *("closed for sending after the request", "2,000 idle connections", "an endless body in chunks"),
    *("5,000 calls that are reset at once", "400 wrong keys", "64 photos of 15 MB and 16 ordinary ones"),
)
# Of a machine that does other things as well.
PATIENT = Limits(seconds=20.0)


def test_hostile_requests_get_what_they_may(server: Server, target: Target) -> None:
    cases = [case for case in all_cases() if case.name in FEW]
    assert len(cases) == len(FEW)
    figures = attack(server, cases, target.photo, PATIENT)
    assert [case for case in figures["cases"] if case["failures"]] == []


def test_failures_are_told(server: Server, target: Target) -> None:
    case = Case("none", "a photo", lambda: Call(target.photo, {"X-Reader": "builtin"}), frozenset({413}))
    (row,) = attack(server, [case], target.photo, Limits(seconds=0.0, mebibytes=-1000.0))["cases"]
    status, seconds, memory = row["failures"]
    assert status == "got 200, may get 413"
    assert seconds.startswith("took") and seconds.endswith(" s") and memory.endswith("MiB")


class Scripted(Target):
    """Gives the ordinary photo one status, whatever the server would."""

    def ordinary(self) -> tuple[Answer, float]:
        return Answer(self.port, {"retry-after": "1"}, b'{"code": 503, "type": "T", "message": "m"}'), 0.1


def test_an_ordinary_photo_is_to_be_answered_meanwhile() -> None:
    refused = Answer(401, {}, b"")
    assert Scripted(200, "", b"").meanwhile([refused]) == Outcome((refused,), 0.1)
    fault, answer = Scripted(503, "", b"").meanwhile([refused]).answers
    assert answer is refused
    assert fault.fault is not None and fault.fault.startswith("meanwhile an ordinary photo got 503: b'{")


def test_cases_have_one_name_each_and_groups_are_known() -> None:
    cases = all_cases()
    assert len({(case.group, case.name) for case in cases}) == len(cases) >= 120
    assert {case.group for case in choose(cases, ["crowds", "HTTP/2"])} == {"crowds", "HTTP/2"}
    with pytest.raises(ValueError, match="there are connections, crowds"):
        choose(cases, ["nothing"])


@pytest.mark.parametrize(
    ("answer", "fault"),
    [
        (Answer(200, {}, b""), None),
        (Answer(400, {}, b'{"code": 400, "type": "BadRequest", "message": "m"}'), None),
        (Answer(400, {}, b'{"code": 500, "type": "BadRequest", "message": "m"}'), "an answer 400 that says 500"),
        (Answer(400, {}, b"{}"), "an answer 400 without code, type and message: b'{}'"),
        (Answer(500, {}, b"<html>"), "an answer 500 that is no JSON: b'<html>'"),
        (Answer(503, {}, b'{"code": 503, "type": "T", "message": "m"}'), "an answer 503 without Retry-After"),
        (Answer(503, {"retry-after": "1"}, b'{"code": 503, "type": "T", "message": "m"}'), None),
    ],
)
def test_errors_must_be_of_one_form(answer: Answer, fault: str | None) -> None:
    assert answer.fault == fault
