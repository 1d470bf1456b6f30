"""A simulation of scoring millions of photos on many machines, of which some are lost and some hosts are slow.

Discrete events (SimPy), a chunk of photos each: a node takes chunks from one queue, downloads their photos, answers
them on its cores, and tells the head, which keeps the journal. What a lost node had in hand goes back to the queue.
"""

import math
from collections import deque
from collections.abc import Generator
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import simpy

__all__ = ["Costs", "Downloads", "Job", "Machines", "SimulatedRun", "Troubles", "limits", "simulate"]

Steps = Generator[simpy.Event, Any, None]


@dataclass(frozen=True, kw_only=True)
class Costs:
    """What a photo takes.

    Attributes:
        core_seconds: Of a core, to answer it.
        deviation: Standard deviation of that among photos.
        node_core_seconds: Of a core of the node, to fetch it and to pass it on.
        head_core_seconds: Of the one process that keeps the journal.
        size: Bytes of its file.
    """

    core_seconds: float
    deviation: float = 0.0
    node_core_seconds: float = 0.0
    head_core_seconds: float = 0.0
    size: float = 0.0

    def __post_init__(self) -> None:
        if self.core_seconds <= 0:
            raise ValueError(f"core_seconds is {self.core_seconds}; a photo takes more than 0")
        _check_positive(self, "deviation", "node_core_seconds", "head_core_seconds", "size", or_zero=True)


@dataclass(frozen=True, kw_only=True)
class Machines:
    """Machines that answer. The head has one of its own where there are several.

    Attributes:
        nodes: How many.
        cores: Of each, with a worker each.
        bytes_per_second: That a node downloads at most.
        start_seconds: Until a node that is there takes photos.
        ahead: Chunks for each core that a node may hold and that no core has begun.
        heads: Runs that the table is split into, each with a journal.
    """

    nodes: int
    cores: int
    bytes_per_second: float = math.inf
    start_seconds: float = 0.0
    ahead: int = 2
    heads: int = 1

    def __post_init__(self) -> None:
        _check_positive(self, "nodes", "cores", "bytes_per_second", "ahead", "heads")
        _check_positive(self, "start_seconds", or_zero=True)


@dataclass(frozen=True, kw_only=True)
class Downloads:
    """How photos arrive.

    Attributes:
        median_seconds: That a photo takes from a host that is not slow.
        spread: Standard deviation of the logarithm; 1.0 is a long tail.
        connections: Of a node, at once.
        host_connections: Of a node to one host, at once.
        hosts: That photos are spread over.
        slow_hosts: Fraction of them that are slow.
        slowness: Times that a slow host takes longer.
        host_rate: Photos a second that a host sends to all nodes together.
    """

    median_seconds: float
    spread: float = 0.0
    connections: int = 64
    host_connections: int = 16
    hosts: int = 1
    slow_hosts: float = 0.0
    slowness: float = 1.0
    host_rate: float = math.inf

    def __post_init__(self) -> None:
        _check_positive(self, "connections", "host_connections", "hosts", "slowness", "host_rate")
        _check_positive(self, "median_seconds", "spread", "slow_hosts", or_zero=True)
        _check_fraction(self, "slow_hosts")
        if self.host_connections > self.connections:
            raise ValueError(f"host_connections is {self.host_connections}, of {self.connections} connections")


@dataclass(frozen=True, kw_only=True)
class Troubles:
    """What goes wrong.

    Attributes:
        failing: Probability that an attempt to download fails.
        attempts: Of each photo, at most.
        dead: Probability that a link never answers; it takes time_limit.
        time_limit: Seconds for a photo, at most.
        node_seconds: Mean life of a node; it is lost then.
        replacement_seconds: Until there is another node in its place, which starts then.
    """

    failing: float = 0.0
    attempts: int = 4
    dead: float = 0.0
    time_limit: float = 120.0
    node_seconds: float = math.inf
    replacement_seconds: float = 0.0

    def __post_init__(self) -> None:
        _check_positive(self, "attempts", "time_limit", "node_seconds")
        _check_positive(self, "failing", "dead", "replacement_seconds", or_zero=True)
        _check_fraction(self, "failing", "dead")


