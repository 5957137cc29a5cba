"""Shards on workers: the same bits wherever they are, whoever is lost; and everybody is free at the end."""

import os
import shutil
import signal
import subprocess
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, nullcontext
from functools import partial
from itertools import count
from pathlib import Path
from types import SimpleNamespace
from unittest.mock import patch

import dask
import numpy as np
import pytest
from clusters import local_cluster
from distributed import Client, get_worker
from distributed.comm import CommClosedError
from distributed.core import Status
from distributed.security import Security
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
from skrnn._training.watching import Watch
from skrnn.dask import _cluster, _members
from skrnn.dask._channel import Channel
from skrnn.dask._cluster import ClusterShards
from skrnn.dask._members import Members
from skrnn.dask._placement import below, placed
from skrnn.dask._session import HANDLER
from skrnn.exceptions import ClusterError

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
            self.objective = Objective(
                NETWORK, examples, LOSSES["squared_error"](), 4, dropout=0.2, random_state=np.random.RandomState(),
                max_steps=3,
            )
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


def pause_worker():
    """As Dask does where memory is short: no task begins on it any more."""
    worker = get_worker()
    sync(worker.loop, set_status, worker, Status.paused)


async def set_status(worker, status):
    worker.status = status


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
    objective = ShardedObjective(shards, NETWORK, np.float64, len, 0.1, dropout=0.2, random_state=generator)
    train(
        model, objective, ShardedBatches(COUNTS, 6, generator), Stopping(n_epochs, 1.0, np.inf),
        **({"watch": watch} if watch else {}),
    )
    return [*answers, shards.ask("total", [1] * n)], model.theta.tobytes()


@pytest.fixture(scope="module")
def expected():
    return trained(LocalShards([Shard(s, [sequences(s)]) for s in range(len(COUNTS))]))


CLUSTERS = []


@contextmanager
def cluster_of(n_workers, **options):
    with local_cluster(n_workers, **options) as client:
        CLUSTERS.append(client.cluster)
        yield client
        CLUSTERS.remove(client.cluster)


@pytest.fixture(scope="module")
def in_process():
    """Two workers in this process."""
    with cluster_of(2) as client:
        yield client


@pytest.mark.parametrize("n_workers", [1, 2, 3, 4])
def test_same_bits_on_any_number_of_workers_in_any_place(n_workers, expected, monkeypatch):
    rng = np.random.default_rng(n_workers)

    def anywhere(numbers, n_threads, held, taken):
        return {s: str(rng.choice(sorted(n_threads))) for s in numbers}

    with cluster_of(n_workers) as client:
        for place in (placed, anywhere):
            monkeypatch.setattr(_cluster, "placed", place)
            with ClusterShards(Maker(), partitions(), client) as shards:
                assert trained(shards) == expected
                assert sum(len(member.shards) for member in shards.members) == len(COUNTS)


@pytest.mark.parametrize(("where", "n"), [("load", 1), ("tell", 1), ("ask", 1), ("gradient", 1), ("gradient", 7)])
def test_a_worker_that_closes_is_replaced(where, n, expected, tmp_path):
    maker = Maker(Once(tmp_path, where, close_worker, n))
    with cluster_of(3) as client, ClusterShards(maker, partitions(), client) as shards:
        assert trained(shards) == expected
        assert shards.members.n_changes == 1
        assert len(shards.members.by_address) == 2


def test_a_process_that_is_killed_is_replaced(expected, tmp_path):
    maker = Maker(Once(tmp_path, "gradient", kill_worker, 7))
    with (
        patch.dict(os.environ), cluster_of(2, processes=True) as client,
        ClusterShards(maker, partitions(), client) as shards,
    ):
        assert trained(shards) == expected
        assert shards.members.n_changes == 1


def close_all():
    for worker in list(CLUSTERS[-1].workers.values()):
        sync(worker.loop, worker.close, executor_wait=False)
    CLUSTERS[-1].scale(4)


def test_workers_that_come_after_all_were_lost_take_their_places(expected, tmp_path):
    maker = Maker(Once(tmp_path, "gradient", close_all, 5))
    with cluster_of(2) as client, ClusterShards(maker, partitions(), client) as shards:
        assert trained(shards) == expected
        assert shards.members.n_changes == 2


