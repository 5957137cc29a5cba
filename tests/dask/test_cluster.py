"""Shards on workers: the same bits wherever they are, whoever is lost; and everybody is free at the end."""

import os
import signal
from contextlib import contextmanager
from pathlib import Path

import dask
import numpy as np
import pytest
from distributed import Client, LocalCluster, get_worker
from distributed.utils import sync

from skrnn._data.containers import as_sequences
from skrnn._data.examples import Examples
from skrnn._network.network import RecurrentNetwork
from skrnn._network.objective import Objective
from skrnn._training.loop import Stopping, train
from skrnn._training.losses import LOSSES
from skrnn._training.model import Model
from skrnn._training.optimizers import Adam
from skrnn._training.schedules import SCHEDULES
from skrnn._training.sharding import LocalShards, ShardedBatches, ShardedObjective, TrainingShard
from skrnn.dask import _cluster
from skrnn.dask._cluster import ClusterShards
from skrnn.dask._placement import placed

pytestmark = pytest.mark.slow
COUNTS = [5, 3, 0, 6, 4]
NETWORK = RecurrentNetwork(2, (3,), 1, "gru", "tanh", True, False, False)


class Shard(TrainingShard):
    """Sequences whose target is their mean, with what may happen to a worker."""

    def __init__(self, number, parts, event=None):
        self.number, self.event, self.factor = number, event, 1.0
        self.happen("load")
        (self.X,) = parts

    def happen(self, where):
        if self.event is not None:
            self.event(where, self.number)

    def rescale(self, factor):
        self.happen("tell")
        self.factor *= factor
        X = [self.factor * x for x in self.X]
        if X:
            y = np.array([[x.mean()] for x in X])
            examples = Examples(as_sequences(X), y, np.ones(len(X)), False)
            self.objective = Objective(NETWORK, examples, LOSSES["squared_error"](), 4, max_steps=3)
        return self.number, self.factor

    def total(self, power):
        self.happen("ask")
        return sum((self.factor * x**power).sum() for x in self.X)

    def next_gradient(self):
        self.happen("gradient")
        return super().next_gradient()


class Once:
    """An event that happens once, on one worker, when shard 3 does this for the nth time; a file says that it was."""

    def __init__(self, folder, where, what, n=1):
        self.path, self.where, self.what, self.n_left = Path(folder) / "happened", where, what, n

    def __call__(self, where, number):
        if where == self.where and number == 3 and not self.path.exists():
            self.n_left -= 1
            if self.n_left <= 0:
                self.path.touch()
                self.what()


def close_worker():
    """As if it had died: it closes all of its connections; this thread of it goes on."""
    worker = get_worker()
    sync(worker.loop, worker.close, executor_wait=False)


def kill_worker():
    os.kill(os.getpid(), signal.SIGKILL)


def fail():
    raise ValueError("sequence 2 of partition 3 is no sequence")


class Maker:
    def __init__(self, event=None):
        self.event = event

    def __call__(self, number, parts):
        return Shard(number, parts, self.event)


def sequences(number):
    rng = np.random.default_rng(number)
    return [rng.normal(size=(rng.integers(2, 8), 2)) for _ in range(COUNTS[number])]


def partitions():
    return [[dask.delayed(sequences)(s)] for s in range(len(COUNTS))]


def trained(shards, n_epochs=3, watch=None):
    """What shards answer, and theta after some epochs."""
    n = len(COUNTS)
    answers = [shards.tell("rescale", [1.5] * n), shards.ask("total", list(range(n)))]
    generator = np.random.RandomState(0)
    model = Model(NETWORK, LOSSES["squared_error"](), NETWORK.initialize(generator, np.float64), generator)
    model.optimizer, model.schedule = Adam(model.theta, 0.01), SCHEDULES["constant"](0.01, 0.5, n_epochs)
    objective = ShardedObjective(shards, NETWORK, np.float64, len, 0.1, random_state=generator)
    train(
        model, objective, ShardedBatches(COUNTS, 6, generator), Stopping(n_epochs, 1.0, np.inf),
        **({"watch": watch} if watch else {}),
    )
    return [*answers, shards.ask("total", [1] * n)], model.theta.tobytes()


@pytest.fixture(scope="module")
def expected():
    return trained(LocalShards([Shard(s, [sequences(s)]) for s in range(len(COUNTS))]))


@contextmanager
def cluster_of(n_workers, **options):
    settings = {"processes": False, "threads_per_worker": 1, "dashboard_address": ":0", "silence_logs": 50}
    with LocalCluster(n_workers=n_workers, **(settings | options)) as cluster, Client(cluster) as client:
        yield client


@pytest.fixture(scope="module")
def in_process():
    """Two workers in this process."""
    with cluster_of(2) as client:
        yield client


@pytest.fixture(scope="module")
def processes():
    """Two workers that are processes."""
    with cluster_of(2, processes=True, worker_dashboard_address=None) as client:
        yield client


@pytest.mark.parametrize("n_workers", [1, 2, 3, 4])
def test_same_bits_on_any_number_of_workers_in_any_place(n_workers, expected, monkeypatch):
    rng = np.random.default_rng(n_workers)

    def anywhere(numbers, n_threads, held, taken):
        return {s: str(rng.choice(sorted(n_threads))) for s in numbers}

    with cluster_of(n_workers) as client:
        for place in (placed, anywhere, anywhere):
            monkeypatch.setattr(_cluster, "placed", place)
            with ClusterShards(Maker(), partitions(), client) as shards:
                assert trained(shards) == expected
                assert sum(len(member.shards) for member in shards.members) == len(COUNTS)


@pytest.mark.parametrize(("where", "n"), [("load", 1), ("tell", 1), ("ask", 1), ("gradient", 1), ("gradient", 7)])
@pytest.mark.parametrize("n_workers", [2, 3])
def test_a_worker_that_closes_is_replaced(where, n, n_workers, expected, tmp_path):
    with cluster_of(n_workers) as client:
        with ClusterShards(Maker(Once(tmp_path, where, close_worker, n)), partitions(), client) as shards:
            assert trained(shards) == expected
            assert shards.members.n_changes == 1
            assert len(shards.members.by_address) == n_workers - 1
