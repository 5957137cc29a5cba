"""Predictions of a fitted net again and again: what it keeps between calls, from many threads, in other processes."""

import multiprocessing
import os
import pickle
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from copy import copy, deepcopy

import numpy as np
import pytest
from sklearn.exceptions import ConvergenceWarning
from sklearn.pipeline import make_pipeline

from skrnn import RNNClassifier
from skrnn._runtime import threads
from skrnn._training import model as models
from skrnn.exceptions import NothingLearnedWarning
from skrnn.preprocessing import SequenceScaler

pytestmark = [
    pytest.mark.filterwarnings(f"ignore::{kind.__module__}.{kind.__name__}")
    for kind in (ConvergenceWarning, NothingLearnedWarning)
]

N, T, D = 12, 6, 2
X = np.random.default_rng(0).normal(size=(N, T, D))
y = np.arange(N) % 3


def make(**parameters):
    return RNNClassifier(5, **{"max_iter": 1, "random_state": 0} | parameters)


@pytest.fixture(scope="module")
def net():
    return make().fit(X, y)


def calls(net):
    """What a service may call, as functions of one sequence."""

    def stream(x):
        state = net.initial_state()
        for step in x:
            p, state = net.predict_proba_step(step, state)
        return np.concatenate([p, state[0]])

    return {
        "one": lambda x: net.predict_proba(x[np.newaxis])[0],
        "list": lambda x: net.predict_proba([x])[0],
        "shorter": lambda x: net.predict_proba(x[np.newaxis, :3])[0],
        "many": lambda x: net.predict_proba(np.stack([x] * 40))[7],
        "labels": lambda x: net.predict([x, x[:2]]),
        "transform": lambda x: net.transform(x[np.newaxis])[0],
        "state": lambda x: net.predict(x[np.newaxis], return_state=True)[1][0],
        "step": lambda x: net.predict_step(x[0], None)[1][0],
        "stream": stream,
    }


class TestWhatIsKept:
    def test_calls_do_not_depend_on_those_before(self, net):
        expected = {name: call(X[0]).tobytes() for name, call in calls(make().fit(X, y)).items()}
        for first in calls(net).values():
            for name, second in calls(net).items():
                first(X[1])
                assert second(X[0]).tobytes() == expected[name], name

    @pytest.mark.parametrize("train", ["set_parameters", "partial_fit", "fit", "warm_start", "copy"])
    def test_no_weights_of_before(self, train):
        net = make(warm_start=train == "warm_start").fit(X, y)
        before = {name: call(X[0]) for name, call in calls(net).items()}
        if train == "copy":
            old, net = net, copy(net)
        if train == "set_parameters":
            net.set_parameters({"head.V": -net.parameters_["head.V"]})
        elif train in ("partial_fit", "copy"):
            net.partial_fit(X, y)
        else:
            net.fit(X if train == "warm_start" else X[::-1] + 1, y)
        other = pickle.loads(pickle.dumps(net))
        for (name, call), again in zip(calls(net).items(), calls(other).values(), strict=True):
            assert call(X[0]).tobytes() == again(X[0]).tobytes()
            assert name in ("labels", "state", "step", "transform") or (call(X[0]) != before[name]).any()
        if train == "copy":     # what was copied stays as it was
            assert all(call(X[0]).tobytes() == before[name].tobytes() for name, call in calls(old).items())

    @pytest.mark.parametrize("interrupted", [False, True])
    def test_parameters_of_a_fitted_net_are_read_only(self, interrupted, monkeypatch):
        net = make(max_iter=3)
        if interrupted:
            def stop(*args):
                raise KeyboardInterrupt

            monkeypatch.setattr("skrnn._estimators.base.warn_if_nothing_learned", stop)
            with pytest.raises(KeyboardInterrupt):
                net.fit(X, y)
        else:
            net.fit(X, y)
        for model in (net._fitted.model, pickle.loads(pickle.dumps(net))._fitted.model, deepcopy(net)._fitted.model):
            assert model.is_frozen
            with pytest.raises(ValueError, match="read-only"):
                model.theta[0] = 1
            assert not model.copy().is_frozen

    def test_scorers_see_the_parameters_of_their_epoch(self):
        """They predict with a net in training, whose parameters change in place."""
        held = X[:3].copy()

        def scoring(estimator, X_val, y_val):
            seen.append(estimator.predict_proba(held).tobytes())
            estimator.predict_step(held[0, 0], None)
            assert deepcopy(estimator).predict_proba(held).tobytes() == seen[-1]
            return -abs(len(seen) - 3)

        seen = []
        net = make(max_iter=5, early_stopping=True, scoring=scoring, learning_rate_init=0.1).fit(X, y)
        assert len(set(seen)) > 3
        assert net.predict_proba(held).tobytes() == seen[2]     # of the epoch with the best score

    def test_a_bounded_number_of_engines_of_a_bounded_size(self, monkeypatch):
        net = make().fit(X, y)
        model = net._fitted.model
        barrier, n = threading.Barrier(models.MAX_ENGINES + 4), models.MAX_ENGINES + 4
        forward = type(model.network).checked_forward

        def all_at_once(*args, **keywords):
            barrier.wait(30)
            return forward(*args, **keywords)

        monkeypatch.setattr(type(model.network), "checked_forward", all_at_once)
        with ThreadPoolExecutor(n) as pool:
            list(pool.map(net.predict, [X[:1]] * n))
        assert len(model._engines) == models.MAX_ENGINES
        monkeypatch.undo()
        model._engines.clear()
        net.predict(X[:1])
        assert len(model._engines) == 1
        monkeypatch.setattr(models, "MAX_BYTES_OF_ENGINE", 0)
        net.predict(X[:1])
        assert not model._engines

    def test_no_engine_of_many_streams_is_kept(self):
        net = make().fit(X, y)
        model = net._fitted.model
        net.predict_step(np.zeros((3, D)), net.initial_state(3))
        assert len(model._engines) == 1
        n = models.MAX_BYTES_OF_ENGINE // (6 * 8) + 1      # integers that tables have of each
        net.predict_step(np.zeros((n, D)), net.initial_state(n))
        assert not model._engines

    def test_nothing_of_it_is_pickled(self, net):
        fresh = len(pickle.dumps(make().fit(X, y)))
        net.predict(X)
        assert len(pickle.dumps(net)) == fresh