@pytest.mark.parametrize("where", ["load", "tell", "ask", "gradient"])
def test_errors_of_shards_are_raised_as_they_are(where, in_process, tmp_path, expected):
    with (
        ClusterShards(Maker(Once(tmp_path, where, fail)), partitions(), in_process) as shards,
        pytest.raises(ValueError, match=r"^sequence 2 of partition 3 is no sequence$"),
    ):
        trained(shards)
    with ClusterShards(Maker(), partitions(), in_process) as shards:
        assert trained(shards) == expected


@pytest.fixture
def impatient(monkeypatch):
    """Workers are waited for no longer than 0.3 s; connections as long as ever."""
    monkeypatch.setattr(_cluster, "parse_timedelta", lambda _: 0.3)


@pytest.mark.parametrize(("n_workers", "message"), [
    (2, r"has no workers, and had none for 0\.3 s"), (5, r"4 workers were lost.*need more memory"),
])
def test_an_epoch_that_no_worker_survives_is_an_error(n_workers, message, impatient, monkeypatch):
    monkeypatch.setattr(Members, "n_at_most", property(lambda _: 0, lambda *_: None), raising=False)

    class Always:
        def __call__(self, where, number):
            if where == "gradient" and number == 3:
                close_worker()

    with (
        cluster_of(n_workers) as client, ClusterShards(Maker(Always()), partitions(), client) as shards,
        pytest.raises(ClusterError, match=message),
    ):
        trained(shards)


@pytest.mark.parametrize("client", [SimpleNamespace(asynchronous=True), None])
def test_a_client_that_blocks_is_needed(client, monkeypatch):
    monkeypatch.setattr(_cluster, "client_for", nullcontext)
    with pytest.raises(ValueError, match="expected one that blocks"), ClusterShards(Maker(), partitions(), client):
        pass


def test_a_cluster_without_workers_is_an_error(impatient):
    with (
        cluster_of(0) as client,
        ClusterShards(Maker(), partitions(), client) as shards,
        pytest.raises(ClusterError, match=r"inproc.* has no workers, and had none for 0\.3 s .*cluster\.scale\(2\)"),
    ):
        trained(shards)


@pytest.mark.parametrize("where", ["load", "gradient"])
def test_a_scheduler_that_is_gone_is_an_error(where, tmp_path, monkeypatch):
    def nthreads():
        if (tmp_path / "happened").exists():
            raise CommClosedError("closed")
        return known()

    with cluster_of(2) as client:
        known = client.nthreads
        monkeypatch.setattr(client, "nthreads", nthreads)
        with (
            pytest.raises(ClusterError, match=r"The scheduler of Dask at inproc.* does not answer any more: closed"),
            ClusterShards(Maker(Once(tmp_path, where, close_all)), partitions(), client) as shards,
        ):
            trained(shards)


# What tasks and the test have in common, which have no closures
HANGS, NOTICED = [], threading.Event()


def hang():
    HANGS.append(get_worker().address)
    NOTICED.wait(300)


def test_a_machine_that_hangs_is_gone_as_soon_as_the_scheduler_says_so(expected, tmp_path, monkeypatch):
    HANGS.clear()
    NOTICED.clear()

    def nthreads():
        if HANGS:
            NOTICED.set()
        return {address: n for address, n in known().items() if address not in HANGS}

    with cluster_of(3) as client:
        known = client.nthreads
        monkeypatch.setattr(client, "nthreads", nthreads)
        monkeypatch.setattr(_members, "CHECK_SECONDS", 0.1)
        monkeypatch.setattr(Members.receive, "__defaults__", (0.1,))
        with ClusterShards(Maker(Once(tmp_path, "gradient", hang, 5)), partitions(), client) as shards:
            assert trained(shards) == expected
            assert len(shards.members.by_address) == 2


def test_a_client_that_is_closed_is_an_error(in_process, monkeypatch):
    class Close(Watch):
        def begin_epoch(self):
            client.close()

    monkeypatch.setattr(_cluster, "EPOCH_SECONDS", -1)
    with (
        Client(in_process.scheduler.address, set_as_default=False) as client,
        pytest.raises(ClusterError, match="client of Dask was closed"),
        ClusterShards(Maker(), partitions(), client) as shards,
    ):
        trained(shards, watch=Close())


def test_paused_workers_train_on(expected, tmp_path, monkeypatch):
    monkeypatch.setattr(_cluster, "EPOCH_SECONDS", 0)
    maker = Maker(Once(tmp_path, "gradient", pause_worker))
    with cluster_of(2, memory_limit=0) as client, ClusterShards(maker, partitions(), client) as shards:
        assert trained(shards) == expected


