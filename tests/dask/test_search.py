"""Searches over the processes of a cluster: the bits of one process, X sent once, and the threads of each worker."""

import os
from threading import Barrier

import numpy as np
import pandas as pd
import polars as pl
import pytest
from clusters import local_cluster
from distributed import worker_client
from joblib import parallel_config
from numpy.testing import assert_array_equal
from sklearn.experimental import enable_halving_search_cv  # noqa: F401
from sklearn.model_selection import GridSearchCV, HalvingGridSearchCV

from skrnn import RaggedArray, RNNClassifier, RNNRegressor, WithStatic
from skrnn._runtime import threads
from skrnn.forecasting import ForecastWindows, SeasonalNaive, backtest
from skrnn.forecasting._panel import Panel
from skrnn.inspection import permutation_importance
from skrnn.inspection._exchangeable import Steps
from skrnn.inspection._permutation import Score

pytestmark = [
    pytest.mark.slow,
    pytest.mark.filterwarnings("ignore:Training ended after", "ignore:.*has learned"),
]
RNG = np.random.default_rng(0)
N = 60
LENGTHS = RNG.integers(3, 9, N)
X = RaggedArray(RNG.normal(size=(LENGTHS.sum(), 2)), LENGTHS)
LIST = [x.copy() for x in X]
ARRAY = RNG.normal(size=(N, 5, 2))
Y = np.arange(N) % 2
STEPS = [x[:, 0] for x in LIST]         # a target for each step
PARAMETERS = {"alpha": [0.0, 1e-2]}


class InFile:
    """Sequences that are read from a file when they are asked for."""

    def __init__(self, path, rows):
        self.path, self.rows = path, rows

    def __len__(self):
        return len(self.rows)

    @property
    def shape(self):
        return (len(self),)

    def __getitem__(self, key):
        rows = self.rows[key]
        return InFile(self.path, rows) if rows.ndim else np.load(self.path, mmap_mode="r")[rows]


def mapped(folder, values):
    np.save(folder / "values.npy", values)
    return np.load(folder / "values.npy", mmap_mode="r")


def in_file(folder):
    mapped(folder, ARRAY)
    return InFile(os.fspath(folder / "values.npy"), np.arange(N))


def in_chunks(folder):
    return pytest.importorskip("dask.array").from_array(ARRAY, chunks=(20, 5, 2))


FORMS = {
    "3-D": lambda folder: ARRAY,
    "ragged": lambda folder: X,
    "list": lambda folder: LIST,
    "with static features": lambda folder: WithStatic(LIST, LENGTHS),
    "columns of lists": lambda folder: pd.DataFrame({"a": STEPS, "b": STEPS}),
    "columns of lists of polars": lambda folder: pl.DataFrame({"a": [x.tolist() for x in STEPS]}),
    "mapped": lambda folder: mapped(folder, ARRAY),
    "ragged and mapped": lambda folder: RaggedArray(mapped(folder, X.values), LENGTHS),
    "in a file": in_file,
    "in chunks of Dask": in_chunks,
}


@pytest.fixture
def client(client):
    """The one that joblib finds."""
    with client.as_current():
        yield client


def grid_search(net, X, y):
    return GridSearchCV(net, PARAMETERS, cv=2, n_jobs=2).fit(X, y)


def halving_search(net, X, y):
    return HalvingGridSearchCV(net, PARAMETERS, cv=2, min_resources=30, random_state=0, n_jobs=2).fit(X, y)


def assert_same_search(one, other):
    assert_array_equal(one.cv_results_["mean_test_score"], other.cv_results_["mean_test_score"])
    assert one.best_params_ == other.best_params_
    assert_same_parameters(one.best_estimator_, other.best_estimator_)


def assert_same_parameters(one, other):
    """To the bit."""
    for name, values in one.parameters_.items():
        assert values.tobytes() == other.parameters_[name].tobytes(), name


class TestSameBits:
    @pytest.mark.parametrize("form", FORMS)
    def test_over_any_form(self, client, tmp_path, form):
        X, net = FORMS[form](tmp_path), RNNClassifier(2, max_iter=1, random_state=0)
        with parallel_config(backend="sequential"):
            expected = grid_search(net, X, Y)
        with parallel_config(backend="dask"):
            assert_same_search(grid_search(net, X, Y), expected)

    @pytest.mark.parametrize("y", [STEPS, RaggedArray.from_list(STEPS)], ids=["list", "ragged"])
    def test_with_targets_of_steps(self, client, y):
        net = RNNRegressor(2, max_iter=1, return_sequences=True, random_state=0)
        with parallel_config(backend="sequential"):
            expected = grid_search(net, X, y)
        with parallel_config(backend="dask"):
            assert_same_search(grid_search(net, X, y), expected)

    def test_of_halving_searches(self, client):
        net = RNNClassifier(2, max_iter=1, random_state=0)
        with parallel_config(backend="sequential"):
            expected = halving_search(net, X, Y)
        with parallel_config(backend="dask"):
            assert_same_search(halving_search(net, X, Y), expected)


@pytest.fixture
def pickled(monkeypatch):
    """Counts how often this process pickles objects of a class."""
    def count(cls):
        counts = []
        monkeypatch.setattr(
            cls, "__reduce_ex__", lambda self, protocol: counts.append(self) or object.__reduce_ex__(self, protocol)
        )
        return counts
    return count