@dataclass(frozen=True, kw_only=True)
class Job:
    """What is to be done.

    Attributes:
        photos: How many.
        chunk: Photos that travel together, and are lost together.
    """

    photos: int
    chunk: int = 250

    def __post_init__(self) -> None:
        _check_positive(self, "photos", "chunk")


@dataclass(frozen=True, kw_only=True)
class SimulatedRun:
    """How a run went.

    Attributes:
        seconds: Until every photo has its outcome.
        answered: Photos with an answer.
        failed: Photos with the reason why there is none.
        repeated: Photos that were in the hands of lost nodes, and were done again.
        lost_nodes: How many were lost.
        node_seconds: That nodes were there, all together.
        use: By resource, the fraction of its time that it was used: cores, link, connections, hosts and head.
    """

    seconds: float
    answered: int
    failed: int
    repeated: int
    lost_nodes: int
    node_seconds: float
    use: dict[str, float]

    @property
    def photos_per_second(self) -> float:
        """Photos with an outcome."""
        return (self.answered + self.failed) / self.seconds

    @property
    def bottleneck(self) -> str:
        """The resource that was used most."""
        return max(self.use, key=self.use.__getitem__)


def limits(
    costs: Costs, machines: Machines, downloads: Downloads | None = None, troubles: Troubles | None = None
) -> dict[str, float]:
    """Photos a second that each resource allows; the least is about the rate of a long run.

    Args:
        costs, machines: See there.
        downloads: None: photos are on the machines.
        troubles: None: nothing goes wrong.
    """
    troubles = troubles or Troubles()
    away = troubles.replacement_seconds + machines.start_seconds
    nodes = machines.nodes / (1 + away / troubles.node_seconds)  # that are there and have started, on average
    allowed = {
        "cores": nodes * machines.cores / _core_seconds(costs, machines),
        "head": math.inf if machines.nodes == 1 else _rate(machines.heads, costs.head_core_seconds),
    }
    if downloads:
        slow = downloads.slow_hosts * downloads.slowness + 1 - downloads.slow_hosts
        attempts = sum(troubles.failing**n for n in range(troubles.attempts))
        seconds = attempts * downloads.median_seconds * math.exp(downloads.spread**2 / 2) * slow
        seconds += troubles.dead * (troubles.time_limit - seconds)
        allowed["link"] = _rate(nodes * machines.bytes_per_second, costs.size)
        allowed["connections"] = _rate(nodes * downloads.connections, seconds)
        allowed["hosts"] = downloads.hosts * downloads.host_rate
    return allowed


def simulate(
    job: Job,
    costs: Costs,
    machines: Machines,
    downloads: Downloads | None = None,
    troubles: Troubles | None = None,
    *,
    seed: int = 0,
) -> SimulatedRun:
    """Runs a job.

    Args:
        job, costs, machines, downloads, troubles: See there; without downloads photos are on the machines, and without
            troubles nothing fails.
        seed: Equal for equal runs.

    Raises:
        ValueError: A node is lost before it can answer a chunk, more often than not.
    """
    troubles = troubles or Troubles()
    least = machines.start_seconds + job.chunk * _core_seconds(costs, machines)
    if troubles.node_seconds < least:
        raise ValueError(
            f"nodes live {troubles.node_seconds:.0f} s and need {least:.0f} s to start and to answer a chunk; "
            "take smaller chunks, or nodes that live longer"
        )
    return _Simulation(job, costs, machines, downloads, troubles, seed).run()


@dataclass(eq=False)
class _Chunk:
    """Photos of one host.

    Attributes:
        failed: Of them, in the last attempt of the chunk.
    """

    photos: int
    host: int
    dead: int
    failed: int = 0
    is_done: bool = False


@dataclass(eq=False)
class _Node:
    begun: float
    ready: simpy.Store
    link: simpy.Resource
    connections: simpy.Resource  # as many as a host gets at once
    hosts: dict[int, simpy.Resource] = field(default_factory=dict)
    in_hand: dict[_Chunk, None] = field(default_factory=dict)  # in order, which a set has not: equal runs are equal


