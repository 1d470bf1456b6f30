"""Ray: on two nodes, of which one is lost, every row is there once and as the other engines answer it."""

import json
import os
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from resformer.scripts.engines.engine import EngineError, PhotoQuestions
from resformer.scripts.engines.network_settings import BatchAnswerer, NetworkSettings
from resformer.scripts.lib.journal import Questions
from resformer.scripts.lib.photo_sources import PhotoError
from tests.paths import ROOT
from tests.scripts.engines.fake_network import FakeNetwork

ray = pytest.importorskip("ray", reason="Ray is not installed: pip install -r requirements-ray.txt")
from ray.cluster_utils import Cluster  # noqa: E402

from resformer.scripts.engines.ray_engine import RayEngine  # noqa: E402

pytestmark = pytest.mark.ray
PHOTOS = 200


@dataclass(frozen=True)
class FakeSettings(NetworkSettings):
    """Settings of a FakeNetwork."""

    log: Path = Path()
    seconds: float = 0.0

    def batch_answerer(self) -> BatchAnswerer:
        return FakeNetwork(self.log, self.seconds)()


def photo(image: str) -> bytes:
    if image.startswith("missing"):
        raise PhotoError("no such photo")
    return image.encode()


@pytest.fixture(scope="module")
def cluster() -> Iterator[Cluster]:
    """Two nodes of one CPU each on this machine, the second of which is lost."""
    os.environ.update(PYTHONPATH=str(ROOT), RAY_AUTH_MODE="disabled", RAY_health_check_period_ms="1000")
    cluster = Cluster(initialize_head=True, head_node_args={"num_cpus": 1, "object_store_memory": 100_000_000})
    cluster.add_node(num_cpus=1, object_store_memory=100_000_000)
    cluster.wait_for_nodes()
    yield cluster
    ray.shutdown()
    cluster.shutdown()


def answers(engine: RayEngine, count: int) -> dict[str, str]:
    """By image, what was answered; each once."""
    questions = [Questions(f"{'missing' if i % 50 == 7 else i}/{i}", {}, ["width", "height"]) for i in range(count)]
    found: dict[str, str] = {}
    for answered in engine.answers(questions):
        assert answered.questions.image not in found
        found[answered.questions.image] = json.dumps(answered.outcomes)
    assert found.keys() == {asked.image for asked in questions}
    return found


def test_a_lost_node_loses_no_row(cluster: Cluster, tmp_path: Path) -> None:
    log = tmp_path / "log"
    second = cluster.list_all_nodes()[-1]
    settings = FakeSettings(log=log, seconds=0.05)
    engine = RayEngine(photo, settings, open_photos=PHOTOS, address=cluster.address, batch=2)

    def lose_node() -> None:
        while not log.exists() or len(log.read_text().splitlines()) < PHOTOS // 4:
            time.sleep(0.05)
        cluster.remove_node(second, allow_graceful=False)

    loss = threading.Thread(target=lose_node)
    loss.start()
    found = answers(engine, PHOTOS)
    loss.join()
    assert len({line.split()[0] for line in log.read_text().splitlines()}) >= 2, "one actor has answered all"
    network = FakeNetwork(log)()
    for image, outcomes in found.items():
        if not image.startswith("missing"):
            assert outcomes == json.dumps(network_answer(network, image))
        else:
            assert json.loads(outcomes) == {name: [None, "no such photo"] for name in ("width", "height")}


def network_answer(network: BatchAnswerer, image: str) -> object:
    return network([PhotoQuestions(photo(image), ["width", "height"], {})])[0]


def test_an_address_where_nothing_answers_is_an_error() -> None:
    engine = RayEngine(photo, NetworkSettings(), open_photos=1, address="127.0.0.1:9")
    with pytest.raises(EngineError, match="no Ray cluster answers"):
        list(engine.answers([Questions("a", {}, ["width"])]))