class TestSentOnce:
    """joblib sends what says that it is large to the cluster before the tasks, which get a reference to it."""

    @pytest.mark.parametrize("form", ["ragged", "with static features"])
    def test_x_of_a_search(self, client, tmp_path, pickled, form):
        X = FORMS[form](tmp_path)
        counts = pickled(type(X))
        with parallel_config(backend="dask"):
            GridSearchCV(RNNClassifier(2, max_iter=1), PARAMETERS, cv=2, refit=False).fit(X, Y)
        assert len(counts) == 1

    @pytest.mark.parametrize("sent", [Steps, Score])
    def test_what_permutation_importance_needs(self, client, pickled, sent):
        net = RNNRegressor(2, max_iter=1, return_sequences=True).fit(LIST, STEPS)
        expected = permutation_importance(net, LIST, STEPS, n_repeats=1, random_state=0).importances
        counts = pickled(sent)
        with parallel_config(backend="dask"):
            found = permutation_importance(net, LIST, STEPS, n_repeats=1, random_state=0, n_jobs=2).importances
        assert_array_equal(found, expected)
        assert len(counts) == 1

    def test_the_table_of_a_backtest(self, client, pickled):
        models = {"year": SeasonalNaive(12), "month": SeasonalNaive(1)}
        arguments = models, np.arange(300.0) % 12, ForecastWindows(past=24, horizon=3, target=0)
        expected = backtest(*arguments, origins=4, refit=True).metrics
        counts = pickled(Panel)
        with parallel_config(backend="dask"):
            found = backtest(*arguments, origins=4, refit=True, n_jobs=2).metrics
        assert_array_equal(found["rmse"], expected["rmse"])
        assert len(counts) == 1


@pytest.fixture(scope="module")
def worker():
    """The client of a cluster of one worker of four threads, in this process."""
    with local_cluster(1, threads_per_worker=4, set_as_default=False) as client:
        yield client


# Waited for by tasks, which have no closures
BEGUN, ENDS = {n: Barrier(n) for n in (2, 3, 4)}, {n: Barrier(n) for n in (2, 3, 4)}


def n_threads_together(n_tasks):
    """The number of threads while so many tasks run."""
    BEGUN[n_tasks].wait(300)
    n_threads = threads.effective_n_threads()
    ENDS[n_tasks].wait(300)
    return n_threads


def n_threads_of_another_task_and_then():
    with worker_client() as client:
        of_other = client.submit(threads.effective_n_threads, pure=False).result(300)
        return of_other, threads.effective_n_threads()


class TestThreads:
    """Of a worker of four threads."""

    @pytest.fixture(autouse=True)
    def machine(self, monkeypatch):
        """Eight processors, and what Dask sets in the processes of its workers."""
        monkeypatch.setenv("OMP_NUM_THREADS", "1")
        monkeypatch.setattr(threads, "max_threads", lambda: 1)
        monkeypatch.setattr(threads, "_n_processors", lambda: 8)

    def test_a_task_alone_has_all_of_them(self, worker):
        assert worker.submit(threads.effective_n_threads, pure=False).result(300) == 4
        assert threads.effective_n_threads() == 1

    @pytest.mark.parametrize(("n_tasks", "expected"), [(2, 2), (3, 1), (4, 1)])
    def test_tasks_share_them(self, worker, n_tasks, expected):
        tasks = [worker.submit(n_threads_together, n_tasks, pure=False) for _ in range(n_tasks)]
        assert worker.gather(tasks) == [expected] * n_tasks

    def test_a_task_that_waits_for_others_leaves_them_its_own(self, worker):
        assert worker.submit(n_threads_of_another_task_and_then, pure=False).result(300) == (4, 4)

    def test_a_fit_takes_what_is_free_now(self, worker, monkeypatch):
        """Another task begins after two batches, and ends after two more."""
        used, other, run = [], [], threads.ThreadTuner.run

        def noted(tuner, function):
            used.append(tuner.max_threads)
            if len(used) == 2:
                other.append(worker.submit(n_threads_together, 2, pure=False))
                BEGUN[2].wait(300)
            elif len(used) == 4:
                ENDS[2].wait(300)
                assert other[0].result(300) == 2
            return run(tuner, function)

        net = RNNClassifier(2, max_iter=3, batch_size=N // 2, random_state=0)
        expected = net.fit(ARRAY, Y).loss_curve_
        monkeypatch.setattr(threads, "SERIAL_WORK", 0)
        monkeypatch.setattr(threads.ThreadTuner, "run", noted)
        assert worker.submit(net.fit, ARRAY, Y, pure=False).result(300).loss_curve_ == expected
        assert used == [4, 4, 2, 2, 4, 4]


def test_ray_gives_the_same_bits_and_its_own_number_of_threads():
    """One thread a process, which is what Ray sets."""
    ray = pytest.importorskip("ray")
    from ray.util.joblib import register_ray

    register_ray()
    net = RNNClassifier(2, max_iter=1, random_state=0)
    with parallel_config(backend="sequential"):
        expected = grid_search(net, X, Y)
    scoring = {"score": "accuracy", "threads": lambda net, X, y: threads.effective_n_threads()}
    ray.init(num_cpus=2, include_dashboard=False, log_to_driver=False)
    try:
        with parallel_config(backend="ray"):
            found = GridSearchCV(net, PARAMETERS, cv=2, n_jobs=2, scoring=scoring, refit="score").fit(X, Y)
    finally:
        ray.shutdown()
    assert found.cv_results_["mean_test_threads"].tolist() == [1.0, 1.0]
    assert_array_equal(found.cv_results_["mean_test_score"], expected.cv_results_["mean_test_score"])
    assert_same_parameters(found.best_estimator_, expected.best_estimator_)