def test_workers_that_stay_paused_take_no_shards(tmp_path, monkeypatch):
    monkeypatch.setattr(_members, "CHECK_SECONDS", 0.1)
    monkeypatch.setattr(Members.receive, "__defaults__", (0.1,))
    maker = Maker(Once(tmp_path, "load", pause_worker))
    with (
        cluster_of(1, memory_limit=0) as client, dask.config.set({"distributed.comm.timeouts.connect": 0.5}),
        ClusterShards(maker, partitions(), client) as shards, pytest.raises(ClusterError, match="Dask has paused"),
    ):
        trained(shards)


@pytest.fixture
def ctrl_c():
    """Ctrl-C interrupts, also in processes in the background, which ignore it."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.usefixtures("ctrl_c")
def test_interrupted_training_leaves_the_workers_free(in_process, expected, tmp_path):
    event = Once(tmp_path, "gradient", interrupt, 5)
    with pytest.raises(KeyboardInterrupt), ClusterShards(Maker(event), partitions(), in_process) as shards:
        trained(shards)
    with ClusterShards(Maker(), partitions(), in_process) as shards:
        assert trained(shards) == expected


@pytest.mark.usefixtures("ctrl_c")
def test_an_interrupt_while_workers_are_asked_leaves_them_free(in_process, monkeypatch):
    def start_and_interrupt(channel):
        start(channel)
        interrupt()

    start = Channel.start
    with monkeypatch.context() as patch:
        patch.setattr(Channel, "start", start_and_interrupt)
        with pytest.raises(KeyboardInterrupt), ClusterShards(Maker(), partitions(), in_process) as shards:
            trained(shards)
    assert comes_true(lambda: not any(in_process.run(has_session).values()))


def comes_true(condition):
    """Whether it does within a minute."""
    began = time.monotonic()
    while not (true := condition()) and time.monotonic() - began < 60:
        time.sleep(0.01)
    return true


def test_a_task_that_is_cancelled_trains_no_more(in_process):
    def fit():
        with ClusterShards(Maker(), partitions()) as shards:
            trained(shards, n_epochs=10**9)

    task = in_process.submit(fit, pure=False)
    assert comes_true(lambda: any(in_process.run(has_session).values()))
    task.cancel(force=True)
    assert comes_true(lambda: not any(in_process.run(has_session).values()))


def has_session(dask_worker):
    return HANDLER in dask_worker.extensions and dask_worker.extensions[HANDLER].free.locked()


def test_a_worker_that_dies_while_it_is_asked_is_not_waited_for(in_process, expected, monkeypatch):
    def nthreads():
        return known() | ({gone: 1} if next(calls) == 0 else {})

    known, calls, gone = in_process.nthreads, count(), min(in_process.nthreads())[:-1] + "gone"
    monkeypatch.setattr(in_process, "nthreads", nthreads)
    monkeypatch.setattr(_members, "CHECK_SECONDS", 0.1)
    monkeypatch.setattr(Members.receive, "__defaults__", (0.1,))
    with ClusterShards(Maker(), partitions(), in_process) as shards:
        assert trained(shards) == expected
        assert shards.members.lost == {gone}


def fail_to_import():
    raise ModuleNotFoundError("No module named 'skrnn'")


def test_workers_without_skrnn_are_an_error(in_process, monkeypatch):
    monkeypatch.setattr(_members, "install", fail_to_import)
    with (
        pytest.raises(ModuleNotFoundError, match="No module named 'skrnn'"),
        ClusterShards(Maker(), partitions(), in_process) as shards,
    ):
        trained(shards)


def interrupt():
    signal.pthread_kill(threading.main_thread().ident, signal.SIGINT)


def test_trainings_side_by_side_wait_for_each_other(in_process, expected):
    def fit(_):
        with ClusterShards(Maker(), partitions(), in_process) as shards:
            return trained(shards)

    with ThreadPoolExecutor(3) as pool:
        assert list(pool.map(fit, range(3))) == [expected] * 3


def test_a_task_can_train(in_process, expected):
    def fit():
        with ClusterShards(Maker(), partitions()) as shards:
            return trained(shards)

    tasks = [in_process.submit(fit, pure=False) for _ in range(3)]
    assert in_process.gather(tasks) == [expected] * 3


BARRIER = threading.Barrier(2)


def meet():
    return BARRIER.wait(300)


def test_tasks_give_way_to_others_that_wait_for_them(expected, monkeypatch):
    monkeypatch.setattr(_members, "YIELD_SECONDS", 0.2)
    start = Members.start_serving
    tasks = []

    def late(members, name):
        if not tasks:           # two tasks that wait for each other, of which one has begun
            first, second = members.holders()
            tasks.append(members.client.submit(meet, workers=[second.address], pure=False, priority=200))
            while not BARRIER.n_waiting:
                time.sleep(0.01)
            submit = partial(members.client.submit, meet, workers=[first.address], pure=False)
            threading.Timer(0.3, lambda: tasks.append(submit())).start()
        start(members, name)

    monkeypatch.setattr(Members, "start_serving", late)
    with cluster_of(2) as client, ClusterShards(Maker(), partitions(), client) as shards:
        assert trained(shards) == expected
        assert sorted(client.gather(tasks)) == [0, 1]


def test_a_worker_that_retires_is_replaced(expected):
    class Retire(Watch):
        def begin_epoch(self):
            if len(client.nthreads()) == 3:
                client.retire_workers(list(client.nthreads())[:1])

    with cluster_of(3) as client, ClusterShards(Maker(), partitions(), client) as shards:
        assert trained(shards, watch=Retire()) == expected


def certified(folder):
    """A certificate of our own, for everybody."""
    if shutil.which("openssl") is None:
        pytest.skip("no openssl")
    key, certificate = str(folder / "key.pem"), str(folder / "certificate.pem")
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", key, "-out", certificate, "-subj",
         "/CN=dask"], check=True, capture_output=True,
    )
    roles = {f"tls_{role}_{what}": path for role in ("client", "worker", "scheduler") for what, path in (
        ("key", key), ("cert", certificate),
    )}
    return Security(tls_ca_file=certificate, require_encryption=True, **roles)


def test_over_encrypted_connections(expected, tmp_path):
    with (
        cluster_of(2, protocol="tls://", security=certified(tmp_path)) as client,
        ClusterShards(Maker(), partitions(), client) as shards,
    ):
        assert trained(shards) == expected
        assert all(address.startswith("tls://") for address in shards.members.by_address)


def test_partitions_in_memory_stay_where_they_are(expected):
    with cluster_of(2) as client:
        first, second = client.nthreads()
        where = [second, second, second, first, first]
        parts = [
            [dask.delayed(client.submit(sequences, s, workers=[worker], pure=False))] for s, worker in enumerate(where)
        ]
        with ClusterShards(Maker(), parts, client) as shards:
            assert trained(shards) == expected
            placed_at = {s: member.address for member in shards.members for s in member.shards}
            assert [placed_at[s] for s in range(5)] == where


def test_partitions_with_something_in_common_are_computed_once(in_process, expected, tmp_path):
    def table():
        (tmp_path / str(time.monotonic_ns())).touch()
        return [sequences(s) for s in range(len(COUNTS))]

    common = dask.delayed(table)()
    with ClusterShards(Maker(), [[common[s]] for s in range(len(COUNTS))], in_process) as shards:
        assert trained(shards) == expected
    assert len(list(tmp_path.iterdir())) == 1


def test_epochs_are_tasks_and_events(in_process, expected, monkeypatch):
    monkeypatch.setattr(_cluster, "EPOCH_SECONDS", -1)
    with ClusterShards(Maker(), partitions(), in_process) as shards:
        assert trained(shards) == expected
        names = in_process.run_on_scheduler(lambda dask_scheduler: list(dask_scheduler.task_prefixes))
    assert "skrnn-epoch" in {*names}
    events = [event for _, event in in_process.get_events("skrnn")]
    assert [event["epoch"] for event in events[-3:]] == [1, 2, 3]


@pytest.mark.parametrize(("n", "last"), [(0, 1), (0, 2), (0, 3), (0, 9), (3, 8)])
def test_the_tree_has_each_node_once_and_few_levels(n, last):
    levels = {n: 0}
    todo = [(n, last)]
    for node, end in todo:
        children = below(node, end)
        todo += children
        assert all(child not in levels for child, _ in children)
        levels |= {child: levels[node] + 1 for child, _ in children}
    assert sorted(levels) == list(range(n, last))
    assert max(levels.values()) <= (last - n - 1).bit_length()


def test_places_are_runs_in_proportion_to_threads():
    where = placed(list(range(8)), {"a": 1, "b": 3}, {"b": [0, 1], "a": [7]}, {})
    assert [where[s] for s in range(8)] == ["b"] * 6 + ["a"] * 2
    assert placed([4, 5], {"a": 1, "b": 1}, {}, {"a": 3, "b": 1}) == {4: "b", 5: "b"}