class _Simulation:
    def __init__(
        self,
        job: Job,
        costs: Costs,
        machines: Machines,
        downloads: Downloads | None,
        troubles: Troubles,
        seed: int,
    ):
        self._job, self._costs, self._machines = job, costs, machines
        self._downloads, self._troubles = downloads, troubles
        self._random = np.random.default_rng(seed)
        self._environment = simpy.Environment()
        self._head = simpy.Resource(self._environment, machines.heads)
        num_hosts = downloads.hosts if downloads else 1
        self._hosts = [simpy.Resource(self._environment) for _ in range(num_hosts)]
        num_slow = round(downloads.slow_hosts * num_hosts) if downloads else 0
        self._slowness = [downloads.slowness if downloads and i < num_slow else 1.0 for i in range(num_hosts)]
        sizes = [min(job.chunk, job.photos - first) for first in range(0, job.photos, job.chunk)]
        dead = self._random.binomial(sizes, troubles.dead) if downloads else [0] * len(sizes)
        self._open = deque(
            _Chunk(size, host, int(d))
            for size, host, d in zip(sizes, self._random.integers(0, num_hosts, len(sizes)), dead, strict=True)
        )
        self._remaining = len(sizes)
        self._answered = self._failed = self._repeated = self._lost_nodes = 0
        self._node_seconds = 0.0
        self._nodes: dict[_Node, None] = {}
        self._used = dict.fromkeys(("cores", "link", "connections", "hosts", "head"), 0.0)
        self._done = self._environment.event()
        self._returned = self._environment.event()  # chunks came back to the queue

    def run(self) -> SimulatedRun:
        for _ in range(self._machines.nodes):
            self._environment.process(self._node_lives())
        self._environment.run(until=self._done)
        seconds = self._environment.now
        nodes = self._machines.nodes
        there = {
            "cores": nodes * self._machines.cores,
            "link": nodes,
            "hosts": len(self._hosts),
            "head": self._machines.heads,
        }
        there["connections"] = nodes * (self._downloads.connections if self._downloads else 1)
        return SimulatedRun(
            seconds=seconds,
            answered=self._answered,
            failed=self._failed,
            repeated=self._repeated,
            lost_nodes=self._lost_nodes,
            node_seconds=self._node_seconds + sum(seconds - node.begun for node in self._nodes),
            use={name: used / (seconds * there[name]) for name, used in self._used.items()},
        )

    def _node_lives(self) -> Steps:
        """One node after another in the same place."""
        environment, troubles, cores = self._environment, self._troubles, self._machines.cores
        while True:
            node = self._new_node()
            self._nodes[node] = None
            loops = [self._fetches(node) for _ in range(self._machines.ahead * cores)]
            loops += [self._answers(node) for _ in range(cores)]
            tasks = [environment.process(self._until_lost(steps)) for steps in loops]
            if math.isinf(troubles.node_seconds):
                return
            yield environment.timeout(self._random.exponential(troubles.node_seconds))
            del self._nodes[node]
            self._node_seconds += environment.now - node.begun
            self._lost_nodes += 1
            for task in tasks:
                if task.is_alive:
                    task.interrupt()
            self._repeated += sum(chunk.photos for chunk in node.in_hand)
            self._open.extendleft(node.in_hand)
            self._returned.succeed()
            self._returned = environment.event()
            yield environment.timeout(troubles.replacement_seconds)

    def _until_lost(self, steps: Steps) -> Steps:
        try:
            yield self._environment.timeout(self._machines.start_seconds)
            yield from steps
        except simpy.Interrupt:
            return

    def _new_node(self) -> _Node:
        environment, downloads = self._environment, self._downloads
        at_once = downloads.connections // downloads.host_connections if downloads else 1
        store = simpy.Store(environment, self._machines.cores)
        return _Node(environment.now, store, simpy.Resource(environment), simpy.Resource(environment, at_once))

    def _fetches(self, node: _Node) -> Steps:
        while True:
            while not self._open:
                yield self._returned
            chunk = self._open.popleft()
            node.in_hand[chunk] = None
            if self._downloads:
                yield from self._download(node, chunk, self._downloads)
            yield node.ready.put(chunk)

    def _download(self, node: _Node, chunk: _Chunk, downloads: Downloads) -> Steps:
        environment = self._environment
        to_host = node.hosts.setdefault(chunk.host, simpy.Resource(environment))
        seconds = self._photo_seconds(chunk, downloads)
        with to_host.request() as turn:
            yield turn
            with node.connections.request() as connections:
                yield connections
                begun = environment.now
                size = self._costs.size * chunk.photos
                yield from self._hold(self._hosts[chunk.host], chunk.photos / downloads.host_rate, "hosts")
                yield from self._hold(node.link, size / self._machines.bytes_per_second, "link")
                shared = float(seconds.sum()) / downloads.host_connections
                yield environment.timeout(max(0.0, begun + shared - environment.now))
        self._used["connections"] += float(seconds.sum())
        # The last photo has a connection to itself, while the others serve the next chunk.
        yield environment.timeout(max(0.0, begun + float(seconds.max()) - environment.now))

    def _photo_seconds(self, chunk: _Chunk, downloads: Downloads) -> np.ndarray:
        """Seconds (photos,) of a connection that photos take; counts those that fail."""
        troubles, count = self._troubles, chunk.photos
        typical = downloads.median_seconds * self._slowness[chunk.host]
        needed = (
            self._random.geometric(1 - troubles.failing, count) if troubles.failing < 1 else np.full(count, 1 << 30)
        )
        attempts = np.minimum(needed, troubles.attempts)
        fails = needed > troubles.attempts
        fails[: chunk.dead] = True
        # Attempts of one photo meet the same host: they take equally long.
        seconds = attempts * typical * np.exp(downloads.spread * self._random.standard_normal(count))
        seconds[: chunk.dead] = troubles.time_limit
        fails |= seconds > troubles.time_limit
        chunk.failed = int(fails.sum())
        return np.minimum(seconds, troubles.time_limit)

    def _answers(self, node: _Node) -> Steps:
        while True:
            chunk = yield node.ready.get()
            photos = chunk.photos - chunk.failed
            noise = self._costs.deviation * math.sqrt(photos) * self._random.standard_normal()
            seconds = max(0.0, photos * _core_seconds(self._costs, self._machines) + noise)
            yield self._environment.timeout(seconds)
            self._used["cores"] += seconds
            if self._machines.nodes > 1:
                yield from self._hold(self._head, chunk.photos * self._costs.head_core_seconds, "head")
            self._record(node, chunk)

    def _hold(self, resource: simpy.Resource, seconds: float, name: str) -> Steps:
        if seconds:
            with resource.request() as turn:
                yield turn
                yield self._environment.timeout(seconds)
            self._used[name] += seconds

    def _record(self, node: _Node, chunk: _Chunk) -> None:
        assert not chunk.is_done, "a chunk is in the hands of one node at a time"
        chunk.is_done = True
        del node.in_hand[chunk]
        self._answered += chunk.photos - chunk.failed
        self._failed += chunk.failed
        self._remaining -= 1
        if not self._remaining:
            self._done.succeed()


def _core_seconds(costs: Costs, machines: Machines) -> float:
    """Of the cores of nodes; a single one is the head, too."""
    head = costs.head_core_seconds if machines.nodes == 1 else 0.0
    return costs.core_seconds + costs.node_core_seconds + head


def _rate(amount: float, each: float) -> float:
    return amount / each if each else math.inf


def _check_positive(settings: object, *names: str, or_zero: bool = False) -> None:
    for name in names:
        value = getattr(settings, name)
        if not (value > 0 or (or_zero and value == 0)):
            raise ValueError(f"{name} is {value}; it must be {'at least' if or_zero else 'more than'} 0")


def _check_fraction(settings: object, *names: str) -> None:
    for name in names:
        if getattr(settings, name) > 1:
            raise ValueError(f"{name} is {getattr(settings, name)}; it is a fraction, of at most 1")
