"""A stop with requests under way: these are answered, later ones are refused."""

import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from resformer.scripts.hostile.wire import Answer
from resformer.scripts.torchserve.server import Server
from tests.safety.load import Load

pytestmark = [pytest.mark.server, pytest.mark.timeout(300)]


def test_requests_under_way_are_answered(server: Server, load: Load) -> None:
    target = load.target
    begun = target.connect()
    slow = target.request()
    begun.send(slow[:-1000])

    def ask(_: int) -> Answer:
        return target.ordinary()[0]

    with ThreadPoolExecutor(13) as pool:
        asked = [pool.submit(ask, number) for number in range(12)]
        time.sleep(0.3)  # until all are sent
        stopping = pool.submit(server.stop)
        time.sleep(0.3)
        begun.send(slow[-1000:])
        assert load.is_right(begun.answer())
        assert all(load.is_right(one.result()) for one in asked)
        assert stopping.result()
    begun.close()
    with pytest.raises(ConnectionRefusedError):
        target.connect()
    assert server.missing_processes() == ["nginx", "TorchServe", "the monitor"]