def test_many_threads_on_one_net(net):
    """16 threads, each with sequences and calls of its own."""
    expected = {name: [call(x).tobytes() for x in X] for name, call in calls(net).items()}
    start = threading.Barrier(16)

    def work(number):
        order = np.random.default_rng(number)
        start.wait(30)
        for _ in range(25):
            name, i = order.choice(list(expected)), order.integers(N)
            assert calls(net)[name](X[i]).tobytes() == expected[name][i], name

    with ThreadPoolExecutor(16) as pool:
        list(pool.map(work, range(16)))


def test_threads_while_the_net_is_fitted_again():
    """A prediction is that of one fit or of the other."""
    net = make().fit(X, y)
    first = net.predict_proba(X[:1])
    second = make().fit(X[::-1], y).predict_proba(X[:1])
    assert first.tobytes() != second.tobytes()
    done = threading.Event()

    def predict(_):
        seen = set()
        while not done.is_set():
            seen.add(net.predict_proba(X[:1]).tobytes())
        return seen

    with ThreadPoolExecutor(4) as pool:
        found = pool.map(predict, range(4))
        for _ in range(10):
            net.fit(X[::-1], y).fit(X, y)
        done.set()
        assert set().union(*found) <= {first.tobytes(), second.tobytes()}


def test_a_pipeline_and_a_table():
    pipeline = make_pipeline(SequenceScaler(), make()).fit(X, y)
    assert pipeline.predict_proba(X[:1]).tobytes() == pipeline.predict_proba(X)[:1].tobytes()
    table = make().fit(X[:, :, 0], y)
    assert table.predict_proba(X[:1, :, 0]).tobytes() == table.predict_proba(X[:, :, 0])[:1].tobytes()


def predicted(net):
    """For another process: its predictions, with more work than runs on one thread."""
    threads.SERIAL_WORK = 0
    return net.predict_proba(np.tile(X, (20, 1, 1))).tobytes(), net.predict_proba(X[:1]).tobytes()


def in_processes():
    """Predict in children that are forked while threads of the parent predict, and in one that is spawned."""
    net = make().fit(X, y)
    expected, done = predicted(net), threading.Event()

    def predict():
        while not done.is_set():
            predicted(net)

    with ThreadPoolExecutor(2) as pool:
        for _ in range(2):
            pool.submit(predict)
        for _ in range(3 if hasattr(os, "fork") else 0):
            pid = os.fork()
            if pid == 0:
                os._exit(0 if predicted(net) == expected else 1)
            assert os.waitpid(pid, 0)[1] == 0
        done.set()
    for method in {"fork", "spawn"} & set(multiprocessing.get_all_start_methods()):
        with multiprocessing.get_context(method).Pool(1) as pool:
            assert pool.map_async(predicted, [net] * 2).get(60) == [expected] * 2
    assert predicted(net) == expected


@pytest.mark.slow
def test_other_processes():
    """They have the net from their parent, which uses threads, and predict the same."""
    code = "import test_serving\nif __name__ == '__main__':\n    test_serving.in_processes()"
    subprocess.run(
        [sys.executable, "-W", "ignore", "-c", code], timeout=120, check=True, cwd=os.path.dirname(__file__),
        env=os.environ | {"OMP_NUM_THREADS": "2", "OMP_WAIT_POLICY": "passive"},
    )
